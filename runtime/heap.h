// Allocation and the collector.
//
// Rules (every native and every slow path lives by them):
//   1. Any allocate_* may collect, and a collection moves young objects. A raw Object* or Value in a C++ local
//      is dead after an allocation unless it is held in a Root or Roots, or re-read from ctx.args / a frame.
//      (An object whose header says kHeaderOld never moves again; it still needs a root.)
//   2. Before calling anything that may allocate, the interpreter has written the current frame's `resume`
//      word, the return address below the frame, and ctx.fiber->sp: the collector walks from there.
//   3. A store of a value into an object that may be old goes through write(). A fresh object is filled with
//      plain stores before the next allocation, whatever its size.
//   4. Fiber stacks need no barrier: fibers that ran since the last minor collection are on the dirty list
//      (fiber.h: fiber_ran). A Continuation's fibers are set when it is made; later they are only cleared
//      (top_fiber = null: consumed).
//   5. allocate_* never fails by returning null: with the heap limit reached (and a major collection of no
//      help) the heap sets ctx.heap_exhausted and requests a safepoint, and goes on from a reserve; the
//      safepoint raises the panic. What may be absurdly big, or makes many objects in one native, asks
//      can_allocate() first.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/context.h"
#include "runtime/object.h"

namespace eddy::rt {

struct CollectionEvent {
  bool major;
  uint64_t nanoseconds, promoted_bytes, old_bytes, fiber_bytes;
};

struct HeapOptions {
  size_t nursery_bytes = 0;           // 0: small, and larger while much of it survives
  size_t max_heap_bytes = size_t{0};  // 0: no limit
  uint32_t stress = 0;                // collect at every n-th allocation; 0: off
  bool verify = false;                // walk the whole heap after each collection
  uint32_t verify_every = 1;          // or only after every n-th
  uint64_t fail_at = 0;               // the n-th allocation finds the heap full; 0: none. Inline allocation is off
};

// A frame as the collector and the unwinder see it.
struct FrameView {
  Function* function = nullptr;
  Word* slots = nullptr;             // slot i at slots[i]
  const Word* pc = nullptr;          // bytecode position: where it goes on
  Word* return_word = nullptr;       // this frame's return-address slot (the next older frame is above it)
};

// Says which tagged slots of a frame are live at its position. The interpreter's implementation computes
// liveness lazily from bytecode; machine code brings its own maps. Installed once by the VM.
struct FrameMaps {
  // Fills `view` for the frame above `return_word`; false at a fiber's base. `address` is what the word says:
  // fibers.return_address(fiber, return_word), for the word itself may hold a watermark.
  bool (*describe)(Context&, Word address, Word* return_word, FrameView& view) = nullptr;
  // Calls visit(slot) for each live tagged slot.
  void (*each_live)(Context&, const FrameView&, void* data, void (*visit)(void* data, Value* slot)) = nullptr;
  // How many frames, of functions that were inlined, an address in machine code stands for. Of all that return there the same
  // slots are live. 0: it is not in machine code.
  unsigned (*frames_at)(Context&, Word address) = [](Context&, Word) { return 0u; };
};

class Heap {
 public:
  Heap(Context& ctx, const HeapOptions& options);
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  FrameMaps frame_maps;
  void (*on_collection)(Context&, const CollectionEvent&) = nullptr;  // for --trace=gc

  // Uninitialised fields except the header; the caller fills them before the next allocation.
  Object* allocate(Kind kind, uint32_t count, size_t bytes, uint16_t con = 0) {
    bytes = (bytes + 7) & ~size_t{7};
    Word start = reinterpret_cast<Word>(ctx_.alloc_ptr);
    if (start + bytes > reinterpret_cast<Word>(ctx_.alloc_limit)) [[unlikely]]
      return allocate_slow(kind, count, bytes, con);
    ctx_.alloc_ptr += bytes;
    auto* object = reinterpret_cast<Object*>(start);
    object->header = make_header(kind, count, con);
    return object;
  }
  // A Float in old space. Never collects.
  Value old_float(double value);
  // An object in old space, at most kLargeBytes large, that may be filled with anything young. Never collects.
  Object* old_object(Word header, size_t bytes);
  // With its header, a multiple of 8.
  static size_t object_bytes(const Object* object);
  // Whether `bytes` more fit under the heap limit. May collect.
  bool can_allocate(uint64_t bytes);
  uint64_t limit() const;

