// Division by constants as multiplication: a small Int has 63 bits, so one multiplier without corrections is enough.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

namespace eddy::jit {

constexpr bool divides_by_multiplying(int64_t k) { return k >= 2 && k < (int64_t{1} << 30); }

// Whether a number is first asked if it is its own rest: mostly less than a large divisor, or predictably not. What waits for a
// rest then need not wait for a multiplication.
constexpr bool mostly_larger(int64_t k) { return k >= 1 << 16 && !std::has_single_bit(static_cast<uint64_t>(k)); }

// n / k is the upper word of n * multiplier, shifted right, where multiplier = 2^(64+shift) / k + 1 and k < 2^(shift+2), k no
// power of two. It is too large by less than 1 / k, for |n| <= 2^62; of negative ones it is one less.
struct Reciprocal {
  int64_t multiplier;
  uint32_t shift;
};

constexpr Reciprocal reciprocal(uint64_t k) {
  auto shift = static_cast<uint32_t>(std::max(0, static_cast<int>(std::bit_width(k)) - 2));
  return {static_cast<int64_t>((static_cast<unsigned __int128>(1) << (64 + shift)) / k + 1), shift};
}

}  // namespace eddy::jit
