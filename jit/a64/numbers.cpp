// Ints and Floats.
#include <bit>

#include "jit/a64/codegen.h"
#include "jit/codegen/reciprocal.h"
#include "jit/runtime_calls.h"

namespace eddy::jit::a64 {

namespace {
int64_t small_of(const Node* n) { return n->imm >> 1; }
bool small_const(const Node* n) { return n->is_const() && (n->imm & 1); }

// a ± k, setting the flags; |k| < 4096.
void step(Assembler& a, bool add, const aa::Gp& to, const aa::Gp& from, int64_t k) {
  if (k < 0) {
    add = !add;
    k = -k;
  }
  add ? a.adds(to, from, asmjit::Imm(k)) : a.subs(to, from, asmjit::Imm(k));
}
}  // namespace

// A constant added to what has room for it.
void Codegen::count_on(Node* n) {
  int a = input(n->inputs[0]);
  int64_t k = small_of(n->inputs[1]);
  release_dead(n);
  int out = output(n, a);
  a_.add_to(gp(out), gp(a), n->op == NodeOp::Add ? k * 2 : k * -2);
}

// The result's register is another than the operands': those are untouched until the last check.
void Codegen::integer(Node* n) {
  if (n->fits) return count_on(n);
  Node *a = n->inputs[0], *b = n->inputs.size() > 1 ? n->inputs[1] : nullptr;
  int ra = input(a);
  bool constant = b && small_const(b);
  int64_t k = constant ? small_of(b) : 0;
  bool additive = n->op == NodeOp::Add || n->op == NodeOp::Sub;
  bool shift = n->op == NodeOp::Shl || n->op == NodeOp::Shr;
  bool immediate = constant && (additive ? Assembler::comparable(k * 2) : shift || n->op == NodeOp::Mul || n->op == NodeOp::Div || n->op == NodeOp::Rem);
  int rb = b && !immediate ? input(b) : kNone;
  bool in_place = n->speculative && !a->remade() && a != b && dead_after(a) && additive;
  int out = in_place ? ra : output(n);
  // Everything has its register before a way out is described.
  asmjit::Label failure;
  Label back;
  bool overflows = may_overflow(n->op);
  bool divides = n->op == NodeOp::Div || n->op == NodeOp::Rem;
  if (divides && constant && divides_by_multiplying(k)) overflows = false;
  bool checked = !(n->known & 1) || (b && !(n->known & 2) && !constant);
  bool has_failure = checked || overflows;
  if (has_failure && !(in_place && !checked)) failure = int_failure(n, out, &back);
  if (!(n->known & 1)) check_small(gp(ra), failure);
  if (b && !(n->known & 2) && !constant) check_small(gp(rb), failure);

  if (in_place) {
    // Undone where it overflows.
    asmjit::Label undo = a_.newLabel();
    bool add = n->op == NodeOp::Add;
    if (rb == kNone) {
      step(a_, add, gp(ra), gp(ra), k * 2);
    } else if (add) {
      a_.sub(aa::x16, gp(rb), 1);
      a_.adds(gp(ra), gp(ra), aa::x16);
    } else {
      a_.subs(gp(ra), gp(ra), gp(rb));
    }
    a_.branch_if(CondCode::kVS, undo);
    if (rb != kNone && !add) a_.add(gp(ra), gp(ra), 1);
    asmjit::Label left = leave_label(n);
    deferred_.push_back([=, this] {
      a_.bind(undo);
      if (rb == kNone) {
        step(a_, !add, gp(ra), gp(ra), k * 2);
      } else if (add) {
        a_.sub(aa::x16, gp(rb), 1);
        a_.sub(gp(ra), gp(ra), aa::x16);
      } else {
        a_.add(gp(ra), gp(ra), gp(rb));
      }
      a_.b(left);
    });
    drop(ra);
    assign(n, ra);
    at(n).memory = false;
    return;
  }

  switch (n->op) {
    case NodeOp::Add:
      if (rb == kNone) {
        step(a_, true, gp(out), gp(ra), k * 2);
      } else {
        a_.sub(aa::x16, gp(ra), 1);
        a_.adds(gp(out), aa::x16, gp(rb));
      }
      a_.branch_if(CondCode::kVS, failure);
      break;
    case NodeOp::Sub:
      if (rb == kNone) step(a_, false, gp(out), gp(ra), k * 2);
      else a_.subs(gp(out), gp(ra), gp(rb));
      a_.branch_if(CondCode::kVS, failure);
      if (rb != kNone) a_.add(gp(out), gp(out), 1);
      break;
    case NodeOp::Mul:
      a_.sub(aa::x16, gp(ra), 1);
      if (rb == kNone) a_.constant(aa::x17, k);
      else a_.asr(aa::x17, gp(rb), 1);
      a_.smulh(aa::x14, aa::x16, aa::x17);
      a_.mul(aa::x17, aa::x16, aa::x17);
      a_.cmp(aa::x14, aa::x17, aa::asr(63));
      a_.branch_if(CondCode::kNE, failure);
      a_.add(gp(out), aa::x17, 1);
      break;
    case NodeOp::And: a_.and_(gp(out), gp(ra), gp(rb)); break;
    case NodeOp::Or: a_.orr(gp(out), gp(ra), gp(rb)); break;
    case NodeOp::Xor:
      a_.eor(gp(out), gp(ra), gp(rb));
      a_.orr(gp(out), gp(out), 1);
      break;
    case NodeOp::Neg:
      a_.movz(aa::x16, 2);
      a_.subs(gp(out), aa::x16, gp(ra));
      a_.branch_if(CondCode::kVS, failure);
      break;
    case NodeOp::Abs:
      a_.movz(aa::x16, 2);
      a_.subs(aa::x16, aa::x16, gp(ra));
      a_.branch_if(CondCode::kVS, failure);
      a_.cmp(gp(ra), 0);
      a_.csel(gp(out), gp(ra), aa::x16, CondCode::kGE);
      break;
    case NodeOp::Shl:
      if (constant && k == 0) {
        a_.mov(gp(out), gp(ra));
      } else if (constant && k > 0 && k < 62) {
        a_.sub(aa::x16, gp(ra), 1);
        a_.lsl(aa::x17, aa::x16, static_cast<uint32_t>(k));
        a_.asr(aa::x14, aa::x17, static_cast<uint32_t>(k));
        a_.cmp(aa::x14, aa::x16);
        a_.branch_if(CondCode::kNE, failure);
        a_.add(gp(out), aa::x17, 1);
      } else if (constant) {
        a_.b(failure);
      } else {
        // Other amounts are for the runtime.
        a_.cmp(gp(rb), 62 * 2);
        a_.branch_if(CondCode::kHI, failure);
        a_.asr(aa::x14, gp(rb), 1);
        a_.sub(aa::x16, gp(ra), 1);
        a_.lsl(aa::x17, aa::x16, aa::x14);
        a_.asr(aa::x14, aa::x17, aa::x14);
        a_.cmp(aa::x14, aa::x16);
        a_.branch_if(CondCode::kNE, failure);
        a_.add(gp(out), aa::x17, 1);
      }
      break;
    case NodeOp::Shr:
      if (constant && k >= 0) {
        a_.asr(aa::x16, gp(ra), static_cast<uint32_t>(std::min<int64_t>(k, 63)));
        a_.orr(gp(out), aa::x16, 1);
      } else if (constant) {
        a_.b(failure);
      } else {
        a_.cmp(gp(rb), 63 * 2 + 1);
        a_.branch_if(CondCode::kHI, failure);
        a_.asr(aa::x16, gp(rb), 1);
        a_.asr(aa::x16, gp(ra), aa::x16);
        a_.orr(gp(out), aa::x16, 1);
      }
      break;
    case NodeOp::BitCount:
      // Twice the bits, each as it differs from the sign.
      a_.eor(aa::x16, gp(ra), gp(ra), aa::asr(63));
      a_.lsr(aa::x16, aa::x16, 1);
      a_.fmov(aa::d30, aa::x16);
      a_.cnt(aa::v30.b8(), aa::v30.b8());
      a_.addv(aa::b30, aa::v30.b8());
      a_.fmov(aa::w16, aa::s30);
      a_.add(gp(out), aa::x16, aa::x16);
      a_.add(gp(out), gp(out), 1);
      break;
    case NodeOp::BitLength:
      a_.eor(aa::x16, gp(ra), gp(ra), aa::asr(63));
      a_.orr(aa::x16, aa::x16, 1);
      a_.clz(aa::x16, aa::x16);
      a_.movz(aa::x17, 63 * 2 + 1);
      a_.sub(gp(out), aa::x17, aa::x16, aa::lsl(1));
      break;
    default: divide(n, ra, rb, k, out, failure); break;
  }
  if (back.valid()) bind(back);
}

// By a constant, without dividing: the quotient or the remainder to x16.
void Codegen::divide_by(bool rest, int ra, int64_t k) {
  auto u = static_cast<uint64_t>(k);
  if (std::has_single_bit(u)) {
    // Towards zero: negative ones are raised before the bits behind the quotient are cut off.
    auto bits = static_cast<uint32_t>(std::countr_zero(u));
    a_.asr(aa::x17, gp(ra), 63);
    a_.lsr(aa::x17, aa::x17, 64 - bits);
    a_.add(aa::x16, aa::x17, gp(ra), aa::asr(1));
    if (rest) {
      a_.and_(aa::x16, aa::x16, asmjit::Imm(u - 1));
      a_.sub(aa::x16, aa::x16, aa::x17);
    } else {
      a_.asr(aa::x16, aa::x16, bits);
    }
    return;
  }
  Reciprocal r = reciprocal(u);
  a_.asr(aa::x16, gp(ra), 1);
  a_.constant(aa::x17, r.multiplier);
  a_.smulh(aa::x17, aa::x16, aa::x17);
  if (r.shift) a_.asr(aa::x17, aa::x17, r.shift);
  if (rest) {
    a_.sub(aa::x17, aa::x17, aa::x16, aa::asr(63));
    a_.constant(aa::x14, k);
    a_.msub(aa::x16, aa::x17, aa::x14, aa::x16);
  } else {
    a_.sub(aa::x16, aa::x17, aa::x16, aa::asr(63));
  }
}

void Codegen::divide(Node* n, int ra, int rb, int64_t k, int out, asmjit::Label failure) {
  if (rb == kNone && divides_by_multiplying(k)) {
    const bool rest = n->op == NodeOp::Rem;
    asmjit::Label done = a_.newLabel();
    if (rest && mostly_larger(k)) {
      if (out != ra) a_.mov(gp(out), gp(ra));
      a_.constant(aa::x16, k * 2);
      a_.cmp(gp(ra), aa::x16);  // negative ones are no less
      a_.branch_if(CondCode::kLO, done);
    }
    divide_by(rest, ra, k);
    a_.lsl(aa::x16, aa::x16, 1);
    a_.orr(gp(out), aa::x16, 1);
    a_.bind(done);
    return;
  }
  if (rb == kNone && (k == 0 || k == -1)) {
    a_.b(failure);
    return;
  }
  if (rb == kNone) {
    a_.constant(aa::x14, k);
  } else {
    a_.asr(aa::x14, gp(rb), 1);
    a_.add(aa::x16, aa::x14, 1);
    a_.cmp(aa::x16, 1);
    a_.branch_if(CondCode::kLS, failure);
  }
  a_.asr(aa::x16, gp(ra), 1);
  a_.sdiv(aa::x17, aa::x16, aa::x14);
  if (n->op == NodeOp::Rem) a_.msub(aa::x17, aa::x17, aa::x14, aa::x16);
  a_.lsl(aa::x17, aa::x17, 1);
  a_.orr(gp(out), aa::x17, 1);
}

void Codegen::truth_of(CondCode cc, int out) {
  static_assert(rt::kTrue.bits == rt::kFalse.bits + 256);
  a_.cset(aa::x16, cc);
  a_.movz(aa::x17, static_cast<uint32_t>(rt::kFalse.bits));
  a_.add(gp(out), aa::x17, aa::x16, aa::lsl(8));
}

bool Codegen::emit_number(Node* n) {
  switch (n->op) {
    case NodeOp::Add:
    case NodeOp::Sub:
    case NodeOp::Mul:
    case NodeOp::Div:
    case NodeOp::Rem:
    case NodeOp::And:
    case NodeOp::Or:
    case NodeOp::Xor:
    case NodeOp::Shl:
    case NodeOp::Shr:
    case NodeOp::Neg:
    case NodeOp::Abs:
    case NodeOp::BitCount:
    case NodeOp::BitLength: integer(n); return true;
    case NodeOp::Not: {
      int ra = input(n->inputs[0]);
      release_dead(n);
      int out = output(n, ra);
      // Of anything: bytecode may be ill-typed.
      a_.compare(gp(ra), static_cast<int64_t>(rt::kTrue.bits));
      truth_of(CondCode::kNE, out);
      return true;
    }
    case NodeOp::Times: {
      int a = input(n->inputs[0]), b = input(n->inputs[1]);
      release_dead(n);
      int out = output(n, a);
      a_.asr(aa::x17, gp(b), 1);
      a_.smulh(aa::x16, gp(a), aa::x17);
      a_.mul(gp(out), gp(a), aa::x17);
      a_.cmp(aa::x16, gp(out), aa::asr(63));
      a_.constant(aa::x17, kTooLarge);
      a_.csel(gp(out), gp(out), aa::x17, CondCode::kEQ);
      return true;
    }
    case NodeOp::TimesDone: {
      int a = input(n->inputs[0]);
      int out = output(n);
      asmjit::Label no = leave_label(n);
      a_.constant(aa::x17, kTooLarge);
      a_.cmp(gp(a), aa::x17);
      a_.branch_if(CondCode::kEQ, no);
      a_.add(gp(out), gp(a), 1);
      return true;
    }
    case NodeOp::StackRoom: {
      int out = output(n);
      a_.ldr(aa::x17, context(at::fiber));
      a_.ldr(aa::x17, field(aa::x17, at::fiber_base));
      a_.constant(aa::x16, static_cast<int64_t>(g_.ctx->max_stack & ~Word{7}) + 1);
      a_.sub(aa::x16, aa::x16, aa::x17);
      a_.add(gp(out), aa::x16, aa::x20);
      return true;
    }
    case NodeOp::GuardSmall: {
      int a = input(n->inputs[0]);
      check_small(gp(a), leave_label(n));
      return true;
    }
    case NodeOp::CheckOrder: {
      int a = input(n->inputs[0]), b = input(n->inputs[1]);
      asmjit::Label no = leave_label(n);
      a_.cmp(gp(a), gp(b));
      a_.branch_if(otherwise_of(n), no);
      return true;
    }
    case NodeOp::Compare: {
      auto c = static_cast<Condition>(n->imm);
      asmjit::Label slow = a_.newLabel(), back = a_.newLabel();
      int out = output(n);
      compare_words(n, slow);
      slow_path(n, slow, [this, n, out] {
        call_compare(n);
        take_result(out);
      }, back);
      static constexpr CondCode codes[] = {CondCode::kEQ, CondCode::kNE, CondCode::kLT,
                                           CondCode::kLE, CondCode::kGT, CondCode::kGE};
      truth_of(codes[static_cast<int>(c)], out);
      a_.bind(back);
      return true;
    }
    default: return false;
  }
}

bool Codegen::emit_float(Node* n) {
  auto two = [&](auto op) {
    int a = input(n->inputs[0]), b = input(n->inputs[1]);
    release_dead(n);
    int out = output(n, a);
    op(vec(out), vec(a), vec(b));
    return true;
  };
  switch (n->op) {
    case NodeOp::FAdd: return two([&](auto o, auto x, auto y) { a_.fadd(o, x, y); });
    case NodeOp::FSub: return two([&](auto o, auto x, auto y) { a_.fsub(o, x, y); });
    case NodeOp::FMul: return two([&](auto o, auto x, auto y) { a_.fmul(o, x, y); });
    case NodeOp::FDiv: return two([&](auto o, auto x, auto y) { a_.fdiv(o, x, y); });
    case NodeOp::FRem:
    case NodeOp::FNative: {
      save_inline(n->state);
      auto to = [&](const aa::Vec& x, Node* v) {
        value_to(aa::x16, v);
        a_.fmov(x, aa::x16);
      };
      bool two = n->inputs.size() == 2;
      to(aa::d30, n->inputs[0]);
      if (two) to(aa::d31, n->inputs[1]);
      a_.fmov(aa::d0, aa::d30);
      if (two) a_.fmov(aa::d1, aa::d31);
      call_helper(stubs_.call_plain, n->op == NodeOp::FRem ? reinterpret_cast<void*>(&calls::remainder) : n->aux, n->state);
      forget_registers(n);
      if (dead_after(n)) return true;
      int out = output(n);
      a_.fmov(vec(out), aa::d0);
      return true;
    }
    case NodeOp::FRound: {
      int a = input(n->inputs[0]);
      release_dead(n);
      int out = output(n, a);
      switch (static_cast<Rounding>(n->imm)) {
        case Rounding::Down: a_.frintm(vec(out), vec(a)); break;
        case Rounding::Up: a_.frintp(vec(out), vec(a)); break;
        case Rounding::ToZero: a_.frintz(vec(out), vec(a)); break;
        case Rounding::Nearest: a_.frinta(vec(out), vec(a)); break;
      }
      return true;
    }
    case NodeOp::FSqrt:
    case NodeOp::FNeg:
    case NodeOp::FAbs: {
      int a = input(n->inputs[0]);
      release_dead(n);
      int out = output(n, a);
      if (n->op == NodeOp::FSqrt) a_.fsqrt(vec(out), vec(a));
      else if (n->op == NodeOp::FNeg) a_.fneg(vec(out), vec(a));
      else a_.fabs(vec(out), vec(a));
      return true;
    }
    case NodeOp::IntToFloat: {
      int a = input(n->inputs[0]);
      int out = output(n);
      if (!(n->known & 1)) check_small(gp(a), leave_label(n));
      a_.asr(aa::x16, gp(a), 1);
      a_.scvtf(vec(out), aa::x16);
      return true;
    }
    case NodeOp::FloatToInt: {
      int a = input(n->inputs[0]), out = output(n);
      asmjit::Label no = leave_label(n);
      a_.fcmp(vec(a), vec(a));
      a_.branch_if(CondCode::kVS, no);  // nan
      // What does not fit is the greatest or least Int, and twice that too much.
      a_.fcvtzs(aa::x16, vec(a));
      a_.adds(aa::x16, aa::x16, aa::x16);
      a_.branch_if(CondCode::kVS, no);
      a_.orr(gp(out), aa::x16, 1);
      return true;
    }
    case NodeOp::CompareFloat: {
      int a = input(n->inputs[0]), b = input(n->inputs[1]);
      int out = output(n);
      a_.fcmp(vec(a), vec(b));
      switch (static_cast<Condition>(n->imm)) {
        case Condition::Equal: truth_of(CondCode::kEQ, out); break;
        case Condition::Less: truth_of(CondCode::kMI, out); break;
        default: truth_of(CondCode::kLS, out); break;
      }
      return true;
    }
    default: return false;
  }
}

}  // namespace eddy::jit::a64
