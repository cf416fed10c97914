// Expressions: dispatch, names, data, and making a value fit what is expected.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

Type* Checker::infer(Expr* e, bool discard) {
  if (!e) return error_;
  Type* t = infer_kind(e, discard);
  e->type = t;
  return t;
}

Type* Checker::infer_kind(Expr* e, bool discard) {
  switch (e->kind) {
    case ExprKind::kUnit:
      return unit_type_;
    case ExprKind::kBool:
      return bool_;
    case ExprKind::kInt:
      return int_;
    case ExprKind::kFloat:
      return float_;
    case ExprKind::kChar:
      return char_;
    case ExprKind::kString:
      return string_;
    case ExprKind::kInterpolation:
      return infer_interpolation(as<InterpolationExpr>(e));
    case ExprKind::kTuple:
      return infer_tuple(as<TupleExpr>(e));
    case ExprKind::kList:
    case ExprKind::kArray:
      return infer_literal_list(e);
    case ExprKind::kName:
      return infer_name(as<NameExpr>(e));
    case ExprKind::kField:
      return infer_field(as<FieldExpr>(e), false);
    case ExprKind::kTupleIndex:
      return infer_tuple_index(as<TupleIndexExpr>(e));
    case ExprKind::kIndex:
      return infer_index(as<IndexExpr>(e), false);
    case ExprKind::kCall:
      return infer_call(as<CallExpr>(e), nullptr);
    case ExprKind::kMethodCall:
      return infer_method(as<MethodCallExpr>(e), nullptr);
    case ExprKind::kPipe:
      return infer_pipe(as<PipeExpr>(e));
    case ExprKind::kUnary:
      return infer_unary(as<UnaryExpr>(e));
    case ExprKind::kArith:
      return infer_arith(as<ArithExpr>(e));
    case ExprKind::kCompare:
      return infer_compare(as<CompareExpr>(e));
    case ExprKind::kLogical:
      return infer_logical(as<LogicalExpr>(e));
    case ExprKind::kConcat:
      return infer_concat(as<ConcatExpr>(e));
    case ExprKind::kRange:
      return infer_range(as<RangeExpr>(e));
    case ExprKind::kAssign:
      return infer_assign(as<AssignExpr>(e));
    case ExprKind::kLambda:
      return infer_lambda(as<LambdaExpr>(e), nullptr, nullptr);
    case ExprKind::kBlock:
      return infer_block(as<BlockExpr>(e), nullptr, nullptr, discard);
    case ExprKind::kIf:
      return infer_if(as<IfExpr>(e), nullptr, nullptr, discard);
    case ExprKind::kMatch:
      return infer_match(as<MatchExpr>(e), nullptr, nullptr, discard);
    case ExprKind::kWhile:
      return infer_while(as<WhileExpr>(e));
    case ExprKind::kFor:
      return infer_for(as<ForExpr>(e));
    case ExprKind::kLoop:
      return infer_loop(as<LoopExpr>(e));
    case ExprKind::kBreak:
    case ExprKind::kContinue:
    case ExprKind::kReturn:
      return infer_jump(e);
    case ExprKind::kHandle:
      return infer_handle(as<HandleExpr>(e), nullptr, nullptr);
    case ExprKind::kMask:
      return infer_mask(as<MaskExpr>(e), nullptr, nullptr);
    case ExprKind::kError:
      return error_;
  }
  return error_;
}

// Infers with the expectation pushed inwards, so that a report points at the innermost culprit.
void Checker::check(Expr* e, Type* expected, const Reason& why) {
  if (!e) return;
  Type* t;
  switch (e->kind) {
    case ExprKind::kLambda:
      t = infer_lambda(as<LambdaExpr>(e), expected, &why);
      break;
    case ExprKind::kBlock:
      t = infer_block(as<BlockExpr>(e), expected, &why, false);
      break;
    case ExprKind::kIf:
      t = infer_if(as<IfExpr>(e), expected, &why, false);
      break;
    case ExprKind::kMatch:
      t = infer_match(as<MatchExpr>(e), expected, &why, false);
      break;
    case ExprKind::kHandle:
      t = infer_handle(as<HandleExpr>(e), expected, &why);
      break;
    case ExprKind::kMask:
      t = infer_mask(as<MaskExpr>(e), expected, &why);
      break;
    case ExprKind::kCall:
      expected_ = expected;
      t = infer_kind(e, false);
      e->type = t;
      coerce(e, t, expected, why);
      return;
    default:
      t = infer_kind(e, false);
      e->type = t;
      coerce(e, t, expected, why);
      return;
  }
  e->type = t;
}

