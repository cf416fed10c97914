// One program, run again and again: each time another request for memory fails.
#pragma once
#include <cstdint>
#include <string>

#include "vm/module.h"

namespace eddy::faults {

enum class Fault : uint8_t {
  None,
  Heap,    // the n-th object finds the heap full
  System,  // the system refuses the n-th request: for the nursery's room, a stack, a chunk, machine code
};

struct Case {
  Fault fault = Fault::None;
  uint64_t n = 0;
  bool jit = false;
};

struct Ending {
  std::string out;
  int status = 0;         // as `eddy run` would leave; -1: the module did not load
  std::string message;    // of a panic
  uint64_t objects = 0;   // Fault::Heap: that were allocated
  uint64_t requests = 0;  // of the system
  std::string problem;    // what must not be, whatever the program does
};

// Runs the module with the fault, then, in the same VM, once more without. `expected` is what a run without
// any fault gives; null for that run itself. Standard output must be a file that may be truncated.
Ending run(const vm::Module& module, const Case& c, const Ending* expected, bool catches);

std::string to_string(const Case& c);

}  // namespace eddy::faults
