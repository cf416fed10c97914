// Do the arms of a match cover every case, and does each arm get its chance? (Maranget's usefulness.)
#pragma once
#include <string>
#include <vector>

#include "lang/checked.h"

namespace eddy::lang {

struct MatchRow {
  Pattern* pattern = nullptr;
  bool guarded = false;
};

struct Coverage {
  std::string missing;            // a case that no row takes, as a pattern; empty: none
  std::vector<bool> unreachable;  // per row
  bool too_complex = false;       // given up
};

/// Patterns must have been resolved. `want_unreachable` false: only `missing`.
Coverage cover(const Symbols& symbols, const std::vector<MatchRow>& rows, bool want_unreachable);

}  // namespace eddy::lang