  void write(Object* holder, Value* field, Value value) {
    *field = value;
    if (value.is_ptr() && value.bits && (holder->header & (kHeaderOld | kHeaderRemembered)) == kHeaderOld &&
        in_nursery(value.ptr()))
      remember(holder, field);
  }
  bool in_nursery(const void* p) const { return static_cast<size_t>(static_cast<const char*>(p) - nursery_) < nursery_bytes_; }
  // The slow half of write(). Arrays beyond kLargeBytes never get kHeaderRemembered: a young value stored into
  // one always comes here and marks only the 4 KiB around the field.
  void remember(Object* holder, Value* field);

  void collect_minor();
  void collect_major();
  bool verify(std::string* problem);  // everything reachable, and every fiber

  // Puts a fiber on the dirty list.
  void fiber_ran(Fiber* fiber) {
    if (!fiber->dirty) [[unlikely]] add_dirty(fiber);
  }
  // Fibers that C++ code is putting together (copying a continuation): alive and scanned while listed.
  std::vector<Fiber*> held;

  // Makes the next allocation take its slow path and collect.
  void request_minor() { minor_requested_ = true; ctx_.alloc_limit = nursery_; }

  // Extra roots: visited at every collection.
  using RootVisitor = void (*)(void* data, Value* slot);
  void add_roots(void* owner, void (*visit_all)(void* owner, void* data, RootVisitor visit));
  void remove_roots(void* owner);

  struct Counters {
    uint64_t minor = 0, major = 0, bytes_allocated = 0, bytes_promoted = 0, max_pause_ns = 0, total_pause_ns = 0;
    uint64_t old_bytes = 0, peak_bytes = 0;  // peak: old space, large objects and fibers
    uint64_t allocations = 0;  // of all objects, only with fail_at
    uint64_t fibers_scanned = 0, fibers_collected = 0, frames_scanned = 0, remembered = 0;
  };
  Counters counters() const;

  const HeapOptions& options() const { return options_; }
  void set_stress(const HeapOptions& options);  // from now on, for tests: how often to collect and to verify

  static constexpr size_t kLargeBytes = 8192;  // old objects beyond this size are on their own

  struct Impl;  // collector.h

 private:
  Object* allocate_slow(Kind kind, uint32_t count, size_t bytes, uint16_t con);
  Object* allocate_large(Word header, size_t bytes);
  void add_dirty(Fiber* fiber);
  void open_nursery();
  void run(bool major);
  void check_limit();
  void exhausted();  // at the next safepoint the program panics

  friend struct Collector;
  friend class Root;
  friend class Roots;
  Context& ctx_;
  HeapOptions options_;
  char* nursery_ = nullptr;
  size_t nursery_bytes_ = 0, nursery_most_ = 0;  // in use, and mapped
  bool minor_requested_ = false;
  uint32_t unverified_ = 0;  // collections
  Impl* impl_;
  class Root* roots_ = nullptr;
  class Roots* root_vectors_ = nullptr;
};

// A C++ local that the collector knows: `Root list(ctx, value); … list.value`. Strictly nested.
class Root {
 public:
  Root(Context& ctx, Value v) : value(v), heap_(*ctx.heap), next_(heap_.roots_) { heap_.roots_ = this; }
  ~Root() { heap_.roots_ = next_; }
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;
  Value value;
  template <class T> T* as() const { return static_cast<T*>(value.ptr()); }
  Root* next() const { return next_; }

 private:
  Heap& heap_;
  Root* next_;
};

// The same for a whole vector, which may grow meanwhile: `Roots keep(ctx, items);`.
class Roots {
 public:
  Roots(Context& ctx, std::vector<Value>& v) : values(v), heap_(*ctx.heap), next_(heap_.root_vectors_) {
    heap_.root_vectors_ = this;
  }
  ~Roots() { heap_.root_vectors_ = next_; }
  Roots(const Roots&) = delete;
  Roots& operator=(const Roots&) = delete;
  std::vector<Value>& values;
  Roots* next() const { return next_; }

 private:
  Heap& heap_;
  Roots* next_;
};

// Typed constructors (may collect; operands are protected by the functions themselves).
Value new_float(Context&, double);
Value new_string(Context&, std::string_view);                  // bytes must be valid UTF-8
Value new_con(Context&, uint16_t con, std::span<const Value> fields);  // raw fields: pass boxed floats
Value new_cell(Context&, Value);
Value new_array(Context&, uint32_t count, Value init);         // a FloatArray where init is a boxed float
Value new_list(Context&, std::vector<Value>& items);           // items are protected while it allocates
inline std::string_view string_view_of(Value s) { return {as<String>(s)->bytes, as<String>(s)->count()}; }

}  // namespace eddy::rt
