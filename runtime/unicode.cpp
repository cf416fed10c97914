#include "runtime/unicode.h"

#include <algorithm>

#include "runtime/unicode_tables.h"

namespace eddy::rt {

namespace {

template <class Row>
const Row* find(std::span<const Row> table, uint32_t code) {
  auto after = std::upper_bound(table.begin(), table.end(), code,
                                [](uint32_t c, const Row& row) { return c < row.first; });
  if (after == table.begin()) return nullptr;
  const Row& row = *(after - 1);
  return code <= row.last ? &row : nullptr;
}

uint32_t map(std::span<const unicode::Mapping> table, uint32_t code) {
  const auto* row = find(table, code);
  if (!row || (code - row->first) % row->stride) return code;
  return code + static_cast<uint32_t>(row->delta);
}

}  // namespace

uint32_t to_upper(uint32_t code) {
  if (code < 128) return code >= 'a' && code <= 'z' ? code - 32 : code;
  return map(unicode::to_upper, code);
}

uint32_t to_lower(uint32_t code) {
  if (code < 128) return code >= 'A' && code <= 'Z' ? code + 32 : code;
  return map(unicode::to_lower, code);
}

bool is_upper(uint32_t code) {
  if (code < 128) return code >= 'A' && code <= 'Z';
  return find(unicode::upper, code) != nullptr;
}

bool is_lower(uint32_t code) {
  if (code < 128) return code >= 'a' && code <= 'z';
  return find(unicode::lower, code) != nullptr;
}

bool is_letter(uint32_t code) {
  if (code < 128) return is_upper(code) || is_lower(code);
  return find(unicode::letters, code) != nullptr;
}

bool is_space(uint32_t code) {
  if (code < 128) return code == ' ' || (code >= 9 && code <= 13);
  return code == 0x85 || code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
         code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

}  // namespace eddy::rt
