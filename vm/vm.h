// A running Eddy: load modules, run them. What an embedding holds.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/context.h"
#include "runtime/heap.h"
#include "runtime/statistics.h"
#include "vm/loaded.h"

namespace eddy::vm {

struct VmOptions {
  rt::HeapOptions heap;
  uint64_t max_stack = uint64_t{1} << 30;
  uint64_t fuel = 0;             // 0: unlimited
  std::vector<std::string> arguments;
  bool trace_effects = false;
  bool detailed_statistics = false;
  class Trace* trace = nullptr;  // vm/trace.h; outlives the VM
};

enum class Outcome : uint8_t { Finished, Panicked, Exited, LimitHit, Interrupted };

struct RunResult {
  Outcome outcome = Outcome::Finished;
  rt::Value value = rt::kUnit;   // of the function that was run; good until the next allocation
  int status = 0;                // of exit(n)
  rt::Limit limit = rt::Limit::None;
  std::string message, trace;    // of the panic
};

class Vm {
 public:
  explicit Vm(const VmOptions& options);
  ~Vm();
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  // Links a verified module; null and *problem where that is impossible.
  LoadedModule* load(Module module, std::string* problem);
  RunResult initialise(LoadedModule* module);
  RunResult run_main(LoadedModule* module);
  RunResult call(rt::Function* function, const std::vector<rt::Value>& args = {});

  rt::Context& context() { return ctx_; }
  const std::vector<std::unique_ptr<LoadedModule>>& modules() const { return modules_; }
  // For tests: the next run has other fuel and another stress; what is compiled and what is known of handlers stays, and
  // so do all the other options. Not while something runs.
  void start_again(const VmOptions& options);
  // Asks the running program to stop; may be called from a signal handler or another thread.
  void interrupt(rt::Interrupt why);

 private:
  rt::Context ctx_;
  std::unique_ptr<rt::Statistics> stats_;
  std::unique_ptr<rt::Heap> heap_;
  std::unique_ptr<rt::FiberPool> fibers_;
  rt::EffectCell* cells_ = nullptr;
  size_t first_stack_words_;
  std::vector<std::unique_ptr<LoadedModule>> modules_;
};

}  // namespace eddy::vm
