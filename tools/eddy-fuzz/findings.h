// What was found: made small and written out, a folder for each class of problem.
#pragma once
#include <string>

#include "tools/eddy-fuzz/judge.h"
#include "tools/eddy-fuzz/tree.h"

namespace eddy::fuzz {

struct Findings {
  std::string folder = "fuzz-findings";
  int per_class = 3;           // so many programs of one class; all seeds are listed
  double reduce_seconds = 60;  // 0: as it is
};

void keep(const Findings& findings, Settings settings, uint64_t seed, Tree program, const Verdict& verdict);

// As `eddy fmt` would write it, if it parses.
std::string formatted(const std::string& text);

}  // namespace eddy::fuzz
