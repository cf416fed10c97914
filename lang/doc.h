#pragma once

#include <functional>
#include <string>

#include "lang/ast.h"
#include "lang/symbols.h"

namespace eddy::lang {

/// What a `///` comment says: markers and one following space removed, lines joined by newlines.
std::string doc_text(const SourceFile& file, Span doc);

struct DocOptions {
  std::string title;  // the module's name
  /// The inferred type of a function or constant, as the language writes it: "fn(a, Int): a / e".
  /// Unset or empty: signatures are shown as they are written.
  std::function<std::string(const Decl&, size_t variable)> type_of;
};

/// The public part of a module as Markdown: its types, effects, constants and functions, in source
/// order, with signatures and doc comments.
std::string document(const Module& module, Symbols& symbols, const DocOptions& options);

/// For `DocOptions::type_of`: what the checker found. Needs a checked module.
std::string checked_type_of(const Symbols& symbols, const Decl& decl, size_t variable);

}  // namespace eddy::lang
