// The ways to run one module that must agree.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/options.h"
#include "vm/module.h"
#include "vm/tier.h"
#include "vm/vm.h"

namespace eddy::fuzz {

struct Mode {
  std::string name;
  uint32_t stress = 0;   // collect at every n-th allocation, and verify the heap
  size_t nursery = 0;    // bytes; 0: as usual
  bool effects = false;  // with the trace of effects
  bool fuel = false;     // with a limit of fuel that is not reached: how much is left is compared
  std::optional<jit::Options> compiler{};
  // Modes that differ only in what a VM can be told while it lives go on in the VM of the one before, one
  // after the other, with what is compiled and cached: their group's number; 0: always in its own. Of every
  // fourth seed, each mode has a VM of its own.
  int group = 0;
  // Decided by the seed: which pass is left out, and what happens by chance.
  bool one_pass_off = false, chaos = false;
};

// All there are here; those of the compiler only where it has machine code for this processor.
const std::vector<Mode>& all_modes();
const Mode* find_mode(std::string_view name);
// What a mode means to the program of a seed: `without` takes the passes in turn.
const Mode* mode_for(const Mode* mode, uint64_t seed);

// What is compared.
struct Record {
  std::string out;  // standard output
  std::string err;  // standard error: the trace of effects
  vm::Outcome outcome = vm::Outcome::Finished;
  int status = 0;
  std::string message, trace;  // of a panic
  bool out_of_memory = false;
  uint64_t fuel = 0;  // that is left
};

// Runs a module in one mode after the other. Standard output and error must be files that may be truncated.
class Machine {
 public:
  Machine(const vm::Module& module, uint64_t seed) : module_(module), seed_(seed) {}
  Record run(const Mode& mode);

 private:
  const vm::Module& module_;
  uint64_t seed_;
  int group_ = 0;                   // of the mode that the VM was made for
  std::unique_ptr<vm::Tier> tier_;  // outlives the VM
  std::unique_ptr<vm::Vm> vm_;
  vm::LoadedModule* loaded_ = nullptr;
};

// Whether the program ends after so many calls and loop rounds that every mode can be waited for.
bool ends(const vm::Module& module);

// What differs first, or nothing.
const char* difference(const Record& a, const Record& b, bool effects = false, bool fuel = false);

}  // namespace eddy::fuzz
