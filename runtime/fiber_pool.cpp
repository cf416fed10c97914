#include "runtime/fiber_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>

#include "runtime/context.h"
#include "runtime/heap.h"
#include "runtime/system_memory.h"
#include "runtime/plants.h"

namespace eddy::rt {

namespace {

// Stacks made since the last minor collection that make it worth having one: many may be garbage.
constexpr uint64_t kPressureBytes = uint64_t{64} << 20;
// All stacks together may hold so many times what one may.
constexpr uint64_t kStacksTogether = 4;
// What free fibers may hold in big blocks. The next deep computation finds its stack as the last one left it, instead of
// growing from the smallest again.
constexpr uint64_t kKeptBytes = uint64_t{64} << 20;
constexpr size_t kPageWords = 4096 / sizeof(Word);

// The words a fiber's limit allows it and its slack: what is accounted for. Less than its block has only where
// that is a big reservation.
size_t held_words(const Fiber* fiber) { return static_cast<size_t>(fiber->base - fiber->limit) + kStackSlackWords; }
uint64_t held_bytes(const Fiber* fiber) { return held_words(fiber) * sizeof(Word); }

Fiber* next_free(const Fiber* fiber) { return reinterpret_cast<Fiber*>(reinterpret_cast<Word>(fiber->parent) - Fiber::kFree); }

FiberBlock block_of(const Fiber* fiber) {
  return {fiber->base - FiberBlocks::words(fiber->size_class), fiber->size_class};
}

}  // namespace

FiberPool::FiberPool(Context& ctx) : ctx_(ctx), supply_(ctx.fiber_supply) { supply_ = {}; }

FiberPool::~FiberPool() {
  for_each_live([this](Fiber* fiber) { clear_block(fiber); });
  clear_free_blocks();
  for (size_t i = 0; i < slabs_.size(); ++i) {
    if (i < kLoneSlabs) memory::give(slabs_[i], kSlabBytes);
    else if (i % kChunkSlabs == 0) memory::unmap(slabs_[i], kChunkSlabs * kSlabBytes);
  }
}

Fiber* FiberPool::take_descriptor() {
  if (slab_used_ == kSlabFibers) {
    void* slab;
    if (slabs_.size() < kLoneSlabs) slab = memory::take(kSlabBytes, 64);
    else if (slabs_.size() % kChunkSlabs == 0) slab = memory::map_chunk(kChunkSlabs * kSlabBytes, true);
    else slab = slabs_.back() + kSlabFibers;
    if (!slab) return nullptr;
    slabs_.push_back(static_cast<Fiber*>(slab));
    slab_used_ = 0;
  }
  return new (&slabs_.back()[slab_used_++]) Fiber;
}

bool FiberPool::admit(uint64_t bytes) {
  uint64_t total = bytes_ + bytes;
  if (total <= quick_bytes_) [[likely]] {
    bytes_ = total;
    return true;
  }
  uint64_t all = kStacksTogether * ctx_.max_stack;
  if (bytes > all) return false;
  if (bytes_ > all - bytes) {
    clear_free_blocks();
    if (bytes_ > all - bytes) return false;
    total = bytes_ + bytes;
  }
  bytes_ = total;
  if (total > counters.peak_bytes) {
    counters.peak_bytes = total;
    if (ctx_.on_depth && total > depth_seen_) {
      // Often enough to be close to the truth, seldom enough that walking stacks costs no more than filling them.
      depth_seen_ = total + total / 16;
      ctx_.on_depth(ctx_);
    }
  }
  if (total > bytes_at_minor_ + kPressureBytes && ctx_.heap) [[unlikely]] {
    bytes_at_minor_ = total;
    ctx_.heap->request_minor();
  }
  settle_quick_bytes();
  return true;
}

void FiberPool::settle_quick_bytes() {
  quick_bytes_ = std::min({kStacksTogether * ctx_.max_stack, counters.peak_bytes, bytes_at_minor_ + kPressureBytes});
}

void FiberPool::minor_done() {
  bytes_at_minor_ = bytes_;
  settle_quick_bytes();
}

void FiberPool::set_block(Fiber* fiber, const FiberBlock& block) {
  fiber->size_class = static_cast<uint8_t>(block.size_class);
  fiber->base = block.lowest + FiberBlocks::words(block.size_class);
  fiber->limit = block.lowest + kStackSlackWords;
}

void FiberPool::clear_block(Fiber* fiber) {
  if (fiber->base) blocks_.give(block_of(fiber));
  fiber->base = nullptr;
  fiber->size_class = kNoBlock;
}

void FiberPool::clear_free_block(Fiber* fiber) {
  if (!fiber->base) return;
  (fiber->size_class > kKeptClass ? kept_bytes_ : bytes_) -= held_bytes(fiber);
  clear_block(fiber);
}

void FiberPool::clear_free_blocks() {
  for (Fiber* fiber = supply_.free; fiber; fiber = next_free(fiber)) clear_free_block(fiber);
}

Fiber* FiberPool::make(size_t words) {
  words += kStackSlackWords;
  Fiber* fiber = supply_.free;
  // A free fiber's block is as its last use left it, and it may be too small.
  if (fiber && fiber->base && held_words(fiber) >= words) [[likely]] {
    supply_.free = next_free(fiber);
    if (fiber->size_class > kKeptClass) [[unlikely]] {
      if (!admit(held_bytes(fiber))) {
        supply_.free = fiber;
        return nullptr;
      }
      kept_bytes_ -= held_bytes(fiber);
    }
  } else {
    if (fiber) clear_free_block(fiber);
    unsigned size_class = FiberBlocks::class_for(words);
    uint64_t bytes = FiberBlocks::words(size_class) * sizeof(Word);
    if (size_class >= FiberBlocks::kClasses || !admit(bytes)) return nullptr;
    FiberBlock block = blocks_.take(size_class);
    if (!block.lowest) {
      bytes_ -= bytes;
      return nullptr;
    }
    if (fiber) {
      supply_.free = next_free(fiber);
    } else {
      fiber = take_descriptor();
      if (!fiber) {
        blocks_.give(block);
        bytes_ -= bytes;
        return nullptr;
      }
    }
    set_block(fiber, block);
  }
  fiber->parent = nullptr;
  fiber->sp = fiber->base;
  fiber->tag = 0;
  fiber->id = static_cast<uint32_t>(++supply_.made);
  fiber->dirty = true;
  fiber->copied = 0;
  if (fiber->old) {
    fiber->old = false;
    young_.push_back(fiber);
  }
  return fiber;
}

void FiberPool::release(Fiber* fiber) {
  assert(!fiber->free());
  if (!PLANTED(fiber_keeps_records)) fiber->records = 0;
  if (fiber->watermarks) [[unlikely]] drop_watermarks(fiber);
  if (fiber->size_class > kKeptClass) [[unlikely]] {
    uint64_t bytes = held_bytes(fiber);
    bytes_ -= bytes;
    if (kept_bytes_ + bytes <= kKeptBytes) kept_bytes_ += bytes;
    else clear_block(fiber);
  }
  fiber->parent = reinterpret_cast<Fiber*>(reinterpret_cast<Word>(supply_.free) + Fiber::kFree);
  supply_.free = fiber;
}

bool FiberPool::grow(Fiber* fiber, size_t words) {
  size_t used = fiber->offset_of(fiber->sp);
  size_t need = used + words + kStackSlackWords;
  if (need <= held_words(fiber)) return true;
  if (words > ctx_.max_stack || need * sizeof(Word) > ctx_.max_stack) return false;
  if (fiber->size_class >= FiberBlocks::kBigClass ||
      std::max(need, 2 * held_words(fiber)) > FiberBlocks::words(FiberBlocks::kBigClass - 1))
    return grow_big(fiber, need);

  unsigned size_class = FiberBlocks::class_for(std::max(need, 2 * held_words(fiber)));
  uint64_t more = FiberBlocks::words(size_class) * sizeof(Word) - held_bytes(fiber);
  if (!admit(more)) return false;
  FiberBlock block = blocks_.take(size_class);
  if (!block.lowest) {
    bytes_ -= more;
    return false;
  }
  FiberBlock old = block_of(fiber);
  set_block(fiber, block);
  std::memcpy(fiber->base - used, fiber->sp, used * sizeof(Word));
  fiber->sp = fiber->base - used;
  blocks_.give(old);
  ++counters.grown;
  return true;
}

// Beyond 256 KiB a block is a reservation, and growing mostly means moving the limit down in it.
bool FiberPool::grow_big(Fiber* fiber, size_t need) {
  size_t held = held_words(fiber), used = fiber->offset_of(fiber->sp);
  need = (need + kPageWords - 1) & ~(kPageWords - 1);
  // Twice as much, or else what the limit still allows; what the reservation has comes first.
  size_t here = fiber->size_class >= FiberBlocks::kBigClass ? FiberBlocks::words(fiber->size_class) : 0;
  size_t most = std::max(need, static_cast<size_t>(ctx_.max_stack / sizeof(Word)));
  size_t target = std::min(std::max(need, 2 * held), most);
  if (need <= here) target = std::min(target, here);
  if (!admit((target - held) * sizeof(Word))) {
    target = need;
    if (!admit((target - held) * sizeof(Word))) return false;
  }
  if (target > here) {
    unsigned least = FiberBlocks::class_for(target);
    unsigned size_class = std::min(FiberBlocks::class_for(2 * held) + 2, FiberBlocks::kClasses - 1);
    size_class = std::max({size_class, least, FiberBlocks::kBigClass});
    // Less generous where address space is short.
    FiberBlock block = blocks_.take(size_class);
    while (!block.lowest && size_class > std::max(least, FiberBlocks::kBigClass)) block = blocks_.take(--size_class);
    if (!block.lowest) {
      bytes_ -= (target - held) * sizeof(Word);
      return false;
    }
    FiberBlock old = block_of(fiber);
    set_block(fiber, block);
    std::memcpy(fiber->base - used, fiber->sp, used * sizeof(Word));
    fiber->sp = fiber->base - used;
    blocks_.give(old);
  }
  fiber->limit = fiber->base - target + kStackSlackWords;
  ++counters.grown;
  return true;
}

Fiber* FiberPool::copy(const Fiber* fiber) {
  size_t used = fiber->offset_of(fiber->sp);
  // With a little room, for it is going to run.
  Fiber* twin = make(used + kStackSlackWords + (PLANTED(room_lost) ? 0 : supply_.room / sizeof(Word)));
  if (!twin) return nullptr;
  twin->sp = twin->base - used;
  std::memcpy(twin->sp, fiber->sp, used * sizeof(Word));
  if (fiber->watermarks)
    for (const Watermark& mark : watermark_tables_[fiber->watermarks])
      // Some may be left of frames that are gone: what is there now is none of theirs.
      if (mark.offset <= used && *twin->at(mark.offset) == ctx_.stubs.watermark) *twin->at(mark.offset) = mark.address;
  twin->tag = fiber->tag;
  twin->records = fiber->records;
  ++supply_.copied;
  supply_.bytes_copied += used * sizeof(Word);
  return twin;
}

FiberPool::Watermarks& FiberPool::make_watermarks(Fiber* fiber) {
  if (!fiber->watermarks) {
    if (free_watermarks_.empty()) {
      free_watermarks_.push_back(static_cast<uint32_t>(watermark_tables_.size()));
      watermark_tables_.emplace_back();
    }
    fiber->watermarks = free_watermarks_.back();
    free_watermarks_.pop_back();
  }
  return watermark_tables_[fiber->watermarks];
}

void FiberPool::drop_watermarks(Fiber* fiber) {
  watermark_tables_[fiber->watermarks].clear();
  free_watermarks_.push_back(fiber->watermarks);
  fiber->watermarks = 0;
}

Word FiberPool::restore_watermark(Fiber* fiber, Word* return_word) {
  Watermarks& marks = watermark_tables_[fiber->watermarks];
  Word offset = fiber->offset_of(return_word);
  // Those of younger frames are of no use any more.
  while (marks.back().offset > offset) marks.pop_back();
  assert(marks.back().offset == offset);
  Word address = marks.back().address;
  marks.pop_back();
  *return_word = address;
  return address;
}

Word FiberPool::return_address(const Fiber* fiber, const Word* return_word) const {
  if (*return_word != ctx_.stubs.watermark || !fiber->watermarks) [[likely]]
    return *return_word;
  const Watermarks& marks = watermark_tables_[fiber->watermarks];
  auto mark = std::lower_bound(marks.begin(), marks.end(), fiber->offset_of(return_word),
                               [](const Watermark& m, Word offset) { return m.offset < offset; });
  assert(mark != marks.end() && mark->offset == fiber->offset_of(return_word));
  return mark->address;
}

void FiberPool::cut_stack(Fiber* fiber) {
  size_t used = fiber->offset_of(fiber->sp);
  unsigned size_class = FiberBlocks::class_for(used + kStackSlackWords + supply_.room / sizeof(Word));
  // Below two steps it is not worth the copying back when it runs again.
  if (size_class + 2 > fiber->size_class) return;
  FiberBlock block = blocks_.take(size_class);
  if (!block.lowest) return;
  FiberBlock old = block_of(fiber);
  bytes_ -= held_bytes(fiber);
  set_block(fiber, block);
  bytes_ += held_bytes(fiber);
  std::memcpy(fiber->base - used, fiber->sp, used * sizeof(Word));
  fiber->sp = fiber->base - used;
  blocks_.give(old);
  ++counters.cut;
}

void FiberPool::trim() {
  clear_free_blocks();
  blocks_.trim();
  // Stacks that were deep once: what a fiber has not used of a reservation for a while it gets again as zeros.
  for_each_live([this](Fiber* fiber) {
    if (fiber->size_class < FiberBlocks::kBigClass) return;
    size_t used = (static_cast<size_t>(fiber->offset_of(fiber->sp)) + kPageWords) & ~(kPageWords - 1);
    // Leaves room for any frame, which may have been asked for already.
    size_t keep = std::max(2 * used, 2 * FiberBlocks::words(FiberBlocks::kBigClass));
    size_t held = held_words(fiber);
    if (keep > held / 2) return;
    madvise(fiber->base - held, (held - keep) * sizeof(Word), MADV_DONTNEED);
    Word* limit = fiber->base - keep + kStackSlackWords;
    // Not where a safepoint was asked for, or where the caller holds another idea of the limit.
    if (ctx_.stack_limit == fiber->limit) ctx_.stack_limit = limit;
    fiber->limit = limit;
    bytes_ -= (held - keep) * sizeof(Word);
  });
}

}  // namespace eddy::rt
