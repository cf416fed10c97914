// Makes a program that shows a problem small.
#pragma once
#include <functional>

#include "tools/eddy-fuzz/tree.h"

namespace eddy::fuzz {

// Tries smaller programs until none of them `shows` the problem any more, or the time is up. Leaves out
// statements, clauses, arms and declarations; puts simple expressions, or parts of them, in the place of
// large ones.
Tree reduce(Tree program, const std::function<bool(const std::string& text)>& shows, double seconds);

}  // namespace eddy::fuzz
