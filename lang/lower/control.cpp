// Blocks, conditions, && and ||.
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

// --- blocks

void Lowering::block(BlockExpr* e, Dest d) {
  size_t mark = scope();
  for (Stmt* s : e->stmts) {
    if (s->kind != StmtKind::kFn) continue;
    Unit* fn = static_cast<Unit*>(as<FnStmt>(s)->fn->fn->lowered);
    if (fn->early && fn->self) local_function(fn);
  }
  block_rest(e, 0, d);
  close_scope(mark);
}

void Lowering::block_rest(BlockExpr* e, uint32_t from, Dest d) {
  for (uint32_t i = from; i < e->stmts.size; ++i) {
    if (!live()) return;
    Stmt* s = e->stmts[i];
    if (s->kind != StmtKind::kDefer) {
      statement(s);
      continue;
    }
    // What is left of the block runs inside the region of the `defer`.
    Unit* unit = static_cast<Unit*>(as<DeferStmt>(s)->note->lowered);
    Val closure = make_closure(unit);
    Region region{Region::Kind::kDefer, b_.take_pair(), b_.take_pair(true)};
    at(s->span);
    emit(Op::DEFER, {region.t, region.z, closure.reg});
    release(closure);
    open(region);
    if (d.is_return()) {
      Reg r = take();
      block_rest(e, i + 1, Dest::fresh_in(r));
      close();
      finish({r, true}, d);
    } else {
      block_rest(e, i + 1, d);
      close();
    }
    return;
  }
  if (!live()) return;
  if (e->value)
    lower(e->value, d);
  else if (d.is_into())
    emit(Op::LOAD_UNIT, {d.reg});
  else if (d.is_return())
    return_unit();
}

void Lowering::statement(Stmt* s) {
  switch (s->kind) {
    case StmtKind::kLet:
      let(as<LetStmt>(s));
      return;
    case StmtKind::kVar: {
      auto* v = as<VarStmt>(s);
      Local* l = static_cast<Local*>(static_cast<LocalBinding*>(v->binding)->lowered);
      if (is_cell(l)) {
        Val value = tagged(v->value);
        define_cell(l, value);
      } else {
        Reg r = take(l->is_float);
        into(v->value, r, true);
        define(l, {r, true});
      }
      return;
    }
    case StmtKind::kFn:
      local_function(static_cast<Unit*>(as<FnStmt>(s)->fn->fn->lowered));
      return;
    case StmtKind::kDefer:
      return;
    case StmtKind::kExpr:
      lower(as<ExprStmt>(s)->value, Dest::discard());
      return;
  }
}

void Lowering::let(LetStmt* s) {
  Pattern* p = s->pattern;
  if (p->kind == PatternKind::kWildcard) {
    lower(s->value, Dest::discard());
    return;
  }
  if (p->kind == PatternKind::kVariable) {
    Local* l = static_cast<Local*>(static_cast<LocalBinding*>(as<VariablePattern>(p)->binding)->lowered);
    if (l->uses == 0) {
      lower(s->value, Dest::discard());
      return;
    }
    const Local* source = local_of(s->value);
    if (source && source->kind != Local::Kind::kVar && is_own(source) && source->defined &&
        source->is_float == l->is_float) {
      define(l, {source->reg, false});  // another name for it
      return;
    }
    Reg r = take(l->is_float);
    into(s->value, r, true);
    define(l, {r, true});
    return;
  }
  if (p->kind == PatternKind::kTuple && s->value->kind == ExprKind::kTuple &&
      as<TuplePattern>(p)->items.size == as<TupleExpr>(s->value)->items.size) {
    // Taken apart before it is put together.
    std::vector<Val> vals;
    for (Expr* item : as<TupleExpr>(s->value)->items) vals.push_back(keep(eval(item)));
    for (size_t i = 0; i < vals.size(); ++i) bind_pattern(as<TuplePattern>(p)->items[i], vals[i]);
    return;
  }
  bind_pattern(p, settle(eval(s->value), s->value));
}

// --- if

