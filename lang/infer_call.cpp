// Calls: arguments in their places, and the callee's effects.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

Symbol Checker::param_name(const Callee& c, uint32_t i) const {
  if (c.params) {
    Pattern* p = (*c.params)[i].pattern;
    return p && p->kind == PatternKind::kVariable ? as<VariablePattern>(p)->name : Symbol{};
  }
  if (c.fields) return (*c.fields)[i].name;
  if (c.names) return (*c.names)[i];
  return {};
}

Expr* Checker::param_default(const Callee& c, uint32_t i) const {
  if (c.params) return (*c.params)[i].default_value;
  if (c.fields) return (*c.fields)[i].default_value;
  return nullptr;
}

bool Checker::param_variadic(const Callee& c, uint32_t i) const {
  return c.params && (*c.params)[i].variadic;
}

// True where a call by the name of `b` is direct: its declaration says how many arguments there are.
bool Checker::callee_of(Binding* b, Type* type, Callee& out) {
  out.target = b;
  out.name = b->name;
  out.fn = prune(type);
  out.direct = true;
  switch (b->kind) {
    case BindingKind::kFunction: {
      FnDecl* decl = static_cast<FunctionBinding*>(b)->decl;
      out.kind = CallKind::kFunction;
      out.params = &decl->params;
      out.count = decl->params.size;
      out.what = "function";
      break;
    }
    case BindingKind::kConstructor:
      out.kind = CallKind::kConstructor;
      out.fields = &static_cast<ConstructorBinding*>(b)->fields;
      out.count = out.fields->size;
      out.what = "constructor";
      break;
    case BindingKind::kOperation:
      out.kind = CallKind::kOperation;
      out.names = &static_cast<OperationBinding*>(b)->params;
      out.count = out.names->size;
      out.what = "operation";
      break;
    case BindingKind::kLocal: {
      auto* l = static_cast<LocalBinding*>(b);
      if (l->local != LocalKind::kFn) return false;
      out.kind = CallKind::kLocalFn;
      out.params = &l->decl->params;
      out.count = l->decl->params.size;
      out.what = "function";
      break;
    }
    default:
      return false;
  }
  return true;
}

void Checker::infer_args(Slice<Arg> args) {
  for (const Arg& a : args) {
    if (a.value) infer(a.value);
  }
}

Type* Checker::infer_call(CallExpr* e, Expr* piped) {
  CallNote* note = e->note = new_note();
  Type* expected = expected_;
  expected_ = nullptr;
  Type* type = infer(e->callee);
  if (type->tag == TypeTag::Error) {
    infer_args(e->args);
    return error_;
  }
  Binding* b = nullptr;
  if (e->callee->kind == ExprKind::kName) {
    b = as<NameExpr>(e->callee)->binding;
    Callee callee;
    if (b && callee_of(b, type, callee)) {
      // What is expected of a piece of data tells what its parts may be: a function in it may do less.
      if (expected && callee.kind == CallKind::kConstructor && callee.fn->tag == TypeTag::Fn) {
        expected = prune(expected);
        if (expected->tag == TypeTag::Con && expected->def == outermost(callee.fn->result()) &&
            expected->count) {
          unifier_.unify(callee.fn->result(), expected);
        }
      }
      return apply(callee, note, e, nullptr, piped, e->args, e->callee->span, false);
    }
    if (b && b->kind == BindingKind::kLocal)
      note->is_resume = static_cast<LocalBinding*>(b)->local == LocalKind::kResume;
  }
  note->callee = e->callee;
  return call_value(type, note, e, piped, e->args, e->callee->span, false, b);
}

