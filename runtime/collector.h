// What a collection under way keeps, and the parts that minor and major collections share. One lives as long
// as its collection; heap.cpp decides when to run one.
//
//   collector_minor.cpp   copies what is reachable in the nursery to old space, all of it
//   collector_major.cpp   marks and sweeps old space (after a minor collection: the nursery is empty)
//   collector_fibers.cpp  which fibers are alive, and the frames of one; watermarks
//   collector_verify.cpp  checks the heap, shares nothing but each_slot
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/fiber_pool.h"
#include "runtime/heap.h"
#include "runtime/object_slots.h"
#include "runtime/old_space.h"
#include "runtime/word_set.h"

namespace eddy::rt {

// Objects still to be looked into.
class GreyStack {
 public:
  GreyStack() { resize(4096); }
  GreyStack(const GreyStack&) = delete;
  GreyStack& operator=(const GreyStack&) = delete;
  bool empty() const { return top_ == items_.get(); }
  void push(Object* object) {
    if (top_ == end_) [[unlikely]] return grow(object);
    *top_++ = object;
  }
  Object* pop() { return *--top_; }
  // Gives back what an unusual heap made it grow to.
  void trim() {
    if (end_ - items_.get() > 65536) resize(4096);
  }

 private:
  [[gnu::noinline]] void grow(Object* object) {
    resize(2 * static_cast<size_t>(end_ - items_.get()));
    *top_++ = object;
  }
  void resize(size_t size) {
    size_t used = static_cast<size_t>(top_ - items_.get());
    auto items = std::make_unique_for_overwrite<Object*[]>(size);
    std::copy(items_.get(), top_, items.get());
    items_ = std::move(items);
    top_ = items_.get() + used;
    end_ = items_.get() + size;
  }
  std::unique_ptr<Object*[]> items_;
  Object** top_ = nullptr;
  Object** end_ = nullptr;
};

// What the frames of machine code that return to one address have in common.
struct FramePlan {
  Word address = 0;
  uint32_t words = 0;           // from the return address into them to their own
  uint32_t frames = 0;          // so many, of functions that were inlined
  std::vector<uint32_t> slots;  // live ones, in words from the return address into them
};

struct Heap::Impl {
  OldSpace old;
  RawFields raw;
  std::vector<Object*> remembered;
  struct Card {
    Array* array;
    uint32_t index;
  };
  std::vector<Card> cards;             // set ones
  std::vector<LargeObject*> fresh;     // large objects made since the last minor collection: filled by plain stores
  std::vector<Fiber*> dirty;           // fibers that are not young and ran since they were last scanned
  std::vector<Fiber*> scanned;         // by the last minor collection
  struct ExtraRoots {
    void* owner;
    void (*visit_all)(void* owner, void* data, RootVisitor visit);
  };
  std::vector<ExtraRoots> extra_roots;
  // Kept for their capacity.
  FramePlan plans[64];                 // of this collection, by their addresses
  GreyStack stack;
  std::vector<Fiber*> fiber_stack;
  struct {
    WordSet blocks, large, objects, fibers, cards, fresh;
    std::vector<Word> block_list, large_list;
    std::vector<Object*> stack;
  } verifying;

  uint64_t limit = 0;                  // of old_bytes + fibers' bytes
  uint64_t next_major = 0;
  uint64_t old_bytes = 0;              // exact after a major collection, then grows with what is promoted
  uint32_t stress_count = 0;
  Counters counters;
};

struct Collector {
  explicit Collector(Heap& h)
      : heap(h), ctx(h.ctx_), impl(*h.impl_), old(impl.old), fibers(*ctx.fibers), stack(impl.stack),
        fiber_stack(impl.fiber_stack) {
    impl.raw.refresh(ctx.constructors);
    for (FramePlan& plan : impl.plans) plan.address = 0;
  }

  void minor();
  void major();

  // --- roots (collector.cpp)
  // Everything outside the heap and the fibers, except the weak cells; `visit` gets `data`.
  void each_root(void* data, Heap::RootVisitor visit);

