// What is compiled before it has run has no profile. Where the program has only a few handlers for an effect, one of
// them is expected to answer.
#pragma once
#include <map>

#include "vm/bytecode.h"
#include "vm/loaded.h"

namespace eddy::jit {

class Expectation {
 public:
  // Takes note of the module's handlers and puts what is expected into the profiles of its performs.
  void add(vm::LoadedModule& module);

 private:
  std::map<std::pair<uint32_t, bool>, std::vector<rt::Site*>> handlers_;  // by effect, and whether they are named
};

}  // namespace eddy::jit
