// Lambdas, parameters and scopes.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

Unit* Checker::push_unit(UnitKind kind, Type* row, FnContext* fn) {
  Unit* u = arena_.make<Unit>();
  u->note = arena_.make<FnNote>();
  u->note->kind = kind;
  u->note->parent = unit_ ? unit_->note : nullptr;
  u->note->row = row;
  u->parent = unit_;
  u->row = row;
  u->fn = fn;
  unit_ = u;
  return u;
}

void Checker::pop_unit() {
  // A unit that only runs as part of the one around it makes that one perform, too.
  Unit* u = unit_;
  unit_ = u->parent;
  UnitKind kind = u->note->kind;
  if (unit_ && (kind == UnitKind::kHandleBody || kind == UnitKind::kClause || kind == UnitKind::kLoopBody)) {
    unit_->note->performs |= u->note->performs;
    unit_->any |= u->any;
  }
}

LocalBinding* Checker::declare_local(Symbol name, Span span, LocalKind kind, Type* type) {
  LocalBinding* b = arena_.make<LocalBinding>();
  b->kind = BindingKind::kLocal;
  b->name = name;
  b->span = span;
  b->local = kind;
  b->owner = unit_ ? unit_->note : nullptr;
  b->type = type;
  if (name.id >= locals_.size()) locals_.resize(symbols_.size() + 256);
  b->shadowed = locals_[name.id];
  locals_[name.id] = b;
  scope_.push_back(b);
  return b;
}

void Checker::leave_scope(size_t mark) {
  while (scope_.size() > mark) {
    LocalBinding* b = scope_.back();
    locals_[b->name.id] = b->shadowed;
    scope_.pop_back();
  }
}

void Checker::bind_param(Param& p, Type* type, FnNote* note, size_t index) {
  p.resolved = type;
  if (!p.pattern) return;
  if (p.pattern->kind == PatternKind::kVariable) {
    auto* v = as<VariablePattern>(p.pattern);
    v->type = type;
    for (size_t i = 0; i < index; i++) {
      if (note->params.data && note->params[i] && note->params[i]->name == v->name) {
        diags_.error(v->span, fmt::format("the parameter `{}` is declared twice", text(v->name)))
            .label(note->params[i]->span, "first declared here");
      }
    }
    LocalBinding* b = declare_local(v->name, v->span, LocalKind::kParam, type);
    v->binding = b;
    note->params[index] = b;
    return;
  }
  infer_pattern(p.pattern, type, LocalKind::kLet, p.type ? p.type->span : Span{});
  irrefutable_.push_back({p.pattern, "a parameter"});
}

Type* Checker::infer_lambda(LambdaExpr* e, Type* expected, const Reason* why) {
  Type* want = expected ? prune(expected) : nullptr;
  bool has_fn = want && want->tag == TypeTag::Fn;
  uint32_t count = e->params.size;
  unsigned arity = count == 0 ? 1 : count;
  bool same_arity = has_fn && want->param_count() == arity;
  bool reported = false;

  std::vector<Type*> params(arity);
  type_mode_ = TypeMode::kAnnotation;
  type_level_ = level_;
  for (uint32_t i = 0; i < count; i++) {
    Param& p = e->params[i];
    if (p.type) {
      type_level_ = level_;
      params[i] = resolve_type(p.type);
      if (same_arity && !unifier_.unify(params[i], want->param(i))) {
        type_error(p.type->span, params[i], want->param(i), "this parameter's type does not fit",
                   why ? *why : Reason{});
        same_arity = false;
        reported = true;
      }
    } else {
      params[i] = same_arity ? want->param(i) : fresh();
    }
  }
  if (count == 0) {
    params[0] = unit_type_;
    if (same_arity && !unifier_.unify(want->param(0), unit_type_)) {
      Diagnostic& d = diags_.error(
          e->span,
          fmt::format("a function with a parameter of type `{}` is expected here", show(want->param(0))));
      d.here("this one takes no arguments");
      if (why && why->callee) declared_at(d, why->callee->span, "declared here", why->callee);
      d.help(e->trailing ? "name the parameter: `{ x => … }`" : "name the parameter: `fn(x) => …`");
      same_arity = false;
      reported = true;
    }
  }

  FnContext fn;
  Type* row;
  RowOrigin origin = RowOrigin::kOpen;
  Span row_span;
  if (e->row) {
    row = resolve_row(e->row);
    origin = RowOrigin::kAnnotation;
    row_span = e->row->span;
  } else if (same_arity) {
    row = want->row();
    origin = RowOrigin::kExpected;
    row_span = why && why->callee ? why->callee->span : Span{};
  } else {
    row = fresh_row();
  }
  Type* result;
  if (e->result) {
    result = resolve_type(e->result);
    fn.result_span = e->result->span;
    if (same_arity && !unifier_.unify(result, want->result())) {
      type_error(e->result->span, result, want->result(), "this result type does not fit",
                 why ? *why : Reason{});
    }
  } else {
    result = same_arity ? want->result() : fresh();
  }
  Symbol name = naming_;
  naming_ = {};
  Unit* unit = push_unit(UnitKind::kLambda, row, &fn);
  unit->origin = origin;
  unit->row_span = row_span;
  unit->note->name = name;
  e->note = unit->note;
  fn.note = unit->note;
  fn.result = result;
  size_t mark = enter_scope();
  unit->note->params = arena_.slice<LocalBinding*>(count);
  for (uint32_t i = 0; i < count; i++) bind_param(e->params[i], params[i], unit->note, i);
  Reason result_why = why && why->kind == Reason::kArgument && !e->result
                          ? *why
                          : Reason{Reason::kReturn, 0, fn.result_span, nullptr};
  if (result_why.kind == Reason::kArgument) result_why = Reason{Reason::kReturn, 0, Span{}, why->callee};
  // A lambda that never returns has any result; one whose block's value nobody asked for is not Unit.
  check(e->body, result, result_why);
  leave_scope(mark);
  pop_unit();
  Type* type = types_.fn(params.data(), arity, result, row);
  unit->note->type = type;
  if (expected && !reported) {
    Type* now = prune(expected);
    if (now != type && !(same_arity && !e->row)) coerce(e, type, now, why ? *why : Reason{});
  }
  return type;
}

}  // namespace eddy::lang
