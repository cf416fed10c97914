// Ints from and to text in any base; subquadratic for large ones.
#include <charconv>
#include <cmath>
#include <cstring>
#include <vector>

#include "runtime/bigint_internal.h"

namespace eddy::rt {

using big::Operand;
using big::Scratch;

namespace {

unsigned digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A') + 10;
  return 99;
}

}  // namespace

bool int_parse(Context& ctx, std::string_view text, unsigned base, bool underscores, Value* out) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || text.back() == '_') return false;
  // Short ones, which is nearly all of them, without any buffer.
  uint64_t n = 0;
  bool short_text = text.size() <= 11;  // below 36^11 < 2^57
  bool after_digit = false;
  size_t digits = 0;
  for (char c : text) {
    if (c == '_' && underscores && after_digit) {
      after_digit = false;
      continue;
    }
    unsigned d = digit_value(c);
    if (d >= base) return false;
    after_digit = true;
    ++digits;
    if (short_text) n = n * base + d;
  }
  if (short_text) {
    *out = small_int(negative ? -static_cast<int64_t>(n) : static_cast<int64_t>(n));
    return true;
  }
  *out = kNull;
  uint64_t limbs = static_cast<uint64_t>(std::log2(base) * static_cast<double>(digits) / 64) + 3;
  if (!check_size(ctx, digits)) return true;
  Scratch result(ctx, limbs);
  if (!result.data) return true;
  // `text` may be inside a String: it is dead once make() allocates, and not needed then.
  std::vector<unsigned char> values;
  values.reserve(digits);
  for (char c : text)
    if (c != '_') values.push_back(static_cast<unsigned char>(digit_value(c)));
  mp_size_t size = static_cast<mp_size_t>(mpn_set_str(result.data, values.data(), digits, static_cast<int>(base)));
  *out = big::make(ctx, result.data, size, negative);
  return true;
}

void append_int(std::string& out, Value a, unsigned base) {
  if (a.is_small()) {
    char digits[72];
    auto end = std::to_chars(digits, digits + sizeof digits, a.small(), static_cast<int>(base)).ptr;
    out.append(digits, end);
    return;
  }
  Operand x(a);
  // mpn_get_str destroys its operand.
  std::vector<mp_limb_t> copy(static_cast<size_t>(x.size) + 1);
  std::memcpy(copy.data(), x.limbs, static_cast<size_t>(x.size) * 8);
  if (x.negative) out += '-';
  size_t start = out.size();
  size_t room = static_cast<size_t>(static_cast<double>(x.bits()) / std::log2(base)) + 3;
  out.resize(start + room);
  auto* text = reinterpret_cast<unsigned char*>(out.data() + start);
  size_t length = mpn_get_str(text, static_cast<int>(base), copy.data(), x.size);
  size_t zeros = 0;
  while (zeros + 1 < length && text[zeros] == 0) ++zeros;
  for (size_t i = 0; i < length - zeros; ++i) {
    unsigned char d = text[i + zeros];
    text[i] = static_cast<unsigned char>(d < 10 ? '0' + d : 'a' + d - 10);
  }
  out.resize(start + length - zeros);
}

std::string int_to_string(Value a, unsigned base) {
  std::string out;
  append_int(out, a, base);
  return out;
}

}  // namespace eddy::rt
