#include "tests/unit/fake_machine.h"

namespace eddy::rt {
namespace {

HeapOptions stressed() { return {.nursery_bytes = 64 << 10, .stress = 1, .verify = true}; }

TEST(FiberPool, MakesAndReuses) {
  FakeMachine m;
  Fiber* a = m.fibers.make(10);
  EXPECT_EQ(a->sp, a->base);
  EXPECT_GE(a->base - a->limit, 10);
  EXPECT_FALSE(a->free());
  uint32_t id = a->id;
  m.fibers.release(a);
  EXPECT_TRUE(a->free());
  Fiber* b = m.fibers.make(10);
  EXPECT_EQ(a, b);
  EXPECT_NE(b->id, id);
  EXPECT_EQ(m.fibers.reused(), 1u);
  Fiber* big = m.fibers.make(100000);
  EXPECT_GE(big->base - big->limit, 100000);
  m.fibers.release(big);
  EXPECT_EQ(m.live(), 2u);
}

// The next deep computation need not grow its stack again; one of no common depth gives its memory back.
TEST(FiberPool, DeepStacksAreKeptForTheNext) {
  FakeMachine m;
  m.ctx.max_stack = uint64_t{256} << 20;
  auto run = [&](int depth, unsigned slots = 4) {
    Fiber* f = m.fibers.make(16);
    for (int d = 0; d < depth; ++d) m.push(f, slots);
    for (int d = 0; d < depth; ++d) m.pop(f);
    m.fibers.release(f);
    return m.fibers.counters.grown;
  };
  constexpr int deep = 100000;
  uint64_t once = run(deep);
  EXPECT_GT(once, 5u);
  EXPECT_EQ(run(deep), once);
  uint64_t deeper = run(3 * deep, 40);
  EXPECT_GT(deeper, once);
  EXPECT_GT(run(3 * deep, 40), deeper + 5);
  // What the collector takes back is counted no longer.
  run(deep);
  for (int i = 0; i < 100; ++i) {
    m.heap->collect_major();
    once = run(deep);
  }
  EXPECT_EQ(run(deep), once);
}

TEST(FiberPool, ManyShortLivedFibersDoNotFillTheYoungList) {
  FakeMachine m;
  for (int i = 0; i < 100000; ++i) m.fibers.release(m.fibers.make(20));
  EXPECT_LE(m.fibers.young().size(), 2u);
}

TEST(FiberPool, GrowingKeepsFramesUpToTheLimit) {
  FakeMachine m;
  m.ctx.max_stack = uint64_t{256} << 20;
  Fiber* f = m.fibers.make(16);
  m.heap->held.push_back(f);
  uint64_t depth = 0;
  while (Frame* frame = m.push(f, 4)) frame->slots[3] = small_int(static_cast<int64_t>(depth++));
  EXPECT_GT(depth, (uint64_t{200} << 20) / 56);
  EXPECT_LE(m.fibers.bytes(), m.ctx.max_stack + 4096);  // the other fiber's
  uint64_t bytes = m.fibers.bytes();
  for (uint64_t d = depth; d-- > 0; m.pop(f)) ASSERT_EQ(m.top_frame(f)->slots[3], small_int(static_cast<int64_t>(d)));
  EXPECT_EQ(f->sp, f->base);
  m.heap->collect_major();
  EXPECT_LT(m.fibers.bytes(), bytes / 10);
  // And again, after the collector took back what was not in use.
  for (uint64_t d = 0; d < depth; ++d) {
    Frame* frame = m.push(f, 4);
    ASSERT_NE(frame, nullptr);
    frame->slots[3] = small_int(static_cast<int64_t>(d));
  }
  m.heap->held.clear();
  m.fibers.release(f);
}

TEST(FiberPool, MakeStopsAtTheLimit) {
  FakeMachine m;
  m.ctx.max_stack = 1 << 20;
  uint64_t made = 0;
  while (m.fibers.make(20)) ++made;
  EXPECT_GT(made, 12000u);
  EXPECT_LE(m.fibers.bytes(), uint64_t{4} << 20);
  EXPECT_FALSE(m.fibers.grow(m.ctx.fiber, 1000000));
  m.heap->collect_minor();
  EXPECT_NE(m.fibers.make(20), nullptr);
}

TEST(Fibers, CopyIsIndependent) {
  FakeMachine m(stressed());
  Fiber* f = m.fibers.make(16);
  m.heap->held.push_back(f);
  for (int i = 0; i < 20; ++i) {
    Value s = new_string(m.ctx, std::to_string(i));
    m.push(f, 1)->slots[0] = s;
  }
  f->records = 5;
  Fiber* g = m.fibers.copy(f);
  m.heap->held.push_back(g);
  EXPECT_EQ(g->records, 5u);
  EXPECT_NE(g->id, f->id);
  Value replacement = new_string(m.ctx, "other");
  m.top_frame(f)->slots[0] = replacement;
  m.heap->collect_minor();
  EXPECT_EQ(string_view_of(m.top_frame(f)->slots[0]), "other");
  for (int i = 20; i-- > 0; m.pop(g)) EXPECT_EQ(string_view_of(m.top_frame(g)->slots[0]), std::to_string(i));
  EXPECT_EQ(g->sp, g->base);
}

TEST(Fibers, LiveOnlyThroughContinuations) {
  FakeMachine m(stressed());
  m.ctx.globals.resize(2, kUnit);
  Value s = new_string(m.ctx, "kept");
  m.ctx.globals[0] = m.make_sleeper(s);
  m.make_sleeper(kUnit);  // garbage
  for (int i = 0; i < 20; ++i) new_cell(m.ctx, kUnit);
  EXPECT_EQ(m.live(), 2u);
  Fiber* f = as<Continuation>(m.ctx.globals[0])->top_fiber;
  EXPECT_EQ(string_view_of(m.top_frame(f)->slots[0]), "kept");
  // Consumed: its fiber is nobody's.
  as<Continuation>(m.ctx.globals[0])->top_fiber = nullptr;
  m.heap->collect_major();
  EXPECT_EQ(m.live(), 1u);
  EXPECT_EQ(as<Continuation>(m.ctx.globals[0])->node, kNull);
}

TEST(Fibers, YoungGarbageGoesAtOnceOldGarbageAtTheNextMajor) {
  FakeMachine m;
  m.ctx.globals.resize(1, kUnit);
  for (int i = 0; i < 1000; ++i) m.ctx.globals[0] = m.make_sleeper(kUnit);
  EXPECT_EQ(m.live(), 1001u);
  m.heap->collect_minor();
  EXPECT_EQ(m.live(), 2u);
  m.ctx.globals[0] = kUnit;
  m.heap->collect_minor();
  EXPECT_EQ(m.live(), 2u);
  m.heap->collect_major();
  EXPECT_EQ(m.live(), 1u);
}

TEST(Fibers, ChainsAreReachedWhole) {
  FakeMachine m(stressed());
  m.ctx.globals.resize(1, kUnit);
  // bottom ← middle ← top, captured together; each holds a string.
  Fiber* chain[3];
  for (int i = 0; i < 3; ++i) {
    chain[i] = m.fibers.make(16);
    m.heap->held.push_back(chain[i]);
    if (i) chain[i]->parent = chain[i - 1];
    m.push(chain[i], 1);
    Value s = new_string(m.ctx, std::to_string(i));
    m.top_frame(chain[i])->slots[0] = s;
  }
  m.ctx.globals[0] = m.make_continuation(chain[2], chain[0]);
  chain[0]->parent = reinterpret_cast<Fiber*>(0x10);  // says nothing while suspended
  m.heap->held.clear();
  for (int i = 0; i < 30; ++i) new_cell(m.ctx, kUnit);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(string_view_of(m.top_frame(chain[i])->slots[0]), std::to_string(i));
  // Resumed: now they are the current chain.
  Fiber* main = m.ctx.fiber;
  chain[0]->parent = main;
  as<Continuation>(m.ctx.globals[0])->top_fiber = nullptr;
  m.switch_to(chain[2]);
  for (int i = 0; i < 30; ++i) new_cell(m.ctx, kUnit);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(string_view_of(m.top_frame(chain[i])->slots[0]), std::to_string(i));
  EXPECT_EQ(m.live(), 4u);
}

TEST(Fibers, YoungParentBelowALongOldChainIsKept) {
  FakeMachine m;
  m.ctx.globals.resize(1, kUnit);
  // A captured chain longer than a minor collection walks.
  constexpr int n = 30000;
  std::vector<Fiber*> chain;
  for (int i = 0; i < n; ++i) {
    Fiber* f = m.fibers.make(16);
    m.push(f, 1);
    if (i) f->parent = chain.back();
    chain.push_back(f);
  }
  m.ctx.globals[0] = m.make_continuation(chain.back(), chain[0]);
  m.heap->collect_minor();
  EXPECT_EQ(m.live(), n + 1u);
  // A new fiber resumes it; it is only reached through all the others.
  Fiber* resumer = m.fibers.make(16);
  m.push(resumer, 1);
  resumer->parent = m.ctx.fiber;
  m.switch_to(resumer);
  Value s = new_string(m.ctx, "resumer's");
  m.top_frame(resumer)->slots[0] = s;
  chain[0]->parent = resumer;
  as<Continuation>(m.ctx.globals[0])->top_fiber = nullptr;
  m.switch_to(chain.back());
  m.heap->collect_minor();
  m.check();
  EXPECT_FALSE(resumer->free());
  EXPECT_EQ(string_view_of(m.top_frame(resumer)->slots[0]), "resumer's");
}

TEST(Fibers, SleepersCostNothingAtMinorCollections) {
  FakeMachine m;
  constexpr int n = 100000;
  m.ctx.globals.resize(n, kUnit);
  for (int i = 0; i < n; ++i) {
    Value s = new_cell(m.ctx, small_int(i));
    m.ctx.globals[static_cast<size_t>(i)] = m.make_sleeper(s);
  }
  m.heap->collect_minor();
  uint64_t before = m.heap->counters().fibers_scanned;
  for (int i = 0; i < 100; ++i) {
    new_cell(m.ctx, kUnit);
    m.heap->collect_minor();
  }
  // The current one only.
  EXPECT_EQ(m.heap->counters().fibers_scanned - before, 100u);
  m.check();
  // One that runs is scanned again, once.
  Fiber* f = as<Continuation>(m.ctx.globals[7])->top_fiber;
  EXPECT_FALSE(f->dirty);
  m.heap->fiber_ran(f);
  Value fresh = new_cell(m.ctx, small_int(77));
  m.top_frame(f)->slots[0] = fresh;
  before = m.heap->counters().fibers_scanned;
  m.heap->collect_minor();
  m.heap->collect_minor();
  EXPECT_EQ(m.heap->counters().fibers_scanned - before, 3u);
  EXPECT_EQ(as<Cell>(m.top_frame(f)->slots[0])->value, small_int(77));
  m.check();
}

TEST(Fibers, StacksOfSleepersAreCut) {
  FakeMachine m(stressed());
  m.ctx.globals.resize(1, kUnit);
  Value s = new_string(m.ctx, "sleeper's");
  m.ctx.globals[0] = m.make_sleeper(s);
  Fiber* f = as<Continuation>(m.ctx.globals[0])->top_fiber;
  auto words = [&] { return f->base - f->limit; };
  for (int d = 0; d < 20; ++d) m.push(f, 2);
  for (int d = 0; d < 20; ++d) m.pop(f);
  EXPECT_GT(words(), 100);
  for (int i = 0; i < 3; ++i) m.heap->collect_minor();
  EXPECT_LE(words(), 16);
  EXPECT_EQ(string_view_of(m.top_frame(f)->slots[0]), "sleeper's");
  // One that runs now and then is left alone.
  for (int d = 0; d < 20; ++d) m.push(f, 2);
  for (int d = 0; d < 20; ++d) m.pop(f);
  for (int i = 0; i < 3; ++i) {
    m.heap->fiber_ran(f);
    m.heap->collect_minor();
  }
  EXPECT_GT(words(), 100);
  m.check();
}

// One that came by the stack of a deep computation does not sit on it.
TEST(Fibers, SleepersKeepNoDeepStack) {
  FakeMachine m;
  m.ctx.globals.resize(100, kUnit);
  for (Value& sleeper : m.ctx.globals) {
    Fiber* f = m.fibers.make(16);
    for (int d = 0; d < 100000; ++d) m.push(f, 4);
    for (int d = 0; d < 100000; ++d) m.pop(f);
    m.fibers.release(f);
    sleeper = m.make_sleeper(small_int(1));
    EXPECT_EQ(as<Continuation>(sleeper)->top_fiber, f);
    EXPECT_GT(f->base - f->limit, 100000);
    for (int i = 0; i < 3; ++i) m.heap->collect_minor();
    EXPECT_LE(f->base - f->limit, 16);
  }
  EXPECT_LT(m.fibers.bytes(), 100000u);
}

size_t resident_bytes() {
  size_t pages = 0, ignored;
  FILE* f = fopen("/proc/self/statm", "r");
  if (fscanf(f, "%zu %zu", &ignored, &pages) != 2) pages = 0;
  fclose(f);
  return pages * 4096;
}

TEST(Fibers, AMillionSleepersFitTheirBudget) {
  FakeMachine m;
  constexpr int n = 1'000'000;
  m.ctx.globals.resize(n, kUnit);
  m.heap->collect_minor();
  size_t before = resident_bytes();
  for (int i = 0; i < n; ++i) {
    Value k = m.ctx.globals[static_cast<size_t>(i)] = m.make_sleeper(small_int(i));
    // Went deeper before it fell asleep.
    Fiber* f = as<Continuation>(k)->top_fiber;
    for (int d = 0; d < 20; ++d) m.push(f, 2);
    for (int d = 0; d < 20; ++d) m.pop(f);
  }
  m.heap->collect_minor();
  m.heap->collect_major();
#ifndef EDDY_SANITIZE
  // All of: descriptor, stack, continuation, node.
  EXPECT_LT((resident_bytes() - before) / n, 600u);
#else
  (void)before;
#endif
  for (int i = 0; i < n; i += 1000) {
    Fiber* f = as<Continuation>(m.ctx.globals[static_cast<size_t>(i)])->top_fiber;
    ASSERT_EQ(m.top_frame(f)->slots[0], small_int(i));
  }
  m.ctx.globals.clear();
  m.heap->collect_major();
  EXPECT_EQ(m.live(), 1u);
#ifndef EDDY_SANITIZE
  EXPECT_LT(resident_bytes(), before + (size_t{200} << 20));
#endif
}

// --- watermarks

struct DeepStack : FakeMachine {
  explicit DeepStack(HeapOptions options = {}) : FakeMachine(options) {}
  void descend(int frames) {
    for (int i = 0; i < frames; ++i) {
      Value s = new_cell(ctx, small_int(depth++));
      push(ctx.fiber, 3)->slots[1] = s;
    }
  }
  void ascend(int frames) {
    for (int i = 0; i < frames; ++i) {
      ASSERT_EQ(as<Cell>(top_frame(ctx.fiber)->slots[1])->value, small_int(--depth));
      pop(ctx.fiber);
    }
  }
  uint64_t scanned() { return heap->counters().frames_scanned; }
  int64_t depth = 0;
};

TEST(Watermarks, DeepStackIsScannedOnce) {
  DeepStack m;
  m.descend(1'000'000);
  m.heap->collect_minor();
  uint64_t before = m.scanned();
  for (int i = 0; i < 100; ++i) m.heap->collect_minor();
  EXPECT_LT(m.scanned() - before, 100 * 2000u);
  m.check();
  // On the way up too, collections look at the top only.
  before = m.scanned();
  for (int i = 0; i < 100; ++i) {
    m.ascend(9000);
    m.heap->collect_minor();
  }
  EXPECT_LT(m.scanned() - before, 100 * 2000u);
  EXPECT_GT(m.watermarks_met, 100u);
  m.heap->collect_major();
  m.ascend(100'000);
  m.check();
}

TEST(Watermarks, UpsAndDownsUnderStress) {
  DeepStack m({.nursery_bytes = 64 << 10, .stress = 97, .verify = false});
  m.descend(20000);
  for (int round = 0; round < 300; ++round) {
    m.descend(round * 37 % 2000);
    m.ascend(round * 53 % 2000);
    // A value written into the frame on top, as a caller does with what it got.
    Value s = new_cell(m.ctx, small_int(m.depth - 1));
    m.top_frame(m.ctx.fiber)->slots[1] = s;
    if (round % 50 == 0) m.check();
  }
  m.heap->collect_major();
  m.check();
  m.ascend(static_cast<int>(m.depth));
}

TEST(Watermarks, CuttingTheStackNeedsNoCare) {
  DeepStack m;
  m.descend(50000);
  m.heap->collect_minor();
  std::vector<Word> offsets;  // of sp at some depths
  Fiber* f = m.ctx.fiber;
  for (int round = 0; round < 200; ++round) {
    // Cut back to a frame somewhere, as an abort does.
    int64_t keep = m.depth * 3 / 5;
    Word offset = static_cast<Word>(keep) * 6 + 2;
    // Every frame has 6 words, and two return words are at the base.
    f->sp = f->at(offset - 1);
    m.depth = keep;
    *f->sp = m.ctx.stubs.interp_return;
    Value s = new_cell(m.ctx, small_int(m.depth - 1));
    m.top_frame(f)->slots[1] = s;
    if (round % 3 == 0) m.heap->collect_minor();
    m.descend(30000 + round);
    if (round % 2 == 0) m.heap->collect_minor();
    if (round % 20 == 0) m.check();
  }
  m.ascend(static_cast<int>(m.depth));
}

TEST(Watermarks, CopiesAndSleepersOfDeepStacks) {
  DeepStack m;
  Fiber* main = m.ctx.fiber;
  Fiber* deep = m.fibers.make(16);
  m.switch_to(deep);
  deep->parent = main;
  m.descend(30000);
  m.heap->collect_minor();
  m.ctx.globals.push_back(kUnit);
  m.ctx.globals[0] = m.make_continuation(deep, deep);
  m.switch_to(main);
  m.heap->collect_major();
  m.heap->collect_minor();
  Fiber* copy = m.fibers.copy(deep);
  copy->parent = main;
  m.switch_to(copy);
  EXPECT_EQ(copy->watermarks, 0u);
  m.heap->collect_minor();
  EXPECT_NE(copy->watermarks, 0u);
  int64_t depth = m.depth;
  m.ascend(20000);
  m.heap->collect_minor();
  m.check();
  m.ascend(10000);
  m.depth = depth;
  as<Continuation>(m.ctx.globals[0])->top_fiber = nullptr;
  m.switch_to(deep);
  m.fibers.release(copy);
  m.descend(5000);
  m.heap->collect_minor();
  m.ascend(35000);
}

}  // namespace
}  // namespace eddy::rt
