#include "runtime/bigint.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "runtime/bigint_internal.h"
#include "runtime/plants.h"

namespace eddy::rt {

using big::Operand;
using big::Scratch;

Value big::make(Context& ctx, const mp_limb_t* limbs, mp_size_t size, bool negative) {
  while (size > 0 && limbs[size - 1] == 0) --size;
  if (size == 0) return small_int(0);
  if (size == 1) {
    // kSmallMin has one more in magnitude than kSmallMax.
    mp_limb_t n = limbs[0];
    if (n <= static_cast<mp_limb_t>(kSmallMax) + (negative ? 1 : 0))
      return small_int(negative ? -static_cast<int64_t>(n) : static_cast<int64_t>(n));
  }
  uint64_t bytes = sizeof(BigInt) + static_cast<uint64_t>(size) * 8;
  if (size > 1024 && !check_memory(ctx, bytes)) return kNull;
  auto* result = static_cast<BigInt*>(ctx.heap->allocate(Kind::BigInt, static_cast<uint32_t>(size), bytes));
  if (negative) result->header |= kHeaderNegative;
  std::memcpy(result->limbs, limbs, static_cast<size_t>(size) * 8);
  return ptr_value(result);
}

Value int_from_i64(Context& ctx, int64_t n) {
  if (fits_small(n)) return small_int(n);
  mp_limb_t magnitude = n < 0 ? -static_cast<mp_limb_t>(n) : static_cast<mp_limb_t>(n);
  return big::make(ctx, &magnitude, 1, n < 0);
}

Value int_from_u64(Context& ctx, uint64_t n) {
  mp_limb_t limb = n;
  return big::make(ctx, &limb, 1, false);
}

Value int_from_limbs(Context& ctx, std::span<const uint64_t> limbs, bool negative) {
  return big::make(ctx, reinterpret_cast<const mp_limb_t*>(limbs.data()), static_cast<mp_size_t>(limbs.size()),
                   negative);
}

namespace {

// |a| + |b| with the given sign, or |a| - |b| with the sign of the larger one's owner.
Value add_signed(Context& ctx, const Operand& a, const Operand& b, bool b_negative) {
  const Operand& longer = a.size >= b.size ? a : b;
  const Operand& shorter = a.size >= b.size ? b : a;
  Scratch out(ctx, static_cast<uint64_t>(longer.size) + 1);
  if (!out.data) return kNull;
  if (a.negative == b_negative) {
    if (longer.size == 0) return small_int(0);
    out.data[longer.size] = shorter.size ? mpn_add(out.data, longer.limbs, longer.size, shorter.limbs, shorter.size)
                                         : mpn_add_1(out.data, longer.limbs, longer.size, 0);
    return big::make(ctx, out.data, longer.size + 1, a.negative);
  }
  bool a_larger = a.size != b.size ? a.size > b.size : mpn_cmp(a.limbs, b.limbs, a.size) >= 0;
  const Operand& large = a_larger ? a : b;
  const Operand& little = a_larger ? b : a;
  bool negative = a_larger ? a.negative : b_negative;
  if (large.size == 0) return small_int(0);
  if (little.size == 0) {
    std::memcpy(out.data, large.limbs, static_cast<size_t>(large.size) * 8);
  } else {
    mpn_sub(out.data, large.limbs, large.size, little.limbs, little.size);
  }
  return big::make(ctx, out.data, large.size, negative);
}

bool both_ints(Value a, Value b) { return is_int(a) && is_int(b); }
bool both_small(Value a, Value b) { return a.bits & b.bits & 1; }

// Quotient and remainder of magnitudes; exactly one of the two is wanted.
Value divide(Context& ctx, Value a, Value b, bool want_quotient) {
  Operand x(a), y(b);
  bool negative = want_quotient ? x.negative != y.negative : x.negative;
  if (x.size < y.size) return want_quotient ? small_int(0) : a;
  if (y.size == 1 && !want_quotient) {
    mp_limb_t rest = mpn_mod_1(x.limbs, x.size, y.limbs[0]);
    return big::make(ctx, &rest, 1, negative);
  }
  Scratch quotient(ctx, static_cast<uint64_t>(x.size - y.size) + 1);
  if (!quotient.data) return kNull;
  if (y.size == 1) {
    mpn_divrem_1(quotient.data, 0, x.limbs, x.size, y.limbs[0]);
    return big::make(ctx, quotient.data, x.size, negative);
  }
  Scratch rest(ctx, static_cast<uint64_t>(y.size));
  if (!rest.data) return kNull;
  mpn_tdiv_qr(quotient.data, rest.data, 0, x.limbs, x.size, y.limbs, y.size);
  return want_quotient ? big::make(ctx, quotient.data, x.size - y.size + 1, negative)
                       : big::make(ctx, rest.data, y.size, negative);
}

}  // namespace

Value int_add(Context& ctx, Value a, Value b) {
  if (both_small(a, b)) return int_from_i64(ctx, a.small() + b.small());
  if (!both_ints(a, b)) return big::not_an_int(ctx);
  Operand x(a), y(b);
  return add_signed(ctx, x, y, y.negative);
}

Value int_sub(Context& ctx, Value a, Value b) {
  if (both_small(a, b)) return int_from_i64(ctx, a.small() - b.small());
  if (!both_ints(a, b)) return big::not_an_int(ctx);
  Operand x(a), y(b);
  return add_signed(ctx, x, y, !y.negative);
}

Value int_mul(Context& ctx, Value a, Value b) {
  if (both_small(a, b)) {
    __int128 product = static_cast<__int128>(a.small()) * b.small();
    if (product >= kSmallMin && product <= kSmallMax) return small_int(static_cast<int64_t>(product));
    auto magnitude = static_cast<unsigned __int128>(product < 0 ? -product : product);
    mp_limb_t limbs[2] = {static_cast<mp_limb_t>(magnitude), static_cast<mp_limb_t>(magnitude >> 64)};
    return big::make(ctx, limbs, 2, product < 0);
  }
  if (!both_ints(a, b)) return big::not_an_int(ctx);
  Operand x(a), y(b);
  if (x.size == 0 || y.size == 0) return small_int(0);
  const Operand& longer = x.size >= y.size ? x : y;
  const Operand& shorter = x.size >= y.size ? y : x;
  mp_size_t size = x.size + y.size;
  Scratch out(ctx, static_cast<uint64_t>(size));
  if (!out.data) return kNull;
  if (shorter.size == 1) {
    out.data[longer.size] = mpn_mul_1(out.data, longer.limbs, longer.size, shorter.limbs[0]);
  } else if (x.limbs == y.limbs && x.size == y.size) {
    mpn_sqr(out.data, x.limbs, x.size);
  } else {
    mpn_mul(out.data, longer.limbs, longer.size, shorter.limbs, shorter.size);
  }
  return big::make(ctx, out.data, size, x.negative != y.negative);
}

Value int_div(Context& ctx, Value a, Value b) {
  if (both_small(a, b)) {
    if (b.small() == 0) return panic(ctx, "division by zero");
    return int_from_i64(ctx, a.small() / b.small());
  }
  if (!both_ints(a, b)) return big::not_an_int(ctx);
  if (b == small_int(0)) return panic(ctx, "division by zero");
  return divide(ctx, a, b, true);
}

Value int_rem(Context& ctx, Value a, Value b) {
  if (both_small(a, b)) {
    if (b.small() == 0) return panic(ctx, "division by zero");
    return small_int(a.small() % b.small());
  }
  if (!both_ints(a, b)) return big::not_an_int(ctx);
  if (b == small_int(0)) return panic(ctx, "division by zero");
  if (PLANTED(big_remainder_sign)) return int_abs(ctx, divide(ctx, a, b, false));
  return divide(ctx, a, b, false);
}

Value int_neg(Context& ctx, Value a) {
  if (PLANTED(int_edge) && a == small_int(kSmallMin)) return a;
  if (a.is_small()) return int_from_i64(ctx, -a.small());
  if (!is_int(a)) return big::not_an_int(ctx);
  Operand x(a);
  // make() may collect before it copies the limbs, so they must not come from the heap.
  Scratch copy(ctx, static_cast<uint64_t>(x.size));
  if (!copy.data) return kNull;
  std::memcpy(copy.data, x.limbs, static_cast<size_t>(x.size) * 8);
  return big::make(ctx, copy.data, x.size, !x.negative);
}

Value int_abs(Context& ctx, Value a) {
  if (a.is_small()) return int_from_i64(ctx, a.small() < 0 ? -a.small() : a.small());
  if (!is_int(a)) return big::not_an_int(ctx);
  return as<BigInt>(a)->negative() ? int_neg(ctx, a) : a;
}

int int_compare(Value a, Value b) {
  if (both_small(a, b)) return a.small() < b.small() ? -1 : a.small() > b.small();
  Operand x(a), y(b);
  if (x.negative != y.negative) return x.negative ? -1 : 1;
  int magnitude;
  if (x.size != y.size) {
    magnitude = x.size < y.size ? -1 : 1;
  } else {
    magnitude = mpn_cmp(x.limbs, y.limbs, x.size);
    magnitude = magnitude < 0 ? -1 : magnitude > 0;
  }
  return x.negative ? -magnitude : magnitude;
}

bool int_equal(Value a, Value b) {
  if (a == b) return true;
  if (a.is_small() || b.is_small()) return false;
  const BigInt *x = as<BigInt>(a), *y = as<BigInt>(b);
  return x->count() == y->count() && x->negative() == y->negative() &&
         std::memcmp(x->limbs, y->limbs, size_t{x->count()} * 8) == 0;
}

double int_to_double(Value a) {
  if (a.is_small()) return static_cast<double>(a.small());
  Operand x(a);
  double result;
  uint64_t bits = x.bits();
  if (bits <= 64) {
    result = static_cast<double>(x.limbs[0]);
  } else if (bits > 1100) {
    result = HUGE_VAL;
  } else {
    // The top 64 bits; whatever lies below only matters as "not exactly half".
    uint64_t shift = bits - 64;
    mp_size_t word = static_cast<mp_size_t>(shift / 64);
    unsigned bit = shift % 64;
    uint64_t top = x.limbs[word] >> bit;
    if (bit) top |= x.limbs[word + 1] << (64 - bit);
    bool sticky = bit && (x.limbs[word] << (64 - bit)) != 0;
    for (mp_size_t i = 0; i < word && !sticky; ++i) sticky = x.limbs[i] != 0;
    result = std::ldexp(static_cast<double>(top | (sticky ? 1 : 0)), static_cast<int>(shift));
  }
  return x.negative ? -result : result;
}

Value int_from_double(Context& ctx, double d) {
  if (!std::isfinite(d)) return kNull;
  d = std::trunc(d);
  if (std::fabs(d) < 0x1p62) return small_int(static_cast<int64_t>(d));
  int exponent;
  double fraction = std::frexp(std::fabs(d), &exponent);            // in [0.5, 1)
  auto mantissa = static_cast<mp_limb_t>(std::ldexp(fraction, 53));  // exact
  unsigned shift = static_cast<unsigned>(exponent - 53);
  mp_limb_t limbs[18] = {};
  limbs[shift / 64] = mantissa << (shift % 64);
  if (shift % 64) limbs[shift / 64 + 1] = mantissa >> (64 - shift % 64);
  return big::make(ctx, limbs, 18, d < 0);
}

uint64_t int_hash(Value a) {
  auto mix = [](uint64_t h) {
    h = (h ^ (h >> 32)) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
  };
  if (a.is_small()) return mix(static_cast<uint64_t>(a.small()));
  const BigInt* b = as<BigInt>(a);
  uint64_t h = b->negative() ? 0x8000000000000001u : 1;
  for (uint32_t i = 0; i < b->count(); ++i) h = mix(h ^ b->limbs[i]) + 0x632be59bd9b4e019u;
  return h;
}

}  // namespace eddy::rt
