// A VM without code, for tests of the heap and of fibers: frames whose slots are all live, and the return
// protocol that fiber.h asks of an interpreter.
#pragma once
#include <gtest/gtest.h>

#include <deque>

#include "runtime/fiber_pool.h"
#include "runtime/heap.h"

namespace eddy::rt {

struct FakeMachine {
  Context ctx;
  FiberPool fibers{ctx};
  std::unique_ptr<Heap> heap;
  std::deque<Function> functions;  // by number of slots
  Site site;
  uint64_t watermarks_met = 0;

  explicit FakeMachine(HeapOptions options = {}) {
    ctx.fibers = &fibers;
    ctx.stubs.interp_return = 0x1001;
    ctx.stubs.fiber_exit = 0x1003;
    ctx.stubs.watermark = 0x1007;
    heap = std::make_unique<Heap>(ctx, options);
    heap->frame_maps = {describe, each_live};
    switch_to(fibers.make(64));
  }

  static bool describe(Context& ctx, Word address, Word* word, FrameView& view) {
    EXPECT_NE(address, ctx.stubs.watermark);
    if (address == ctx.stubs.fiber_exit) return false;
    EXPECT_EQ(address, ctx.stubs.interp_return);
    auto* frame = reinterpret_cast<Frame*>(word + 1);
    view.function = frame->function;
    view.slots = &frame->slots[0].bits;
    view.return_word = frame->words() + kFrameHeaderWords + frame->function->slots();
    return true;
  }
  static void each_live(Context&, const FrameView& view, void* data, void (*visit)(void*, Value*)) {
    for (unsigned i = 0; i < view.function->tagged; ++i) visit(data, reinterpret_cast<Value*>(view.slots + i));
  }

  Function* function(unsigned slots) {
    while (functions.size() <= slots) {
      functions.emplace_back();
      functions.back().tagged = static_cast<uint16_t>(functions.size() - 1);
    }
    return &functions[slots];
  }

  // The new frame's slots are small integers 0 … n-1.
  Frame* push(Fiber* fiber, unsigned slots) {
    if (fiber->sp - (slots + 4) < fiber->limit && !fibers.grow(fiber, slots + 4)) return nullptr;
    if (fiber->sp == fiber->base) *--fiber->sp = ctx.stubs.fiber_exit;
    fiber->sp -= kFrameHeaderWords + slots;
    auto* frame = reinterpret_cast<Frame*>(fiber->sp);
    frame->function = function(slots);
    frame->resume = 0;
    for (unsigned i = 0; i < slots; ++i) frame->slots[i] = small_int(i);
    *--fiber->sp = ctx.stubs.interp_return;
    return frame;
  }
  static Frame* top_frame(Fiber* fiber) { return reinterpret_cast<Frame*>(fiber->sp + 1); }
  void pop(Fiber* fiber) {
    fiber->sp += 1 + kFrameHeaderWords + top_frame(fiber)->function->slots();
    Word address = *fiber->sp;
    if (address == ctx.stubs.watermark) {
      ++watermarks_met;
      address = fibers.restore_watermark(fiber, fiber->sp);
    }
    if (address == ctx.stubs.fiber_exit) ++fiber->sp;
  }

  size_t live() {
    size_t n = 0;
    fibers.for_each_live([&](Fiber*) { ++n; });
    return n;
  }

  void switch_to(Fiber* fiber) {
    ctx.fiber = fiber;
    ctx.stack_limit = fiber->limit;
    heap->fiber_ran(fiber);
  }

  Value make_node(Fiber* home) {
    auto* node = static_cast<Node*>(heap->allocate(Kind::Node, 0, sizeof(Node)));
    node->site = &site;
    node->env = kUnit;
    node->outer = kNull;
    node->home = home;
    node->frame_offset = 0;
    node->records = 0;
    node->previous = {};
    return ptr_value(node);
  }
  Value make_continuation(Fiber* top, Fiber* base, Value node = kNull) {
    size_t held = heap->held.size();
    for (Fiber* fiber = top; fiber; fiber = fiber == base ? nullptr : fiber->parent) heap->held.push_back(fiber);
    Root keep(ctx, is_kind(node, Kind::Node) ? node : make_node(base));
    heap->held.resize(held);
    auto* k = static_cast<Continuation*>(heap->allocate(Kind::Continuation, 0, sizeof(Continuation)));
    k->top_fiber = top;
    k->top = keep.value;
    k->node = keep.value;
    return ptr_value(k);
  }
  Value make_closure(std::initializer_list<Value> captures, Kind kind = Kind::Closure) {
    std::vector<Value> values(captures);
    Roots keep(ctx, values);
    auto* closure = static_cast<Closure*>(
        heap->allocate(kind, static_cast<uint32_t>(values.size()), sizeof(Closure) + 8 * values.size()));
    closure->function = nullptr;
    for (size_t i = 0; i < values.size(); ++i) closure->captures[i] = values[i];
    return ptr_value(closure);
  }
  // A sleeping fiber: one frame of two slots, the first holding `value`, the second its node; and the
  // continuation that keeps it.
  Value make_sleeper(Value value) {
    Root keep(ctx, value);
    Fiber* fiber = fibers.make(16);
    push(fiber, 2)->slots[0] = keep.value;
    heap->held.push_back(fiber);
    Value node = make_node(fiber);
    top_frame(fiber)->slots[1] = node;
    Value k = make_continuation(fiber, fiber, node);
    heap->held.pop_back();
    return k;
  }

  void check() {
    std::string problem;
    ASSERT_TRUE(heap->verify(&problem)) << problem;
  }
};

}  // namespace eddy::rt
