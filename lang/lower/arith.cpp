// Arithmetic, comparison, joining.
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

namespace {

constexpr size_t kMostParts = 100;

struct IntOp {
  Op op;
  Op immediate;
  bool has_immediate;
};
IntOp int_op(ArithOp op) {
  switch (op) {
    case ArithOp::kAdd:
      return {Op::ADD, Op::ADD_I, true};
    case ArithOp::kSub:
      return {Op::SUB, Op::SUB_I, true};
    case ArithOp::kMul:
      return {Op::MUL, Op::MUL_I, true};
    case ArithOp::kDiv:
      return {Op::DIV, Op::DIV_I, true};
    case ArithOp::kRem:
      return {Op::REM, Op::REM_I, true};
    case ArithOp::kOr:
      return {Op::OR, Op::OR, false};
    case ArithOp::kXor:
      return {Op::XOR, Op::XOR, false};
    case ArithOp::kAnd:
      return {Op::AND, Op::AND, false};
    case ArithOp::kShl:
      return {Op::SHL, Op::SHL, false};
    case ArithOp::kShr:
      return {Op::SHR, Op::SHR, false};
  }
  return {Op::ADD, Op::ADD, false};
}

Op float_op(ArithOp op) {
  switch (op) {
    case ArithOp::kSub:
      return Op::FSUB;
    case ArithOp::kMul:
      return Op::FMUL;
    case ArithOp::kDiv:
      return Op::FDIV;
    case ArithOp::kRem:
      return Op::FREM;
    default:
      return Op::FADD;
  }
}

}  // namespace

std::optional<int64_t> Lowering::small_constant(const Expr* e) const {
  int64_t value;
  if (e->kind == ExprKind::kInt && !as<IntExpr>(e)->is_big()) {
    value = as<IntExpr>(e)->value;
  } else if (e->kind == ExprKind::kUnary && as<UnaryExpr>(e)->op == UnaryOp::kNegate &&
             as<UnaryExpr>(e)->operand->kind == ExprKind::kInt &&
             !as<IntExpr>(as<UnaryExpr>(e)->operand)->is_big()) {
    value = as<IntExpr>(as<UnaryExpr>(e)->operand)->value;
    if (value > INT16_MAX) return {};
    value = -value;
  } else {
    return {};
  }
  if (value < INT16_MIN || value > INT16_MAX) return {};
  return value;
}

Val Lowering::arith(ArithExpr* e, std::optional<Reg> want) {
  bool floats = is_float(e->type) || is_float(e->first->type);
  // A constant on the left of an operation that commutes is as good on the right.
  ArithOp op = e->steps[0].op;
  bool swap = !floats && (op == ArithOp::kAdd || op == ArithOp::kMul) && small_constant(e->first) &&
              !small_constant(e->steps[0].operand);
  auto want_at = [&](uint32_t i) { return i + 1 == e->steps.size ? want : std::optional<Reg>{}; };
  Val acc = floats ? raw(e->first) : tagged(swap ? e->steps[0].operand : e->first);
  if (swap)
    acc = arith_step(op, acc, e->first, false, e->steps[0].op_span, want_at(0));
  else
    acc = stable(acc, e->first, {e->steps[0].operand});
  for (uint32_t i = swap ? 1 : 0; i < e->steps.size; ++i)
    acc = arith_step(e->steps[i].op, acc, e->steps[i].operand, floats, e->steps[i].op_span, want_at(i));
  return acc;
}

Val Lowering::arith_step(ArithOp op, Val left, Expr* right, bool floats, Span span, std::optional<Reg> want) {
  if (floats) {
    Val r = raw(right);
    release(left);
    release(r);
    Reg dst = pick(want, true);
    emit(float_op(op), {dst, left.reg, r.reg});
    return result(want, dst);
  }
  IntOp ops = int_op(op);
  if (ops.has_immediate) {
    if (std::optional<int64_t> constant = small_constant(right)) {
      release(left);
      Reg dst = pick(want, false);
      at(span);
      emit(ops.immediate, {dst, left.reg, *constant});
      return result(want, dst);
    }
  }
  Val r = tagged(right);
  release(left);
  release(r);
  Reg dst = pick(want, false);
  at(span);
  emit(ops.op, {dst, left.reg, r.reg});
  return result(want, dst);
}

