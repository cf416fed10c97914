#pragma once

#include <string>

#include "lang/diagnostics.h"
#include "lang/source.h"
#include "lang/symbols.h"

namespace eddy::lang {

/// Lines are broken so that they stay within this many columns, where that is possible.
inline constexpr int kFormatWidth = 100;

struct FormatResult {
  bool ok = false;  // the source has no syntax errors
  std::string text;
};

/// The file in canonical layout. Keeps all comments, single blank lines, and the choice between one
/// line and several for blocks; formatting the result again changes nothing, and it parses to the same
/// tree. With syntax errors nothing is formatted; they are in `diagnostics`.
FormatResult format_source(const SourceFile& file, Symbols& symbols, Diagnostics& diagnostics);

}  // namespace eddy::lang