// Puts arguments into the callee's parameters, checks them, and performs what the callee may.
Type* Checker::apply(const Callee& c, CallNote* note, Expr* call, Expr* receiver, Expr* piped,
                     Slice<Arg> args, Span name_span, bool inferred) {
  note->kind = c.kind;
  note->target = c.target;
  note->fn_type = c.fn;
  if (c.fn->tag != TypeTag::Fn || (c.count == 0 && c.kind == CallKind::kConstructor)) {
    if (!inferred) infer_args(args);
    if (c.fn->tag == TypeTag::Error) return error_;
    Diagnostic& d =
        diags_.error(call->span, fmt::format("the {} `{}` takes no arguments", c.what, text(c.name)));
    declared_at(d, c.target->span, "declared here", c.target);
    d.help(fmt::format("leave out the parentheses: `{}`", text(c.name)));
    return c.fn;
  }
  Slice<CallArg> slots = arena_.slice<CallArg>(c.count);
  std::vector<bool> filled_many;
  uint64_t filled = 0;
  if (c.count > 64) filled_many.resize(c.count);
  auto is_filled = [&](uint32_t i) { return c.count > 64 ? bool(filled_many[i]) : (filled >> i & 1) != 0; };
  auto fill = [&](uint32_t i) {
    if (c.count > 64)
      filled_many[i] = true;
    else
      filled |= uint64_t{1} << i;
  };
  bool variadic = c.count > 0 && param_variadic(c, c.count - 1);
  std::vector<Expr*> rest;
  std::vector<uint16_t> order;
  uint32_t written = args.size + (receiver != nullptr) + (piped != nullptr);
  order.reserve(written);
  uint32_t position = 0;
  uint32_t extra = 0;
  auto positional = [&](ArgKind kind, Expr* value) {
    if (variadic && position >= c.count - 1 && kind != ArgKind::kPiped) {
      if (rest.empty()) {
        order.push_back(static_cast<uint16_t>(c.count - 1));
        fill(c.count - 1);
      }
      rest.push_back(value);
      position++;
      return;
    }
    if (position >= c.count) {
      extra++;
      return;
    }
    slots[position].kind = kind;
    slots[position].value = value;
    fill(position);
    order.push_back(static_cast<uint16_t>(position));
    position++;
  };
  if (receiver) positional(ArgKind::kGiven, receiver);
  if (piped) positional(ArgKind::kPiped, piped);
  bool bad = false;
  for (uint32_t n = 0; n < args.size; n++) {
    const Arg& a = args[n];
    if (!a.name.name) {
      bool trailing = a.value->kind == ExprKind::kLambda && as<LambdaExpr>(a.value)->trailing;
      if (trailing && c.count > 0 && !is_filled(c.count - 1) && !variadic) {
        // The block after the parentheses is the last argument, whatever was left to its default before it.
        slots[c.count - 1].value = a.value;
        fill(c.count - 1);
        order.push_back(static_cast<uint16_t>(c.count - 1));
        continue;
      }
      positional(ArgKind::kGiven, a.value);
      continue;
    }
    int found = -1;
    for (uint32_t i = 0; i < c.count; i++) {
      if (param_name(c, i) == a.name.name) found = static_cast<int>(i);
    }
    if (found < 0) {
      Diagnostic& d = diags_.error(a.name.span, fmt::format("the {} `{}` has no parameter `{}`", c.what,
                                                            text(c.name), text(a.name.name)));
      declared_at(d, c.target->span, "declared here", c.target);
      Names names;
      for (uint32_t i = 0; i < c.count; i++) {
        if (param_name(c, i)) names.push_back(text(param_name(c, i)));
      }
      suggest(d, text(a.name.name), names);
      bad = true;
      continue;
    }
    if (is_filled(static_cast<uint32_t>(found))) {
      diags_.error(a.name.span, fmt::format("the argument `{}` is given twice", text(a.name.name)));
      bad = true;
      continue;
    }
    slots[found].value = a.value;
    fill(static_cast<uint32_t>(found));
    order.push_back(static_cast<uint16_t>(found));
  }
  if (variadic && (!is_filled(c.count - 1) || !rest.empty())) {
    slots[c.count - 1].kind = ArgKind::kVariadic;
    slots[c.count - 1].items = arena_.copy(rest);
    if (rest.empty()) order.push_back(static_cast<uint16_t>(c.count - 1));
    fill(c.count - 1);
  }
  std::string missing;
  uint32_t missing_count = 0;
  for (uint32_t i = 0; i < c.count; i++) {
    if (is_filled(i)) continue;
    if (Expr* value = param_default(c, i)) {
      slots[i].kind = ArgKind::kDefault;
      slots[i].value = value;
      if (c.fields) ensure_default(static_cast<ConstructorBinding*>(c.target), i);
      continue;
    }
    missing_count++;
    Symbol name = param_name(c, i);
    missing += fmt::format("{}`{}`", missing.empty() ? "" : ", ", name ? text(name) : "_");
  }
  if (!bad && (extra || missing_count)) {
    Diagnostic& d = diags_.error(
        call->span, fmt::format("the {} `{}` takes {} argument{}, but {} {} given", c.what, text(c.name),
                                c.count, c.count == 1 ? "" : "s", written, written == 1 ? "is" : "are"));
    if (missing_count) d.here(fmt::format("missing {}", missing));
    declared_at(d, c.target->span, "declared here", c.target);
    if (c.count == 1 && written == 0 && prune(c.fn->param(0)) == unit_type_) d.help("give it `()`");
    bad = true;
  }
  note->args = slots;
  bool in_order = true;
  for (size_t i = 0; i < order.size(); i++) in_order &= order[i] == i;
  if (!in_order) note->order = arena_.copy(order);
  if (bad) {
    // Arguments that have a place are checked all the same; the others are at least looked at.
    if (!inferred) infer_args(args);
    return c.fn->result();
  }
  check_args(note, c.fn, &c, receiver, piped, inferred);
  note->row = c.fn->row();
  perform(note->row, name_span, c.target);
  if (c.kind == CallKind::kFunction && static_cast<FunctionBinding*>(c.target)->intrinsic == "abs" &&
      c.count == 1) {
    Type* t = prune(c.fn->param(0));
    if (is_var(t))
      require_number(slots[0].value ? slots[0].value : call, t, ArithOp::kSub, name_span);
    else if (t != int_ && t != float_ && t != never_ && t->tag != TypeTag::Error) {
      diags_.error(name_span, fmt::format("`abs` works on Int and Float, not on `{}`", show(t)));
    }
  }
  return c.fn->result();
}

