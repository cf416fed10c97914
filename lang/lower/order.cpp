// Order of evaluation: which values have to be kept because what is evaluated later may change them.
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

namespace {
// Whether evaluating `e` might assign a variable of this frame: only what contains an assignment, or too much to
// look at.
bool may_assign(const Expr* e, int& budget) {
  if (--budget < 0) return true;
  switch (e->kind) {
    case ExprKind::kUnit:
    case ExprKind::kBool:
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kChar:
    case ExprKind::kString:
    case ExprKind::kName:
    case ExprKind::kLambda:
      return false;
    case ExprKind::kField:
      return may_assign(as<FieldExpr>(e)->object, budget);
    case ExprKind::kTupleIndex:
      return may_assign(as<TupleIndexExpr>(e)->object, budget);
    case ExprKind::kIndex:
      return may_assign(as<IndexExpr>(e)->object, budget) || may_assign(as<IndexExpr>(e)->index, budget);
    case ExprKind::kUnary:
      return may_assign(as<UnaryExpr>(e)->operand, budget);
    case ExprKind::kArith: {
      if (may_assign(as<ArithExpr>(e)->first, budget)) return true;
      for (const ArithStep& s : as<ArithExpr>(e)->steps) {
        if (may_assign(s.operand, budget)) return true;
      }
      return false;
    }
    case ExprKind::kCompare:
      return may_assign(as<CompareExpr>(e)->left, budget) || may_assign(as<CompareExpr>(e)->right, budget);
    case ExprKind::kCall: {
      const auto* c = as<CallExpr>(e);
      if (may_assign(c->callee, budget)) return true;
      for (const Arg& a : c->args) {
        if (may_assign(a.value, budget)) return true;
      }
      return false;
    }
    case ExprKind::kMethodCall: {
      const auto* c = as<MethodCallExpr>(e);
      if (may_assign(c->object, budget)) return true;
      for (const Arg& a : c->args) {
        if (may_assign(a.value, budget)) return true;
      }
      return false;
    }
    case ExprKind::kTuple:
      for (const Expr* item : as<TupleExpr>(e)->items) {
        if (may_assign(item, budget)) return true;
      }
      return false;
    case ExprKind::kBlock:
      return !as<BlockExpr>(e)->stmts.empty() ||
             (as<BlockExpr>(e)->value && may_assign(as<BlockExpr>(e)->value, budget));
    default:
      return true;
  }
}
}  // namespace

Val Lowering::stable(Val v, const Expr* from, std::initializer_list<const Expr*> later) {
  if (v.owned) return v;
  const Local* l = local_of(from);
  // A value that was reached through parentheses or a block is looked at as any variable's.
  if (l && (l->kind != Local::Kind::kVar || !l->binding->assigned)) return v;
  for (const Expr* e : later) {
    int budget = 40;
    if (may_assign(e, budget)) return keep(v);
  }
  return v;
}

Val Lowering::settle(Val v, const Expr* from) {
  if (v.owned) return v;
  const Local* l = local_of(from);
  if (l && (l->kind != Local::Kind::kVar || !l->binding->assigned)) return v;
  return keep(v);
}

// Whether evaluating `e` reads the register; "yes" where that takes too long to find out.
bool Lowering::mentions(const Expr* e, Reg reg, int& budget) const {
  if (--budget < 0) return true;
  switch (e->kind) {
    case ExprKind::kUnit:
    case ExprKind::kBool:
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kChar:
    case ExprKind::kString:
      return false;
    case ExprKind::kName: {
      const Local* l = local_of(e);
      if (!l) return false;
      if (is_own(l)) return !l->defined || l->reg == reg;
      return l->kind == Local::Kind::kFn;  // its captures
    }
    case ExprKind::kField:
      return mentions(as<FieldExpr>(e)->object, reg, budget);
    case ExprKind::kTupleIndex:
      return mentions(as<TupleIndexExpr>(e)->object, reg, budget);
    case ExprKind::kIndex:
      return mentions(as<IndexExpr>(e)->object, reg, budget) ||
             mentions(as<IndexExpr>(e)->index, reg, budget);
    case ExprKind::kUnary:
      return mentions(as<UnaryExpr>(e)->operand, reg, budget);
    case ExprKind::kArith: {
      if (mentions(as<ArithExpr>(e)->first, reg, budget)) return true;
      for (const ArithStep& s : as<ArithExpr>(e)->steps) {
        if (mentions(s.operand, reg, budget)) return true;
      }
      return false;
    }
    case ExprKind::kCompare:
      return mentions(as<CompareExpr>(e)->left, reg, budget) ||
             mentions(as<CompareExpr>(e)->right, reg, budget);
    case ExprKind::kTuple:
      for (const Expr* item : as<TupleExpr>(e)->items) {
        if (mentions(item, reg, budget)) return true;
      }
      return false;
    case ExprKind::kList:
      for (const Expr* item : as<ListExpr>(e)->items) {
        if (mentions(item, reg, budget)) return true;
      }
      return as<ListExpr>(e)->rest && mentions(as<ListExpr>(e)->rest, reg, budget);
    case ExprKind::kCall:
    case ExprKind::kMethodCall: {
      const CallNote* note = e->kind == ExprKind::kCall ? as<CallExpr>(e)->note : as<MethodCallExpr>(e)->note;
      if (note->kind == CallKind::kLocalFn) {
        const Unit* fn = static_cast<Local*>(static_cast<LocalBinding*>(note->target)->lowered)->fn;
        if (!fn->plain) return true;
      }
      if (note->callee && mentions(note->callee, reg, budget)) return true;
      for (const CallArg& a : note->args) {
        if (a.kind == ArgKind::kDefault && !is_simple_default(a.value)) return true;
        if (a.kind == ArgKind::kGiven && mentions(a.value, reg, budget)) return true;
        for (const Expr* item : a.items) {
          if (mentions(item, reg, budget)) return true;
        }
      }
      return false;
    }
    default:
      return true;
  }
}

}  // namespace eddy::lang::lower
