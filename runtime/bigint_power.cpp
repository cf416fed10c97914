// Powers, roots and common divisors of Ints.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "runtime/bigint_internal.h"

namespace eddy::rt {

using big::Operand;
using big::Scratch;

namespace {

mp_size_t stripped(const mp_limb_t* limbs, mp_size_t size) {
  while (size > 0 && limbs[size - 1] == 0) --size;
  return size;
}

}  // namespace

Value int_pow(Context& ctx, Value base, Value exponent) {
  if (!is_int(base) || !is_int(exponent)) return big::not_an_int(ctx);
  Operand x(base);
  bool odd = exponent.is_small() ? exponent.small() & 1 : as<BigInt>(exponent)->limbs[0] & 1;
  if (exponent.is_small() ? exponent.small() < 0 : as<BigInt>(exponent)->negative())
    return panic(ctx, "negative exponent");
  if (exponent == small_int(0)) return small_int(1);
  if (x.size == 0) return base;
  if (x.size == 1 && x.limbs[0] == 1) return small_int(x.negative && odd ? -1 : 1);
  if (!exponent.is_small()) return panic(ctx, "out of memory");
  uint64_t n = static_cast<uint64_t>(exponent.small());
  if (n == 1) return base;
  unsigned __int128 bits = static_cast<unsigned __int128>(x.bits()) * n;
  if (bits >= static_cast<unsigned __int128>(1) << 37) return panic(ctx, "out of memory");
  bool negative = x.negative && odd;
  if (x.size == 1 && std::has_single_bit(x.limbs[0])) {
    Value shifted = int_shl(ctx, small_int(1), small_int(static_cast<int64_t>((x.bits() - 1) * n)));
    return shifted == kNull || !negative ? shifted : int_neg(ctx, shifted);
  }
  // Left to right: square, and multiply by the base at ones. A square is at most one limb longer than its bits.
  uint64_t room = static_cast<uint64_t>(bits / 64) + 2 + static_cast<uint64_t>(x.size);
  Scratch first(ctx, room), second(ctx, first.data ? room : 0);
  if (!first.data || !second.data) return kNull;
  mp_limb_t *power = first.data, *next = second.data;
  std::memcpy(power, x.limbs, static_cast<size_t>(x.size) * 8);
  mp_size_t size = x.size;
  for (int bit = 62 - std::countl_zero(n); bit >= 0; --bit) {
    mpn_sqr(next, power, size);
    size = stripped(next, size * 2);
    std::swap(power, next);
    if ((n >> bit) & 1) {
      if (size >= x.size) {
        mpn_mul(next, power, size, x.limbs, x.size);
      } else {
        mpn_mul(next, x.limbs, x.size, power, size);
      }
      size = stripped(next, size + x.size);
      std::swap(power, next);
    }
  }
  return big::make(ctx, power, size, negative);
}

Value int_gcd(Context& ctx, Value a, Value b) {
  if (!is_int(a) || !is_int(b)) return big::not_an_int(ctx);
  Operand x(a), y(b);
  if (x.size == 0) return int_abs(ctx, b);
  if (y.size == 0) return int_abs(ctx, a);
  if (x.size == 1 && y.size == 1) {
    mp_limb_t divisor = mpn_gcd_1(x.limbs, 1, y.limbs[0]);
    return big::make(ctx, &divisor, 1, false);
  }
  const Operand& longer = x.size >= y.size ? x : y;
  const Operand& shorter = x.size >= y.size ? y : x;
  if (shorter.size == 1) {
    mp_limb_t divisor = mpn_gcd_1(longer.limbs, longer.size, shorter.limbs[0]);
    return big::make(ctx, &divisor, 1, false);
  }
  // mpn_gcd destroys its operands and wants one of them odd: take the common power of two out first.
  Scratch left(ctx, static_cast<uint64_t>(longer.size) + 1), right(ctx, left.data ? static_cast<uint64_t>(shorter.size) + 1 : 0);
  if (!left.data || !right.data) return kNull;
  auto strip_twos = [](mp_limb_t* out, const Operand& in, uint64_t& twos) {
    twos = mpn_scan1(in.limbs, 0);
    mp_size_t words = static_cast<mp_size_t>(twos / 64), size = in.size - words;
    if (twos % 64) {
      mpn_rshift(out, in.limbs + words, size, twos % 64);
    } else {
      std::memcpy(out, in.limbs + words, static_cast<size_t>(size) * 8);
    }
    return stripped(out, size);
  };
  uint64_t left_twos, right_twos;
  mp_size_t left_size = strip_twos(left.data, longer, left_twos);
  mp_size_t right_size = strip_twos(right.data, shorter, right_twos);
  Scratch out(ctx, static_cast<uint64_t>(std::min(left_size, right_size)) + 1);
  if (!out.data) return kNull;
  bool swap = left_size < right_size || (left_size == right_size && mpn_cmp(left.data, right.data, left_size) < 0);
  mp_size_t size = swap ? mpn_gcd(out.data, right.data, right_size, left.data, left_size)
                        : mpn_gcd(out.data, left.data, left_size, right.data, right_size);
  Value odd_part = big::make(ctx, out.data, size, false);
  if (odd_part == kNull) return kNull;
  return int_shl(ctx, odd_part, small_int(static_cast<int64_t>(std::min(left_twos, right_twos))));
}

Value int_sqrt(Context& ctx, Value a) {
  if (!is_int(a)) return big::not_an_int(ctx);
  Operand x(a);
  if (x.negative) return panic(ctx, "square root of a negative number");
  if (x.size == 0) return a;
  mp_size_t size = (x.size + 1) / 2;
  Scratch root(ctx, static_cast<uint64_t>(size));
  if (!root.data) return kNull;
  mpn_sqrtrem(root.data, nullptr, x.limbs, x.size);
  return big::make(ctx, root.data, size, false);
}

}  // namespace eddy::rt
