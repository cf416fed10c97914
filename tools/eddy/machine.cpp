#include "tools/eddy/machine.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "jit/debug/gdb.h"
#include "jit/debug/jitdump.h"
#include "jit/debug/perf_map.h"
#include "jit/jit.h"
#include "runtime/natives/state.h"
#include "tools/eddy/files.h"
#include "tools/eddy/signals.h"
#include "vm/site_statistics.h"

namespace eddy::tool {

namespace {

void trace_collection(rt::Context& ctx, const rt::CollectionEvent& e) {
  static_cast<vm::Trace*>(ctx.trace)->line(fmt::format(
      "{} collection {:.3f} ms, promoted {} B, old {} B, fibers {} B", e.major ? "major" : "minor",
      static_cast<double>(e.nanoseconds) / 1e6, e.promoted_bytes, e.old_bytes, e.fiber_bytes));
}

// Null where nothing is traced, or the file cannot be written.
std::unique_ptr<vm::Trace> make_trace(const RunFlags& flags) {
  if (flags.trace.empty()) return nullptr;
  std::FILE* out = flags.trace_file.empty() ? stderr : std::fopen(flags.trace_file.c_str(), "w");
  if (!out) {
    complain(flags.trace_file + ": " + std::strerror(errno));
    return nullptr;
  }
  auto format = flags.trace_format == "chrome" ? vm::Trace::Format::Chrome : vm::Trace::Format::Text;
  auto trace = std::make_unique<vm::Trace>(out, out != stderr, format);
  trace->effects = flags.traces("effects");
  trace->calls = flags.traces("calls");
  return trace;
}

// Few runs have anything to say: only these make a log.
void warn(const RunFlags& flags, const char* text) {
  static const std::shared_ptr<spdlog::logger> log = spdlog::stderr_logger_st("eddy");
  log->set_level(spdlog::level::from_str(flags.log_level));
  log->warn(text);
}

}  // namespace

MachineRun::MachineRun(const RunFlags& flags, std::vector<std::string> arguments,
                       jit::debug::CodeListener* listener)
    : flags_(flags) {
  vm::VmOptions options;
  options.heap.max_heap_bytes = flags.max_heap;
  options.heap.stress = flags.gc_stress;
  options.heap.verify = flags.verify_heap;
  options.max_stack = flags.max_stack;
  options.fuel = flags.fuel;
  options.arguments = std::move(arguments);
  trace_ = make_trace(flags);
  options.trace = trace_.get();
  options.detailed_statistics = !flags.stats.empty();
  vm_ = std::make_unique<vm::Vm>(options);
  if (flags.tier != "interp" && !flags.traces("calls")) {
    jit::Options compiler;
    compiler.tier = flags.tier == "jit" ? jit::TierMode::Jit : jit::TierMode::Auto;
    if (flags.jit_threshold >= 0) compiler.jit_threshold = flags.jit_threshold;
    if (flags.osr_threshold >= 0) compiler.osr_threshold = flags.osr_threshold;
    compiler.filter = flags.jit_filter;
    for (unsigned i = 0; i < static_cast<unsigned>(jit::Pass::Count); ++i)
      for (const std::string& name : flags.no_opt)
        if (name == jit::flag_of(static_cast<jit::Pass>(i))) compiler.without |= 1u << i;
    std::string problem;
    // Breakpoints, too, can only be set in memory of the process itself.
    // For call frames to be found behind code, as perf does, it starts on a page of its own.
    compiler.anonymous_code = !flags.perf.empty() || flags.gdb;
    if (flags.perf == "map") listen(jit::debug::perf_map(&problem), problem);
    if (flags.perf == "jitdump") listen(jit::debug::jitdump(&problem), problem);
    if (flags.gdb) listen(jit::debug::gdb_interface(), "");
    for (const auto& own : listeners_) compiler.listeners.push_back(own.get());
    if (listener) compiler.listeners.push_back(listener);
    if (trace_ && flags.traces("jit"))
      compiler.on_event = [this](const std::string& line) { trace_->line(line); };
    tier_ = jit::attach(*vm_, compiler);
    if (!tier_) warn(flags, "no machine code on this processor: interpreting");
  }
  if (trace_ && flags.traces("gc")) vm_->context().heap->on_collection = trace_collection;
  if (flags.has_seed) rt::native_state(vm_->context()).seed = flags.seed;
  if (!flags.profile.empty()) profile_ = std::make_unique<Profile>(*vm_);
  set_running(vm_.get());
  start_ = std::chrono::steady_clock::now();
}

void MachineRun::listen(std::unique_ptr<jit::debug::CodeListener> listener, const std::string& problem) {
  if (listener)
    listeners_.push_back(std::move(listener));
  else
    complain(problem);
}

MachineRun::~MachineRun() { set_running(nullptr); }

int MachineRun::report(const vm::RunResult& result, bool value_is_status) {
  std::string problem;
  rt::flush_output(vm_->context(), &problem);
  // A request that came too late to be noticed counts all the same.
  rt::Interrupt pending = vm_->context().interrupt.exchange(rt::Interrupt::None);
  bool ended = result.outcome == vm::Outcome::Finished || result.outcome == vm::Outcome::Panicked;
  if (ended && pending == rt::Interrupt::Stop) return kInterrupted;
  if (ended && pending == rt::Interrupt::Timeout) {
    complain("timeout");
    return kLimit;
  }
  switch (result.outcome) {
    case vm::Outcome::Finished:
      return value_is_status && result.value.is_small() ? static_cast<int>(result.value.small() & 255) : kOk;
    case vm::Outcome::Exited:
      return result.status;
    case vm::Outcome::Interrupted:
      return kInterrupted;
    case vm::Outcome::LimitHit:
      complain(result.limit == rt::Limit::Fuel ? "out of fuel" : "timeout");
      return kLimit;
    case vm::Outcome::Panicked:
      std::fprintf(stderr, "panic: %s\n%s", result.message.c_str(), result.trace.c_str());
      return result.message == "out of memory" ? kLimit : kPanic;
  }
  return kInternal;
}

int MachineRun::finish(int status) {
  std::string problem;
  if (!rt::flush_output(vm_->context(), &problem)) {
    complain("standard output: " + problem);
    if (status == kOk) status = kPanic;
  }
  if (trace_ && !trace_->finish())
    complain((flags_.trace_file.empty() ? "standard error" : flags_.trace_file) +
             ": the trace could not be written");
  if (profile_ && !profile_->write(flags_.profile, &problem)) {
    complain(problem);
    if (status == kOk) status = kPanic;
  }
  if (!flags_.stats.empty()) {
    rt::Statistics& stats = *vm_->context().stats;
    auto ran = std::chrono::steady_clock::now() - start_;
    auto all = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(ran).count());
    stats.interpreter_ns = all - std::min(all, stats.machine_ns + stats.compile_ns);
    vm::count_sites(*vm_);
    std::string text =
        flags_.stats == "json" ? rt::statistics_json(vm_->context()) : rt::statistics_table(vm_->context());
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  return status;
}

}  // namespace eddy::tool
