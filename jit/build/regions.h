// Which regions are open where, so that a perform may be known to find a handler that its own unit has installed.
#pragma once
#include <map>
#include <vector>

#include "vm/loaded.h"

namespace eddy::jit {

// Instructions that open regions, outermost first.
using OpenRegions = std::vector<const vm::Word*>;

struct Regions {
  bool any = false;      // the function opens some
  bool known = true;     // where they are open
  // By word: what is open where control may jump to, or go on after an abort. (It does not depend on the way there: the
  // verifier sees to it.)
  std::map<uint32_t, OpenRegions> open;
};

// `at`: one more place that is asked for.
Regions find_regions(const vm::LoadedFunction& function, uint32_t at);

// What an instruction opens or closes.
void step_regions(const vm::Word* pc, OpenRegions& open);

// Where an aborted region goes on.
uint32_t target_of(const vm::LoadedFunction& function, const vm::Word* handle);

}  // namespace eddy::jit
