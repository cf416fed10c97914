// Makes, grows, recycles and lists fibers.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "runtime/fiber.h"
#include "runtime/fiber_blocks.h"

namespace eddy::rt {

struct Context;

class FiberPool {
 public:
  explicit FiberPool(Context& ctx);
  ~FiberPool();
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;

  // A fiber with room for at least `words` words, sp at base. Null only where the stack limit is
  // reached, or the system has no memory. See fiber.h for what keeps it alive.
  Fiber* make(size_t words);
  void release(Fiber* fiber);
  // Makes room for `words` more words below `sp`; false where the stack limit is reached (nothing changed).
  // Addresses into the old block are dead afterwards: fiber->sp, base, limit have moved.
  bool grow(Fiber* fiber, size_t words);
  // A fiber with the same frames, records and tag, a fresh id, no parent. Null as for make().
  Fiber* copy(const Fiber* fiber);

  // Watermarks (fiber.h).
  Word restore_watermark(Fiber* fiber, Word* return_word);
  Word return_address(const Fiber* fiber, const Word* return_word) const;

  // How many there are, free or not: so many were once in use together.
  uint64_t count() const { return slabs_.empty() ? 0 : slab_used_ + (slabs_.size() - 1) * kSlabFibers; }
  uint64_t reused() const { return supply_.made - count(); }
  template <class F>
  void for_each_live(F&& visit) {
    for (size_t s = 0; s < slabs_.size(); ++s) {
      size_t used = s + 1 == slabs_.size() ? slab_used_ : kSlabFibers;
      for (size_t i = 0; i < used; ++i)
        if (!slabs_[s][i].free()) visit(&slabs_[s][i]);
    }
  }
  // Bytes of stack that live fibers hold, and free ones in small blocks.
  uint64_t bytes() const { return bytes_; }

  struct Counters {
    uint64_t grown = 0, cut = 0, peak_bytes = 0;
  };
  Counters counters;

  // --- for the collector
  struct Watermark {
    Word offset;   // of the replaced word, from base
    Word address;  // what stood there
  };
  using Watermarks = std::vector<Watermark>;  // ascending offsets: the newest, in the youngest frame, is last
  Watermarks* watermarks(const Fiber* fiber) {
    return fiber->watermarks ? &watermark_tables_[fiber->watermarks] : nullptr;
  }
  Watermarks& make_watermarks(Fiber* fiber);
  // Fibers made since the last minor collection (some are Free again).
  std::vector<Fiber*>& young() { return young_; }
  void minor_done();
  // Moves a sleeping fiber's frames to a block of just their size. Its addresses change, as in grow().
  void cut_stack(Fiber* fiber);
  // After a major collection: gives memory back to the system.
  void trim();

 private:
  static constexpr size_t kSlabFibers = 1024, kSlabBytes = kSlabFibers * sizeof(Fiber);
  // The first slabs are requests of their own; where so many are there, so many more come in one, with large pages.
  static constexpr size_t kLoneSlabs = 32, kChunkSlabs = 32;

  Fiber* take_descriptor();
  void set_block(Fiber* fiber, const FiberBlock& block);
  bool admit(uint64_t bytes);
  void settle_quick_bytes();
  bool grow_big(Fiber* fiber, size_t need);
  void drop_watermarks(Fiber* fiber);
  void clear_block(Fiber* fiber);
  void clear_free_blocks();
  void clear_free_block(Fiber* fiber);

  Context& ctx_;
  FiberSupply& supply_;
  FiberBlocks blocks_;
  std::vector<Fiber*> young_;
  std::vector<Fiber*> slabs_;
  size_t slab_used_ = kSlabFibers;  // of the last slab
  std::vector<Watermarks> watermark_tables_{1};
  std::vector<uint32_t> free_watermarks_;
  uint64_t bytes_ = 0;
  uint64_t quick_bytes_ = 0;        // up to so many no limit is near, no record is broken, no collection due
  uint64_t kept_bytes_ = 0;         // in the blocks beyond kKeptClass of free fibers
  uint64_t bytes_at_minor_ = 0;
  uint64_t depth_seen_ = 0;         // bytes of stacks from which on their frames are counted again
  friend struct Collector;
};

}  // namespace eddy::rt
