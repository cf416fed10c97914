#include "runtime/memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/heap.h"

namespace eddy::rt {

namespace {

// Without a limit of the heap's own: what the machine has, or what the process may have.
uint64_t machine_limit() {
  static const uint64_t limit = [] {
    uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    rlimit address_space{};
    if (getrlimit(RLIMIT_AS, &address_space) == 0 && address_space.rlim_cur != RLIM_INFINITY)
      bytes = std::min<uint64_t>(bytes, address_space.rlim_cur);
    return bytes / 4 * 3;
  }();
  return limit;
}

uint64_t limit_of(const Context& ctx) {
  uint64_t limit = ctx.heap->options().max_heap_bytes;
  return limit ? limit : machine_limit();
}

}  // namespace

bool check_size(Context& ctx, uint64_t bytes) {
  if (bytes <= limit_of(ctx)) return true;
  panic(ctx, "out of memory");
  return false;
}

bool check_memory(Context& ctx, uint64_t bytes) {
  if (bytes < 65536) return true;
  if (!check_size(ctx, bytes)) return false;
  auto fits = [&] { return ctx.heap->counters().old_bytes <= limit_of(ctx) - bytes; };
  if (fits()) return true;
  ctx.heap->collect_major();  // what fills the heap may be garbage
  if (fits()) return true;
  panic(ctx, "out of memory");
  return false;
}

}  // namespace eddy::rt
