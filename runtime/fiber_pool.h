// Makes, grows, recycles and lists fibers.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "runtime/fiber.h"

namespace eddy::rt {

struct Context;

class FiberPool {
 public:
  explicit FiberPool(Context& ctx) : ctx_(ctx) {}
  ~FiberPool();
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;

  // A fiber with room for at least `words` words, sp at base. Null only where the stack limit is reached.
  Fiber* make(size_t words);
  void release(Fiber* fiber);
  // Makes room for `words` more words below `sp`; false where the stack limit is reached (nothing changed).
  // Addresses into the old block are dead afterwards: fiber->sp, base, limit have moved.
  bool grow(Fiber* fiber, size_t words);
  // A fiber with the same frames, records, tag and id-fresh; Suspended.
  Fiber* copy(const Fiber* fiber);

  const std::vector<Fiber*>& live() const { return live_; }
  // Fibers made since the last minor collection; the collector clears it.
  std::vector<Fiber*>& young() { return young_; }
  uint64_t bytes() const { return bytes_; }

  struct Counters { uint64_t made = 0, reused = 0, copied = 0, peak = 0, bytes_copied = 0, grown = 0; };
  Counters counters;

 private:
  struct Block { Block* next; };
  static constexpr unsigned kClasses = 48;
  bool take_block(Fiber* fiber, size_t words);
  void give_block(Fiber* fiber);

  Context& ctx_;
  std::vector<Fiber*> live_, young_;
  std::vector<Fiber*> slabs_;
  Fiber* free_ = nullptr;
  std::array<Block*, kClasses> blocks_{};
  uint64_t bytes_ = 0;
  uint32_t next_id_ = 1;
};

// Words kept free under a fiber's limit: a leaf may write one frame header and a return address there.
constexpr size_t kStackSlackWords = 8;
constexpr size_t kSmallestBlockWords = 32;  // 256 bytes

}  // namespace eddy::rt
