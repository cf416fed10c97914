// Bitwise Int operations: two's complement of unbounded width on sign-and-magnitude numbers.
#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/bigint_internal.h"

namespace eddy::rt {

using big::Operand;
using big::Scratch;

namespace {

// Writes `x` as a two's complement number of `size` limbs, size > x.size.
void to_complement(mp_limb_t* out, const Operand& x, mp_size_t size) {
  std::memcpy(out, x.limbs, static_cast<size_t>(x.size) * 8);
  std::memset(out + x.size, 0, static_cast<size_t>(size - x.size) * 8);
  if (x.negative) mpn_neg(out, out, size);
}

template <class Op>
Value bitwise(Context& ctx, Value a, Value b, Op op) {
  if (a.bits & b.bits & 1) return small_int(op(a.small(), b.small()));
  if (!is_int(a) || !is_int(b)) return big::not_an_int(ctx);
  Operand x(a), y(b);
  mp_size_t size = std::max(x.size, y.size) + 1;
  Scratch left(ctx, static_cast<uint64_t>(size)), right(ctx, left.data ? static_cast<uint64_t>(size) : 0);
  if (!left.data || !right.data) return kNull;
  to_complement(left.data, x, size);
  to_complement(right.data, y, size);
  for (mp_size_t i = 0; i < size; ++i)
    left.data[i] = static_cast<mp_limb_t>(op(static_cast<int64_t>(left.data[i]), static_cast<int64_t>(right.data[i])));
  bool negative = left.data[size - 1] >> 63;
  if (negative) mpn_neg(left.data, left.data, size);
  return big::make(ctx, left.data, size, negative);
}

Value shift_left(Context& ctx, Value a, uint64_t count) {
  Operand x(a);
  if (x.size == 0) return a;
  if (count >= uint64_t{1} << 40) return panic(ctx, "out of memory");
  mp_size_t words = static_cast<mp_size_t>(count / 64);
  unsigned bits = count % 64;
  mp_size_t size = x.size + words + 1;
  Scratch out(ctx, static_cast<uint64_t>(size));
  if (!out.data) return kNull;
  std::memset(out.data, 0, static_cast<size_t>(words) * 8);
  if (bits) {
    out.data[size - 1] = mpn_lshift(out.data + words, x.limbs, x.size, bits);
  } else {
    std::memcpy(out.data + words, x.limbs, static_cast<size_t>(x.size) * 8);
    out.data[size - 1] = 0;
  }
  return big::make(ctx, out.data, size, x.negative);
}

Value shift_right(Context& ctx, Value a, uint64_t count) {
  if (a.is_small()) return small_int(count > 62 ? (a.small() < 0 ? -1 : 0) : a.small() >> count);
  Operand x(a);
  uint64_t words = count / 64;
  unsigned bits = count % 64;
  if (words >= static_cast<uint64_t>(x.size)) return small_int(x.negative ? -1 : 0);
  mp_size_t size = x.size - static_cast<mp_size_t>(words);
  Scratch out(ctx, static_cast<uint64_t>(size) + 1);
  if (!out.data) return kNull;
  bool lost = false;
  if (bits) {
    lost = mpn_rshift(out.data, x.limbs + words, size, bits) != 0;
  } else {
    std::memcpy(out.data, x.limbs + words, static_cast<size_t>(size) * 8);
  }
  out.data[size] = 0;
  if (x.negative) {
    // Rounding is towards minus infinity.
    for (uint64_t i = 0; i < words && !lost; ++i) lost = x.limbs[i] != 0;
    if (lost) out.data[size] = mpn_add_1(out.data, out.data, size, 1);
  }
  return big::make(ctx, out.data, size + 1, x.negative);
}

Value shift(Context& ctx, Value a, Value count, bool left) {
  if (!is_int(a) || !is_int(count)) return big::not_an_int(ctx);
  if (count.is_small()) {
    int64_t n = count.small();
    if (n < 0) left = !left, n = -n;
    return left ? shift_left(ctx, a, static_cast<uint64_t>(n)) : shift_right(ctx, a, static_cast<uint64_t>(n));
  }
  if (as<BigInt>(count)->negative()) left = !left;
  return left ? shift_left(ctx, a, ~uint64_t{0}) : shift_right(ctx, a, ~uint64_t{0});
}

}  // namespace

Value int_and(Context& ctx, Value a, Value b) {
  return bitwise(ctx, a, b, [](int64_t x, int64_t y) { return x & y; });
}
Value int_or(Context& ctx, Value a, Value b) {
  return bitwise(ctx, a, b, [](int64_t x, int64_t y) { return x | y; });
}
Value int_xor(Context& ctx, Value a, Value b) {
  return bitwise(ctx, a, b, [](int64_t x, int64_t y) { return x ^ y; });
}
Value int_shl(Context& ctx, Value a, Value count) {
  // The common case: everything stays small.
  if (a.bits & count.bits & 1) {
    uint64_t n = static_cast<uint64_t>(count.small());
    if (n < 62) {
      int64_t shifted = static_cast<int64_t>(static_cast<uint64_t>(a.small()) << n);
      if (shifted >> n == a.small() && fits_small(shifted)) return small_int(shifted);
    }
  }
  return shift(ctx, a, count, true);
}
Value int_shr(Context& ctx, Value a, Value count) { return shift(ctx, a, count, false); }

namespace {

// The operand whose ones are a's bits that differ from the sign: |a|, or |a| - 1 where a is negative.
template <class Use>
Value with_significant(Context& ctx, Value a, Use use) {
  if (!is_int(a)) return big::not_an_int(ctx);
  Operand x(a);
  if (!x.negative) return small_int(static_cast<int64_t>(use(x.limbs, x.size)));
  Scratch out(ctx, static_cast<uint64_t>(x.size));
  if (!out.data) return kNull;
  mpn_sub_1(out.data, x.limbs, x.size, 1);
  return small_int(static_cast<int64_t>(use(out.data, x.size)));
}

}  // namespace

Value int_bit_count(Context& ctx, Value a) {
  return with_significant(ctx, a, [](const mp_limb_t* limbs, mp_size_t size) {
    return size ? static_cast<uint64_t>(mpn_popcount(limbs, size)) : 0;
  });
}

Value int_bit_length(Context& ctx, Value a) {
  return with_significant(ctx, a, [](const mp_limb_t* limbs, mp_size_t size) -> uint64_t {
    while (size > 0 && limbs[size - 1] == 0) --size;
    return size ? static_cast<uint64_t>(size) * 64 - static_cast<uint64_t>(std::countl_zero(limbs[size - 1])) : 0;
  });
}

}  // namespace eddy::rt
