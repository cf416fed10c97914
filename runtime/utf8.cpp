#include "runtime/utf8.h"

#include <cstring>

namespace eddy::rt {

namespace {

// Length of the well-formed sequence at the start of `bytes` (not empty); 0 where there is none. `*bad` is then
// how many bytes a repair replaces: the longest prefix of some well-formed sequence.
size_t well_formed(std::string_view bytes, size_t* bad) {
  auto at = [&](size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u; };
  unsigned first = at(0);
  if (first < 0x80) return 1;
  *bad = 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  unsigned low = 0x80, high = 0xbf;  // of the second byte
  if (first == 0xe0) low = 0xa0;
  if (first == 0xed) high = 0x9f;
  if (first == 0xf0) low = 0x90;
  if (first == 0xf4) high = 0x8f;
  if (at(1) < low || at(1) > high) return 0;
  size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (size_t i = 2; i < length; ++i) {
    *bad = i;
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

size_t ascii_prefix(std::string_view bytes) {
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    if (word & 0x8080808080808080u) break;
  }
  while (i < bytes.size() && static_cast<unsigned char>(bytes[i]) < 0x80) ++i;
  return i;
}

}  // namespace

bool valid_utf8(std::string_view bytes) {
  for (;;) {
    bytes.remove_prefix(ascii_prefix(bytes));
    if (bytes.empty()) return true;
    size_t bad;
    size_t length = well_formed(bytes, &bad);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
}

std::string repair_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    size_t bad = 0;
    size_t length = well_formed(bytes, &bad);
    if (length) {
      out.append(bytes.substr(0, length));
    } else {
      out += "\xef\xbf\xbd";
      length = bad;
    }
    bytes.remove_prefix(length);
  }
  return out;
}

size_t count_chars(std::string_view valid) {
  size_t n = 0;
  for (char c : valid) n += !is_continuation(c);
  return n;
}

}  // namespace eddy::rt