// Arguments against parameters: what is no lambda first, so that lambdas know their parameters' types.
void Checker::check_args(CallNote* note, Type* fn, const Callee* callee, Expr* receiver, Expr* piped,
                         bool inferred) {
  const Binding* target = callee ? callee->target : nullptr;
  for (int pass = 0; pass < 2; pass++) {
    bool lambdas_left = false;
    for (uint32_t i = 0; i < note->args.size; i++) {
      CallArg& a = note->args[i];
      Type* param = fn->param(i);
      Reason why{Reason::kArgument, i, Span{}, target};
      auto one = [&](Expr* value, Type* expected) {
        bool lambda = value->kind == ExprKind::kLambda;
        if (lambda != (pass == 1)) {
          lambdas_left |= lambda;
          return;
        }
        bool done = inferred || value == receiver;
        if (value == receiver) why.kind = Reason::kReceiver;
        if (done)
          coerce(value, value->type ? value->type : error_, expected, why);
        else
          check(value, expected, why);
      };
      switch (a.kind) {
        case ArgKind::kGiven:
          one(a.value, param);
          break;
        case ArgKind::kPiped:
          if (pass == 0) {
            why.kind = Reason::kPiped;
            coerce(piped, piped->type, param, why);
          }
          break;
        case ArgKind::kVariadic: {
          Type* list = prune(param);
          Type* item = list->tag == TypeTag::Con && list->count == 1 ? list->arg(0) : error_;
          for (Expr* x : a.items) one(x, item);
          break;
        }
        case ArgKind::kDefault:
        case ArgKind::kUnit:
          break;
      }
    }
    if (!lambdas_left) break;
  }
  for (CallArg& a : note->args) {
    if (a.kind == ArgKind::kPiped) a.value = nullptr;
  }
}

