// Which call of `resume` is the last one on its path: the resumption is moved there, where any other call of a
// multi-shot one has to copy it.
#include "lang/lower/scan.h"

namespace eddy::lang::lower {

namespace {

struct LastUses {
  const Local* resume;
  std::unordered_set<const Expr*>& last;
  std::unordered_map<const Unit*, bool>&
      owners;  // functions that get it; true: some call of theirs is not the last use

  static const Local* local(const Expr* e) {
    if (e->kind != ExprKind::kName) return nullptr;
    const Binding* b = as<NameExpr>(e)->binding;
    if (!b || b->kind != BindingKind::kLocal) return nullptr;
    return static_cast<const Local*>(static_cast<const LocalBinding*>(b)->lowered);
  }

  // `after`: used after `e`. The result: used in `e` or after it.
  bool walk(const Expr* e, bool after) {
    switch (e->kind) {
      case ExprKind::kName:
        return after || local(e) == resume;
      case ExprKind::kInterpolation: {
        const auto& parts = as<InterpolationExpr>(e)->parts;
        for (size_t i = parts.size; i-- > 0;) {
          if (parts[i].value) after = walk(parts[i].value, after);
        }
        return after;
      }
      case ExprKind::kTuple:
        return all(as<TupleExpr>(e)->items, after);
      case ExprKind::kArray:
        return all(as<ArrayExpr>(e)->items, after);
      case ExprKind::kList:
        if (as<ListExpr>(e)->rest) after = walk(as<ListExpr>(e)->rest, after);
        return all(as<ListExpr>(e)->items, after);
      case ExprKind::kConcat:
        return all(as<ConcatExpr>(e)->operands, after);
      case ExprKind::kLogical: {
        const auto& operands = as<LogicalExpr>(e)->operands;
        bool before = after;
        for (size_t i = operands.size; i-- > 0;) before = walk(operands[i], before || after);
        return before;
      }
      case ExprKind::kField:
        return walk(as<FieldExpr>(e)->object, after);
      case ExprKind::kTupleIndex:
        return walk(as<TupleIndexExpr>(e)->object, after);
      case ExprKind::kIndex:
        return walk(as<IndexExpr>(e)->object, walk(as<IndexExpr>(e)->index, after));
      case ExprKind::kCall:
        return call(e, as<CallExpr>(e)->note, after);
      case ExprKind::kMethodCall:
        return call(e, as<MethodCallExpr>(e)->note, after);
      case ExprKind::kPipe: {
        const auto* p = as<PipeExpr>(e);
        for (size_t i = p->stages.size; i-- > 0;) after = walk(p->stages[i].value, after);
        return walk(p->first, after);
      }
      case ExprKind::kUnary:
        return walk(as<UnaryExpr>(e)->operand, after);
      case ExprKind::kArith: {
        const auto& steps = as<ArithExpr>(e)->steps;
        for (size_t i = steps.size; i-- > 0;) after = walk(steps[i].operand, after);
        return walk(as<ArithExpr>(e)->first, after);
      }
      case ExprKind::kCompare:
        return walk(as<CompareExpr>(e)->left, walk(as<CompareExpr>(e)->right, after));
      case ExprKind::kRange:
        return walk(as<RangeExpr>(e)->from, walk(as<RangeExpr>(e)->to, after));
      case ExprKind::kAssign:
        return walk(as<AssignExpr>(e)->target, walk(as<AssignExpr>(e)->value, after));
      case ExprKind::kBlock: {
        const auto* b = as<BlockExpr>(e);
        for (const Stmt* s : b->stmts) {
          if (s->kind == StmtKind::kDefer) after = true;
        }
        if (b->value) after = walk(b->value, after);
        for (size_t i = b->stmts.size; i-- > 0;) {
          const Stmt* s = b->stmts[i];
          if (s->kind == StmtKind::kLet)
            after = walk(as<LetStmt>(s)->value, after);
          else if (s->kind == StmtKind::kVar)
            after = walk(as<VarStmt>(s)->value, after);
          else if (s->kind == StmtKind::kExpr)
            after = walk(as<ExprStmt>(s)->value, after);
        }
        return after;
      }
      case ExprKind::kIf: {
        const auto* i = as<IfExpr>(e);
        bool before = i->otherwise ? walk(i->otherwise, after) : after;
        for (size_t k = i->branches.size; k-- > 0;) {
          bool taken = walk(i->branches[k].body, after);
          before = walk(i->branches[k].condition, taken || before);
        }
        return before;
      }
      case ExprKind::kMatch: {
        const auto* m = as<MatchExpr>(e);
        bool before = false;
        for (size_t k = m->arms.size; k-- > 0;) {
          bool taken = walk(m->arms[k].body, after) || before;
          before = m->arms[k].guard ? walk(m->arms[k].guard, taken) : taken;
        }
        return walk(m->subject, before);
      }
      // An iteration may be followed by another one.
      case ExprKind::kWhile:
        walk(as<WhileExpr>(e)->condition, true);
        return walk(as<WhileExpr>(e)->body, true);
      case ExprKind::kLoop:
        return walk(as<LoopExpr>(e)->body, true);
      case ExprKind::kFor:
        return walk(as<ForExpr>(e)->iterable, walk(as<ForExpr>(e)->body, true));
      case ExprKind::kBreak:
        return as<BreakExpr>(e)->value ? walk(as<BreakExpr>(e)->value, true) : true;
      case ExprKind::kContinue:
        return true;
      case ExprKind::kReturn:
        return as<ReturnExpr>(e)->value ? walk(as<ReturnExpr>(e)->value, false) : false;
      // Its clauses may still be to come.
      case ExprKind::kHandle:
        return walk(as<HandleExpr>(e)->body, true);
      case ExprKind::kMask:
        return walk(as<MaskExpr>(e)->body, after);
      default:
        return after;
    }
  }

