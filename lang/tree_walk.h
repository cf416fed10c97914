// The expressions directly inside an expression, in source order.
#pragma once
#include "lang/ast.h"

namespace eddy::lang {

/// Calls `visit(Expr*)` for each; functions declared in a block are visited through their bodies where
/// `local_functions` is set.
template <typename F>
void for_each_child(Expr* e, F visit, bool local_functions = true) {
  auto one = [&](Expr* x) {
    if (x) visit(x);
  };
  auto all = [&](const Slice<Expr*>& items) {
    for (Expr* x : items) one(x);
  };
  auto args = [&](const Slice<Arg>& items) {
    for (const Arg& a : items) one(a.value);
  };
  switch (e->kind) {
    case ExprKind::kInterpolation:
      for (const StringPart& p : as<InterpolationExpr>(e)->parts) one(p.value);
      break;
    case ExprKind::kTuple:
      all(as<TupleExpr>(e)->items);
      break;
    case ExprKind::kList:
      all(as<ListExpr>(e)->items);
      one(as<ListExpr>(e)->rest);
      break;
    case ExprKind::kArray:
      all(as<ArrayExpr>(e)->items);
      break;
    case ExprKind::kField:
      one(as<FieldExpr>(e)->object);
      break;
    case ExprKind::kTupleIndex:
      one(as<TupleIndexExpr>(e)->object);
      break;
    case ExprKind::kIndex:
      one(as<IndexExpr>(e)->object);
      one(as<IndexExpr>(e)->index);
      break;
    case ExprKind::kCall:
      one(as<CallExpr>(e)->callee);
      args(as<CallExpr>(e)->args);
      break;
    case ExprKind::kMethodCall:
      one(as<MethodCallExpr>(e)->object);
      args(as<MethodCallExpr>(e)->args);
      break;
    case ExprKind::kPipe:
      one(as<PipeExpr>(e)->first);
      for (const PipeStage& s : as<PipeExpr>(e)->stages) one(s.value);
      break;
    case ExprKind::kUnary:
      one(as<UnaryExpr>(e)->operand);
      break;
    case ExprKind::kArith:
      one(as<ArithExpr>(e)->first);
      for (const ArithStep& s : as<ArithExpr>(e)->steps) one(s.operand);
      break;
    case ExprKind::kCompare:
      one(as<CompareExpr>(e)->left);
      one(as<CompareExpr>(e)->right);
      break;
    case ExprKind::kLogical:
      all(as<LogicalExpr>(e)->operands);
      break;
    case ExprKind::kConcat:
      all(as<ConcatExpr>(e)->operands);
      break;
    case ExprKind::kRange:
      one(as<RangeExpr>(e)->from);
      one(as<RangeExpr>(e)->to);
      break;
    case ExprKind::kAssign:
      one(as<AssignExpr>(e)->target);
      one(as<AssignExpr>(e)->value);
      break;
    case ExprKind::kLambda:
      one(as<LambdaExpr>(e)->body);
      break;
    case ExprKind::kBlock:
      for (Stmt* s : as<BlockExpr>(e)->stmts) {
        switch (s->kind) {
          case StmtKind::kLet:
            one(as<LetStmt>(s)->value);
            break;
          case StmtKind::kVar:
            one(as<VarStmt>(s)->value);
            break;
          case StmtKind::kFn:
            if (local_functions) one(as<FnStmt>(s)->fn->body);
            break;
          case StmtKind::kDefer:
            one(as<DeferStmt>(s)->value);
            break;
          case StmtKind::kExpr:
            one(as<ExprStmt>(s)->value);
            break;
        }
      }
      one(as<BlockExpr>(e)->value);
      break;
    case ExprKind::kIf:
      for (const IfBranch& b : as<IfExpr>(e)->branches) {
        one(b.condition);
        one(b.body);
      }
      one(as<IfExpr>(e)->otherwise);
      break;
    case ExprKind::kMatch:
      one(as<MatchExpr>(e)->subject);
      for (const MatchArm& a : as<MatchExpr>(e)->arms) {
        one(a.guard);
        one(a.body);
      }
      break;
    case ExprKind::kWhile:
      one(as<WhileExpr>(e)->condition);
      one(as<WhileExpr>(e)->body);
      break;
    case ExprKind::kFor:
      one(as<ForExpr>(e)->iterable);
      one(as<ForExpr>(e)->body);
      break;
    case ExprKind::kLoop:
      one(as<LoopExpr>(e)->body);
      break;
    case ExprKind::kBreak:
      one(as<BreakExpr>(e)->value);
      break;
    case ExprKind::kReturn:
      one(as<ReturnExpr>(e)->value);
      break;
    case ExprKind::kHandle:
      one(as<HandleExpr>(e)->body);
      for (const Clause& c : as<HandleExpr>(e)->clauses) one(c.body);
      break;
    case ExprKind::kMask:
      one(as<MaskExpr>(e)->body);
      break;
    default:
      break;
  }
}

}  // namespace eddy::lang