Type* Checker::open_row(Type* fn) {
  fn = prune(fn);
  if (fn->tag != TypeTag::Fn) return fn;
  Type* row = prune(fn->row());
  if (row_tail(row)->tag != TypeTag::RowEmpty) return fn;
  std::vector<Type*> effects;
  for (; row->tag == TypeTag::RowCons; row = prune(row->rest())) effects.push_back(row->effect());
  Type* open = fresh_row();
  for (size_t i = effects.size(); i-- > 0;) open = types_.row_cons(effects[i], open);
  return types_.fn(fn->args(), fn->param_count(), fn->result(), open);
}

// A value of type `actual` may stand where `expected` is: never returning fits anywhere, and a function may
// do less than is allowed.
bool Checker::fits(Type* actual, Type* expected) {
  actual = prune(actual);
  expected = prune(expected);
  if (actual == expected || actual == never_) return true;
  if (actual->tag == TypeTag::Fn) {
    if (expected->tag == TypeTag::Fn && actual->count == expected->count) {
      unsigned n = actual->param_count();
      for (unsigned i = 0; i < n; i++) {
        if (!unifier_.unify(actual->param(i), expected->param(i))) return false;
      }
      if (prune(actual->result()) != never_ && !unifier_.unify(actual->result(), expected->result()))
        return false;
      Type* row = actual->row();
      Type* into = expected->row();
      if (row_tail(row)->tag != TypeTag::Rigid) return unifier_.subrow(row, into);
      if (!unifier_.subrow_effects(row, into)) return false;
      if (!row) return true;
      if (!is_var(Unifier::past_io(into))) return unifier_.subrow(row, into);
      flow(row, into, fit_at_, nullptr);
      return true;
    }
    actual = open_row(actual);
  }
  return unifier_.unify(actual, expected);
}

bool Checker::coerce(Expr* e, Type* actual, Type* expected, const Reason& why) {
  fit_at_ = e->span;
  if (fits(actual, expected)) return true;
  mismatch(e, actual, expected, why);
  return false;
}

Type* Checker::infer_tuple(TupleExpr* e) {
  Type* inline_items[8];
  std::vector<Type*> many;
  Type** items = inline_items;
  if (e->items.size > 8) {
    many.resize(e->items.size);
    items = many.data();
  }
  for (uint32_t i = 0; i < e->items.size; i++) items[i] = open_row(infer(e->items[i]));
  if (e->items.size > 64) {
    diags_.error(e->span, "a tuple has at most 64 items").help("declare a record type");
    return error_;
  }
  return types_.con(tuple_def(e->items.size), items, e->items.size);
}

Type* Checker::infer_literal_list(Expr* e) {
  bool array = e->kind == ExprKind::kArray;
  Slice<Expr*>& items = array ? as<ArrayExpr>(e)->items : as<ListExpr>(e)->items;
  Type* item = fresh();
  Span first;
  for (Expr* x : items) {
    check(x, item, Reason{Reason::kItem, 0, first, nullptr});
    if (!first && prune(x->type) != never_) first = x->span;
  }
  Type* type = types_.con(array ? array_def_ : list_def_, {item});
  if (!array && as<ListExpr>(e)->rest) {
    Expr* rest = as<ListExpr>(e)->rest;
    check(rest, type, Reason{Reason::kItem, 1, first, nullptr});
  }
  return type;
}

Type* Checker::infer_interpolation(InterpolationExpr* e) {
  for (StringPart& p : e->parts) {
    if (p.value) infer(p.value);
  }
  return string_;
}

Type* Checker::instance(const Scheme& s) {
  if (s.count == 0) return s.type;
  Type* inline_args[16];
  std::vector<Type*> many;
  Type** args = inline_args;
  if (s.count > 16) {
    many.resize(s.count);
    args = many.data();
  }
  return instantiate(types_, s, level_, args);
}

// A function of the group being inferred, used inside the group: same parameters and result, a row of its
// own.
Type* Checker::use_member(GroupMember& m, Span span) {
  if (m.determined) return instance(m.scheme);
  GroupUse u;
  u.span = span;
  u.row = fresh_row();
  // Known when the group is: a `let` around this place must not generalise it.
  unifier_.adjust_levels(u.row, m.level);
  Type* type = m.type;
  if (!m.rigids.empty()) {
    u.rigids = static_cast<Type**>(arena_.allocate(m.rigids.size() * sizeof(Type*), alignof(Type*)));
    for (size_t i = 0; i < m.rigids.size(); i++) u.rigids[i] = m.rigids[i]->is_row ? fresh_row() : fresh();
    type = replace_rigids(types_,
                          types_.fn(type->args(), type->param_count(), type->result(), types_.row_empty()),
                          m.rigids.data(), u.rigids, static_cast<unsigned>(m.rigids.size()));
  }
  u.fn = types_.fn(type->args(), type->param_count(), type->result(), u.row);
  m.uses.push_back(u);
  return u.fn;
}

