// Comparisons and jumps.
#include "runtime/bigint.h"
#include "runtime/compare.h"
#include "vm/interpreter/dispatch.h"
#include "vm/control/switch.h"
#include "vm/tier.h"

namespace eddy::vm {

namespace {

// 0 or 1; -1 where it failed and a panic is pending.
int equal_values(Context* ctx, Value a, Value b) {
  int outcome = rt::equal(*ctx, a, b);
  return outcome == rt::kIncomparable ? -1 : outcome;
}

// Ints, Chars and Strings: less, or at most.
int ordered(Context* ctx, Value a, Value b, bool or_equal) {
  int order = rt::compare_ordered(*ctx, a, b);
  if (order == rt::kIncomparable) return -1;
  return or_equal ? order <= 0 : order < 0;
}

}  // namespace

#define JUMP_C() GO(pc + ci_of(w))
#define JUMP_D() GO(pc + d_of(w))

// `test` is -1 (failed), 0 or 1; computed with the frame written down.
#define SLOW_TEST(test)         \
  SUSPEND_HERE();               \
  int outcome = (test);         \
  RELOAD();                     \
  if (outcome < 0) FAIL()

HANDLER(EQ) {
  Value b = RB, c = RC;
  if (b.bits & c.bits & 1) [[likely]] {
    RA = rt::bool_value(b == c);
    NEXT(1);
  }
  SLOW_TEST(equal_values(ctx, b, c));
  RA = rt::bool_value(outcome);
  NEXT(1);
}
HANDLER(NE) {
  Value b = RB, c = RC;
  if (b.bits & c.bits & 1) [[likely]] {
    RA = rt::bool_value(b != c);
    NEXT(1);
  }
  SLOW_TEST(equal_values(ctx, b, c));
  RA = rt::bool_value(!outcome);
  NEXT(1);
}
HANDLER(LT) {
  Value b = RB, c = RC;
  if (b.bits & c.bits & 1) [[likely]] {
    RA = rt::bool_value(static_cast<int64_t>(b.bits) < static_cast<int64_t>(c.bits));
    NEXT(1);
  }
  SLOW_TEST(ordered(ctx, b, c, false));
  RA = rt::bool_value(outcome);
  NEXT(1);
}
HANDLER(LE) {
  Value b = RB, c = RC;
  if (b.bits & c.bits & 1) [[likely]] {
    RA = rt::bool_value(static_cast<int64_t>(b.bits) <= static_cast<int64_t>(c.bits));
    NEXT(1);
  }
  SLOW_TEST(ordered(ctx, b, c, true));
  RA = rt::bool_value(outcome);
  NEXT(1);
}
HANDLER(FEQ) { RA = rt::bool_value(raw(RB) == raw(RC)); NEXT(1); }
HANDLER(FLT) { RA = rt::bool_value(raw(RB) < raw(RC)); NEXT(1); }
HANDLER(FLE) { RA = rt::bool_value(raw(RB) <= raw(RC)); NEXT(1); }

HANDLER(JMP) { JUMP_D(); }
HANDLER(LOOP) {
  if (reinterpret_cast<Word*>(s) < ctx->stack_limit) [[unlikely]] {
    const Word* target = pc + d_of(w);
    SUSPEND(d_of(w), rt::kInPlace);  // goes on at the target, nothing delivered
    if (!safepoint(ctx)) CONTINUE();
    RELOAD();
    GO(target);
  }
  JUMP_D();
}
HANDLER(LOOP_HOT) {
  const Word* target = pc + d_of(w);
  if (reinterpret_cast<Word*>(s) < ctx->stack_limit) [[unlikely]] {
    SUSPEND(d_of(w), rt::kInPlace);
    if (!safepoint(ctx)) CONTINUE();
    RELOAD();
  } else if (--function_of(s)->heat < 0) [[unlikely]] {
    SUSPEND(d_of(w), rt::kInPlace);
    if (void* machine = tier_of(*ctx)->hot_loop(*loaded(function_of(s)), target)) {
      // Machine code finds the frame as it is.
      *ctx->fiber->sp = reinterpret_cast<Word>(machine);
      deliver(*ctx, rt::kUnit);
      CONTINUE();
    }
    RELOAD();
  }
  GO(target);
}
HANDLER(JT) {
  if (RA == rt::kTrue) JUMP_D();
  NEXT(1);
}
HANDLER(JF) {
  if (RA != rt::kTrue) JUMP_D();
  NEXT(1);
}
HANDLER(JEQ) {
  Value a = RA, b = RB;
  if (a.bits & b.bits & 1) [[likely]] {
    if (a == b) JUMP_C();
    NEXT(1);
  }
  SLOW_TEST(equal_values(ctx, a, b));
  if (outcome) JUMP_C();
  NEXT(1);
}
HANDLER(JNE) {
  Value a = RA, b = RB;
  if (a.bits & b.bits & 1) [[likely]] {
    if (a != b) JUMP_C();
    NEXT(1);
  }
  SLOW_TEST(equal_values(ctx, a, b));
  if (!outcome) JUMP_C();
  NEXT(1);
}
HANDLER(JLT) {
  Value a = RA, b = RB;
  if (a.bits & b.bits & 1) [[likely]] {
    if (static_cast<int64_t>(a.bits) < static_cast<int64_t>(b.bits)) JUMP_C();
    NEXT(1);
  }
  SLOW_TEST(ordered(ctx, a, b, false));
  if (outcome) JUMP_C();
  NEXT(1);
}
HANDLER(JLE) {
  Value a = RA, b = RB;
  if (a.bits & b.bits & 1) [[likely]] {
    if (static_cast<int64_t>(a.bits) <= static_cast<int64_t>(b.bits)) JUMP_C();
    NEXT(1);
  }
  SLOW_TEST(ordered(ctx, a, b, true));
  if (outcome) JUMP_C();
  NEXT(1);
}

// An immediate against a big Int: only its sign counts.
#define JUMP_IMMEDIATE(name, op)                                                            \
  HANDLER(name) {                                                                           \
    Value a = RA;                                                                           \
    int64_t b = bi_of(w);                                                                   \
    if (a.is_small()) [[likely]] {                                                          \
      if (static_cast<int64_t>(a.bits) op (b * 2 + 1)) JUMP_C();                            \
      NEXT(1);                                                                              \
    }                                                                                       \
    if (!rt::is_kind(a, rt::Kind::BigInt)) FAIL_WITH("expected an Int");                    \
    if (rt::int_compare(a, rt::small_int(b)) op 0) JUMP_C();                                \
    NEXT(1);                                                                                \
  }
JUMP_IMMEDIATE(JEQ_I, ==)
JUMP_IMMEDIATE(JNE_I, !=)
JUMP_IMMEDIATE(JLT_I, <)
JUMP_IMMEDIATE(JLE_I, <=)
JUMP_IMMEDIATE(JGT_I, >)
JUMP_IMMEDIATE(JGE_I, >=)

#define JUMP_FLOAT(name, test)             \
  HANDLER(name) {                          \
    double a = raw(RA), b = raw(RB);       \
    if (test) JUMP_C();                    \
    NEXT(1);                               \
  }
JUMP_FLOAT(JFEQ, a == b)
JUMP_FLOAT(JFNE, !(a == b))
JUMP_FLOAT(JFLT, a < b)
JUMP_FLOAT(JFNLT, !(a < b))
JUMP_FLOAT(JFLE, a <= b)
JUMP_FLOAT(JFNLE, !(a <= b))

HANDLER(JIS) {
  if (rt::con_of(RA) == b_of(w)) JUMP_C();
  NEXT(1);
}
HANDLER(JISNT) {
  if (rt::con_of(RA) != b_of(w)) JUMP_C();
  NEXT(1);
}
HANDLER(SWITCH) {
  unsigned index = static_cast<unsigned>(rt::con_of(RA)) - c_of(w);
  if (index < b_of(w)) GO(pc + switch_item(pc + 1, index));
  NEXT(1 + switch_words(b_of(w)));
}

}  // namespace eddy::vm
