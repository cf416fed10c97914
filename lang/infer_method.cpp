// `x.f(args)`: what f is.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

// The module or effect that `object` names, where it names one: a local variable hides both.
Binding* Checker::qualifier(Expr* object) {
  if (object->parens) return nullptr;
  if (object->kind == ExprKind::kName) {
    NameExpr* name = as<NameExpr>(object);
    if (local(name->name)) return nullptr;
    if (symbols_.is_upper(name->name)) {
      TypeDef* def = module_type(module_, name->name);
      if (def && def->kind == TypeDefKind::kAlias) def = nullptr;
      if (!def || def->kind != TypeDefKind::kEffect) return nullptr;
      EffectBinding* b = arena_.make<EffectBinding>();
      b->kind = BindingKind::kEffect;
      b->name = name->name;
      b->span = def->span;
      b->effect = def;
      return b;
    }
    ModuleInfo* m = visible_module(module_, name->name);
    if (!m) {
      ModuleInfo** broken = scope_of(module_).modules.find(name->name);
      if (broken && !module_value(module_, name->name)) {
        static Binding error{};
        return &error;
      }
      return nullptr;
    }
    ModuleBinding* b = arena_.make<ModuleBinding>();
    b->kind = BindingKind::kModule;
    b->name = name->name;
    b->module = m;
    return b;
  }
  if (object->kind == ExprKind::kField) {
    FieldExpr* field = as<FieldExpr>(object);
    if (!symbols_.is_upper(field->name.name)) return nullptr;
    Binding* outer = qualifier(field->object);
    if (!outer || outer->kind != BindingKind::kModule) return nullptr;
    TypeDef* def = exported_type(static_cast<ModuleBinding*>(outer)->module, field->name.name);
    if (!def || def->kind != TypeDefKind::kEffect) return nullptr;
    EffectBinding* b = arena_.make<EffectBinding>();
    b->kind = BindingKind::kEffect;
    b->name = field->name.name;
    b->effect = def;
    return b;
  }
  return nullptr;
}

Binding* Checker::member_of(Binding* scope, const Ident& name, bool report) {
  if (scope->kind == BindingKind::kError) return nullptr;
  if (scope->kind == BindingKind::kEffect) {
    TypeDef* effect = static_cast<EffectBinding*>(scope)->effect;
    Names names;
    for (OperationBinding* o : effect->operations) {
      if (o->name == name.name) return o;
      names.push_back(text(o->name));
    }
    if (report) {
      Diagnostic& d = diags_.error(name.span, fmt::format("the effect `{}` has no operation `{}`",
                                                          text(effect->name), text(name.name)));
      declared_at(d, effect->span, "declared here", nullptr);
      suggest(d, text(name.name), names);
    }
    return nullptr;
  }
  ModuleInfo* m = static_cast<ModuleBinding*>(scope)->module;
  Binding* b = own_value(m, name.name);
  if (b && (!is_private(b) || m == module_)) return b;
  if (!report) return nullptr;
  if (b) {
    declared_at(
        diags_.error(name.span, fmt::format("`{}` is private to the module `{}`", text(name.name), m->name)),
        b->span, "declared here", nullptr);
    return nullptr;
  }
  Diagnostic& d =
      diags_.error(name.span, fmt::format("the module `{}` has no `{}`", m->name, text(name.name)));
  Names names;
  for (auto& e : own_values(m).slots()) {
    if (e.key && !is_private(e.value)) names.push_back(text(e.key));
  }
  suggest(d, text(name.name), names);
  return nullptr;
}

