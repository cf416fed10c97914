#include "runtime/system_memory.h"

#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace eddy::rt::memory {

namespace {

// Several VMs may run in threads of one process.
std::atomic<uint64_t> g_requests{0}, g_refuse{0}, g_held{0};

}  // namespace

bool refused() {
  uint64_t n = g_requests.fetch_add(1, std::memory_order_relaxed) + 1;
  return n == g_refuse.load(std::memory_order_relaxed);
}

// Uncounted: one request may take several tries.
static void* map_pages(size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  g_held.fetch_add(bytes, std::memory_order_relaxed);
  return p;
}

void* map(size_t bytes) { return refused() ? nullptr : map_pages(bytes); }

void unmap(void* pages, size_t bytes) {
  if (!bytes) return;
  munmap(pages, bytes);
  g_held.fetch_sub(bytes, std::memory_order_relaxed);
}

void* map_chunk(size_t bytes, bool whole) {
  if (refused()) return nullptr;
  // Behind another chunk it lies right as it comes.
  auto* chunk = static_cast<char*>(map_pages(bytes));
  if (!chunk) return nullptr;
  if (reinterpret_cast<uintptr_t>(chunk) & (bytes - 1)) {
    unmap(chunk, bytes);
    // Twice the size, to cut an aligned piece out of.
    auto* raw = static_cast<char*>(map_pages(2 * bytes));
    if (!raw) return nullptr;
    size_t before = -reinterpret_cast<uintptr_t>(raw) & (bytes - 1);
    chunk = raw + before;
    unmap(raw, before);
    unmap(chunk + bytes, bytes - before);
  }
  if (whole) madvise(chunk, bytes, MADV_HUGEPAGE);
  return chunk;
}

void* take(size_t bytes, size_t alignment) {
  if (refused()) return nullptr;
  void* p = alignment <= 16 ? std::malloc(bytes) : std::aligned_alloc(alignment, bytes);
  if (p) g_held.fetch_add(bytes, std::memory_order_relaxed);
  return p;
}

void give(void* memory, size_t bytes) {
  std::free(memory);
  g_held.fetch_sub(bytes, std::memory_order_relaxed);
}

void none_left() {
  std::fputs("eddy: out of memory\n", stderr);
  std::_Exit(3);
}

void refuse_request(uint64_t n) {
  g_refuse.store(n ? g_requests.load(std::memory_order_relaxed) + n : 0, std::memory_order_relaxed);
}
uint64_t requests() { return g_requests.load(std::memory_order_relaxed); }
uint64_t held() { return g_held.load(std::memory_order_relaxed); }

}  // namespace eddy::rt::memory
