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
  Type* tail = row_tail(row);
  if (is_var(tail) && is_var(row_tail(unit_->row))) {
    // Unknown effects under a handler: whether some of them are the handler's shows later.
    Type* rest = row;
    Type* into = unit_->row;
    if (!unifier_.subrow_effects(rest, into)) return perform_error(row, at, callee);
    if (!rest) return;
    if (is_var(rest) && into->tag == TypeTag::RowCons) {
      open_rows_.push_back({rest, into, at});
      return;
    }
    if (!unifier_.subrow(rest, into)) perform_error(row, at, callee);
    return;
  }
  if (!unifier_.subrow(row, unit_->row)) perform_error(row, at, callee);
}

// What open rows have been found to perform so far is performed around them.
void Checker::spread_rows(size_t from) {
  for (size_t i = from; i < open_rows_.size(); i++) {
    std::vector<Type*> effects;
    for (Type* row = prune(open_rows_[i].row); row->tag == TypeTag::RowCons; row = prune(row->rest())) {
      effects.push_back(row->effect());
    }
    Type* closed = types_.row_empty();
    for (size_t k = effects.size(); k-- > 0;) closed = types_.row_cons(effects[k], closed);
    if (!unifier_.subrow(closed, open_rows_[i].around)) perform_error(closed, open_rows_[i].span, nullptr);
  }
}

// Decides the rows that were left open: `types` are about to be generalised, above `level`. An end that they
// or an outer level share becomes the end of the row around; any other is nothing.
void Checker::finish_rows(size_t from, uint32_t level, Type* const* types, size_t count) {
  if (open_rows_.size() <= from) return;
  spread_rows(from);
  std::vector<Type*> ends;  // row variables in the types
  std::vector<Type*> own;   // ends of the functions' own rows
  bool again = true;
  while (again) {
    again = false;
    ends.clear();
    own.clear();
    std::vector<Type*> work;
    for (size_t k = 0; k < count; k++) {
      Type* t = prune(types[k]);
      // A function's own row may share its end with one inside without that meaning anything.
      if (t->tag == TypeTag::Fn) {
        work.insert(work.end(), t->args(), t->args() + t->count - 1);
        own.push_back(row_tail(t->row()));
      } else
        work.push_back(t);
    }
    size_t budget = 50'000;
    while (!work.empty() && budget-- > 0) {
      Type* t = prune(work.back());
      work.pop_back();
      if (is_var(t) && t->is_row) ends.push_back(t);
      if (t->tag == TypeTag::Con || t->tag == TypeTag::Fn || t->tag == TypeTag::RowCons) {
        for (unsigned k = 0; k < t->count; k++) work.push_back(t->arg(k));
      }
    }
    size_t kept = from;
    for (size_t i = from; i < open_rows_.size(); i++) {
      OpenRow h = open_rows_[i];
      Type* tail = row_tail(h.row);
      bool shared = !is_var(tail) || tail->level <= level;
      for (size_t k = 0; k < ends.size() && !shared; k++) shared = ends[k] == tail;
      if (!shared) {
        open_rows_[kept++] = h;
        continue;
      }
      again = true;
      Type* around = row_tail(h.around);
      bool is_own = false;
      for (Type* t : own) is_own |= t == tail;
      // Called outside of the handler as well as inside: what passes the handler is all that goes out anyway.
      if (is_own && is_var(tail) && is_var(around) && around != tail && around->level > level) {
        unifier_.unify(around, tail);
        continue;
      }
      if (!unifier_.subrow(h.row, h.around)) perform_error(h.row, h.span, nullptr);
    }
    open_rows_.resize(kept);
  }
  for (size_t i = from; i < open_rows_.size(); i++) {
    Type* tail = row_tail(open_rows_[i].row);
    if (is_var(tail) && tail != row_tail(open_rows_[i].around)) tail->link = types_.row_empty();
  }
  open_rows_.resize(from);
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

void Checker::perform_error(Type* row, Span at, const Binding* callee) {
  UnifyError error = unifier_.error();
  Type* left = unifier_.left() ? prune(unifier_.left()) : nullptr;
  Type* right = unifier_.right() ? prune(unifier_.right()) : nullptr;
  Unit* unit = closing_unit();
  std::string what = callee && callee->name ? fmt::format("`{}`", text(callee->name)) : "this call";

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
        } else {
          say_why(d, show(e));
        }
        break;
      }
      Diagnostic& d = diags_.error(
          at, fmt::format("the effects of {} do not fit: they would have to contain themselves", what));
      d.here(fmt::format("performs {}, but {} are allowed here", show(row), show(unit_->row)));
      d.help("annotate the effects of the functions involved");
      break;
    }
    case UnifyError::kTooLarge:
      diags_.error(at, "the effects here are too large");
      break;
    default: {
      Diagnostic& d = diags_.error(at, fmt::format("the effects of {} do not fit", what));
      d.here(fmt::format("performs {}, but {} may be performed here", show(row), show(unit_->row)));
      if (left && right) d.note(fmt::format("`{}` is not `{}`", show(left), show(right)));
      break;
    }
  }
  (void)right;
}

}  // namespace eddy::lang
