// UTF-8. Strings in the heap are always valid, so decoding them does not check; what comes from outside is
// validated or repaired first.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace eddy::rt {

bool valid_utf8(std::string_view bytes);
// Every ill-formed sequence becomes U+FFFD.
std::string repair_utf8(std::string_view bytes);
size_t count_chars(std::string_view valid);

inline bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

inline unsigned utf8_length(uint32_t code) { return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4; }

// Length of the character whose first byte this is.
inline unsigned utf8_advance(char first) {
  auto c = static_cast<unsigned char>(first);
  return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

// Reads the character at p, which must be valid, and moves p behind it.
inline uint32_t utf8_decode(const char*& p) {
  auto at = [&](int i) { return static_cast<uint32_t>(static_cast<unsigned char>(p[i])); };
  uint32_t c = at(0);
  if (c < 0x80) return p += 1, c;
  if (c < 0xe0) return c = (c & 0x1f) << 6 | (at(1) & 0x3f), p += 2, c;
  if (c < 0xf0) return c = (c & 0x0f) << 12 | (at(1) & 0x3f) << 6 | (at(2) & 0x3f), p += 3, c;
  return c = (c & 0x07) << 18 | (at(1) & 0x3f) << 12 | (at(2) & 0x3f) << 6 | (at(3) & 0x3f), p += 4, c;
}

// Writes the character at out, which has room for four bytes; returns its length.
inline unsigned utf8_encode(uint32_t code, char* out) {
  if (code < 0x80) return out[0] = static_cast<char>(code), 1;
  if (code < 0x800) {
    out[0] = static_cast<char>(0xc0 | code >> 6);
    out[1] = static_cast<char>(0x80 | (code & 0x3f));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = static_cast<char>(0xe0 | code >> 12);
    out[1] = static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out[2] = static_cast<char>(0x80 | (code & 0x3f));
    return 3;
  }
  out[0] = static_cast<char>(0xf0 | code >> 18);
  out[1] = static_cast<char>(0x80 | (code >> 12 & 0x3f));
  out[2] = static_cast<char>(0x80 | (code >> 6 & 0x3f));
  out[3] = static_cast<char>(0x80 | (code & 0x3f));
  return 4;
}

inline void append_utf8(std::string& out, uint32_t code) {
  char bytes[4];
  out.append(bytes, utf8_encode(code, bytes));
}

}  // namespace eddy::rt
