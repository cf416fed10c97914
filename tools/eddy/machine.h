// A VM set up as the flags say.
#pragma once
#include <chrono>
#include <memory>

#include "jit/debug/region.h"
#include "tools/eddy/options.h"
#include "tools/eddy/profile.h"
#include "vm/tier.h"
#include "vm/trace.h"
#include "vm/vm.h"

namespace eddy::tool {

class MachineRun {
 public:
  // `listener`: told of machine code, too.
  MachineRun(const RunFlags& flags, std::vector<std::string> arguments,
             jit::debug::CodeListener* listener = nullptr);
  ~MachineRun();
  MachineRun(const MachineRun&) = delete;
  MachineRun& operator=(const MachineRun&) = delete;

  vm::Vm& vm() { return *vm_; }
  // Prints what a result has to say and gives the exit status it means. `value_is_status`: an Int is the
  // status.
  int report(const vm::RunResult& result, bool value_is_status);
  // After the last run: output written, statistics printed.
  int finish(int status);
  // Whoever was told of machine code is to be told of its end.
  bool is_listened_to() const { return !listeners_.empty(); }

 private:
  void listen(std::unique_ptr<jit::debug::CodeListener> listener, const std::string& problem);

  RunFlags flags_;
  std::chrono::steady_clock::time_point start_;
  std::vector<std::unique_ptr<jit::debug::CodeListener>> listeners_;  // outlive the compiler
  std::unique_ptr<vm::Trace> trace_;                                  // outlives the VM
  std::unique_ptr<vm::Tier> tier_;                                    // outlives the VM
  std::unique_ptr<vm::Vm> vm_;
  std::unique_ptr<Profile> profile_;
};

}  // namespace eddy::tool
