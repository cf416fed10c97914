#include "tools/eddy-fuzz/modes.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>

#include "jit/jit.h"
#include "runtime/natives/state.h"

namespace eddy::fuzz {

namespace {

// Little programs: an emulator takes its time to map more.
constexpr size_t kCode = 2 << 20;

jit::Options at_once() {
  jit::Options o;
  o.code_bytes = kCode;
  o.tier = jit::TierMode::Jit;
  return o;
}

jit::Options soon(int after = 1) {
  jit::Options o;
  o.code_bytes = kCode;
  o.tier = jit::TierMode::Auto;
  o.jit_threshold = after;
  o.osr_threshold = after;
  return o;
}

jit::Options plain() {
  jit::Options o = at_once();
  o.no_opt = true;
  return o;
}

// What may be asleep: fuel does not end that.
std::atomic<vm::Vm*> sleeper;
constexpr int kMostAsleep = 5;  // seconds

void wake(int) {
  if (vm::Vm* vm = sleeper.load()) vm->interrupt(rt::Interrupt::Timeout);
  alarm(1);  // it may fall asleep again
}

// More than any generated program takes.
constexpr uint64_t kFuel = uint64_t{1} << 40;
// What a mutant may take.
constexpr uint64_t kLittleFuel = 20000;

std::string take(int fd) {
  std::string text;
  off_t size = lseek(fd, 0, SEEK_END);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  ssize_t n = pread(fd, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  if (ftruncate(fd, 0) == 0) lseek(fd, 0, SEEK_SET);
  return text;
}

}  // namespace

const std::vector<Mode>& all_modes() {
  static const std::vector<Mode> modes = [] {
    std::vector<Mode> m{
        {.name = "interp", .group = 1},
        {.name = "stress3", .stress = 3, .group = 1},
        {.name = "stress1", .stress = 1, .group = 1},
        {.name = "fuel", .fuel = true, .group = 1},
        {.name = "effects", .effects = true},
        {.name = "nursery", .nursery = 4096},
    };
    if (jit::available()) {
      m.push_back({.name = "jit", .compiler = at_once(), .group = 2});
      m.push_back({.name = "jit-stress3", .stress = 3, .compiler = at_once(), .group = 2});
      m.push_back({.name = "jit-stress1", .stress = 1, .compiler = at_once(), .group = 2});
      m.push_back({.name = "auto", .compiler = soon(), .group = 3});
      m.push_back({.name = "auto-stress3", .stress = 3, .compiler = soon(), .group = 3});
      m.push_back({.name = "warm", .compiler = soon(4)});
      m.push_back({.name = "noopt", .compiler = plain()});
      // What takes fuel or traces effects is compiled in another way.
      m.push_back({.name = "jit-effects", .effects = true, .compiler = at_once()});
      m.push_back({.name = "jit-fuel", .fuel = true, .compiler = at_once()});
      m.push_back({.name = "auto-fuel", .fuel = true, .compiler = soon()});
      m.push_back({.name = "without", .compiler = soon(2), .one_pass_off = true});
      m.push_back({.name = "chaos", .compiler = soon(2), .group = 4, .chaos = true});
      m.push_back({.name = "chaos-stress3", .stress = 3, .compiler = soon(2), .group = 4, .chaos = true});
    }
    return m;
  }();
  return modes;
}

// `without` with each of the passes.
static const std::vector<Mode>& pass_modes() {
  static const std::vector<Mode> modes = [] {
    std::vector<Mode> m;
    for (unsigned i = 0; i < static_cast<unsigned>(jit::Pass::Count); ++i) {
      jit::Options options = soon(2);
      options.without = 1u << i;
      m.push_back(
          {.name = std::string("no-") + jit::flag_of(static_cast<jit::Pass>(i)), .compiler = options});
    }
    return m;
  }();
  return modes;
}

const Mode* mode_for(const Mode* mode, uint64_t seed) {
  return mode->one_pass_off ? &pass_modes()[seed % pass_modes().size()] : mode;
}

const Mode* find_mode(std::string_view name) {
  for (const Mode& m : all_modes())
    if (m.name == name) return &m;
  if (jit::available())
    for (const Mode& m : pass_modes())
      if (m.name == name) return &m;
  return nullptr;
}

Record Machine::run(const Mode& mode) {
  Record record;
  vm::VmOptions options;
  options.heap.stress = mode.stress;
  options.heap.verify = mode.stress != 0;
  // What a collection damages, the next ones find.
  if (mode.stress == 1) options.heap.verify_every = 3;
  if (mode.nursery) options.heap.nursery_bytes = mode.nursery;
  options.heap.max_heap_bytes = size_t{128} << 20;
  options.max_stack = uint64_t{16} << 20;
  options.trace_effects = mode.effects;
  if (mode.fuel) options.fuel = kFuel;
  std::string problem;
  if (vm_ && mode.group && mode.group == group_ && seed_ % 4 != 0) {
    vm_->start_again(options);
  } else {
    vm_.reset();
    tier_.reset();
    vm_ = std::make_unique<vm::Vm>(options);
    group_ = mode.group;
    if (mode.compiler) {
      jit::Options compiler = *mode.compiler;
      if (mode.chaos) compiler.chaos = static_cast<uint32_t>(seed_ * 2654435761u) | 1;
      tier_ = jit::attach(*vm_, compiler);
    }
    loaded_ = vm_->load(module_, &problem);
    if (!loaded_) {
      record.message = "load: " + problem;
      vm_.reset();
      return record;
    }
  }
  vm::Vm& vm = *vm_;
  const uint64_t limits = vm.context().limit_panics;
  vm::RunResult result = vm.initialise(loaded_);
  if (result.outcome == vm::Outcome::Finished) result = vm.run_main(loaded_);
  rt::flush_output(vm.context(), &problem);
  std::fflush(stderr);
  record.out = take(STDOUT_FILENO);
  record.err = take(STDERR_FILENO);
  record.outcome = result.outcome;
  if (result.outcome == vm::Outcome::Finished)
    record.status = result.value.is_small() ? static_cast<int>(result.value.small() & 255) : 0;
  else if (result.outcome == vm::Outcome::Exited)
    record.status = result.status;
  else
    record.status = 1;
  record.message = result.message;
  record.fuel = vm.context().fuel;
  record.trace = result.trace;
  record.out_of_memory = result.outcome == vm::Outcome::LimitHit || result.message == "stack overflow" ||
                         vm.context().limit_panics != limits;
  return record;
}

bool ends(const vm::Module& module) {
  vm::VmOptions options;
  options.fuel = kLittleFuel;
  options.heap.max_heap_bytes = size_t{64} << 20;
  options.max_stack = uint64_t{16} << 20;
  vm::Vm vm(options);
  std::string problem;
  vm::LoadedModule* loaded = vm.load(module, &problem);
  if (!loaded) return true;
  sleeper = &vm;
  std::signal(SIGALRM, wake);
  alarm(kMostAsleep);
  vm::RunResult result = vm.initialise(loaded);
  if (result.outcome == vm::Outcome::Finished) result = vm.run_main(loaded);
  alarm(0);
  sleeper = nullptr;
  rt::flush_output(vm.context(), &problem);
  take(STDOUT_FILENO);
  take(STDERR_FILENO);
  return result.outcome != vm::Outcome::LimitHit;
}

const char* difference(const Record& a, const Record& b, bool effects, bool fuel) {
  if (a.out != b.out) return "output";
  if (a.outcome != b.outcome) return "outcome";
  if (a.status != b.status) return "status";
  if (a.message != b.message) return "panic";
  if (a.trace != b.trace) return "stack trace";
  if (effects && a.err != b.err) return "effects";
  if (fuel && a.fuel != b.fuel) return "fuel";
  return nullptr;
}

}  // namespace eddy::fuzz
