#pragma once

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

/// How much of a module's functions is read: everything, or the names alone, each followed by one token `kUnread`, and no
/// comments. That takes a text that is known to be right, laid out by `eddy fmt`: a function goes on until a line starts with
/// something.
enum class Functions : uint8_t { kWhole, kNames };

/// Splits a whole file into tokens. Strings and numbers are only delimited here; the parser decodes
/// them. A file that is not valid UTF-8, or holds a NUL, yields one error and no tokens.
Tokens lex(const SourceFile& file, Symbols& symbols, Diagnostics& diagnostics,
           Functions functions = Functions::kWhole);

/// The tokens of a part of a file that has been split into tokens before.
Tokens lex_part(const SourceFile& file, Span part, Symbols& symbols, Diagnostics& diagnostics);

}  // namespace eddy::lang
