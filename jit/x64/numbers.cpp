// Ints and Floats.
#include <algorithm>
#include <bit>
#include <cmath>

#include "jit/codegen/reciprocal.h"
#include "jit/runtime_calls.h"
#include "jit/x64/codegen.h"
#include "runtime/plants.h"

namespace eddy::jit::x64 {

namespace {
int64_t small_of(const Node* n) { return n->imm >> 1; }
bool small_const(const Node* n) { return n->is_const() && (n->imm & 1); }
}  // namespace

// A constant added to what has room for it.
void Codegen::count_on(Node* n) {
  int a = input(n->inputs[0]);
  int64_t k = small_of(n->inputs[1]);
  auto step = static_cast<int32_t>(n->op == NodeOp::Add ? k * 2 : k * -2);
  release_dead(n);
  int out = output(n, a);
  if (out == a) a_.add(gp(out), step);
  else a_.lea(gp(out), ax::ptr(gp(a), step));
}

// Results are computed in rax or rdx first: until the last check the operands are untouched.
void Codegen::integer(Node* n) {
  if (n->fits) return count_on(n);
  Node *a = n->inputs[0], *b = n->inputs.size() > 1 ? n->inputs[1] : nullptr;
  int ra = input(a);
  bool constant = b && small_const(b);
  int64_t k = constant ? small_of(b) : 0;
  int rb = b && !(constant && fits(k * 2)) ? input(b) : kNone;
  bool in_place = n->speculative && !a->remade() && a != b && dead_after(a) && (n->op == NodeOp::Add || n->op == NodeOp::Sub);
  int out = in_place ? ra : output(n);
  // Everything has its register before a way out is described.
  int divisor = n->op == NodeOp::Div || n->op == NodeOp::Rem ? temporary() : kNone;
  asmjit::Label failure;
  Label back;
  bool overflows = may_overflow(n->op);
  if (divisor != kNone && rb == kNone && divides_by_multiplying(k)) overflows = false;
  bool checked = !(n->known & 1) || (b && !(n->known & 2) && !constant);
  bool has_failure = checked || overflows;
  if (has_failure && !(in_place && !checked)) failure = int_failure(n, out, &back);
  if (!(n->known & 1)) check_small(gp(ra), failure);
  if (b && !(n->known & 2) && !constant) check_small(gp(rb), failure);

  if (in_place) {
    // Undone where it overflows.
    asmjit::Label undo = a_.newLabel();
    Saves saves = capture(n->state);
    bool add = n->op == NodeOp::Add;
    if (rb == kNone) {
      auto step = static_cast<int32_t>(k * 2);
      if (add) a_.add(gp(ra), step);
      else a_.sub(gp(ra), step);
      a_.jo(undo);
    } else if (add) {
      a_.lea(ax::rax, ax::ptr(gp(rb), -1));
      a_.add(gp(ra), ax::rax);
      if (!PLANTED(jit_add_unchecked)) a_.jo(undo);
    } else {
      a_.sub(gp(ra), gp(rb));
      a_.jo(undo);
      a_.inc(gp(ra));
    }
    asmjit::Label left = leave_label(n);
    deferred_.push_back([=, this] {
      a_.bind(undo);
      if (rb == kNone) {
        auto step = static_cast<int32_t>(k * 2);
        if (add) a_.sub(gp(ra), step);
        else a_.add(gp(ra), step);
      } else if (add) {
        a_.lea(ax::rax, ax::ptr(gp(rb), -1));
        a_.sub(gp(ra), ax::rax);
      } else if (!PLANTED(jit_sub_not_undone)) {
        a_.add(gp(ra), gp(rb));
      }
      a_.jmp(left);
    });
    drop(ra);
    assign(n, ra);
    at(n).memory = false;
    return;
  }

  switch (n->op) {
    case NodeOp::Add:
      if (rb == kNone) {
        a_.mov(gp(out), gp(ra));
        a_.add(gp(out), static_cast<int32_t>(k * 2));
      } else {
        a_.lea(gp(out), ax::ptr(gp(ra), -1));
        a_.add(gp(out), gp(rb));
      }
      if (!PLANTED(jit_add_unchecked)) a_.jo(failure);
      break;
    case NodeOp::Sub:
      a_.mov(gp(out), gp(ra));
      if (rb == kNone) a_.sub(gp(out), static_cast<int32_t>(k * 2));
      else a_.sub(gp(out), gp(rb));
      a_.jo(failure);
      if (rb != kNone) a_.inc(gp(out));
      break;
    case NodeOp::Mul:
      a_.lea(ax::rdx, ax::ptr(gp(ra), -1));
      if (rb == kNone) {
        a_.imul(ax::rdx, ax::rdx, static_cast<int32_t>(k));
      } else {
        a_.mov(ax::rax, gp(rb));
        a_.sar(ax::rax, 1);
        a_.imul(ax::rdx, ax::rax);
      }
      if (!PLANTED(jit_mul_unchecked)) a_.jo(failure);
      a_.lea(gp(out), ax::ptr(ax::rdx, 1));
      break;
    case NodeOp::And:
    case NodeOp::Or:
    case NodeOp::Xor: {
      a_.mov(gp(out), gp(ra));
      auto bits = static_cast<int32_t>(constant ? k * 2 + 1 : 0);
      if (n->op == NodeOp::And) rb == kNone ? a_.and_(gp(out), bits) : a_.and_(gp(out), gp(rb));
      else if (n->op == NodeOp::Or) rb == kNone ? a_.or_(gp(out), bits) : a_.or_(gp(out), gp(rb));
      else {
        rb == kNone ? a_.xor_(gp(out), bits) : a_.xor_(gp(out), gp(rb));
        a_.or_(gp(out), 1);
      }
      break;
    }
    case NodeOp::Neg:
      a_.mov(ax::eax, 2);
      a_.sub(ax::rax, gp(ra));
      a_.jo(failure);
      a_.mov(gp(out), ax::rax);
      break;
    case NodeOp::Abs:
      a_.mov(ax::eax, 2);
      a_.sub(ax::rax, gp(ra));
      a_.jo(failure);
      a_.test(gp(ra), gp(ra));
      a_.cmovns(ax::rax, gp(ra));
      a_.mov(gp(out), ax::rax);
      break;
    case NodeOp::Shl:
      if (constant && k >= 0 && k < 62) {
        a_.lea(ax::rdx, ax::ptr(gp(ra), -1));
        a_.mov(gp(out), ax::rdx);
        a_.shl(gp(out), static_cast<int>(k));
        a_.mov(ax::rax, gp(out));
        a_.sar(ax::rax, static_cast<int>(k));
        a_.cmp(ax::rax, ax::rdx);
        a_.jne(failure);
        a_.inc(gp(out));
      } else if (constant) {
        a_.jmp(failure);
      } else {
        shift_left(ra, rb, out, failure);
      }
      break;
    case NodeOp::Shr:
      if (constant && k >= 0) {
        a_.mov(gp(out), gp(ra));
        a_.sar(gp(out), static_cast<int>(std::min<int64_t>(k, 63)));
        a_.or_(gp(out), 1);
      } else if (constant) {
        a_.jmp(failure);
      } else {
        shift_right(ra, rb, out, failure);
      }
      break;
    case NodeOp::BitCount:
    case NodeOp::BitLength:
      // Twice the bits, each as it differs from the sign.
      a_.mov(ax::rax, gp(ra));
      a_.sar(ax::rax, 63);
      a_.xor_(ax::rax, gp(ra));
      if (n->op == NodeOp::BitCount) {
        a_.shr(ax::rax, 1);
        a_.popcnt(ax::rax, ax::rax);
      } else {
        a_.or_(ax::rax, 1);
        a_.bsr(ax::rax, ax::rax);
      }
      a_.lea(gp(out), ax::ptr(ax::rax, ax::rax, 0, 1));
      break;
    default: divide(n, ra, rb, k, out, divisor, failure); break;
  }
  if (back.valid()) bind(back);
}

// By an amount in a register; others than these are for the runtime.
void Codegen::shift_left(int a, int by, int out, asmjit::Label failure) {
  a_.cmp(gp(by), 62 * 2);
  a_.ja(failure);
  a_.lea(ax::rdx, ax::ptr(gp(a), -1));
  if (g_.features().shifts_anywhere) {
    a_.mov(ax::rax, gp(by));
    a_.shr(ax::eax, 1);
    a_.shlx(gp(out), ax::rdx, ax::rax);
    a_.sarx(ax::rax, gp(out), ax::rax);
    a_.cmp(ax::rax, ax::rdx);
    a_.jne(failure);
    a_.inc(gp(out));
    return;
  }
  shift_by_cl(by, [&] {
    a_.mov(ax::rax, ax::rdx);
    a_.shl(ax::rax, ax::cl);
    a_.movq(ax::xmm14, ax::rax);
    a_.sar(ax::rax, ax::cl);
    a_.cmp(ax::rax, ax::rdx);
  });
  a_.jne(failure);
  a_.movq(gp(out), ax::xmm14);
  a_.inc(gp(out));
}

void Codegen::shift_right(int a, int by, int out, asmjit::Label failure) {
  a_.cmp(gp(by), 63 * 2 + 1);
  a_.ja(failure);
  if (g_.features().shifts_anywhere) {
    a_.mov(ax::rax, gp(by));
    a_.shr(ax::eax, 1);
    a_.sarx(gp(out), gp(a), ax::rax);
  } else {
    a_.mov(ax::rdx, gp(a));
    shift_by_cl(by, [&] { a_.sar(ax::rdx, ax::cl); });
    a_.mov(gp(out), ax::rdx);
  }
  a_.or_(gp(out), 1);
}

// `shift` finds the amount in cl. The flags stay.
template <class F>
void Codegen::shift_by_cl(int by, F shift) {
  a_.movq(ax::xmm15, ax::rcx);
  a_.mov(ax::rcx, gp(by));
  a_.shr(ax::ecx, 1);
  shift();
  a_.movq(ax::rcx, ax::xmm15);
}

void Codegen::round(Rounding how, const ax::Xmm& a, const ax::Xmm& out) {
  constexpr int kQuietly = 8;
  switch (how) {
    case Rounding::Down: return void(a_.roundsd(out, a, kQuietly | 1));
    case Rounding::Up: return void(a_.roundsd(out, a, kQuietly | 2));
    case Rounding::ToZero: return void(a_.roundsd(out, a, kQuietly | 3));
    case Rounding::Nearest: break;
  }
  // What is almost a half, with its sign, and then towards zero: a half itself would lift what is just below one.
  a_.mov(ax::rax, INT64_MIN);
  a_.movq(ax::xmm15, ax::rax);
  a_.andps(ax::xmm15, a);
  a_.mov(ax::rax, std::bit_cast<int64_t>(std::nextafter(0.5, 0.0)));
  a_.movq(ax::xmm14, ax::rax);
  a_.orps(ax::xmm15, ax::xmm14);
  a_.addsd(ax::xmm15, a);
  a_.roundsd(out, ax::xmm15, kQuietly | 3);
}

// By a constant, without dividing. `number`: a register for the operand.
void Codegen::divide_by(bool rest, int ra, int64_t k, int out, const ax::Gp& number) {
  auto u = static_cast<uint64_t>(k);
  if (std::has_single_bit(u)) {
    // Towards zero: negative ones are raised before the bits behind the quotient are cut off.
    a_.mov(ax::rax, gp(ra));
    a_.sar(ax::rax, 1);
    a_.cqo();
    a_.and_(ax::rdx, static_cast<int32_t>(k - 1));
    a_.add(ax::rax, ax::rdx);
    if (rest) {
      a_.and_(ax::rax, static_cast<int32_t>(k - 1));
      a_.sub(ax::rax, ax::rdx);
    } else {
      a_.sar(ax::rax, std::countr_zero(u));
    }
    a_.lea(gp(out), ax::ptr(ax::rax, ax::rax, 0, 1));
    return;
  }
  Reciprocal r = reciprocal(u);
  a_.mov(number, gp(ra));
  a_.sar(number, 1);
  a_.mov(ax::rax, r.multiplier);
  a_.imul(number);
  if (r.shift) a_.sar(ax::rdx, static_cast<int>(r.shift));
  a_.mov(ax::rax, number);
  a_.shr(ax::rax, 63);
  a_.add(ax::rdx, ax::rax);
  if (rest) {
    a_.imul(ax::rdx, ax::rdx, static_cast<int32_t>(k));
    a_.sub(number, ax::rdx);
    a_.lea(gp(out), ax::ptr(number, number, 0, 1));
  } else {
    a_.lea(gp(out), ax::ptr(ax::rdx, ax::rdx, 0, 1));
  }
}

void Codegen::divide(Node* n, int ra, int rb, int64_t k, int out, int divisor, asmjit::Label failure) {
  bool rest = n->op == NodeOp::Rem;
  if (rb == kNone && divides_by_multiplying(k)) {
    asmjit::Label done = a_.newLabel();
    if (rest && mostly_larger(k)) {
      if (out != ra) a_.mov(gp(out), gp(ra));
      a_.cmp(gp(ra), static_cast<int32_t>(k * 2));  // negative ones are no less
      a_.jb(done);
    }
    divide_by(rest, ra, k, out, gp(divisor));
    a_.bind(done);
    return;
  }
  if (rb == kNone && (k == 0 || k == -1)) {
    a_.jmp(failure);
    return;
  }
  if (rb == kNone) {
    a_.mov(gp(divisor), k);
  } else {
    a_.mov(gp(divisor), gp(rb));
    a_.sar(gp(divisor), 1);
    a_.lea(ax::rax, ax::ptr(gp(divisor), 1));
    a_.cmp(ax::rax, 1);
    a_.jbe(failure);
  }
  asmjit::Label narrow = a_.newLabel(), done = a_.newLabel();
  a_.mov(ax::rax, gp(ra));
  a_.sar(ax::rax, 1);
  // Most numbers are short, and dividing short ones is faster.
  a_.mov(ax::rdx, ax::rax);
  a_.or_(ax::rdx, gp(divisor));
  a_.shr(ax::rdx, 32);
  a_.jz(narrow);
  a_.cqo();
  a_.idiv(gp(divisor));
  a_.jmp(done);
  a_.bind(narrow);
  a_.div(gp(divisor).r32());
  a_.bind(done);
  if (rest) a_.lea(gp(out), ax::ptr(ax::rdx, ax::rdx, 0, 1));
  else a_.lea(gp(out), ax::ptr(ax::rax, ax::rax, 0, 1));
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
      a_.cmp(gp(ra), static_cast<int32_t>(rt::kTrue.bits));
      a_.setne(ax::al);
      a_.movzx(ax::eax, ax::al);
      a_.shl(ax::eax, 8);
      a_.lea(gp(out).r32(), ax::ptr(ax::rax, static_cast<int>(rt::kFalse.bits)));
      return true;
    }
    case NodeOp::Times: {
      int ra = input(n->inputs[0]);
      value_to(ax::rax, n->inputs[1]);
      release_dead(n);
      int out = output(n, ra);
      move(out, ra);
      a_.sar(ax::rax, 1);
      a_.mov(ax::rdx, kTooLarge);
      a_.imul(gp(out), ax::rax);
      if (!PLANTED(jit_product_unmarked)) a_.cmovo(gp(out), ax::rdx);
      return true;
    }
    case NodeOp::TimesDone: {
      int ra = input(n->inputs[0]);
      int out = output(n);
      asmjit::Label no = leave_label(n);
      a_.lea(gp(out), ax::ptr(gp(ra), 1));
      a_.mov(ax::rax, kTooLarge);
      a_.cmp(gp(ra), ax::rax);
      a_.je(no);
      return true;
    }
    case NodeOp::StackRoom: {
      int out = output(n);
      a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::fiber));
      a_.mov(gp(out), static_cast<int64_t>(g_.ctx->max_stack & ~Word{7}));
      a_.sub(gp(out), ax::qword_ptr(ax::rax, at::fiber_base));
      a_.lea(gp(out), ax::ptr(ax::rsp, gp(out), 0, 1));
      return true;
    }
    case NodeOp::GuardSmall: {
      int a = input(n->inputs[0]);
      check_small(gp(a), leave_label(n));
      return true;
    }
    case NodeOp::CheckOrder: {
      Node *a = n->inputs[0], *b = n->inputs[1];
      int ra = input(a);
      bool immediate = b->is_const() && fits(b->imm);
      int rb = immediate ? kNone : input(b);
      asmjit::Label no = leave_label(n);
      if (immediate) a_.cmp(gp(ra), static_cast<int32_t>(b->imm));
      else a_.cmp(gp(ra), gp(rb));
      a_.j(otherwise_of(n), no);
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
      static constexpr ax::CondCode codes[] = {ax::CondCode::kE, ax::CondCode::kNE, ax::CondCode::kL,
                                               ax::CondCode::kLE, ax::CondCode::kG, ax::CondCode::kGE};
      a_.set(codes[static_cast<int>(c)], ax::al);
      a_.movzx(ax::eax, ax::al);
      a_.shl(ax::eax, 8);
      a_.lea(gp(out).r32(), ax::ptr(ax::rax, static_cast<int>(rt::kFalse.bits)));
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
    int out = a == b ? output(n) : output(n, a);
    if (out == b && out != a) {
      a_.movaps(ax::xmm15, xmm(b));
      move(out, a);
      op(xmm(out), ax::xmm15);
    } else {
      move(out, a);
      op(xmm(out), xmm(b));
    }
    return true;
  };
  switch (n->op) {
    case NodeOp::FAdd: return two([&](auto x, auto y) { a_.addsd(x, y); });
    case NodeOp::FSub: return two([&](auto x, auto y) { a_.subsd(x, y); });
    case NodeOp::FMul: return two([&](auto x, auto y) { a_.mulsd(x, y); });
    case NodeOp::FDiv: return two([&](auto x, auto y) { a_.divsd(x, y); });
    case NodeOp::FRem:
    case NodeOp::FNative: {
      save_inline(n->state);
      auto to = [&](const ax::Xmm& x, Node* v) {
        value_to(ax::rax, v);
        a_.movq(x, ax::rax);
      };
      bool two = n->inputs.size() == 2;
      to(ax::xmm14, n->inputs[0]);
      if (two) to(ax::xmm15, n->inputs[1]);
      a_.movaps(ax::xmm0, ax::xmm14);
      if (two) a_.movaps(ax::xmm1, ax::xmm15);
      call_helper(stubs_.call_plain, n->op == NodeOp::FRem ? reinterpret_cast<void*>(&calls::remainder) : n->aux, n->state);
      forget_registers(n);
      if (dead_after(n)) return true;
      int out = output(n);
      a_.movaps(xmm(out), ax::xmm0);
      return true;
    }
    case NodeOp::FSqrt: {
      int a = input(n->inputs[0]);
      int out = output(n);
      a_.sqrtsd(xmm(out), xmm(a));
      return true;
    }
    case NodeOp::FRound: {
      int a = input(n->inputs[0]);
      int out = output(n);
      round(static_cast<Rounding>(n->imm), xmm(a), xmm(out));
      return true;
    }
    case NodeOp::FNeg:
    case NodeOp::FAbs: {
      int a = input(n->inputs[0]);
      release_dead(n);
      int out = output(n, a);
      move(out, a);
      bool negate = n->op == NodeOp::FNeg;
      a_.mov(ax::rax, negate ? INT64_MIN : INT64_MAX);
      a_.movq(ax::xmm15, ax::rax);
      negate ? a_.xorps(xmm(out), ax::xmm15) : a_.andps(xmm(out), ax::xmm15);
      return true;
    }
    case NodeOp::IntToFloat: {
      int a = input(n->inputs[0]);
      int out = output(n);
      if (!(n->known & 1)) check_small(gp(a), leave_label(n));
      a_.mov(ax::rax, gp(a));
      a_.sar(ax::rax, 1);
      a_.xorps(xmm(out), xmm(out));
      a_.cvtsi2sd(xmm(out), ax::rax);
      return true;
    }
    case NodeOp::FloatToInt: {
      int a = input(n->inputs[0]), out = output(n);
      asmjit::Label no = leave_label(n);
      // What does not fit, and nan, is the least Int, and twice that too much.
      a_.cvttsd2si(ax::rax, xmm(a));
      a_.add(ax::rax, ax::rax);
      a_.jo(no);
      a_.lea(gp(out), ax::ptr(ax::rax, 1));
      return true;
    }
    case NodeOp::CompareFloat: {
      ax::Xmm a = xmm(input(n->inputs[0])), b = xmm(input(n->inputs[1]));
      int out = output(n);
      switch (static_cast<Condition>(n->imm)) {
        case Condition::Equal:
          a_.ucomisd(a, b);
          a_.setnp(ax::al);
          a_.sete(ax::dl);
          a_.and_(ax::eax, ax::edx);
          break;
        case Condition::Less:
          a_.ucomisd(b, a);
          a_.seta(ax::al);
          break;
        default:
          a_.ucomisd(b, a);
          a_.setae(ax::al);
          break;
      }
      a_.movzx(ax::eax, ax::al);
      a_.shl(ax::eax, 8);
      a_.lea(gp(out).r32(), ax::ptr(ax::rax, static_cast<int>(rt::kFalse.bits)));
      return true;
    }
    default: return false;
  }
}

}  // namespace eddy::jit::x64
