#include "runtime/memory_limit.h"

#include "runtime/heap.h"

namespace eddy::rt {

bool check_size(Context& ctx, uint64_t bytes) {
  if (bytes <= ctx.heap->limit()) return true;
  panic(ctx, "out of memory");
  return false;
}

bool check_memory(Context& ctx, uint64_t bytes) {
  if (bytes < 65536 || ctx.heap->can_allocate(bytes)) return true;
  panic(ctx, "out of memory");
  return false;
}

bool check_exhausted(Context& ctx) {
  if (!ctx.heap_exhausted) [[likely]] return true;
  ctx.heap_exhausted = false;
  panic(ctx, "out of memory");
  return false;
}

}  // namespace eddy::rt
