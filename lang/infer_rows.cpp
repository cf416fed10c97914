// What code may perform: including a callee's row in the one around the call.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

void Checker::perform(Type* row, Span at, const Binding* callee) {
  row = prune(row);
  if (row->tag == TypeTag::RowEmpty || row->tag == TypeTag::Error) return;
  if (!unit_) return;
  unit_->any = true;
  if (!unit_->note->performs) {
    // IO alone needs no handler.
    bool io = row->tag == TypeTag::RowCons && prune(row->effect()) == con(io_def_) &&
              prune(row->rest())->tag == TypeTag::RowEmpty;
    if (!io) unit_->note->performs = true;
  }
  if (unit_->row == row) return;
  if (row_tail(row)->tag != TypeTag::RowEmpty)
    flow(row, unit_->row, at, callee);
  else if (!unifier_.subrow(row, unit_->row))
    perform_error(row, at, callee);
}

// The unit whose row the effects of this place end in: handle bodies and clauses pass theirs on.
Unit* Checker::closing_unit() const {
  Unit* u = unit_;
  while (u && u->origin == RowOrigin::kOpen && u->parent &&
         (u->note->kind == UnitKind::kHandleBody || u->note->kind == UnitKind::kClause ||
          u->note->kind == UnitKind::kLoopBody)) {
    u = u->parent;
  }
  return u;
}

// `inner`: effects handled between here and the place, the nearest last.
void Checker::perform_error(Type* row, Span at, const Binding* callee,
                            const std::vector<std::string_view>& inner) {
  UnifyError error = unifier_.error();
  Type* left = unifier_.left() ? prune(unifier_.left()) : nullptr;
  Type* right = unifier_.right() ? prune(unifier_.right()) : nullptr;
  Unit* unit = closing_unit();
  std::string what = callee && callee->name ? fmt::format("`{}`", text(callee->name)) : "this call";

  // Between declarations, where the uses of a group's members are settled, there is no unit.
  auto performs = [&] {
    return unit_ ? fmt::format("performs {}, but {} may be performed here", show(row), show(unit_->row))
                 : fmt::format("performs {}", show(row));
  };
  auto say_why = [&](Diagnostic& d, const std::string& effect) {
    if (!unit) return;
    switch (unit->origin) {
      case RowOrigin::kAnnotation:
        d.label(unit->row_span, fmt::format("only {} may be performed here", show(unit->row)));
        d.help(fmt::format("handle `{}`, or add it to this annotation", effect));
        break;
      case RowOrigin::kGlobal:
        d.note("the value of a top-level `let` may perform only `IO`");
        break;
      case RowOrigin::kDefer:
        d.note("`defer` may perform only `IO`");
        break;
      case RowOrigin::kFinally:
        d.note("a `finally` clause may perform only `IO`");
        break;
      case RowOrigin::kExpected:
        if (unit->row_span) {
          d.label(unit->row_span,
                  fmt::format("a function that performs only {} is expected here", show(unit->row)));
        }
        break;
      case RowOrigin::kOpen:
        break;
    }
  };

  switch (error) {
    case UnifyError::kMissingEffect: {
      std::string effect = show(left);
      Diagnostic& d = diags_.error(at, fmt::format("the effect `{}` is not handled here", effect));
      if (callee && callee->kind == BindingKind::kOperation) {
        d.here(fmt::format("`{}` is an operation of `{}`", text(callee->name), effect));
      } else {
        d.here(fmt::format("{} may perform `{}`", what, effect));
      }
      say_why(d, effect);
      std::string handlers;
      for (size_t i = inner.size(); i-- > 0;)
        handlers += (handlers.empty() ? "`" : ", `") + std::string(inner[i]) + "`";
      for (Unit* u = unit_; u; u = u->parent) {
        if (!u->handle || u->handle->name.name) continue;
        if (!u->handle->note) continue;
        for (TypeDef* e : u->handle->note->effects) {
          handlers += (handlers.empty() ? "`" : ", `") + std::string(text(e->name)) + "`";
        }
      }
      if (!handlers.empty()) d.note("handlers around this place: " + handlers);
      break;
    }
    case UnifyError::kRigidRow:
    case UnifyError::kInfinite: {
      bool rigid = left && left->tag == TypeTag::Rigid;
      bool rigid_right = right && right->tag == TypeTag::Rigid;
      if (rigid || rigid_right) {
        Type* e = rigid ? left : right;
        Type* other = rigid ? right : left;
        Diagnostic& d = diags_.error(
            at, fmt::format("{} performs `{}`, which is not the effects allowed here", what, show(e)));
        d.here(fmt::format("performs {}", show(row)));
        if (other && other->tag == TypeTag::RowCons) {
          Type* effect = prune(other->effect());
          std::string_view name = effect->tag == TypeTag::Con ? text(effect->def->name) : "E";
          d.note(
              fmt::format("`{}` stands for any effects, `{}` among them: without `mask` they would go to the "
                          "wrong handler",
                          show(e), name));
          d.help(fmt::format(
              "write `mask<{}> {{ … }}` around the call, or let the function's type be `/ {{{} | {}}}`", name,
              show(effect), show(e)));
        } else if (unit_ && unit_->handle && other && other->tag == TypeTag::RowEmpty) {
          d.note("the `handle` around it, or its `resume`, is used where nothing may be performed");
        } else {
          say_why(d, show(e));
        }
        break;
      }
      Diagnostic& d = diags_.error(at, fmt::format("the effects of {} do not fit", what));
      d.here(performs());
      d.note("they would have to contain themselves");
      d.help("annotate the effects of the functions involved");
      break;
    }
    case UnifyError::kTooLarge:
      diags_.error(at, "the types here are too large");
      break;
    default: {
      Diagnostic& d = diags_.error(at, fmt::format("the effects of {} do not fit", what));
      d.here(performs());
      if (unit && unit->row_span) d.label(unit->row_span, "because of this annotation");
      if (left && right) d.note(fmt::format("`{}` is not `{}`", show(left), show(right)));
      break;
    }
  }
  (void)right;
}

}  // namespace eddy::lang
