// What a clause does with `resume`, per path (runtime/handler.h, ClauseKind).
#include "lang/lower/scan.h"

namespace eddy::lang::lower {

bool is_resume_call(const Expr* e) {
  if (e->kind != ExprKind::kCall) return false;
  const CallNote* note = as<CallExpr>(e)->note;
  return note && note->kind == CallKind::kClosure && note->is_resume;
}

namespace {

struct Walk {
  uint32_t tail_calls = 0;

  // True where every path through `e`, in tail position, ends in `resume(…)` or does not end at all.
  bool tail(const Expr* e) {
    switch (e->kind) {
      case ExprKind::kCall:
        if (is_resume_call(e)) {
          ++tail_calls;
          return true;
        }
        break;
      case ExprKind::kBlock: {
        const auto* b = as<BlockExpr>(e);
        for (const Stmt* s : b->stmts) {
          if (s->kind == StmtKind::kDefer) return diverges(e);
        }
        if (b->value) return tail(b->value);
        break;
      }
      case ExprKind::kIf: {
        const auto* i = as<IfExpr>(e);
        bool all = i->otherwise != nullptr;
        for (const IfBranch& branch : i->branches) all &= tail(branch.body);
        if (i->otherwise) all &= tail(i->otherwise);
        return all;
      }
      case ExprKind::kMatch: {
        bool all = true;
        for (const MatchArm& arm : as<MatchExpr>(e)->arms) all &= tail(arm.body);
        return all;
      }
      case ExprKind::kLogical:
        tail(as<LogicalExpr>(e)->operands.back());
        return false;
      default:
        break;
    }
    return diverges(e);
  }

  static bool diverges(const Expr* e) { return rep_of(e->type) == Rep::kNever; }
};

}  // namespace

bool is_simple_default(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kUnit:
    case ExprKind::kBool:
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kChar:
    case ExprKind::kString:
      return true;
    case ExprKind::kList:
      return as<ListExpr>(e)->items.empty() && !as<ListExpr>(e)->rest;
    case ExprKind::kUnary:
      return is_simple_default(as<UnaryExpr>(e)->operand);
    case ExprKind::kName: {
      const Binding* b = as<NameExpr>(e)->binding;
      return b && b->kind != BindingKind::kLocal;
    }
    default:
      return false;
  }
}

namespace {
// Evaluating it neither fails nor performs.
bool calm(const Expr* e) {
  if (e->kind == ExprKind::kName || is_simple_default(e)) return true;
  if (e->kind != ExprKind::kArith) return false;
  const auto* sum = as<ArithExpr>(e);
  if (!calm(sum->first)) return false;
  return std::all_of(sum->steps.begin(), sum->steps.end(), [](const ArithStep& step) {
    return (step.op == ArithOp::kAdd || step.op == ArithOp::kSub || step.op == ArithOp::kMul) &&
           calm(step.operand);
  });
}
}  // namespace

bool resumes_first(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kCall: {
      const CallNote* note = as<CallExpr>(e)->note;
      bool resumes = is_resume_call(e);
      if (!note || note->order.data || (note->callee && !calm(note->callee))) return false;
      for (const CallArg& a : note->args) {
        if (a.kind == ArgKind::kUnit || (a.kind == ArgKind::kGiven && calm(a.value))) continue;
        return a.kind == ArgKind::kGiven && resumes_first(a.value);
      }
      return resumes;
    }
    case ExprKind::kBlock: {
      const auto* b = as<BlockExpr>(e);
      if (b->stmts.empty()) return b->value && resumes_first(b->value);
      const Stmt* first = b->stmts[0];
      if (first->kind == StmtKind::kLet) return resumes_first(static_cast<const LetStmt*>(first)->value);
      if (first->kind == StmtKind::kVar) return resumes_first(static_cast<const VarStmt*>(first)->value);
      return first->kind == StmtKind::kExpr && resumes_first(static_cast<const ExprStmt*>(first)->value);
    }
    case ExprKind::kConcat:
      return resumes_first(as<ConcatExpr>(e)->operands[0]);
    case ExprKind::kArith:
      return resumes_first(as<ArithExpr>(e)->first);
    case ExprKind::kMatch:
      return resumes_first(as<MatchExpr>(e)->subject);
    default:
      return false;
  }
}

rt::ClauseKind classify_clause(const Clause& clause, const Local* resume, bool multi) {
  if (clause.mode == ClauseMode::kFun) return rt::ClauseKind::Tail;
  if (clause.mode == ClauseMode::kFinal || !resume || resume->uses == 0) return rt::ClauseKind::Abort;
  Walk walk;
  bool always = walk.tail(clause.body);
  // A mention that is no call in tail position: an argument of one, a closure's, a stored one.
  if (walk.tail_calls != resume->uses) return multi ? rt::ClauseKind::Multi : rt::ClauseKind::Once;
  return always ? rt::ClauseKind::Tail : rt::ClauseKind::TailOrAbort;
}

}  // namespace eddy::lang::lower