Val Lowering::unary(UnaryExpr* e, std::optional<Reg> want) {
  if (e->op == UnaryOp::kNot) {
    Val v = tagged(e->operand);
    release(v);
    Reg r = pick(want, false);
    emit(Op::NOT, {r, v.reg});
    return result(want, r);
  }
  if (e->operand->kind == ExprKind::kInt) {
    auto* i = as<IntExpr>(e->operand);
    return i->is_big() ? big_int(i, true, want) : load_int(-i->value, want);
  }
  if (e->operand->kind == ExprKind::kFloat) {
    Reg r = pick(want, true);
    emit(Op::LOAD_FLOAT, {r, std::bit_cast<int64_t>(-as<FloatExpr>(e->operand)->value)});
    return result(want, r);
  }
  bool floats = is_float(e->type);
  Val v = floats ? raw(e->operand) : tagged(e->operand);
  release(v);
  Reg r = pick(want, floats);
  at(e->span);
  emit(floats ? Op::FNEG : Op::NEG, {r, v.reg});
  return result(want, r);
}

// --- comparison

Val Lowering::compare(CompareExpr* e, std::optional<Reg> want) {
  bool floats = is_float(e->left->type) || is_float(e->right->type);
  CompareOp kind = e->op;
  auto [a, b] = compared(e, floats, kind);
  Reg r = pick(want, false);
  Op op;
  switch (kind) {
    case CompareOp::kEq:
      op = floats ? Op::FEQ : Op::EQ;
      break;
    case CompareOp::kNe:
      op = floats ? Op::FEQ : Op::NE;
      break;
    case CompareOp::kLt:
      op = floats ? Op::FLT : Op::LT;
      break;
    default:
      op = floats ? Op::FLE : Op::LE;
      break;
  }
  at(e->op_span);
  emit(op, {r, a.reg, b.reg});
  if (floats && e->op == CompareOp::kNe) emit(Op::NOT, {r, r});
  return result(want, r);
}

// Both sides, so that `op` is no greater-than: there are no instructions for those.
std::pair<Val, Val> Lowering::compared(CompareExpr* e, bool floats, CompareOp& op) {
  Val a = stable(floats ? raw(e->left) : tagged(e->left), e->left, {e->right});
  Val b = floats ? raw(e->right) : tagged(e->right);
  release(a);
  release(b);
  if (op == CompareOp::kGt || op == CompareOp::kGe) {
    std::swap(a, b);
    op = op == CompareOp::kGt ? CompareOp::kLt : CompareOp::kLe;
  }
  return {a, b};
}

void Lowering::branch_compare(CompareExpr* e, bool sense, vm::Label target) {
  CompareOp op = e->op;
  if (is_float(e->left->type) || is_float(e->right->type)) {
    auto [a, b] = compared(e, true, op);
    // "Not less" is no "greater or equal" where a nan takes part.
    Op jump;
    switch (op) {
      case CompareOp::kEq:
        jump = sense ? Op::JFEQ : Op::JFNE;
        break;
      case CompareOp::kNe:
        jump = sense ? Op::JFNE : Op::JFEQ;
        break;
      case CompareOp::kLt:
        jump = sense ? Op::JFLT : Op::JFNLT;
        break;
      default:
        jump = sense ? Op::JFLE : Op::JFNLE;
        break;
    }
    emit(jump, {a.reg, b.reg, target});
    return;
  }
  if (!sense) {
    switch (op) {
      case CompareOp::kEq:
        op = CompareOp::kNe;
        break;
      case CompareOp::kNe:
        op = CompareOp::kEq;
        break;
      case CompareOp::kLt:
        op = CompareOp::kGe;
        break;
      case CompareOp::kLe:
        op = CompareOp::kGt;
        break;
      case CompareOp::kGt:
        op = CompareOp::kLe;
        break;
      case CompareOp::kGe:
        op = CompareOp::kLt;
        break;
    }
  }
  std::optional<int64_t> constant = small_constant(e->right);
  Expr* variable = e->left;
  const bool turned = !constant;
  if (turned) constant = small_constant(e->left);
  if (turned && constant) {
    variable = e->right;
    switch (op) {
      case CompareOp::kLt:
        op = CompareOp::kGt;
        break;
      case CompareOp::kLe:
        op = CompareOp::kGe;
        break;
      case CompareOp::kGt:
        op = CompareOp::kLt;
        break;
      case CompareOp::kGe:
        op = CompareOp::kLe;
        break;
      default:
        break;
    }
  }
  if (constant && rep_of(variable->type) != Rep::kNever) {
    Val v = tagged(variable);
    release(v);
    Op jump;
    switch (op) {
      case CompareOp::kEq:
        jump = Op::JEQ_I;
        break;
      case CompareOp::kNe:
        jump = Op::JNE_I;
        break;
      case CompareOp::kLt:
        jump = Op::JLT_I;
        break;
      case CompareOp::kLe:
        jump = Op::JLE_I;
        break;
      case CompareOp::kGt:
        jump = Op::JGT_I;
        break;
      default:
        jump = Op::JGE_I;
        break;
    }
    at(e->op_span);
    emit(jump, {v.reg, *constant, target});
    return;
  }
  auto [a, b] = compared(e, false, op);
  Op jump;
  switch (op) {
    case CompareOp::kEq:
      jump = Op::JEQ;
      break;
    case CompareOp::kNe:
      jump = Op::JNE;
      break;
    case CompareOp::kLt:
      jump = Op::JLT;
      break;
    default:
      jump = Op::JLE;
      break;
  }
  at(e->op_span);
  emit(jump, {a.reg, b.reg, target});
}

