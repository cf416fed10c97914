// Character properties and simple case mappings, from tables made by unicode_tables.py.
#pragma once
#include <cstdint>

namespace eddy::rt {

uint32_t to_upper(uint32_t code);
uint32_t to_lower(uint32_t code);
bool is_letter(uint32_t code);  // general category L*
bool is_upper(uint32_t code);   // Lu
bool is_lower(uint32_t code);   // Ll
bool is_space(uint32_t code);   // White_Space

constexpr bool is_scalar_value(uint64_t code) { return code < 0xd800 || (code > 0xdfff && code <= 0x10ffff); }

}  // namespace eddy::rt