Type* Checker::call_value(Type* type, CallNote* note, Expr* call, Expr* piped, Slice<Arg> args, Span span,
                          bool inferred, const Binding* name) {
  if (note->kind == CallKind::kError) note->kind = CallKind::kClosure;
  type = prune(type);
  uint32_t given = args.size + (piped != nullptr);
  for (const Arg& a : args) {
    if (a.name.name) {
      diags_.error(a.name.span, "a function value takes no named arguments")
          .note("only declared functions, constructors and operations have parameter names");
      if (!inferred) infer_args(args);
      return error_;
    }
  }
  if (is_var(type)) {
    std::vector<Type*> params;
    for (uint32_t i = 0; i < std::max(given, 1u); i++) params.push_back(fresh());
    if (given == 0) params[0] = unit_type_;
    Type* fn = types_.fn(params.data(), static_cast<unsigned>(params.size()), fresh(), fresh_row());
    if (unifier_.unify(type, fn)) {
      type = fn;
    } else {
      if (!inferred) infer_args(args);
      diags_.error(span, unifier_.error() == UnifyError::kInfinite
                             ? "this value would be a function that takes itself"
                             : "this value cannot be called");
      return error_;
    }
  }
  if (type->tag != TypeTag::Fn) {
    if (!inferred) infer_args(args);
    if (type->tag == TypeTag::Error) return error_;
    if (type == never_) return never_;
    Diagnostic& d = diags_.error(span, fmt::format("`{}` is not a function", show(type)));
    d.here("it is called here");
    if (name && name->span) d.label(name->span, "declared here");
    return error_;
  }
  unsigned count = type->param_count();
  note->fn_type = type;
  bool unit_left_out = given == 0 && count == 1 && unifier_.unify(type->param(0), unit_type_);
  if (given != count && !unit_left_out) {
    if (!inferred) infer_args(args);
    Diagnostic& d =
        diags_.error(call->span, fmt::format("this function takes {} argument{}, but {} {} given", count,
                                             count == 1 ? "" : "s", given, given == 1 ? "is" : "are"));
    d.here(fmt::format("it is `{}`", show(type)));
    if (name && name->span) d.label(name->span, "declared here");
    return type->result();
  }
  note->args = arena_.slice<CallArg>(count);
  uint32_t i = 0;
  if (unit_left_out) note->args[0].kind = ArgKind::kUnit;
  if (piped) {
    note->args[i].kind = ArgKind::kPiped;
    note->args[i++].value = piped;
  }
  for (const Arg& a : args) note->args[i++].value = a.value;
  Callee callee;
  callee.target = const_cast<Binding*>(name);
  check_args(note, type, name ? &callee : nullptr, nullptr, piped, inferred);
  note->row = type->row();
  perform(note->row, span, name);
  return type->result();
}

Type* Checker::infer_pipe(PipeExpr* e) {
  Type* type = infer(e->first);
  Span span = e->first->span;
  for (PipeStage& s : e->stages) {
    Expr* piped = arena_.make<Expr>(ExprKind::kError, false, span, type);
    if (s.value->kind == ExprKind::kCall && !s.value->parens) {
      type = s.value->type = infer_call(as<CallExpr>(s.value), piped);
    } else if (s.value->kind == ExprKind::kMethodCall && !s.value->parens) {
      type = s.value->type = infer_method(as<MethodCallExpr>(s.value), piped);
    } else {
      s.note = new_note();
      Type* fn = infer(s.value);
      Binding* b = nullptr;
      if (s.value->kind == ExprKind::kName) b = as<NameExpr>(s.value)->binding;
      if (s.value->kind == ExprKind::kField && as<FieldExpr>(s.value)->note)
        b = as<FieldExpr>(s.value)->note->target;
      Callee callee;
      if (fn->tag == TypeTag::Error) {
        type = error_;
      } else if (b && callee_of(b, fn, callee)) {
        type = apply(callee, s.note, s.value, nullptr, piped, {}, s.value->span, false);
      } else {
        s.note->callee = s.value;
        type = call_value(fn, s.note, s.value, piped, {}, s.value->span, false, b);
      }
    }
    s.type = type;
    span = s.value->span;
  }
  return type;
}

}  // namespace eddy::lang
