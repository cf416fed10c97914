// Sorted tables for unicode.cpp; unicode_tables.cpp is made by unicode_tables.py.
#pragma once
#include <cstdint>
#include <span>

namespace eddy::rt::unicode {

struct Range { uint32_t first, last; };
// Every stride-th character of first … last maps to itself + delta.
struct Mapping { uint32_t first, last; int32_t delta; uint32_t stride; };

extern const std::span<const Range> letters, upper, lower;
extern const std::span<const Mapping> to_upper, to_lower;

}  // namespace eddy::rt::unicode