  bool all(const Slice<Expr*>& items, bool after) {
    for (size_t i = items.size; i-- > 0;) after = walk(items[i], after);
    return after;
  }

  bool call(const Expr* e, const CallNote* note, bool after) {
    bool resumes = note->kind == CallKind::kClosure && note->is_resume && local(note->callee) == resume;
    if (resumes && !after) last.insert(e);
    if (note->kind == CallKind::kLocalFn) {
      // A function that the resumption goes along to.
      auto* fn = static_cast<const Local*>(static_cast<const LocalBinding*>(note->target)->lowered);
      if (auto owner = owners.find(fn->fn); owner != owners.end()) {
        owner->second |= after;
        after = true;
      }
    }
    bool before = after || resumes;
    size_t count = note->order.data ? note->order.size : note->args.size;
    for (size_t k = count; k-- > 0;) {
      const CallArg& a = note->args[note->order.data ? note->order[k] : k];
      if (a.kind == ArgKind::kGiven) before = walk(a.value, before);
      for (size_t i = a.items.size; i-- > 0;) before = walk(a.items[i], before);
    }
    if (note->callee && !resumes) before = walk(note->callee, before);
    return before;
  }
};

}  // namespace

void find_last_resumes(Plan& plan) {
  for (Unit& clause : plan.units) {
    if (clause.kind != UnitKindOf::kClause || !clause.resume || clause.resume_is_value) continue;
    if (clause.clause_kind != rt::ClauseKind::Once && clause.clause_kind != rt::ClauseKind::Multi) continue;
    // Local functions that call it get it as an argument; one that is a closure would hold on to it.
    std::unordered_map<const Unit*, bool> owners;
    bool held = false;
    if (clause.resume->captured) {
      for (Unit& u : plan.units) {
        if (&u == &clause || u.inlined) continue;
        bool has = false;
        for (Local* l : u.captures()) has |= l == clause.resume;
        if (!has) continue;
        if (u.lifted && !u.is_default)
          owners[&u] = false;
        else
          held = true;
      }
    }
    if (held) continue;
    // Where a function is called while the resumption is still needed, none of its calls is the last.
    for (bool again = true; again;) {
      std::unordered_map<const Unit*, bool> found = owners;
      std::unordered_set<const Expr*> last;
      LastUses uses{clause.resume, last, found};
      uses.walk(clause.body, false);
      for (auto& [u, shared] : owners) uses.walk(u->body, shared);
      again = found != owners;
      if (again)
        owners = std::move(found);
      else
        plan.last_resumes.merge(last);
    }
  }
}

}  // namespace eddy::lang::lower
