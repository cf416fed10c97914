#include "runtime/floats.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace eddy::rt {

void append_float(std::string& out, double d) {
  if (std::isnan(d)) {
    out += "nan";
    return;
  }
  if (std::signbit(d)) {
    out += '-';
    d = -d;
  }
  if (std::isinf(d)) {
    out += "inf";
    return;
  }
  if (d == 0) {
    out += "0.0";
    return;
  }
  // "d.ddde±xx": the shortest digits, laid out by our own rule.
  char text[40];
  char* mark = std::to_chars(text, text + sizeof text, d, std::chars_format::scientific).ptr;
  int exponent = 0, sign = 1;
  for (int unit = 1; *--mark != 'e'; unit *= 10) {
    if (*mark == '-') sign = -1;
    if (*mark >= '0') exponent += (*mark - '0') * unit;
  }
  exponent *= sign;
  // The digits without their point: text[1 … count].
  text[1] = text[0];
  const char* digits = text + 1;
  int count = mark - text == 1 ? 1 : static_cast<int>(mark - text) - 1;
  char laid_out[40];
  char* p = laid_out;
  auto put = [&](int from, int to) {
    std::memcpy(p, digits + from, static_cast<size_t>(to - from));
    p += to - from;
  };
  auto zeros = [&](int n) {
    std::memset(p, '0', static_cast<size_t>(n));
    p += n;
  };
  if (d < 1e-5 || d >= 1e16) {
    put(0, 1);
    if (count > 1) {
      *p++ = '.';
      put(1, count);
    }
    *p++ = 'e';
    p = std::to_chars(p, p + 8, exponent).ptr;
  } else if (exponent < 0) {
    *p++ = '0';
    *p++ = '.';
    zeros(-exponent - 1);
    put(0, count);
  } else if (count <= exponent + 1) {
    put(0, count);
    zeros(exponent + 1 - count);
    *p++ = '.';
    *p++ = '0';
  } else {
    put(0, exponent + 1);
    *p++ = '.';
    put(exponent + 1, count);
  }
  out.append(laid_out, p);
}

std::string float_to_string(double d) {
  std::string out;
  append_float(out, d);
  return out;
}

std::string float_to_fixed(double d, unsigned decimals) {
  if (!std::isfinite(d)) return float_to_string(d);
  std::string out(decimals + 320, '\0');  // the largest double has 309 digits
  auto end = std::to_chars(out.data(), out.data() + out.size(), d, std::chars_format::fixed,
                           static_cast<int>(decimals)).ptr;
  out.resize(static_cast<size_t>(end - out.data()));
  return out;
}

namespace {

// Whether a well-formed number beyond the range of doubles is too large rather than too small.
bool is_huge(std::string_view text) {
  size_t mark = text.find_first_of("eE");
  std::string_view mantissa = text.substr(0, mark);
  long exponent = 0;
  if (mark != std::string_view::npos) {
    std::string_view digits = text.substr(mark + 1);
    bool minus = digits[0] == '-';
    if (digits[0] == '+' || minus) digits.remove_prefix(1);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec != std::errc()) return !minus;
    if (minus) exponent = -exponent;
  }
  size_t point = mantissa.find('.'), first = mantissa.find_first_of("123456789");
  if (point == std::string_view::npos) point = mantissa.size();
  return exponent + static_cast<long>(point) - static_cast<long>(first) > 0;
}

}  // namespace

bool parse_float(std::string_view text, double* out) {
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || text[0] == '+' || text[0] == '-' || text.back() == ')') return false;  // no nan(…)
  double d = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d, std::chars_format::general);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return false;
  if (error == std::errc::result_out_of_range) d = is_huge(text) ? std::numeric_limits<double>::infinity() : 0.0;
  *out = negative ? -d : d;
  return true;
}

}  // namespace eddy::rt
