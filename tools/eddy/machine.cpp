#include "tools/eddy/machine.h"

#include <csignal>
#include <cstdio>
#include <sys/time.h>
#include <unistd.h>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "runtime/natives/state.h"
#include "tools/eddy/files.h"

namespace eddy::tool {

namespace {

vm::Vm* running = nullptr;
volatile sig_atomic_t interrupts = 0;

// A request can be lost in the instant in which the VM changes fibers, so it is repeated until it is heeded.
constexpr suseconds_t kRepeatMicroseconds = 2000;

void arm(double first_seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<time_t>(first_seconds);
  timer.it_value.tv_usec = static_cast<suseconds_t>((first_seconds - static_cast<double>(timer.it_value.tv_sec)) * 1e6);
  if (timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0) timer.it_value.tv_usec = 1;
  timer.it_interval.tv_usec = kRepeatMicroseconds;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

void on_interrupt(int) {
  if (++interrupts > 1) _exit(kInterrupted);
  if (running) running->interrupt(rt::Interrupt::Stop);
}

void on_alarm(int) {
  if (running) running->interrupt(rt::Interrupt::Timeout);
}

void install(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_ONSTACK;  // machine code runs on stacks of its own
  sigaction(signal, &action, nullptr);
}

}  // namespace

MachineRun::MachineRun(const RunFlags& flags, std::vector<std::string> arguments) : flags_(flags) {
  if (!spdlog::get("eddy")) spdlog::set_default_logger(spdlog::stderr_logger_mt("eddy"));
  spdlog::set_level(spdlog::level::from_str(flags.log_level));
  vm::VmOptions options;
  options.heap.max_heap_bytes = flags.max_heap;
  options.heap.stress = flags.gc_stress;
  options.heap.verify = flags.verify_heap;
  options.max_stack = flags.max_stack;
  options.fuel = flags.fuel;
  options.arguments = std::move(arguments);
  vm_ = std::make_unique<vm::Vm>(options);
  running = vm_.get();

  static char signal_stack[64 * 1024];
  stack_t alternate{};
  alternate.ss_sp = signal_stack;
  alternate.ss_size = sizeof signal_stack;
  sigaltstack(&alternate, nullptr);
  install(SIGINT, on_interrupt);
  install(SIGALRM, on_alarm);
  if (flags.timeout > 0) arm(flags.timeout);
}

MachineRun::~MachineRun() {
  itimerval off{};
  setitimer(ITIMER_REAL, &off, nullptr);
  running = nullptr;
}

int MachineRun::report(const vm::RunResult& result, bool value_is_status) {
  std::string problem;
  rt::flush_output(vm_->context(), &problem);
  switch (result.outcome) {
    case vm::Outcome::Finished:
      return value_is_status && result.value.is_small() ? static_cast<int>(result.value.small() & 255) : kOk;
    case vm::Outcome::Exited: return result.status;
    case vm::Outcome::Interrupted: return kInterrupted;
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
  if (!flags_.stats.empty()) {
    std::string text = flags_.stats == "json" ? rt::statistics_json(vm_->context()) + "\n" : rt::statistics_table(vm_->context());
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  return status;
}

}  // namespace eddy::tool