Type* Checker::name_type(Binding* b, Span span) {
  switch (b->kind) {
    case BindingKind::kLocal: {
      auto* l = static_cast<LocalBinding*>(b);
      l->mentioned = true;
      if (l->local == LocalKind::kResume && !l->type) {
        Diagnostic& d = diags_.error(span, l->assigned ? "`resume` may not stand in a `fun` clause"
                                                       : "`resume` may not stand in a `final` clause");
        d.here(l->assigned ? "a `fun` clause resumes with its value, by itself"
                           : "a `final` clause never resumes");
        d.label(l->span, "the clause is declared here");
        d.help(fmt::format("leave out `{}`", l->assigned ? "fun" : "final"));
        return error_;
      }
      if (l->local == LocalKind::kFn) {
        auto* m = static_cast<GroupMember*>(l->member);
        if (!m->type) start_local_fn(*m, m->level);  // mentioned before its place in the block
        if (m->running) return use_member(*m, span);
      }
      return l->scheme.count ? instance(l->scheme) : l->type;
    }
    case BindingKind::kFunction: {
      auto* f = static_cast<FunctionBinding*>(b);
      use(f);
      ensure_typed(f);
      if (f->scheme.type) return instance(f->scheme);
      auto* m = static_cast<GroupMember*>(f->member);
      return m && m->running ? use_member(*m, span) : error_;
    }
    case BindingKind::kGlobal: {
      auto* g = static_cast<GlobalBinding*>(b);
      use(g);
      ensure_typed(g);
      if (g->scheme.type) return instance(g->scheme);
      return g->type ? g->type : error_;
    }
    case BindingKind::kConstructor: {
      auto* c = static_cast<ConstructorBinding*>(b);
      mark_type(c->type_def);
      return c->scheme.type ? instance(c->scheme) : error_;
    }
    case BindingKind::kOperation: {
      auto* o = static_cast<OperationBinding*>(b);
      mark_type(o->effect);
      return o->scheme.type ? instance(o->scheme) : error_;
    }
    default:
      return error_;
  }
}

Type* Checker::infer_name(NameExpr* e) {
  Binding* b = lookup_value(e->name);
  if (!b) return undefined_name(e);
  e->binding = b;
  if (b->kind == BindingKind::kOperation) {
    auto* own = scope_of(module_).operations.find(e->name);
    if (own && own->size() > 1) {
      Diagnostic& d =
          diags_.error(e->span, fmt::format("`{}` is an operation of several effects", text(e->name)));
      std::string choices;
      for (OperationBinding* o : *own) {
        d.label(o->span, fmt::format("one is `{}`'s", text(o->effect->name)));
        choices +=
            fmt::format("{}`{}.{}`", choices.empty() ? "" : " or ", text(o->effect->name), text(e->name));
      }
      d.help("write " + choices);
      return error_;
    }
  }
  return name_type(b, e->span);
}

Type* Checker::undefined_name(NameExpr* e) {
  std::string_view name = text(e->name);
  if (e->name == sym::resume) {
    diags_.error(e->span, "`resume` stands only in a handler's clause")
        .here("not inside a clause that may resume");
    return error_;
  }
  visible_module(module_, e->name);
  if (ModuleInfo** m = scope_of(module_).modules.find(e->name)) {
    if (!*m) return error_;
    diags_.error(e->span, fmt::format("`{}` is a module, not a value", name))
        .help(fmt::format("name something in it: `{}.…`", name));
    return error_;
  }
  if (TypeDef* def = module_type(module_, e->name)) {
    Diagnostic& d =
        diags_.error(e->span, fmt::format("`{}` is {}, not a value", name,
                                          def->kind == TypeDefKind::kEffect ? "an effect" : "a type"));
    if (def->constructors.size)
      d.help(fmt::format("its constructor is `{}`", text(def->constructors[0]->name)));
    else if (def->operations.size)
      d.help(fmt::format("perform an operation of it: `{}(…)`", text(def->operations[0]->name)));
    return error_;
  }
  Diagnostic& d = diags_.error(e->span, fmt::format("unknown name `{}`", name));
  d.here("not found in this scope");
  if (can_suggest()) hint_unknown(d, e->name);
  return error_;
}

}  // namespace eddy::lang
