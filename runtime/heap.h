// Allocation and the collector.
//
// Rules (every native and every slow path lives by them):
//   1. Any allocate_* may collect, and a collection moves objects. A raw Object* or Value in a C++ local is
//      dead after an allocation unless it is held in a Root or re-read from ctx.args / a frame.
//   2. Before calling anything that may allocate, the interpreter has written the current frame's `resume`
//      word, the return address below the frame, and ctx.fiber->sp: the collector walks from there.
//   3. A store of a value into an object that may be old goes through write().
//   4. Fiber stacks need no barrier: fibers that ran since the last minor collection are on the dirty list.
//   5. allocate_* never fails by returning null: with the heap limit reached it raises the limit panic flag
//      (ctx.panicking, "out of memory") and returns memory from a reserve; callers go on and the next
//      safepoint unwinds.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/context.h"
#include "runtime/object.h"

namespace eddy::rt {

struct HeapOptions {
  size_t nursery_bytes = size_t{4} << 20;
  size_t max_heap_bytes = size_t{0};  // 0: no limit
  uint32_t stress = 0;                // collect at every n-th allocation; 0: off
  bool verify = false;                // walk the whole heap after each collection
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
  // Fills `view` for the frame above the return address at `return_word`; false at a fiber's base.
  bool (*describe)(Context&, Word* return_word, FrameView& view) = nullptr;
  // Calls visit(slot) for each live tagged slot.
  void (*each_live)(Context&, const FrameView&, void* data, void (*visit)(void* data, Value* slot)) = nullptr;
};

class Heap {
 public:
  Heap(Context& ctx, const HeapOptions& options);
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  FrameMaps frame_maps;

  // Uninitialised fields except the header; the caller fills them before the next allocation.
  Object* allocate(Kind kind, uint32_t count, size_t bytes, uint16_t con = 0);  // slow path included
  static size_t object_bytes(const Object* object);

  void write(Object* holder, Value* field, Value value) {
    *field = value;
    if (value.is_ptr() && value.bits && (holder->header & (kHeaderOld | kHeaderRemembered)) == kHeaderOld &&
        in_nursery(value.ptr()))
      remember(holder);
  }
  bool in_nursery(const void* p) const { return static_cast<size_t>(static_cast<const char*>(p) - nursery_) < nursery_bytes_; }
  void remember(Object* holder);

  void collect_minor();
  void collect_major();
  bool verify(std::string* problem);  // whole heap and every fiber

  void fiber_ran(Fiber* fiber);  // puts a fiber on the dirty list (idempotent through Fiber::dirty)

  // Extra roots: visited at every collection.
  using RootVisitor = void (*)(void* data, Value* slot);
  void add_roots(void* owner, void (*visit_all)(void* owner, void* data, RootVisitor visit));

  struct Counters {
    uint64_t minor = 0, major = 0, bytes_allocated = 0, bytes_promoted = 0, max_pause_ns = 0, total_pause_ns = 0;
    uint64_t old_bytes = 0, peak_bytes = 0;
  };
  const Counters& counters() const { return counters_; }
  const HeapOptions& options() const { return options_; }

  // Bounds of the nursery, for barriers in machine code.
  char* nursery_base() const { return nursery_; }
  size_t nursery_bytes() const { return nursery_bytes_; }

 private:
  friend struct Collector;
  friend class Roots;
  Context& ctx_;
  HeapOptions options_;
  char* nursery_ = nullptr;
  size_t nursery_bytes_ = 0;
  Counters counters_;
  struct Impl;
  Impl* impl_;
  friend class Root;
  class Root* roots_ = nullptr;
};

// A C++ local that the collector knows: `Root list(heap, value); … list.value`.
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

// Typed constructors (may collect; operands are protected by the functions themselves).
Value new_float(Context&, double);
Value new_string(Context&, std::string_view);                  // bytes must be valid UTF-8
Value new_con(Context&, uint16_t con, std::span<const Value> fields);  // raw fields: pass boxed floats
Value new_cell(Context&, Value);
Value new_array(Context&, uint32_t count, Value init);         // a FloatArray where init is a boxed float
Value new_list(Context&, std::vector<Value>& items);           // items are protected while it allocates
inline std::string_view string_view_of(Value s) { return {as<String>(s)->bytes, as<String>(s)->count()}; }

}  // namespace eddy::rt