Type* Checker::qualified_call(MethodCallExpr* e, Binding* scope, Expr* piped) {
  CallNote* note = e->note;
  Binding* b = member_of(scope, e->name, true);
  if (!b) {
    infer_args(e->args);
    return error_;
  }
  if (e->object->kind == ExprKind::kName) as<NameExpr>(e->object)->binding = scope;
  Type* type = name_type(b, e->name.span);
  Callee callee;
  if (callee_of(b, type, callee)) return apply(callee, note, e, nullptr, piped, e->args, e->name.span, false);
  // A constant that holds a function.
  FieldExpr* field = arena_.make<FieldExpr>();
  field->kind = ExprKind::kField;
  field->span = join(e->object->span, e->name.span);
  field->object = e->object;
  field->name = e->name;
  field->type = type;
  field->note = new_note();
  field->note->kind = CallKind::kValue;
  field->note->target = b;
  note->callee = field;
  return call_value(type, note, e, piped, e->args, e->name.span, false, b);
}

Type* Checker::infer_method(MethodCallExpr* e, Expr* piped) {
  CallNote* note = e->note = new_note();
  if (Binding* scope = qualifier(e->object)) {
    // A top-level value of the module's name stands behind it.
    Binding* behind = scope->kind == BindingKind::kModule ? module_value(module_, scope->name) : nullptr;
    if (!behind || member_of(scope, e->name, false)) return qualified_call(e, scope, piped);
  }
  Type* receiver = prune(infer(e->object));
  Pending p{};
  p.kind = Pending::kMethod;
  p.expr = e;
  p.subject = receiver;
  p.span = e->name.span;
  p.note = note;
  p.receiver = e->object;
  p.name = e->name;
  p.args = e->args;
  p.piped = piped;
  p.scope = local(e->name.name);
  if (receiver->tag == TypeTag::Error || receiver == never_) {
    infer_args(e->args);
    return receiver;
  }
  Type* result = nullptr;
  if (is_var(receiver)) {
    // Something earlier may have been waiting for what is known by now.
    if (!pending_.empty()) {
      settle(pending_.size() > 64 ? pending_.size() - 64 : 0, level_, false, true);
      receiver = p.subject = prune(receiver);
    }
    if (is_var(receiver)) {
      infer_args(e->args);
      p.result = result = fresh();
      add_pending(p);
      return result;
    }
  }
  resolve_method(p, false, result);
  return result ? result : error_;
}

// True where the first parameter of `b` can have the outermost type of `receiver`.
bool Checker::candidate_fits(Binding* b, Type* receiver) {
  Type* fn = nullptr;
  bool has_param = true;
  switch (b->kind) {
    case BindingKind::kFunction: {
      auto* f = static_cast<FunctionBinding*>(b);
      signature(f);
      ensure_typed(f);
      fn = f->scheme.type ? f->scheme.type : static_cast<GroupMember*>(f->member)->type;
      has_param = f->decl->params.size > 0;
      break;
    }
    case BindingKind::kOperation:
      fn = static_cast<OperationBinding*>(b)->scheme.type;
      has_param = static_cast<OperationBinding*>(b)->params.size > 0;
      break;
    case BindingKind::kConstructor:
      fn = static_cast<ConstructorBinding*>(b)->scheme.type;
      break;
    case BindingKind::kGlobal:
      fn = static_cast<GlobalBinding*>(b)->scheme.type;
      if (!fn) fn = static_cast<GlobalBinding*>(b)->type;
      break;
    case BindingKind::kLocal: {
      auto* l = static_cast<LocalBinding*>(b);
      if (l->local == LocalKind::kFn && l->decl) has_param = l->decl->params.size > 0;
      auto* m = static_cast<GroupMember*>(l->member);
      if (m && !m->type) start_local_fn(*m, m->level);
      fn = l->type;
      break;
    }
    default:
      return false;
  }
  if (!fn || !has_param) return false;
  fn = prune(fn);
  if (is_var(fn)) return true;
  if (fn->tag != TypeTag::Fn) return false;
  Type* first = prune(fn->param(0));
  switch (first->tag) {
    case TypeTag::Con:
      return receiver->tag == TypeTag::Con && first->def == receiver->def;
    case TypeTag::Fn:
      return receiver->tag == TypeTag::Fn;
    case TypeTag::Rigid:
      return receiver == first || receiver->tag == TypeTag::Rigid || !first->abstract;
    default:
      return true;
  }
}