// --- joining

Val Lowering::concat(ConcatExpr* e, std::optional<Reg> want) {
  bool strings = rep_of(e->type) == Rep::kString;
  std::vector<Val> vals;
  for (uint32_t i = 0; i < e->operands.size; ++i) {
    Val v = tagged(e->operands[i]);
    for (uint32_t k = i + 1; k < e->operands.size && !v.owned; ++k)
      v = stable(v, e->operands[i], {e->operands[k]});
    vals.push_back(v);
  }
  if (strings && vals.size() > 2 && vals.size() <= kMostParts) {
    std::vector<Reg> regs;
    regs.reserve(vals.size());
    for (const Val& v : vals) regs.push_back(v.reg);
    release_all(vals);
    Reg parts = take();
    emit(Op::MAKE_ARRAY, {parts}, regs);
    b_.give(parts);
    Reg r = pick(want, false);
    std::vector<Reg> args{parts};
    native("string.interpolate", args, e->span, Dest::into(r));
    return result(want, r);
  }
  Val right = vals.back();
  for (size_t i = vals.size() - 1; i-- > 0;) {
    release(vals[i]);
    release(right);
    Reg r = i == 0 ? pick(want, false) : take();
    Reg args[2] = {vals[i].reg, right.reg};
    if (strings)
      native("string.concat", args, e->span, Dest::into(r));
    else
      call_std(p_.checked().list_append, args, e->span, Dest::into(r));
    right = {r, true};
  }
  return result(want, right.reg);
}

Val Lowering::interpolation(InterpolationExpr* e, std::optional<Reg> want) {
  if (e->parts.size == 0) return load_string("", want);
  if (e->parts.size == 1) {
    if (!e->parts[0].value) return load_string(e->parts[0].text, want);
    Val v = tagged(e->parts[0].value);
    release(v);
    Reg r = pick(want, false);
    std::vector<Reg> args{v.reg};
    native("display", args, e->span, Dest::into(r));
    return result(want, r);
  }
  std::vector<Val> vals;
  for (uint32_t i = 0; i < e->parts.size; ++i) {
    StringPart& part = e->parts[i];
    if (!part.value) {
      vals.push_back(load_string(part.text, {}));
    } else {
      Val v = tagged(part.value);
      for (uint32_t k = i + 1; k < e->parts.size && !v.owned; ++k) {
        if (e->parts[k].value) v = stable(v, part.value, {e->parts[k].value});
      }
      vals.push_back(v);
    }
    if (vals.size() == kMostParts || i + 1 == e->parts.size) {
      std::vector<Reg> regs;
      regs.reserve(vals.size());
      for (const Val& v : vals) regs.push_back(v.reg);
      release_all(vals);
      Reg parts = take();
      emit(Op::MAKE_ARRAY, {parts}, regs);
      b_.give(parts);
      bool last = i + 1 == e->parts.size;
      Reg r = last ? pick(want, false) : take();
      std::vector<Reg> args{parts};
      native("string.interpolate", args, e->span, Dest::into(r));
      if (last) return result(want, r);
      vals.push_back({r, true});
    }
  }
  return vals.back();
}

Val Lowering::range(RangeExpr* e, std::optional<Reg> want) {
  Val from = stable(tagged(e->from), e->from, {e->to});
  Val to = tagged(e->to);
  release(from);
  release(to);
  Reg r = pick(want, false);
  Reg regs[2] = {from.reg, to.reg};
  emit(Op::MAKE, {r, e->inclusive ? rt::con::RangeInclusive : rt::con::Range}, regs);
  return result(want, r);
}

}  // namespace eddy::lang::lower
