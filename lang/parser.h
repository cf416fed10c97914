#pragma once

#include <span>

#include "lang/arena.h"
#include "lang/ast.h"
#include "lang/diagnostics.h"
#include "lang/source.h"
#include "lang/symbols.h"

namespace eddy::lang {

enum class ParseMode : uint8_t {
  kModule,  // declarations only
  kScript,  // statements and expressions too, as StmtDecl: the REPL and `-e`
};

struct ParseResult {
  Module* module = nullptr;  // never null; with errors it holds what could be understood
  bool ok = false;           // no errors were reported
  bool incomplete = false;   // the only trouble is that the text ends too early (a REPL asks for more)
};

/// Parses one file. Errors go to `diagnostics`; nodes into `arena`, which must outlive the tree,
/// as must `file`.
ParseResult parse(const SourceFile& file, Symbols& symbols, Arena& arena, Diagnostics& diagnostics,
                  ParseMode mode = ParseMode::kModule);

/// Some declarations of a file that is known to be right, each of them whole lines.
Module* parse_parts(const SourceFile& file, std::span<const Span> parts, Symbols& symbols, Arena& arena,
                    Diagnostics& diagnostics);

}  // namespace eddy::lang
