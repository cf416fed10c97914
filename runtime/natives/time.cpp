// Clocks.
#include <cerrno>
#include <ctime>

#include "runtime/natives/define.h"
#include "runtime/natives/state.h"

namespace eddy::rt {

namespace {

Value read_clock(Context& ctx, clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return int_from_i64(ctx, static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
}

Value now(Context& ctx, Value*) { return read_clock(ctx, CLOCK_REALTIME); }
Value monotonic(Context& ctx, Value*) { return read_clock(ctx, CLOCK_MONOTONIC); }

Value sleep(Context& ctx, Value* args) {
  if (int_compare(args[0], small_int(0)) <= 0) return kUnit;
  int64_t nanoseconds = args[0].is_small() ? args[0].small() : kSmallMax;
  timespec left{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    if (told_to_stop(ctx)) return kNull;
  }
  return kUnit;
}

const Native table[] = {
    define<"", now>("time.now"),
    define<"", monotonic>("time.monotonic"),
    define<"i", sleep>("time.sleep", kNoAllocation),
};

}  // namespace

const std::span<const Native> time_natives = table;

}  // namespace eddy::rt
