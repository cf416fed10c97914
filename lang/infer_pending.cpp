// What waits for a type to become known: methods, fields, indexing, loops, and operators on open types.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

void Checker::add_pending(Pending p) {
  p.unit = unit_;
  p.row = unit_ ? unit_->row : nullptr;
  p.uses = uses_;
  p.level = level_;
  pending_.push_back(p);
}

// True when it is dealt with.
bool Checker::try_pending(Pending& p) {
  Type* subject = prune(p.subject);
  if (is_var(subject)) return false;
  Unit* saved_unit = unit_;
  uint32_t saved_level = level_;
  void** saved_uses = uses_;
  unit_ = p.unit;
  level_ = p.level;
  Type* unit_row = unit_ ? unit_->row : nullptr;
  if (unit_) unit_->row = p.row;
  if (p.uses != uses_) start_uses(p.uses);
  Type* got = nullptr;
  switch (p.kind) {
    case Pending::kArith:
      check_number(subject, static_cast<ArithOp>(p.name.name.id), p.span, p.expr);
      break;
    case Pending::kOrdered:
      check_ordered(subject, p.span, p.expr);
      break;
    case Pending::kConcat:
      if (subject != string_ && outermost(subject) != list_def_ && subject->tag != TypeTag::Error) {
        diags_.error(p.span, fmt::format("`++` joins Strings, or Lists; this is `{}`", show(subject)));
      }
      break;
    case Pending::kMethod:
      resolve_method(p, true, got);
      if (!got) got = error_;
      break;
    case Pending::kField:
      got = access_field(as<FieldExpr>(p.expr), subject, p.is_lvalue);
      break;
    case Pending::kTupleField:
      got = access_tuple(as<TupleIndexExpr>(p.expr), subject);
      break;
    case Pending::kIndex:
      got = access_index(as<IndexExpr>(p.expr), subject, p.is_lvalue);
      break;
    case Pending::kIterate:
      iterate(as<ForExpr>(p.expr), subject, p.result, p.unit);
      break;
  }
  if (got && prune(got) != never_ && !fits(got, p.result)) {
    mismatch(p.expr, got, p.result, Reason{});
  }
  if (unit_) unit_->row = unit_row;
  unit_ = saved_unit;
  level_ = saved_level;
  if (uses_ != saved_uses) start_uses(saved_uses);
  return true;
}

// Works off what has become known since `from`. What belongs to levels above `level` is about to be
// generalised: operands of arithmetic and comparison become Int, the rest stays open for an outer level, or
// is an error where there is none (`last`). With `peek` nothing is decided, only what is known is used.
void Checker::settle(size_t from, uint32_t level, bool last, bool peek) {
  if (pending_.size() <= from || settling_) return;
  settling_ = true;
  bool defaulted = false;
  for (;;) {
    bool progress = false;
    for (size_t i = from; i < pending_.size(); i++) {
      if (pending_[i].done || is_var(prune(pending_[i].subject))) continue;
      Pending p = pending_[i];  // resolving may add to the list
      pending_[i].done = true;
      try_pending(p);
      progress = true;
    }
    if (progress) continue;
    if (peek) break;
    for (size_t i = from; i < pending_.size(); i++) {
      Pending& p = pending_[i];
      if (p.done) continue;
      Type* t = prune(p.subject);
      if (p.kind > Pending::kConcat || t->level <= level) continue;
      unifier_.unify(t, p.kind == Pending::kConcat ? string_ : int_);
      progress = true;
    }
    if (!progress) break;
    defaulted = true;
  }
  (void)defaulted;
  settling_ = false;
  if (peek) return;
  if (last) {
    for (size_t i = from; i < pending_.size(); i++) {
      Pending& p = pending_[i];
      if (p.done) continue;
      p.done = true;
      Diagnostic& d = diags_.error(p.receiver ? p.receiver->span : p.span, "the type of this is not known");
      switch (p.kind) {
        case Pending::kMethod:
          d.here(fmt::format("so `.{}(…)` cannot be resolved", text(p.name.name)));
          break;
        case Pending::kField:
          d.here(fmt::format("so its field `{}` cannot be found", text(p.name.name)));
          break;
        case Pending::kIterate:
          d.here("so it is unclear how to run over it");
          break;
        default:
          d.here("so this cannot be resolved");
          break;
      }
      d.help("annotate its type");
      unifier_.unify(p.subject, error_);
      if (p.result) unifier_.unify(p.result, error_);
    }
  } else {
    // They go on waiting: nothing in them may be generalised.
    for (size_t i = from; i < pending_.size(); i++) {
      Pending& p = pending_[i];
      if (p.done) continue;
      unifier_.adjust_levels(p.subject, level);
      if (p.result) unifier_.adjust_levels(p.result, level);
      for (const Arg& a : p.args) {
        if (a.value && a.value->type) unifier_.adjust_levels(a.value->type, level);
      }
      if (p.level > level) p.level = level;
    }
  }
  size_t kept = from;
  for (size_t i = from; i < pending_.size(); i++) {
    if (!pending_[i].done) pending_[kept++] = pending_[i];
  }
  pending_.resize(kept);
}

}  // namespace eddy::lang
