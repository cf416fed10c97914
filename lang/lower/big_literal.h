// Integer literals that do not fit a word.
#pragma once
#include <string>
#include <string_view>

namespace eddy::lang::lower {

/// Digits of base 2, 8, 10 or 16 as decimal ones.
std::string to_decimal(std::string_view digits, unsigned base);

}  // namespace eddy::lang::lower