void Lowering::if_(IfExpr* e, Dest d) {
  vm::Label end = b_.label();
  bool resumed_before = resumed_, resumed_on_all = true;
  std::optional<FetchScope> rest;
  for (uint32_t i = 0; i < e->branches.size; ++i) {
    vm::Label next = b_.label();
    branch(e->branches[i].condition, false, next);
    if (i == 0) rest.emplace(*this);  // only the first condition is always evaluated
    FetchScope taken(*this);
    resumed_ = resumed_before;
    if (e->otherwise || d.is_discard() || rep_of(e->branches[i].body->type) == Rep::kUnit) {
      lower(e->branches[i].body, d);
    } else {
      lower(e->branches[i].body, Dest::discard());
      if (d.is_into())
        emit(Op::LOAD_UNIT, {d.reg});
      else if (live())
        return_unit();
    }
    if (live()) resumed_on_all &= resumed_;
    bool last = i + 1 == e->branches.size && !e->otherwise && d.is_discard();
    if (!last) emit(Op::JMP, {end});
    b_.bind(next);
  }
  resumed_ = resumed_before;
  if (e->otherwise)
    lower(e->otherwise, d);
  else if (d.is_into())
    emit(Op::LOAD_UNIT, {d.reg});
  else if (d.is_return() && live())
    return_unit();
  if (live()) resumed_on_all &= resumed_;
  b_.bind(end);
  resumed_ = resumed_on_all;
}

// --- conditions

void Lowering::logical(LogicalExpr* e, Dest d) {
  bool is_and = e->op == LogicalOp::kAnd;
  vm::Label shortcut = b_.label(), end = b_.label();
  branch(e->operands[0], !is_and, shortcut);
  FetchScope rest(*this);
  for (uint32_t i = 1; i + 1 < e->operands.size; ++i) branch(e->operands[i], !is_and, shortcut);
  bool resumed_before = resumed_;
  lower(e->operands.back(), d);
  resumed_ = resumed_before;
  if (d.is_discard()) {
    b_.bind(shortcut);
    b_.bind(end);
    return;
  }
  if (d.is_into()) emit(Op::JMP, {end});
  b_.bind(shortcut);
  if (live()) {
    if (d.is_into()) {
      emit(Op::LOAD_BOOL, {d.reg, is_and ? 0 : 1});
    } else {
      Reg r = take();
      emit(Op::LOAD_BOOL, {r, is_and ? 0 : 1});
      finish({r, true}, d);
    }
  }
  b_.bind(end);
}

// Jumps where `e` is `sense`; otherwise goes on behind.
void Lowering::branch(Expr* e, bool sense, vm::Label target) {
  if (!live()) return;
  switch (e->kind) {
    case ExprKind::kBool:
      if (as<BoolExpr>(e)->value == sense) emit(Op::JMP, {target});
      return;
    case ExprKind::kUnary:
      if (as<UnaryExpr>(e)->op == UnaryOp::kNot) {
        branch(as<UnaryExpr>(e)->operand, !sense, target);
        return;
      }
      break;
    case ExprKind::kCompare:
      branch_compare(as<CompareExpr>(e), sense, target);
      return;
    case ExprKind::kLogical: {
      auto* l = as<LogicalExpr>(e);
      bool decides = l->op == LogicalOp::kOr;  // the value of an operand that decides all
      vm::Label past = b_.label();
      branch(l->operands[0], decides, decides == sense ? target : past);
      FetchScope rest(*this);
      if (decides == sense) {
        for (uint32_t i = 1; i < l->operands.size; ++i) branch(l->operands[i], sense, target);
        return;
      }
      for (uint32_t i = 1; i + 1 < l->operands.size; ++i) branch(l->operands[i], decides, past);
      branch(l->operands.back(), sense, target);
      b_.bind(past);
      return;
    }
    case ExprKind::kBlock: {
      auto* b = as<BlockExpr>(e);
      if (b->stmts.empty() && b->value) {
        branch(b->value, sense, target);
        return;
      }
      break;
    }
    case ExprKind::kCall: {
      CallNote* note = as<CallExpr>(e)->note;
      if (note->kind == CallKind::kFunction && note->args.size == 1 &&
          note->args[0].kind == ArgKind::kGiven &&
          static_cast<FunctionBinding*>(note->target)->intrinsic == "not") {
        branch(note->args[0].value, !sense, target);
        return;
      }
      break;
    }
    default:
      break;
  }
  Val v = tagged(e);
  release(v);
  emit(sense ? Op::JT : Op::JF, {v.reg, target});
}

}  // namespace eddy::lang::lower
