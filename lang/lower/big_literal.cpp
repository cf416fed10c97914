#include "lang/lower/big_literal.h"

#include <cstdint>
#include <vector>

namespace eddy::lang::lower {

std::string to_decimal(std::string_view digits, unsigned base) {
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  if (base == 10) return std::string(digits);
  constexpr uint64_t kLimb = 1'000'000'000;
  std::vector<uint32_t> limbs;  // least significant first
  unsigned chunk = base == 16 ? 7 : base == 8 ? 9 : 28;
  for (size_t i = 0; i < digits.size();) {
    uint64_t value = 0, factor = 1;
    for (unsigned k = 0; k < chunk && i < digits.size(); ++k, ++i) {
      char c = digits[i];
      unsigned digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
      value = value * base + digit;
      factor *= base;
    }
    uint64_t carry = value;
    for (uint32_t& limb : limbs) {
      uint64_t x = limb * factor + carry;
      limb = static_cast<uint32_t>(x % kLimb);
      carry = x / kLimb;
    }
    while (carry) {
      limbs.push_back(static_cast<uint32_t>(carry % kLimb));
      carry /= kLimb;
    }
  }
  if (limbs.empty()) return "0";
  std::string out = std::to_string(limbs.back());
  for (size_t i = limbs.size() - 1; i-- > 0;) {
    std::string part = std::to_string(limbs[i]);
    out.append(9 - part.size(), '0');
    out += part;
  }
  return out;
}

}  // namespace eddy::lang::lower
