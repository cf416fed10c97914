// Assembles, verifies and runs a program, in several ways that must agree.
#pragma once
#include <string>

#include "runtime/heap.h"
#include "runtime/natives/natives.h"
#include "vm/assembler.h"
#include "vm/disassembler.h"
#include "vm/ebc.h"
#include "vm/tier.h"
#include "vm/verifier.h"
#include "vm/vm.h"

namespace eddy::test {

struct RunMode {
  uint32_t gc_stress = 0;  // collect at every n-th allocation
  bool verify_heap = false;
  uint64_t fuel = 0;
  size_t nursery = size_t{4} << 20;
};

inline int native_arity(std::string_view name) {
  const rt::Native* native = rt::find_native(name);
  return native ? native->arity : -1;
}

// The module of a text that has passed the verifier and come back from both its file forms; or *problem.
inline std::optional<vm::Module> checked_module(const std::string& text, std::string* problem) {
  vm::AssembleResult assembled = vm::assemble(text);
  if (!assembled.module) {
    *problem = "line " + std::to_string(assembled.line) + ":" + std::to_string(assembled.column) + ": " +
               assembled.error;
    return std::nullopt;
  }
  vm::Module module = std::move(*assembled.module);
  if (auto error = vm::verify(module, native_arity)) {
    *problem = vm::to_string(*error, module);
    return std::nullopt;
  }
  vm::EbcResult file = vm::read_ebc(vm::write_ebc(module));
  vm::AssembleResult listing = vm::assemble(vm::disassemble(module));
  if (!file.module || !listing.module || *file.module != module || *listing.module != module) {
    *problem = "the module does not come back from its files";
    return std::nullopt;
  }
  return module;
}

// What main returned, as text: an Int or "()", "panic: message", or what else stopped it.
inline std::string outcome_text(const vm::RunResult& r) {
  switch (r.outcome) {
    case vm::Outcome::Panicked:
      return "panic: " + r.message;
    case vm::Outcome::Exited:
      return "exit " + std::to_string(r.status);
    case vm::Outcome::LimitHit:
      return "limit";
    case vm::Outcome::Interrupted:
      return "interrupted";
    case vm::Outcome::Finished:
      break;
  }
  if (r.value.is_small()) return std::to_string(r.value.small());
  if (r.value == rt::kUnit) return "()";
  return "a value";
}

// Where tests are to run compiled code: gives the machine its compiler.
inline std::unique_ptr<vm::Tier> (*attach_compiler)(vm::Vm&) = nullptr;

inline std::string run_module(vm::Module module, const RunMode& mode) {
  vm::VmOptions options;
  options.heap.stress = mode.gc_stress;
  options.heap.verify = mode.verify_heap;
  options.heap.nursery_bytes = mode.nursery;
  options.fuel = mode.fuel;
  std::unique_ptr<vm::Tier> tier;
  vm::Vm machine(options);
  if (attach_compiler) tier = attach_compiler(machine);
  std::string problem;
  vm::LoadedModule* loaded = machine.load(std::move(module), &problem);
  if (!loaded) return "not loaded: " + problem;
  vm::RunResult start = machine.initialise(loaded);
  if (start.outcome != vm::Outcome::Finished) return outcome_text(start);
  return outcome_text(machine.run_main(loaded));
}

}  // namespace eddy::test