ModuleInfo* Checker::method_module(Type* receiver) {
  if (receiver->tag != TypeTag::Con) return nullptr;
  TypeDef* def = receiver->def;
  if (def->methods) return std_module(text(def->methods));
  switch (def->builtin) {
    case BuiltinType::kInt:
      return std_module("int");
    case BuiltinType::kFloat:
      return std_module("float");
    case BuiltinType::kBool:
      return std_module("bool");
    case BuiltinType::kChar:
      return std_module("char");
    case BuiltinType::kString:
      return std_module("string");
    case BuiltinType::kList:
      return std_module("list");
    case BuiltinType::kArray:
      return std_module("array");
    case BuiltinType::kOption:
      return std_module("option");
    case BuiltinType::kResult:
      return std_module("result");
    case BuiltinType::kRef:
      return std_module("reference");
    case BuiltinType::kRange:
      return std_module("range");
    default:
      break;
  }
  if (text(def->name) == "StringBuilder" && def->module && def->module->is_std) {
    if (ModuleInfo* m = std_module("string_builder")) return m;
  }
  return def->module;
}

// Could a call of `b` with this many arguments be right?
bool Checker::takes_arguments(Binding* b, uint32_t given) {
  const Slice<Param>* params = nullptr;
  if (b->kind == BindingKind::kFunction) params = &static_cast<FunctionBinding*>(b)->decl->params;
  if (b->kind == BindingKind::kLocal && static_cast<LocalBinding*>(b)->decl) {
    params = &static_cast<LocalBinding*>(b)->decl->params;
  }
  if (params) {
    uint32_t needed = 0;
    bool variadic = false;
    for (const Param& p : *params) {
      variadic |= p.variadic;
      needed += !p.variadic && !p.default_value;
    }
    return given >= needed && (variadic || given <= params->size);
  }
  Type* type = b->kind == BindingKind::kLocal ? static_cast<LocalBinding*>(b)->type : nullptr;
  type = type ? prune(type) : nullptr;
  return !type || type->tag != TypeTag::Fn || type->param_count() == given;
}

// What `f` in `x.f(…)` is as a function: in scope, nearest first, then in the module of x's type. One that
// cannot take as many arguments is only taken where there is no other.
Binding* Checker::method_candidate(const Pending& p, Type* receiver) {
  Symbol f = p.name.name;
  uint32_t given = p.args.size + 1 + (p.piped != nullptr);
  Binding* wrong_count = nullptr;
  auto good = [&](Binding* b) {
    if (!b || !candidate_fits(b, receiver)) return false;
    if (takes_arguments(b, given)) return true;
    if (!wrong_count) wrong_count = b;
    return false;
  };
  for (LocalBinding* l = p.scope; l; l = l->shadowed) {
    if (good(l)) return l;
  }
  ModuleScope& s = scope_of(module_);
  Binding* ranks[] = {own_value(module_, f), s.named.get(f), s.open.get(f),
                      prelude_ && module_ != prelude_ ? exported_value(prelude_, f) : nullptr,
                      s.open_operations.get(f)};
  for (Binding* b : ranks) {
    if (good(b)) return b;
  }
  // Where the methods of a type live in a module of their own, the declaring one counts as well.
  ModuleInfo* m = method_module(receiver);
  ModuleInfo* home = receiver->tag == TypeTag::Con ? receiver->def->module : nullptr;
  for (ModuleInfo* module : {m, home}) {
    if (!module) continue;
    Binding* b = own_value(module, f);
    if (b && (!is_private(b) || module == module_) && good(b)) return b;
    if (m == home) break;
  }
  return wrong_count;
}

