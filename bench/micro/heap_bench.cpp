// What allocating, surviving and sleeping cost: the heap and the fiber pool without any bytecode.
#include <benchmark/benchmark.h>

#include <memory>

#include "runtime/fiber_pool.h"
#include "runtime/heap.h"

namespace eddy::rt {
namespace {

struct Machine {
  Context ctx;
  FiberPool fibers{ctx};
  std::unique_ptr<Heap> heap;
  Function frame_of_two;
  Site site;

  explicit Machine(HeapOptions options = {}) {
    ctx.fibers = &fibers;
    ctx.stubs.interp_return = 0x1001;
    ctx.stubs.fiber_exit = 0x1003;
    ctx.stubs.watermark = 0x1007;
    heap = std::make_unique<Heap>(ctx, options);
    heap->frame_maps = {describe, each_live};
    frame_of_two.tagged = 2;
    ctx.fiber = fibers.make(64);
    heap->fiber_ran(ctx.fiber);
  }
  static bool describe(Context& ctx, Word address, Word* word, FrameView& view) {
    if (address == ctx.stubs.fiber_exit) return false;
    auto* frame = reinterpret_cast<Frame*>(word + 1);
    view.function = frame->function;
    view.slots = &frame->slots[0].bits;
    view.return_word = frame->words() + kFrameHeaderWords + frame->function->slots();
    return true;
  }
  static void each_live(Context&, const FrameView& view, void* data, void (*visit)(void*, Value*)) {
    for (unsigned i = 0; i < view.function->tagged; ++i) visit(data, reinterpret_cast<Value*>(view.slots + i));
  }
  void push(Fiber* fiber, Value first) {
    if (fiber->sp - 8 < fiber->limit) fibers.grow(fiber, 8);
    if (fiber->sp == fiber->base) *--fiber->sp = ctx.stubs.fiber_exit;
    fiber->sp -= kFrameHeaderWords + 2;
    auto* frame = reinterpret_cast<Frame*>(fiber->sp);
    frame->function = &frame_of_two;
    frame->resume = 0;
    frame->slots[0] = first;
    frame->slots[1] = kUnit;
    *--fiber->sp = ctx.stubs.interp_return;
  }
  Value cons(Value head, Value tail) {
    auto* c = static_cast<ConObject*>(heap->allocate(Kind::Con, 2, 24, con::Cons));
    c->fields[0] = head;
    c->fields[1] = tail;
    return ptr_value(c);
  }
  Value sleeper() {
    Fiber* fiber = fibers.make(16);
    push(fiber, kUnit);
    heap->held.push_back(fiber);
    auto* node = static_cast<Node*>(heap->allocate(Kind::Node, 0, sizeof(Node)));
    node->site = &site;
    node->env = kUnit;
    node->home = fiber;
    node->frame_offset = node->records = 0;
    node->previous = {};
    Root keep(ctx, ptr_value(node));
    auto* k = static_cast<Continuation*>(heap->allocate(Kind::Continuation, 0, sizeof(Continuation)));
    heap->held.pop_back();
    k->top_fiber = fiber;
    k->top = k->node = keep.value;
    return ptr_value(k);
  }
};

void report(benchmark::State& state, Machine& m) {
  Heap::Counters c = m.heap->counters();
  state.counters["minor"] = static_cast<double>(c.minor);
  state.counters["major"] = static_cast<double>(c.major);
  state.counters["gc_s"] = static_cast<double>(c.total_pause_ns) * 1e-9;
  state.counters["max_pause_ms"] = static_cast<double>(c.max_pause_ns) * 1e-6;
}

// Cells that die at once; by nursery size in KiB.
void BM_Garbage(benchmark::State& state) {
  Machine m({.nursery_bytes = static_cast<size_t>(state.range(0)) << 10});
  for (auto _ : state) benchmark::DoNotOptimize(m.cons(small_int(1), kUnit));
  state.SetItemsProcessed(state.iterations());
  report(state, m);
}
BENCHMARK(BM_Garbage)->Arg(256)->Arg(512)->Arg(1024)->Arg(2048)->Arg(4096)->Arg(8192);

// A list of a million, again and again: everything survives its first collection.
void BM_List(benchmark::State& state) {
  Machine m({.nursery_bytes = static_cast<size_t>(state.range(0)) << 10});
  Root list(m.ctx, kUnit);
  for (auto _ : state) {
    list.value = con_value(con::Nil);
    for (int i = 0; i < 1'000'000; ++i) list.value = m.cons(small_int(i), list.value);
  }
  state.SetItemsProcessed(state.iterations() * 1'000'000);
  report(state, m);
}
BENCHMARK(BM_List)->Arg(1024)->Arg(4096)->Unit(benchmark::kMillisecond);

Value tree(Machine& m, int depth) {
  if (depth == 0) return con_value(con::None);
  Root left(m.ctx, tree(m, depth - 1));
  Value right = tree(m, depth - 1);
  return m.cons(left.value, right);
}

// Trees of 2^18 cells, while one of 2^20 lives on.
void BM_Trees(benchmark::State& state) {
  Machine m({.nursery_bytes = static_cast<size_t>(state.range(0)) << 10});
  Root kept(m.ctx, tree(m, 20));
  for (auto _ : state) benchmark::DoNotOptimize(tree(m, 18));
  state.SetItemsProcessed(state.iterations() << 18);
  report(state, m);
}
BENCHMARK(BM_Trees)->Arg(1024)->Arg(4096)->Unit(benchmark::kMillisecond);

// One major collection of a tree of 2^22 cells.
void BM_Major(benchmark::State& state) {
  Machine m;
  Root kept(m.ctx, tree(m, 22));
  for (auto _ : state) m.heap->collect_major();
  state.SetItemsProcessed(state.iterations() << 22);
}
BENCHMARK(BM_Major)->Unit(benchmark::kMillisecond);

void BM_ArrayFill(benchmark::State& state) {
  Machine m;
  constexpr uint32_t n = 10'000'000;
  Root array(m.ctx, new_array(m.ctx, n, kUnit));
  for (auto _ : state)
    for (uint32_t i = 0; i < n; ++i) {
      Value cell = m.cons(small_int(i), kUnit);
      m.heap->write(array.value.ptr(), &array.as<Array>()->items[i], cell);
    }
  state.SetItemsProcessed(state.iterations() * n);
  report(state, m);
}
BENCHMARK(BM_ArrayFill)->Unit(benchmark::kMillisecond);

void BM_FiberMakeRelease(benchmark::State& state) {
  Machine m;
  for (auto _ : state) {
    Fiber* f = m.fibers.make(16);
    benchmark::DoNotOptimize(f);
    m.fibers.release(f);
  }
}
BENCHMARK(BM_FiberMakeRelease);

// Continuations that nobody resumes.
void BM_FiberDropped(benchmark::State& state) {
  Machine m;
  for (auto _ : state) benchmark::DoNotOptimize(m.sleeper());
  report(state, m);
}
BENCHMARK(BM_FiberDropped);

void BM_FiberCopy(benchmark::State& state) {
  Machine m;
  Fiber* f = m.fibers.make(16);
  for (int i = 0; i < state.range(0); ++i) m.push(f, kUnit);
  for (auto _ : state) m.fibers.release(m.fibers.copy(f));
}
BENCHMARK(BM_FiberCopy)->Arg(1)->Arg(10)->Arg(100);

// A minor collection that finds nothing, with so many sleeping fibers.
void BM_MinorWithSleepers(benchmark::State& state) {
  Machine m;
  m.ctx.globals.clear();
  Root list(m.ctx, kUnit);
  for (int64_t i = 0; i < state.range(0); ++i) {
    Value k = m.sleeper();
    list.value = m.cons(k, list.value);
  }
  m.heap->collect_minor();
  for (auto _ : state) m.heap->collect_minor();
}
BENCHMARK(BM_MinorWithSleepers)->Arg(0)->Arg(1'000)->Arg(1'000'000)->Iterations(20000);

// The same with so many frames on the stack.
void BM_MinorWithDeepStack(benchmark::State& state) {
  Machine m;
  for (int64_t i = 0; i < state.range(0); ++i) m.push(m.ctx.fiber, kUnit);
  m.heap->collect_minor();
  for (auto _ : state) m.heap->collect_minor();
}
BENCHMARK(BM_MinorWithDeepStack)->Arg(10)->Arg(1'000)->Arg(1'000'000)->Iterations(2000);

}  // namespace
}  // namespace eddy::rt
