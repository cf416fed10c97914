#pragma once

#include <span>
#include <vector>

#include "lang/arena.h"
#include "lang/diagnostics.h"
#include "lang/source.h"
#include "lang/symbols.h"
#include "lang/token.h"

namespace eddy::lang {

struct Tokens {
  std::vector<Token, BlockAllocator<Token>> tokens;  // always ends in one kEnd
  std::vector<Comment> comments;                     // in order
  /// The text ends inside a string or comment: an interactive reader asks for more.
  bool unterminated = false;
  /// An unclosed string holds a `}`, which is then missed elsewhere.
  bool swallowed_brace = false;
};

/// Splits a whole file into tokens. Strings and numbers are only delimited here; the parser decodes
/// them. A file that is not valid UTF-8, or holds a NUL, yields one error and no tokens.
Tokens lex(const SourceFile& file, Symbols& symbols, Diagnostics& diagnostics);

/// The tokens of some parts of a file that is known to be right, each of them whole lines.
Tokens lex_parts(const SourceFile& file, std::span<const Span> parts, Symbols& symbols, Diagnostics& diagnostics);

}  // namespace eddy::lang