// False where the receiver's type is not known yet.
bool Checker::resolve_method(Pending& p, bool inferred, Type*& result) {
  Type* receiver = prune(p.subject);
  if (is_var(receiver)) return false;
  auto give_up = [&] {
    if (!inferred) infer_args(p.args);
    result = error_;
    return true;
  };
  if (receiver->tag == TypeTag::Error || receiver == never_) return give_up();
  CallNote* note = p.note;
  if (receiver->tag == TypeTag::Con && receiver->def->kind == TypeDefKind::kEffect) {
    for (OperationBinding* o : receiver->def->operations) {
      if (o->name != p.name.name) continue;
      Type* fn = prune(name_type(o, p.span));
      if (fn->tag != TypeTag::Fn) return give_up();
      unifier_.unify(prune(fn->row())->effect(), receiver);
      // Goes straight to its handler: no row changes.
      fn = types_.fn(fn->args(), fn->param_count(), fn->result(), types_.row_empty());
      Callee callee;
      callee_of(o, fn, callee);
      callee.kind = CallKind::kNamedOperation;
      note->callee = p.receiver;
      unit_->note->performs = true;
      result = apply(callee, note, p.expr, nullptr, p.piped, p.args, p.span, inferred);
      note->kind = CallKind::kNamedOperation;
      return true;
    }
  }
  if (receiver->tag == TypeTag::Con && receiver->def->kind == TypeDefKind::kData) {
    if (Type* field = field_type(receiver, p.name, note)) {
      note->kind = CallKind::kFieldClosure;
      note->callee = p.receiver;
      result = call_value(field, note, p.expr, p.piped, p.args, p.span, inferred, nullptr);
      return true;
    }
  }
  Binding* b = method_candidate(p, receiver);
  if (!b) {
    report_no_method(p, receiver);
    return give_up();
  }
  LocalBinding* as_local = b->kind == BindingKind::kLocal ? static_cast<LocalBinding*>(b) : nullptr;
  Type* type = prune(name_type(b, p.span));
  Callee callee;
  if (callee_of(b, type, callee)) {
    result = apply(callee, note, p.expr, p.receiver, p.piped, p.args, p.span, inferred);
    return true;
  }
  // A variable that holds a function: called with the receiver first.
  NameExpr* name = arena_.make<NameExpr>();
  name->kind = ExprKind::kName;
  name->span = p.span;
  name->name = p.name.name;
  name->binding = b;
  name->type = type;
  note->callee = name;
  Slice<Arg> args = arena_.slice<Arg>(p.args.size + 1);
  args[0].value = p.receiver;
  for (uint32_t i = 0; i < p.args.size; i++) args[i + 1] = p.args[i];
  if (!inferred) infer_args(p.args);
  (void)as_local;
  result = call_value(type, note, p.expr, p.piped, args, p.span, true, b);
  return true;
}

void Checker::report_no_method(const Pending& p, Type* receiver) {
  std::string_view name = text(p.name.name);
  Diagnostic& d =
      diags_.error(p.name.span, fmt::format("`{}` has no method or field `{}`", show(receiver), name));
  if (p.receiver) d.label(p.receiver->span, fmt::format("this is `{}`", show(receiver)));
  Names names;
  if (receiver->tag == TypeTag::Con) {
    for (OperationBinding* o : receiver->def->operations) names.push_back(text(o->name));
    for (ConstructorBinding* c : receiver->def->constructors) {
      for (const FieldDef& f : c->fields) {
        if (f.name) names.push_back(text(f.name));
      }
    }
  }
  if (ModuleInfo* m = method_module(receiver)) {
    for (auto& e : own_values(m).slots()) {
      if (e.key && !is_private(e.value) && candidate_fits(e.value, receiver)) names.push_back(text(e.key));
    }
  }
  std::string_view near = closest(name, names);
  if (!near.empty()) {
    d.help(fmt::format("did you mean `{}`?", near));
    return;
  }
  if (receiver->tag == TypeTag::Con) {
    for (ConstructorBinding* c : receiver->def->constructors) {
      if (c->field(p.name.name) >= 0) {
        d.note(fmt::format("only some constructors of `{}` have a field `{}`: use `match`", show(receiver),
                           name));
        return;
      }
    }
  }
  // In scope, but for another type.
  Binding* b = module_value(module_, p.name.name);
  if (b) declared_at(d, b->span, fmt::format("`{}` is in scope, but not for `{}`", name, show(receiver)), b);
}

}  // namespace eddy::lang
