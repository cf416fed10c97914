// Moves, constants, numbers.
#include <utility>

#include "jit/build/builder.h"

namespace eddy::jit {

using vm::a_of;
using vm::b_of;
using vm::bi_of;
using vm::c_of;
using vm::ci_of;
using vm::d_of;
using vm::Op;

void Builder::leave(Reason reason) {
  add(NodeOp::Leave)->state = here();
  cur_->end()->reason = reason;
  end_block();
}

void Builder::translate(const vm::Word* pc) {
  Op op = vm::op_of(*pc);
  if (pc == std::exchange(done_, nullptr)) return;
  if (pc == frame_->raw_call) frame_->raw_call = nullptr;
  if (translate_number(op) || translate_compare(op) || translate_data(op) || translate_call(op) || translate_effect(op)) return;
  leave();
}

namespace {
bool makes_small(NodeOp op) {
  switch (op) {
    case NodeOp::And:
    case NodeOp::Or:
    case NodeOp::Xor:
    case NodeOp::Rem: return true;
    default: return false;
  }
}
}  // namespace

void Builder::binary(NodeOp op, Node* a, Node* b) {
  const vm::Word w = *pc_;
  if (a->is_const() && b->is_const() && (a->imm & b->imm & 1)) {
    int64_t x = a->imm >> 1, y = b->imm >> 1, r = 0;
    bool known = true;
    switch (op) {
      case NodeOp::Add: r = x + y; break;
      case NodeOp::Sub: r = x - y; break;
      case NodeOp::Mul: known = !__builtin_mul_overflow(x, y, &r); break;
      case NodeOp::And: r = x & y; break;
      case NodeOp::Or: r = x | y; break;
      case NodeOp::Xor: r = x ^ y; break;
      case NodeOp::Shl: known = y >= 0 && y < 62 && !__builtin_mul_overflow(x, int64_t{1} << y, &r); break;
      case NodeOp::Shr: known = y >= 0, r = x >> std::min<int64_t>(y, 63); break;
      default: known = false;
    }
    if (known && rt::fits_small(r)) return set(a_of(w), constant(rt::small_int(r).bits));
  }
  bool small_a = is_small(a), small_b = is_small(b);
  FrameState* s = here();
  Node* n = define(a_of(w), op, {a, b});
  n->state = s;
  n->known = static_cast<uint8_t>(small_a | (small_b << 1));
  n->small = n->speculative || (small_a && small_b && makes_small(op));
  if (n->speculative) {
    if (!small_a) fact(a).small = true;
    if (!small_b) fact(b).small = true;
  }
}

void Builder::unary(NodeOp op, Node* a) {
  FrameState* s = here();
  bool small = is_small(a);
  Node* n = define(a_of(*pc_), op, {a});
  n->state = s;
  n->known = small;
  n->small = n->speculative || op == NodeOp::BitCount || op == NodeOp::BitLength;
  if (n->speculative && !small) fact(a).small = true;
}

bool Builder::translate_number(Op op) {
  const vm::Word w = *pc_;
  auto small = [&](int64_t i) { return constant(rt::small_int(i).bits); };
  auto floats = [&](NodeOp n) { define(a_of(w), n, {use(b_of(w)), use(c_of(w))}); };
  switch (op) {
    case Op::MOVE:
    case Op::MOVE_R: set(a_of(w), use(b_of(w))); return true;
    case Op::LOAD_INT: set(a_of(w), small(d_of(w))); return true;
    case Op::LOAD_UNIT: set(a_of(w), constant(rt::kUnit.bits)); return true;
    case Op::LOAD_BOOL: set(a_of(w), constant(rt::bool_value(b_of(w) != 0).bits)); return true;
    case Op::LOAD_CHAR: set(a_of(w), constant(rt::char_value(static_cast<uint32_t>(d_of(w))).bits)); return true;
    case Op::LOAD_CON: set(a_of(w), constant(rt::con_value(static_cast<uint16_t>(b_of(w))).bits)); return true;
    case Op::LOAD_K: define(a_of(w), NodeOp::LoadAt)->imm = static_cast<int64_t>(pc_[1]); return true;
    case Op::LOAD_FN: {
      auto* f = reinterpret_cast<rt::Function*>(pc_[1]);
      Node* n = define(a_of(w), NodeOp::LoadAt);
      n->imm = reinterpret_cast<int64_t>(&f->closure);
      n->aux = f;
      return true;
    }
    case Op::LOAD_FLOAT: {
      Node* n = g_.node(NodeOp::ConstFloat);
      n->imm = static_cast<int64_t>(pc_[1]);
      frame_->env[a_of(w)] = n;
      return true;
    }
    case Op::LOAD_GLOBAL: {
      FrameState* s = here();
      Node* n = define(a_of(w), NodeOp::GlobalGet);
      n->imm = static_cast<uint32_t>(d_of(w));
      n->state = s;
      return true;
    }
    case Op::STORE_GLOBAL: add(NodeOp::GlobalSet, {use(a_of(w))})->imm = static_cast<uint32_t>(d_of(w)); return true;
    case Op::ADD: binary(NodeOp::Add, use(b_of(w)), use(c_of(w))); return true;
    case Op::SUB: binary(NodeOp::Sub, use(b_of(w)), use(c_of(w))); return true;
    case Op::MUL: binary(NodeOp::Mul, use(b_of(w)), use(c_of(w))); return true;
    case Op::DIV: binary(NodeOp::Div, use(b_of(w)), use(c_of(w))); return true;
    case Op::REM: binary(NodeOp::Rem, use(b_of(w)), use(c_of(w))); return true;
    case Op::ADD_I: binary(NodeOp::Add, use(b_of(w)), small(ci_of(w))); return true;
    case Op::SUB_I: binary(NodeOp::Sub, use(b_of(w)), small(ci_of(w))); return true;
    case Op::MUL_I: binary(NodeOp::Mul, use(b_of(w)), small(ci_of(w))); return true;
    case Op::DIV_I: binary(NodeOp::Div, use(b_of(w)), small(ci_of(w))); return true;
    case Op::REM_I: binary(NodeOp::Rem, use(b_of(w)), small(ci_of(w))); return true;
    case Op::AND: binary(NodeOp::And, use(b_of(w)), use(c_of(w))); return true;
    case Op::OR: binary(NodeOp::Or, use(b_of(w)), use(c_of(w))); return true;
    case Op::XOR: binary(NodeOp::Xor, use(b_of(w)), use(c_of(w))); return true;
    case Op::SHL: binary(NodeOp::Shl, use(b_of(w)), use(c_of(w))); return true;
    case Op::SHR: binary(NodeOp::Shr, use(b_of(w)), use(c_of(w))); return true;
    case Op::NEG: unary(NodeOp::Neg, use(b_of(w))); return true;
    case Op::ABS: unary(NodeOp::Abs, use(b_of(w))); return true;
    case Op::NOT: {
      Node* a = use(b_of(w));
      if (a->is_const()) set(a_of(w), constant(rt::bool_value(static_cast<Word>(a->imm) != rt::kTrue.bits).bits));
      else define(a_of(w), NodeOp::Not, {a});
      return true;
    }
    case Op::BOX: {
      Node* a = use(b_of(w));
      if (pc_ < frame_->raw_call || boxes_for_call()) {
        frame_->env[a_of(w)] = a;
        return true;
      }
      if (returns_raw()) return true;
      FrameState* s = here();
      define(a_of(w), NodeOp::Box, {a})->state = s;
      fact(frame_->env[a_of(w)]).kind = static_cast<int>(rt::Kind::Float);
      return true;
    }
    case Op::UNBOX: {
      Node* a = use(b_of(w));
      if (a->type == Type::Float) {
        set(a_of(w), a);
        return true;
      }
      Node* source = strip(a);
      if (source->op == NodeOp::Box && still_there(source->inputs[0])) {
        set(a_of(w), source->inputs[0]);
        return true;
      }
      FrameState* s = here();
      bool known = facts(a).kind == static_cast<int>(rt::Kind::Float);
      Node* n = define(a_of(w), NodeOp::Unbox, {a});
      n->state = s;
      n->known = known;
      fact(a).kind = static_cast<int>(rt::Kind::Float);
      return true;
    }
    case Op::FADD: floats(NodeOp::FAdd); return true;
    case Op::FSUB: floats(NodeOp::FSub); return true;
    case Op::FMUL: floats(NodeOp::FMul); return true;
    case Op::FDIV: floats(NodeOp::FDiv); return true;
    case Op::FREM: {
      Node *a = use(b_of(w)), *b = use(c_of(w));
      FrameState* s = here();
      define(a_of(w), NodeOp::FRem, {a, b})->state = s;
      return true;
    }
    case Op::FNEG: define(a_of(w), NodeOp::FNeg, {use(b_of(w))}); return true;
    case Op::FABS: define(a_of(w), NodeOp::FAbs, {use(b_of(w))}); return true;
    case Op::FSQRT: define(a_of(w), NodeOp::FSqrt, {use(b_of(w))}); return true;
    case Op::INT_TO_FLOAT: {
      Node* a = use(b_of(w));
      FrameState* s = here();
      bool known = is_small(a);
      Node* n = define(a_of(w), NodeOp::IntToFloat, {a});
      n->state = s;
      n->known = known;
      fact(a).small = true;
      return true;
    }
    default: return false;
  }
}

}  // namespace eddy::jit