  // --- fibers (collector_fibers.cpp)
  // Marks the fibers from `first` along their parents up to `last` (null: to the end) and puts those that must
  // be scanned on fiber_stack. In a minor collection only young ones need it, and the walk gives up after
  // kChainBudget others in all: then every young fiber counts as reached.
  void reach_chain(Fiber* first, const Fiber* last);
  void reach_continuation(Continuation* continuation);
  // The current chain and what C++ code holds.
  void reach_roots();
  // Takes one off fiber_stack. Its stack has been asked for some time ago: fibers lie far apart.
  Fiber* next_fiber() {
    Fiber* fiber = fiber_stack.back();
    fiber_stack.pop_back();
    size_t left = fiber_stack.size();
    if (left >= 16) {
      __builtin_prefetch(fiber_stack[left - 16]);
      __builtin_prefetch(fiber_stack[left - 8]->sp);
      __builtin_prefetch(fiber_stack[left - 8]->sp + 8);
    }
    return fiber;
  }
  // Looks at the live slots of a fiber's frames; a minor collection stops at the first watermark.
  void scan_fiber(Fiber* fiber);
  void release_unreached();

  Heap& heap;
  Context& ctx;
  Heap::Impl& impl;
  OldSpace& old;
  FiberPool& fibers;
  GreyStack& stack;
  std::vector<Fiber*>& fiber_stack;
  bool is_major = false;
  size_t chain_budget = kChainBudget;
  bool all_young_live = false;

 private:
  static constexpr size_t kChainBudget = 10000;
  static constexpr size_t kMostInPieces = 96;         // bytes of an object that is copied without a loop
  static constexpr size_t kWatermarkTop = 2048;       // words from the top of a stack to its first watermark
  static constexpr size_t kWatermarkSpacing = 4096;   // words
  static constexpr size_t kWatermarkDepth = 8192;     // stacks below this many words have none

  // fibers
  void scan_deep_fiber(Fiber* fiber);
  // The frames above `word`, which returns to `address`, as far as they are one of machine code or of the interpreter. The word
  // that says where they return to, or null.
  Word* scan_frame(Word address, Word* word);
  Word* scan_interpreted(Word address, Word* word);
  bool make_plan(FramePlan& plan, Word address, Word* word);  // false: not of machine code
  void look_at(Value* slot) {
    if (is_major) {
      if (is_unmarked(*slot)) mark_new(*slot);
    } else if (is_young(*slot)) {
      promote_young(slot);
    }
  }

  // minor
  static void promote_root(void* self, Value* slot);
  // One comparison for "a pointer" and "into the nursery": tag bits rotate to the top.
  bool is_young(Value value) const {
    return std::rotr(value.bits - reinterpret_cast<Word>(nursery_), 3) < nursery_words_;
  }
  Object* promote(Value* slot);
  void promote_young(Value* slot);
  Object* copy(Object* object, Value* slot);
  Object* copy_slowly(Object* object, Value* slot, size_t bytes);
  Object* moved(Object* object, Value* slot, Object* to, size_t bytes);
  void scan(Object* object);
  void scan_remembered();
  void drain_minor();
  void cut_sleepers();
  void finish_fibers();
  static bool settle_young(Collector&, Value* slot);
  // major
  static void mark_root(void* self, Value* slot);
  static bool is_marked(Collector&, Value* slot);
  // Whether it is an object that is still to be marked. What is not in old space is no heap object at all but part of the
  // program, and immortal.
  bool is_unmarked(Value value) const {
    return value.is_ptr() && value.bits &&
           (value.ptr()->header & (kHeaderMarked | kHeaderOld)) == (alive_bits_ ^ kHeaderMarked);
  }
  Object* mark(Value value);
  void mark_new(Value value);
  void scan_marked(Object* object);
  void drain_major();

  // Settles what keeps nothing alive: the effect cells, and the table of resources.
  void clear_weak(bool (*alive)(Collector&, Value*));

  struct Segment {
    Array* array;
    uint32_t next;
  };
  std::vector<Segment> segments_;  // of big arrays under mark
  std::vector<FiberPool::Watermark> new_watermarks_;
  char* nursery_ = heap.nursery_;
  size_t nursery_words_ = heap.nursery_bytes_ / 8;
  Word alive_bits_ = 0;  // of an old object's header, once it is known to be alive
  uint64_t copied_bytes_ = 0;
};

}  // namespace eddy::rt
