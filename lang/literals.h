#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lang/ast.h"
#include "lang/diagnostics.h"
#include "lang/token.h"

namespace eddy::lang {

/// Fills `out` from the text of an Int token; reports digits that do not belong to its base.
void decode_int(std::string_view text, Span span, Arena& arena, Diagnostics& diagnostics, IntExpr& out);

double decode_float(std::string_view text, Span span, Diagnostics& diagnostics);

/// The character between the quotes of a Char token.
uint32_t decode_char(std::string_view text, Span span, Diagnostics& diagnostics);

/// The literal pieces of a string, quotes and `${` `}` cut off, in order. Resolves escapes, and in
/// a multi-line string removes the common indentation and a blank first and last line.
struct RawPiece {
  std::string_view text;
  Pos begin;
};
void decode_string(const RawPiece* pieces, size_t count, bool triple, Arena& arena, Diagnostics& diagnostics,
                   std::string_view* out);

}  // namespace eddy::lang
