// Moves, constants, Ints and Floats.
#include <cmath>

#include "runtime/bigint.h"
#include "vm/interpreter/dispatch.h"

namespace eddy::vm {

HANDLER(MOVE) { RA = RB; NEXT(1); }
HANDLER(MOVE_R) { RA = RB; NEXT(1); }
HANDLER(LOAD_INT) { RA = rt::small_int(d_of(w)); NEXT(1); }
HANDLER(LOAD_K) { RA = Value{*reinterpret_cast<const Word*>(pc[1])}; NEXT(2); }
HANDLER(LOAD_UNIT) { RA = rt::kUnit; NEXT(1); }
HANDLER(LOAD_BOOL) { RA = rt::bool_value(b_of(w) != 0); NEXT(1); }
HANDLER(LOAD_CHAR) { RA = rt::char_value(static_cast<uint32_t>(d_of(w))); NEXT(1); }
HANDLER(LOAD_CON) { RA = rt::con_value(static_cast<uint16_t>(b_of(w))); NEXT(1); }
HANDLER(LOAD_FLOAT) { RA = Value{pc[1]}; NEXT(2); }
HANDLER(LOAD_FN) { RA = reinterpret_cast<rt::Function*>(pc[1])->closure; NEXT(2); }

HANDLER(LOAD_GLOBAL) {
  Value v = ctx->globals[static_cast<uint32_t>(d_of(w))];
  if (v == rt::kHole) [[unlikely]] FAIL_WITH("constant read before its initialiser ran");
  RA = v;
  NEXT(1);
}
HANDLER(STORE_GLOBAL) { ctx->globals[static_cast<uint32_t>(d_of(w))] = RA; NEXT(1); }

// The way behind a fast path: `call` may collect or fail; its result goes to register A.
#define SLOW_INT(call)                     \
  do {                                     \
    SUSPEND_HERE();                        \
    Value slow_result = (call);            \
    RELOAD();                              \
    if (slow_result == rt::kNull) FAIL();  \
    RA = slow_result;                      \
    NEXT(1);                               \
  } while (0)

HANDLER(ADD) {
  Value b = RB, c = RC;
  int64_t sum;
  if ((b.bits & c.bits & 1) && !__builtin_add_overflow(static_cast<int64_t>(b.bits), static_cast<int64_t>(c.bits - 1), &sum))
      [[likely]] {
    RA = Value{static_cast<Word>(sum)};
    NEXT(1);
  }
  SLOW_INT(rt::int_add(*ctx, b, c));
}
HANDLER(SUB) {
  Value b = RB, c = RC;
  int64_t difference;
  if ((b.bits & c.bits & 1) &&
      !__builtin_sub_overflow(static_cast<int64_t>(b.bits), static_cast<int64_t>(c.bits - 1), &difference)) [[likely]] {
    RA = Value{static_cast<Word>(difference)};
    NEXT(1);
  }
  SLOW_INT(rt::int_sub(*ctx, b, c));
}
HANDLER(MUL) {
  Value b = RB, c = RC;
  int64_t product;
  if ((b.bits & c.bits & 1) && !__builtin_mul_overflow(static_cast<int64_t>(b.bits - 1), c.small(), &product)) [[likely]] {
    RA = Value{static_cast<Word>(product) | 1};
    NEXT(1);
  }
  SLOW_INT(rt::int_mul(*ctx, b, c));
}
HANDLER(DIV) {
  Value b = RB, c = RC;
  if ((b.bits & c.bits & 1) && c.small() != 0 && c.small() != -1) [[likely]] {
    RA = rt::small_int(b.small() / c.small());
    NEXT(1);
  }
  SLOW_INT(rt::int_div(*ctx, b, c));
}
HANDLER(REM) {
  Value b = RB, c = RC;
  if ((b.bits & c.bits & 1) && c.small() != 0 && c.small() != -1) [[likely]] {
    RA = rt::small_int(b.small() % c.small());
    NEXT(1);
  }
  SLOW_INT(rt::int_rem(*ctx, b, c));
}
HANDLER(ADD_I) {
  Value b = RB;
  int64_t sum;
  if (b.is_small() && !__builtin_add_overflow(static_cast<int64_t>(b.bits), int64_t{ci_of(w)} * 2, &sum)) [[likely]] {
    RA = Value{static_cast<Word>(sum)};
    NEXT(1);
  }
  SLOW_INT(rt::int_add(*ctx, b, rt::small_int(ci_of(w))));
}
HANDLER(SUB_I) {
  Value b = RB;
  int64_t difference;
  if (b.is_small() && !__builtin_sub_overflow(static_cast<int64_t>(b.bits), int64_t{ci_of(w)} * 2, &difference)) [[likely]] {
    RA = Value{static_cast<Word>(difference)};
    NEXT(1);
  }
  SLOW_INT(rt::int_sub(*ctx, b, rt::small_int(ci_of(w))));
}
HANDLER(MUL_I) {
  Value b = RB;
  int64_t product;
  if (b.is_small() && !__builtin_mul_overflow(static_cast<int64_t>(b.bits - 1), int64_t{ci_of(w)}, &product)) [[likely]] {
    RA = Value{static_cast<Word>(product) | 1};
    NEXT(1);
  }
  SLOW_INT(rt::int_mul(*ctx, b, rt::small_int(ci_of(w))));
}
HANDLER(DIV_I) {
  Value b = RB;
  int64_t c = ci_of(w);
  if (b.is_small() && c != 0 && c != -1) [[likely]] {
    RA = rt::small_int(b.small() / c);
    NEXT(1);
  }
  SLOW_INT(rt::int_div(*ctx, b, rt::small_int(c)));
}
HANDLER(REM_I) {
  Value b = RB;
  int64_t c = ci_of(w);
  if (b.is_small() && c != 0 && c != -1) [[likely]] {
    RA = rt::small_int(b.small() % c);
    NEXT(1);
  }
  SLOW_INT(rt::int_rem(*ctx, b, rt::small_int(c)));
}
HANDLER(NEG) {
  Value b = RB;
  if (b.is_small() && b.small() != rt::kSmallMin) [[likely]] {
    RA = rt::small_int(-b.small());
    NEXT(1);
  }
  SLOW_INT(rt::int_neg(*ctx, b));
}
HANDLER(ABS) {
  Value b = RB;
  if (b.is_small() && b.small() != rt::kSmallMin) [[likely]] {
    RA = rt::small_int(b.small() < 0 ? -b.small() : b.small());
    NEXT(1);
  }
  SLOW_INT(rt::int_abs(*ctx, b));
}
HANDLER(AND) {
  Value b = RB, c = RC;
  if (b.bits & c.bits & 1) [[likely]] {
    RA = Value{b.bits & c.bits};
    NEXT(1);
  }
  SLOW_INT(rt::int_and(*ctx, b, c));
}
HANDLER(OR) {
  Value b = RB, c = RC;
  if (b.bits & c.bits & 1) [[likely]] {
    RA = Value{b.bits | c.bits};
    NEXT(1);
  }
  SLOW_INT(rt::int_or(*ctx, b, c));
}
HANDLER(XOR) {
  Value b = RB, c = RC;
  if (b.bits & c.bits & 1) [[likely]] {
    RA = Value{(b.bits ^ c.bits) | 1};
    NEXT(1);
  }
  SLOW_INT(rt::int_xor(*ctx, b, c));
}
HANDLER(SHL) {
  Value b = RB, c = RC;
  if ((b.bits & c.bits & 1) && c.small() >= 0 && c.small() < 62) [[likely]] {
    int64_t n = b.small();
    auto shifted = static_cast<int64_t>(static_cast<Word>(n) << c.small());
    if (rt::fits_small(shifted) && (shifted >> c.small()) == n) {
      RA = rt::small_int(shifted);
      NEXT(1);
    }
  }
  SLOW_INT(rt::int_shl(*ctx, b, c));
}
HANDLER(SHR) {
  Value b = RB, c = RC;
  if ((b.bits & c.bits & 1) && c.small() >= 0) [[likely]] {
    RA = rt::small_int(b.small() >> (c.small() > 63 ? 63 : c.small()));
    NEXT(1);
  }
  SLOW_INT(rt::int_shr(*ctx, b, c));
}
// Whatever is not true counts as false, as for the jumps: the verifier does not know kinds of values.
HANDLER(NOT) {
  RA = rt::bool_value(RB != rt::kTrue);
  NEXT(1);
}

HANDLER(BOX) {
  char* p = ctx->alloc_ptr;
  if (reinterpret_cast<Word>(p) + sizeof(rt::FloatBox) <= reinterpret_cast<Word>(ctx->alloc_limit)) [[likely]] {
    ctx->alloc_ptr = p + sizeof(rt::FloatBox);
    auto* box = reinterpret_cast<rt::FloatBox*>(p);
    box->header = rt::make_header(rt::Kind::Float, 1);
    box->value = raw(RB);
    RA = rt::ptr_value(box);
    NEXT(1);
  }
  SUSPEND_HERE();
  Value box = rt::new_float(*ctx, raw(RB));
  RELOAD();
  RA = box;
  NEXT(1);
}
HANDLER(UNBOX) {
  Value b = RB;
  if (!rt::is_kind(b, rt::Kind::Float)) [[unlikely]] FAIL_WITH("expected a Float");
  RA = from_raw(rt::as<rt::FloatBox>(b)->value);
  NEXT(1);
}
HANDLER(FADD) { RA = from_raw(raw(RB) + raw(RC)); NEXT(1); }
HANDLER(FSUB) { RA = from_raw(raw(RB) - raw(RC)); NEXT(1); }
HANDLER(FMUL) { RA = from_raw(raw(RB) * raw(RC)); NEXT(1); }
HANDLER(FDIV) { RA = from_raw(raw(RB) / raw(RC)); NEXT(1); }
HANDLER(FREM) { RA = from_raw(std::fmod(raw(RB), raw(RC))); NEXT(1); }
HANDLER(FNEG) { RA = from_raw(-raw(RB)); NEXT(1); }
HANDLER(FABS) { RA = from_raw(std::fabs(raw(RB))); NEXT(1); }
HANDLER(FSQRT) { RA = from_raw(std::sqrt(raw(RB))); NEXT(1); }
HANDLER(INT_TO_FLOAT) {
  Value b = RB;
  if (b.is_small()) [[likely]] {
    RA = from_raw(static_cast<double>(b.small()));
    NEXT(1);
  }
  if (!rt::is_int(b)) FAIL_WITH("expected an Int");
  RA = from_raw(rt::int_to_double(b));
  NEXT(1);
}

}  // namespace eddy::vm
