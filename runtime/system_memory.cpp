#include "runtime/system_memory.h"

#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cstdio>
#include <cstdlib>

namespace eddy::rt::memory {

namespace {

// Several VMs may run in threads of one process.
std::atomic<uint64_t> g_requests{0}, g_refuse{0}, g_held{0};
// Where an aligned chunk is likely to be free: one request of the system then, instead of three.
std::atomic<uintptr_t> g_next_chunk{0};

}  // namespace

bool refused() {
  uint64_t n = g_requests.fetch_add(1, std::memory_order_relaxed) + 1;
  return n == g_refuse.load(std::memory_order_relaxed);
}

// Uncounted: one request may take several tries. At `wanted`, if that is free.
static void* map_pages(size_t bytes, uintptr_t wanted = 0) {
  void* p = mmap(reinterpret_cast<void*>(wanted), bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  g_held.fetch_add(bytes, std::memory_order_relaxed);
  return p;
}

static bool aligned(uintptr_t pages, size_t bytes) { return (pages & (bytes - 1)) == 0; }

void* map(size_t bytes) { return refused() ? nullptr : map_pages(bytes); }

void unmap(void* pages, size_t bytes) {
  if (!bytes) return;
  munmap(pages, bytes);
  g_held.fetch_sub(bytes, std::memory_order_relaxed);
  auto start = reinterpret_cast<uintptr_t>(pages);
  if (std::has_single_bit(bytes) && aligned(start, bytes)) g_next_chunk.store(start, std::memory_order_relaxed);
}

constexpr uintptr_t kLargePage = uintptr_t{2} << 20;
// From here on large pages pay: memory is filled, and given back, in a fraction of the time.
constexpr size_t kWorthLargePages = size_t{16} << 20;

void expect_use(void* pages, size_t bytes) {
  if (bytes < kWorthLargePages) return;
  const auto start = reinterpret_cast<uintptr_t>(pages);
  const uintptr_t from = (start + 2 * kLargePage - 1) & ~(kLargePage - 1),
                  to = (start + bytes) & ~(kLargePage - 1);
  if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
}

void* map_chunk(size_t bytes, bool whole) {
  if (refused()) return nullptr;
  auto chunk = reinterpret_cast<uintptr_t>(map_pages(bytes, g_next_chunk.load(std::memory_order_relaxed)));
  if (!chunk) return nullptr;
  if (!aligned(chunk, bytes)) {
    unmap(reinterpret_cast<void*>(chunk), bytes);
    // Twice the size, to cut an aligned piece out of.
    auto raw = reinterpret_cast<uintptr_t>(map_pages(2 * bytes));
    if (!raw) return nullptr;
    chunk = (raw + bytes - 1) & ~uintptr_t{bytes - 1};
    unmap(reinterpret_cast<void*>(raw), chunk - raw);
    unmap(reinterpret_cast<void*>(chunk + bytes), raw + bytes - chunk);
  }
  g_next_chunk.store(chunk - bytes, std::memory_order_relaxed);
  auto* start = reinterpret_cast<void*>(chunk);
  if (whole) madvise(start, bytes, MADV_HUGEPAGE);
  return start;
}

void* take(size_t bytes, size_t alignment) {
  if (refused()) return nullptr;
  void* p = alignment <= 16 ? std::malloc(bytes) : std::aligned_alloc(alignment, bytes);
  if (!p) return nullptr;
  expect_use(p, bytes);
  g_held.fetch_add(bytes, std::memory_order_relaxed);
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
