// Memory for the fuzzer's own C++ objects: a fifth of its time went into malloc and free, for what lives as long as
// one compilation. Small pieces come from large blocks and go back to lists by size; nothing ever returns to the
// system, for the process that runs a program ends with it. Sanitized builds keep what checks for them.
#ifndef EDDY_SANITIZE

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

constexpr size_t kGrain = 16, kLargest = 1024, kBlock = size_t{256} << 10;

// In front of every piece, so that a delete that is not told the size finds it.
struct alignas(kGrain) Head {
  size_t list;  // 0: malloc's own
};

struct Free {
  Free* next;
};

std::array<Free*, kLargest / kGrain + 1> g_free{};
char* g_at = nullptr;
char* g_end = nullptr;

void* take(size_t size) {
  size_t list = (size + kGrain - 1) / kGrain + (size == 0);
  if (list >= g_free.size()) {
    auto* head = static_cast<Head*>(std::malloc(sizeof(Head) + size));
    if (!head) std::abort();
    head->list = 0;
    return head + 1;
  }
  if (Free* free = g_free[list]) {
    g_free[list] = free->next;
    __builtin_prefetch(free->next,
                       1);  // or the next of this size waits for it, which is most of what this takes
    return free;
  }
  size_t bytes = sizeof(Head) + list * kGrain;
  if (static_cast<size_t>(g_end - g_at) < bytes) {
    g_at = static_cast<char*>(std::malloc(kBlock));
    if (!g_at) std::abort();
    g_end = g_at + kBlock;
  }
  auto* head = reinterpret_cast<Head*>(g_at);
  g_at += bytes;
  head->list = list;
  return head + 1;
}

void give_back(void* piece) {
  if (!piece) return;
  Head* head = static_cast<Head*>(piece) - 1;
  if (!head->list) return std::free(head);
  auto* free = static_cast<Free*>(piece);
  free->next = g_free[head->list];
  g_free[head->list] = free;
}

}  // namespace

void* operator new(size_t size) { return take(size); }
void* operator new[](size_t size) { return take(size); }
void operator delete(void* piece) noexcept { give_back(piece); }
void operator delete[](void* piece) noexcept { give_back(piece); }
void operator delete(void* piece, size_t) noexcept { give_back(piece); }
void operator delete[](void* piece, size_t) noexcept { give_back(piece); }

#endif
