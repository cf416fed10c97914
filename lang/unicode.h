#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace eddy::lang {

/// The code point at text[at] and its length in bytes; {U+FFFD, 1} where the bytes are not UTF-8.
struct Decoded {
  uint32_t code = 0xFFFD;
  uint32_t length = 1;
  bool valid = false;
};
Decoded decode_utf8(std::string_view text, size_t at);

void append_utf8(std::string& out, uint32_t code);
/// Writes up to 4 bytes, returns how many.
size_t encode_utf8(char* out, uint32_t code);

/// Offset of the first byte that is not part of valid UTF-8, or npos.
size_t find_invalid_utf8(std::string_view text);

/// Columns a terminal gives a character: 0, 1 or 2.
int display_width(uint32_t code);

/// Whether a non-ASCII character may stand in an identifier.
bool is_identifier_letter(uint32_t code);

inline bool is_surrogate(uint32_t code) { return code >= 0xD800 && code <= 0xDFFF; }

}  // namespace eddy::lang
