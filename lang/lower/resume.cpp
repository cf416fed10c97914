// What a clause does with `resume`, once it is known how the clause runs.
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

void Lowering::resume(CallNote* note, Expr* e, Span span, Dest d, Val* piped) {
  Local* k = local_of(note->callee);
  bool own = u_.kind == UnitKindOf::kClause && u_.resume == k;
  if (own && (u_.clause_kind == rt::ClauseKind::Tail || u_.clause_kind == rt::ClauseKind::TailOrAbort)) {
    Val v = argument(note->args[0], piped, false, span);
    leave_to(0);
    emit(Op::RET, {v.reg});
    release(v);
    return;
  }
  Val value = argument(note->args[0], piped, false, span);
  std::optional<Val> resumption = capture_operand(k);
  if (!resumption) resumption = read(k, {});
  bool last = p_.is_last_resume(e);
  release(value);
  release(*resumption);
  at(span);
  if (d.is_return() && in_tail()) {
    leave_to(0);
    emit(last ? Op::TAIL_RESUME_LAST : Op::TAIL_RESUME, {resumption->reg, value.reg, 0});
    return;
  }
  Reg r = d.is_into() && !d.reg.is_raw ? d.reg : take();
  emit(last ? Op::RESUME_LAST : Op::RESUME, {r, resumption->reg, value.reg, 0});
  if (own) resumed_ = true;
  finish({r, !(d.is_into() && d.reg == r)}, d);
}

// --- clauses that resume last or abort, by path

void Lowering::find_resuming(const Expr* e) {
  struct Walk {
    std::unordered_set<const Expr*>& found;
    bool tail(const Expr* e) {
      bool any = false;
      switch (e->kind) {
        case ExprKind::kCall:
          any = is_resume_call(e);
          break;
        case ExprKind::kBlock: {
          const auto* b = as<BlockExpr>(e);
          bool defers = false;
          for (const Stmt* s : b->stmts) defers |= s->kind == StmtKind::kDefer;
          any = b->value && !defers && tail(b->value);
          break;
        }
        case ExprKind::kIf:
          for (const IfBranch& branch : as<IfExpr>(e)->branches) any |= tail(branch.body);
          if (as<IfExpr>(e)->otherwise) any |= tail(as<IfExpr>(e)->otherwise);
          break;
        case ExprKind::kMatch:
          for (const MatchArm& arm : as<MatchExpr>(e)->arms) any |= tail(arm.body);
          break;
        case ExprKind::kLogical:
          any = tail(as<LogicalExpr>(e)->operands.back());
          break;
        default:
          break;
      }
      if (any) found.insert(e);
      return any;
    }
  };
  Walk{resuming_}.tail(e);
}

// From where no path of a tail-or-abort clause resumes any more: the body is dropped as early as can be, and the
// value is the region's.
bool Lowering::return_in_clause(Expr* e) {
  if (aborting_ || resuming_.contains(e)) return false;
  if (regions_.empty()) {
    emit(Op::ABORT_NOW);
    aborting_ = true;
    lower(e, Dest::ret());
    aborting_ = false;
    return true;
  }
  Reg r = take();
  lower(e, Dest::fresh_in(r));
  return_value(r);
  b_.give(r);
  return true;
}

}  // namespace eddy::lang::lower
