#include "tools/eddy-faults/experiment.h"

#include <dirent.h>
#include <unistd.h>

#include <memory>

#include "jit/jit.h"
#include "runtime/natives/state.h"
#include "runtime/system_memory.h"
#include "vm/vm.h"

namespace eddy::faults {

namespace {

std::string take_output() {
  std::string text;
  off_t size = lseek(STDOUT_FILENO, 0, SEEK_END);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  ssize_t n = pread(STDOUT_FILENO, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  if (ftruncate(STDOUT_FILENO, 0) == 0) lseek(STDOUT_FILENO, 0, SEEK_SET);
  return text;
}

int open_files() {
  DIR* folder = opendir("/proc/self/fd");
  if (!folder) return 0;
  int count = 0;
  while (readdir(folder)) ++count;
  closedir(folder);
  return count;
}

Ending run_once(vm::Vm& vm, const vm::Module& module) {
  Ending e;
  lseek(STDIN_FILENO, 0, SEEK_SET);
  vm::LoadedModule* loaded = vm.load(module, &e.message);
  if (!loaded) {
    e.status = -1;
    return e;
  }
  vm::RunResult result = vm.initialise(loaded);
  if (result.outcome == vm::Outcome::Finished) result = vm.run_main(loaded);
  std::string ignored;
  rt::flush_output(vm.context(), &ignored);
  e.out = take_output();
  e.message = result.message;
  switch (result.outcome) {
    case vm::Outcome::Finished:
      e.status = result.value.is_small() ? static_cast<int>(result.value.small() & 255) : 0;
      break;
    case vm::Outcome::Exited:
      e.status = result.status;
      break;
    case vm::Outcome::LimitHit:
      e.status = 3;
      break;
    default:
      e.status = result.message == "out of memory" ? 3 : 1;
  }
  return e;
}

bool begins_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

// What a program that catches nothing may do: end as without the fault, or stop with less output.
std::string judge(const Ending& e, const Ending& expected, bool catches) {
  bool same = e.status == expected.status && e.out == expected.out && e.message == expected.message;
  if (same || catches) return "";
  if (e.message != "out of memory" && e.message != "stack overflow")
    return "ended with status " + std::to_string(e.status) + " " + e.message;
  return begins_with(expected.out, e.out) ? "" : "another output than without the fault";
}

}  // namespace

Ending run(const vm::Module& module, const Case& c, const Ending* expected, bool catches) {
  int files = open_files();
  uint64_t held = rt::memory::held();
  Ending e;
  {
    vm::VmOptions options;
    options.heap.max_heap_bytes = size_t{256} << 20;
    options.heap.nursery_bytes = 64 << 10;  // so that there are collections too
    options.max_stack = uint64_t{64} << 20;
    // Counted, also where none is to fail.
    options.heap.fail_at = c.fault == Fault::Heap ? c.n : UINT64_MAX;
    std::unique_ptr<vm::Tier> tier;  // outlives the VM
    vm::Vm vm(options);
    uint64_t before = rt::memory::requests();
    if (c.fault == Fault::System) rt::memory::refuse_request(c.n);
    if (c.jit) {
      jit::Options compiler;
      compiler.tier = jit::TierMode::Jit;
      tier = jit::attach(vm, compiler);
    }
    e = run_once(vm, module);
    rt::memory::refuse_request(0);
    e.requests = rt::memory::requests() - before;
    e.objects = vm.context().heap->counters().allocations;
    if (expected) {
      e.problem = judge(e, *expected, catches);
      std::string damage;
      vm.context().heap->collect_major();
      if (e.problem.empty() && !vm.context().heap->verify(&damage))
        e.problem = "the heap is damaged: " + damage;
      if (e.problem.empty()) {
        Ending again = run_once(vm, module);
        if (again.out != expected->out || again.status != expected->status ||
            again.message != expected->message)
          e.problem = "the next program in the same VM went wrong: status " + std::to_string(again.status) +
                      " " + again.message;
      }
    }
  }
  if (e.problem.empty() && rt::memory::held() != held)
    e.problem = std::to_string(rt::memory::held() - held) + " bytes were not given back";
  if (e.problem.empty() && open_files() != files) e.problem = "a file was left open";
  return e;
}

std::string to_string(const Case& c) {
  std::string text = c.jit ? "jit" : "interp";
  if (c.fault == Fault::None) return text;
  return text + (c.fault == Fault::Heap ? ", object " : ", request ") + std::to_string(c.n);
}

}  // namespace eddy::faults
