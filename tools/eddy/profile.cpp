#include "tools/eddy/profile.h"

#include <signal.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace eddy::tool {

namespace {

constexpr long kPeriodNs = 1'000'000;
std::atomic<rt::Context*> sampled{nullptr};
timer_t timer{};

// The VM walks its stack itself, at its next safepoint; here it is only asked to.
void on_tick(int) {
  rt::Context* ctx = sampled.load();
  if (!ctx) return;
  int missed = timer_getoverrun(timer);
  ctx->samples.fetch_add(1 + static_cast<uint32_t>(missed > 0 ? missed : 0), std::memory_order_relaxed);
  ctx->request_safepoint();
}

}  // namespace

Profile::Profile(vm::Vm& vm) : vm_(vm) {
  vm_.context().profile = &profiler_;
  sampled = &vm_.context();
  struct sigaction action{};
  action.sa_handler = on_tick;
  action.sa_flags = SA_ONSTACK | SA_RESTART;  // machine code runs on stacks of its own
  sigaction(SIGPROF, &action, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGPROF;
  if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) != 0) return;
  running_ = true;
  itimerspec period{};
  period.it_interval.tv_nsec = period.it_value.tv_nsec = kPeriodNs;
  timer_settime(timer, 0, &period, nullptr);
}

void Profile::stop() {
  if (running_) timer_delete(timer);
  running_ = false;
  sampled = nullptr;
  vm_.context().profile = nullptr;
}

Profile::~Profile() { stop(); }

bool Profile::write(const std::string& file, std::string* problem) {
  stop();
  profiler_.settle();
  bool svg = file.size() > 4 && file.compare(file.size() - 4, 4, ".svg") == 0;
  std::string text = svg ? flame_graph(profiler_, "Eddy") : vm::folded_stacks(profiler_);
  std::FILE* out = std::fopen(file.c_str(), "w");
  bool good = out && std::fwrite(text.data(), 1, text.size(), out) == text.size();
  if (out) good &= std::fclose(out) == 0;
  if (!good) *problem = file + ": " + std::strerror(errno);
  return good;
}

}  // namespace eddy::tool
