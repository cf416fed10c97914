#include <cstring>
#include <random>

#include "tests/unit/fake_machine.h"

namespace eddy::rt {
namespace {

HeapOptions stressed(uint32_t n = 1) { return {.nursery_bytes = 64 << 10, .stress = n, .verify = true}; }

Value cons(Context& ctx, Value head, Value tail) {
  Value fields[] = {head, tail};
  return new_con(ctx, con::Cons, fields);
}

TEST(Heap, EveryKindSurvives) {
  FakeMachine m(stressed());
  Context& ctx = m.ctx;
  ConInfo& info = ctx.constructors.emplace_back();
  info.name = info.type_name = "Point";
  info.fields = 3;
  info.raw = {true, false, true};
  auto point = static_cast<uint16_t>(ctx.constructors.size() - 1);
  auto& all = ctx.globals;
  all.resize(20, kUnit);
  all[0] = new_string(ctx, "a string of some length");
  all[1] = new_float(ctx, 2.5);
  Value x = new_float(ctx, 1.5);
  Root keep_x(ctx, x);
  Value z = new_float(ctx, -3.5);
  Value fields[] = {keep_x.value, all[0], z};
  all[2] = new_con(ctx, point, fields);
  all[3] = new_cell(ctx, all[2]);
  all[4] = new_array(ctx, 3, all[3]);
  all[5] = new_array(ctx, 1000, all[1]);
  all[6] = m.make_closure({all[4], small_int(7)});
  all[7] = m.make_closure({all[6]}, Kind::Env);
  all[8] = m.make_node(ctx.fiber);
  as<Node>(all[8])->env = all[7];
  auto* named = static_cast<Named*>(m.heap->allocate(Kind::Named, 0, sizeof(Named)));
  named->site = &m.site;
  named->env = all[7];
  named->live = 1;
  all[9] = ptr_value(named);
  auto* exit = static_cast<Exit*>(m.heap->allocate(Kind::Exit, 0, sizeof(Exit)));
  exit->live = 5;
  all[10] = ptr_value(exit);
  all[11] = m.make_sleeper(all[0]);
  auto* resource = static_cast<Resource*>(m.heap->allocate(Kind::Resource, 0, sizeof(Resource)));
  resource->index = 12;
  all[12] = ptr_value(resource);
  auto* big = static_cast<BigInt*>(m.heap->allocate(Kind::BigInt, 3, 8 + 24));
  big->header |= kHeaderNegative;
  for (int i = 0; i < 3; ++i) big->limbs[i] = ~uint64_t{0} - i;
  all[13] = ptr_value(big);
  auto* bytes = static_cast<Bytes*>(m.heap->allocate(Kind::Bytes, 5, 8 + 5));
  std::memcpy(bytes->data, "12345", 5);
  all[14] = ptr_value(bytes);

  for (int i = 0; i < 50; ++i) new_cell(ctx, kUnit);
  m.heap->collect_major();
  m.heap->collect_major();
  m.check();

  EXPECT_EQ(string_view_of(all[0]), "a string of some length");
  EXPECT_EQ(as<FloatBox>(all[1])->value, 2.5);
  auto* p = as<ConObject>(all[2]);
  EXPECT_EQ(p->con(), point);
  EXPECT_EQ(std::bit_cast<double>(p->fields[0].bits), 1.5);
  EXPECT_EQ(p->fields[1], all[0]);
  EXPECT_EQ(std::bit_cast<double>(p->fields[2].bits), -3.5);
  EXPECT_EQ(as<Cell>(all[3])->value, all[2]);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(as<Array>(all[4])->items[i], all[3]);
  EXPECT_TRUE(is_kind(all[5], Kind::FloatArray));
  EXPECT_EQ(as<FloatArray>(all[5])->items[999], 2.5);
  EXPECT_EQ(as<Closure>(all[6])->captures[0], all[4]);
  EXPECT_EQ(as<Closure>(all[6])->captures[1], small_int(7));
  EXPECT_EQ(as<Closure>(all[7])->captures[0], all[6]);
  EXPECT_EQ(as<Node>(all[8])->env, all[7]);
  EXPECT_EQ(as<Named>(all[9])->env, all[7]);
  EXPECT_EQ(as<Exit>(all[10])->live, 5u);
  Fiber* sleeper = as<Continuation>(all[11])->top_fiber;
  EXPECT_EQ(m.top_frame(sleeper)->slots[0], all[0]);
  EXPECT_EQ(as<Resource>(all[12])->index, 12u);
  EXPECT_TRUE(as<BigInt>(all[13])->negative());
  EXPECT_EQ(as<BigInt>(all[13])->limbs[2], ~uint64_t{0} - 2);
  EXPECT_EQ(std::memcmp(as<Bytes>(all[14])->data, "12345", 5), 0);
}

// A random mutator beside a model of what it built.
class Mutator {
 public:
  Mutator(FakeMachine& machine, unsigned seed) : m(machine), random(seed) { m.ctx.globals.resize(roots, kUnit); }

  void step() {
    unsigned at = random() % roots;
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {  // a new triple of two others
        unsigned a = random() % roots, b = random() % roots;
        int64_t id = static_cast<int64_t>(model.size());
        model.push_back({root_model[a], root_model[b], false});
        Value fields[] = {small_int(id), m.ctx.globals[a], m.ctx.globals[b]};
        m.ctx.globals[at] = new_con(m.ctx, con::tuple(3), fields);
        root_model[at] = id;
        break;
      }
      case 3: {  // an array
        unsigned count = random() % 40 == 0 ? 3000 + random() % 6000 : random() % 6 + 2;
        int64_t id = static_cast<int64_t>(model.size());
        model.push_back({-1, -1, true});
        Value array = new_array(m.ctx, count, kUnit);
        as<Array>(array)->items[0] = small_int(id);
        m.ctx.globals[at] = array;
        root_model[at] = id;
        break;
      }
      case 4:
      case 5:
      case 6: {  // mutation
        if (root_model[at] < 0) break;
        unsigned b = random() % roots;
        auto& entry = model[static_cast<size_t>(root_model[at])];
        Object* object = m.ctx.globals[at].ptr();
        if (entry.array) {
          auto* array = static_cast<Array*>(object);
          // The model knows the last element only.
          m.heap->write(array, &array->items[array->count() - 1], m.ctx.globals[b]);
        } else {
          auto* con = static_cast<ConObject*>(object);
          m.heap->write(con, &con->fields[2], m.ctx.globals[b]);
        }
        entry.second = root_model[b];
        break;
      }
      default:
        m.ctx.globals[at] = kUnit;
        root_model[at] = -1;
    }
  }

  void compare() {
    std::vector<std::pair<Value, int64_t>> work;
    std::vector<bool> seen(model.size());
    for (unsigned i = 0; i < roots; ++i) work.push_back({m.ctx.globals[i], root_model[i]});
    while (!work.empty()) {
      auto [value, id] = work.back();
      work.pop_back();
      if (id < 0) {
        ASSERT_EQ(value, kUnit);
        continue;
      }
      auto& entry = model[static_cast<size_t>(id)];
      Value found = entry.array ? as<Array>(value)->items[0] : as<ConObject>(value)->fields[0];
      ASSERT_EQ(found, small_int(id));
      if (seen[static_cast<size_t>(id)]) continue;
      seen[static_cast<size_t>(id)] = true;
      if (entry.array) {
        auto* array = as<Array>(value);
        work.push_back({array->items[array->count() - 1], entry.second});
      } else {
        work.push_back({as<ConObject>(value)->fields[1], entry.first});
        work.push_back({as<ConObject>(value)->fields[2], entry.second});
      }
    }
  }

 private:
  static constexpr unsigned roots = 24;
  struct Entry {
    int64_t first, second;  // -1: unit
    bool array;
  };
  FakeMachine& m;
  std::mt19937 random;
  std::vector<Entry> model;
  std::vector<int64_t> root_model = std::vector<int64_t>(roots, -1);
};

TEST(Heap, RandomMutatorUnderStress) {
  FakeMachine m(stressed());
  Mutator mutator(m, 1);
  for (int i = 0; i < 6000; ++i) {
    mutator.step();
    if (i % 500 == 0) mutator.compare();
  }
  mutator.compare();
  EXPECT_GT(m.heap->counters().minor, 2000u);
  EXPECT_GT(m.heap->counters().major, 200u);
}

TEST(Heap, RandomMutatorWithSmallNursery) {
  for (unsigned seed = 2; seed < 6; ++seed) {
    FakeMachine m({.nursery_bytes = 64 << 10});
    Mutator mutator(m, seed);
    for (int i = 0; i < 300000; ++i) {
      mutator.step();
      if (i % 50000 == 0) m.heap->collect_major(), m.check(), mutator.compare();
    }
    mutator.compare();
  }
}

TEST(Heap, LongListNeedsNoRecursion) {
  FakeMachine m;
  constexpr int64_t n = 10'000'000;
  Root list(m.ctx, con_value(con::Nil));
  for (int64_t i = 0; i < n; ++i) list.value = cons(m.ctx, small_int(i), list.value);
  m.heap->collect_major();
  EXPECT_GE(m.heap->counters().old_bytes, static_cast<uint64_t>(n) * 24);
  int64_t expected = n;
  for (Value v = list.value; v != con_value(con::Nil); v = as<ConObject>(v)->fields[1])
    ASSERT_EQ(as<ConObject>(v)->fields[0], small_int(--expected));
  EXPECT_EQ(expected, 0);
  list.value = kUnit;
  m.heap->collect_major();
  EXPECT_LT(m.heap->counters().old_bytes, 1000u);
}

TEST(Heap, OldSpaceIsReused) {
  FakeMachine m({.nursery_bytes = 1 << 20});
  uint64_t peak = 0;
  for (int round = 0; round < 40; ++round) {
    Root list(m.ctx, con_value(con::Nil));
    for (int64_t i = 0; i < 300000; ++i) list.value = cons(m.ctx, small_int(i), list.value);
    peak = std::max(peak, m.heap->counters().peak_bytes);
  }
  EXPECT_LT(peak, uint64_t{100} << 20);
  EXPECT_GT(m.heap->counters().major, 0u);
}

// What is built up is not looked through again and again; what a program drops is found.
TEST(Heap, OldSpaceIsCollectedLessWhileItGrows) {
  auto majors = [](bool keep) {
    FakeMachine m({.nursery_bytes = 1 << 20, .max_heap_bytes = size_t{16} << 30});
    Root list(m.ctx, con_value(con::Nil));
    for (int64_t i = 0; i < 7'000'000; ++i) {
      list.value = cons(m.ctx, small_int(i), list.value);
      if (!keep && i % 1'000'000 == 0) list.value = con_value(con::Nil);
    }
    return m.heap->counters().major;
  };
  EXPECT_EQ(majors(true), 1u);
  EXPECT_GT(majors(false), 2u);
}

// Looked for survivors less often where there are many.
TEST(Heap, NurseryGrowsWhileMuchSurvives) {
  auto minors = [](bool keep) {
    FakeMachine m;
    Root list(m.ctx, con_value(con::Nil));
    for (int64_t i = 0; i < 1'000'000; ++i) {
      list.value = cons(m.ctx, small_int(i), list.value);
      if (!keep) list.value = con_value(con::Nil);
    }
    m.check();
    return m.heap->counters().minor;
  };
  EXPECT_GT(minors(false), 4 * minors(true));
}

TEST(Heap, BigArrayIsNotRescannedWhole) {
  FakeMachine m({.nursery_bytes = 64 << 10});
  constexpr uint32_t n = 1'000'000;
  Root array(m.ctx, new_array(m.ctx, n, kUnit));
  m.heap->collect_minor();
  uint64_t before = m.heap->counters().remembered;
  for (uint32_t i = 0; i < n; ++i) {
    Value cell = new_cell(m.ctx, small_int(i));
    m.heap->write(array.value.ptr(), &array.as<Array>()->items[i], cell);
  }
  uint64_t minors = m.heap->counters().minor, cards = m.heap->counters().remembered - before;
  EXPECT_GT(minors, 200u);
  // 512 elements a card, and one that is filled across each collection.
  EXPECT_LE(cards, n / 512 + minors + 2);
  m.heap->collect_major();
  m.check();
  for (uint32_t i = 0; i < n; ++i) ASSERT_EQ(as<Cell>(array.as<Array>()->items[i])->value, small_int(i));
}

TEST(Heap, CardsOfAllPlacesInAnArray) {
  FakeMachine m(stressed(3));
  for (uint32_t n : {1023u, 1024u, 1535u, 1536u, 2047u, 5000u}) {
    Root array(m.ctx, new_array(m.ctx, n, kUnit));
    m.heap->collect_minor();
    for (uint32_t i : {0u, 1u, 510u, 511u, 512u, 1022u, n - 2, n - 1}) {
      Value cell = new_cell(m.ctx, small_int(i));
      m.heap->write(array.value.ptr(), &array.as<Array>()->items[i], cell);
    }
    m.check();
    m.heap->collect_minor();
    m.check();
    for (uint32_t i : {0u, 1u, 510u, 511u, 512u, 1022u, n - 2, n - 1})
      ASSERT_EQ(as<Cell>(array.as<Array>()->items[i])->value, small_int(i));
  }
}

TEST(Heap, VerifierFindsAForgottenBarrier) {
  FakeMachine m;
  Root cell(m.ctx, new_cell(m.ctx, kUnit));
  m.heap->collect_minor();
  Value young = new_cell(m.ctx, kUnit);
  cell.as<Cell>()->value = young;
  std::string problem;
  EXPECT_FALSE(m.heap->verify(&problem));
  EXPECT_NE(problem.find("not remembered"), std::string::npos) << problem;
  m.heap->write(cell.value.ptr(), &cell.as<Cell>()->value, young);
  m.check();
}

TEST(Heap, CellsAreWeak) {
  FakeMachine m;
  EffectCell cells[2];
  m.ctx.cells = cells;
  m.ctx.effect_names = {"A", "B"};
  Root kept(m.ctx, m.make_node(m.ctx.fiber));
  cells[0] = {7, kept.value};
  cells[1] = {7, m.make_node(m.ctx.fiber)};
  as<Node>(kept.value)->previous = cells[1];
  m.heap->collect_minor();
  EXPECT_EQ(cells[0].node, kept.value);
  EXPECT_EQ(cells[0].tag, 7u);
  EXPECT_EQ(cells[1].node, kNull);
  EXPECT_EQ(cells[1].tag, 0u);
  EXPECT_EQ(as<Node>(kept.value)->previous.node, kNull);
  kept.value = kNull;
  m.heap->collect_major();
  EXPECT_EQ(cells[0].tag, 0u);
  m.ctx.cells = nullptr;
}

TEST(Heap, LimitAsksForASafepoint) {
  FakeMachine m({.max_heap_bytes = 8 << 20});
  m.ctx.stack_limit = m.ctx.fiber->limit;
  Root list(m.ctx, con_value(con::Nil));
  int64_t made = 0;
  while (!m.ctx.heap_exhausted && made < 10'000'000) {
    list.value = cons(m.ctx, small_int(made), list.value);
    ++made;
  }
  EXPECT_TRUE(m.ctx.heap_exhausted);
  EXPECT_EQ(m.ctx.stack_limit, reinterpret_cast<Word*>(~Word{0}));
  EXPECT_GT(made, (8 << 20) / 24 - 1000);
  EXPECT_LT(made, (20 << 20) / 24);
  // Unwound: there is room again.
  m.ctx.heap_exhausted = false;
  list.value = kUnit;
  m.heap->collect_major();
  EXPECT_FALSE(m.ctx.heap_exhausted);
  EXPECT_TRUE(m.heap->can_allocate(4 << 20));
  EXPECT_FALSE(m.heap->can_allocate(uint64_t{1} << 50));
}

TEST(Heap, AbsurdArrayPanics) {
  FakeMachine m({.max_heap_bytes = 8 << 20});
  EXPECT_EQ(new_array(m.ctx, 0xffffffff, kUnit), kNull);
  EXPECT_TRUE(m.ctx.panicking);
  EXPECT_EQ(string_view_of(m.ctx.panic_message), "out of memory");
}

TEST(Heap, TypedConstructorsProtectTheirOperands) {
  FakeMachine m(stressed());
  std::vector<Value> items;
  {
    Roots keep(m.ctx, items);
    for (int i = 0; i < 20; ++i) items.push_back(new_string(m.ctx, std::to_string(i)));
    m.ctx.globals.push_back(new_list(m.ctx, items));
  }
  Value v = m.ctx.globals.back();
  for (int i = 0; i < 20; ++i, v = as<ConObject>(v)->fields[1])
    EXPECT_EQ(string_view_of(as<ConObject>(v)->fields[0]), std::to_string(i));
  EXPECT_EQ(v, con_value(con::Nil));
  // A string of a part of another, which moves meanwhile.
  Value s = new_string(m.ctx, "hello world");
  Value t = new_string(m.ctx, string_view_of(s).substr(6));
  EXPECT_EQ(string_view_of(t), "world");
}

TEST(Heap, LargeObjectsAreFreed) {
  FakeMachine m({.max_heap_bytes = 64 << 20});
  for (int i = 0; i < 200; ++i) {
    Value s = new_string(m.ctx, std::string(1 << 20, 'x'));
    ASSERT_EQ(string_view_of(s).size(), size_t{1} << 20);
  }
  EXPECT_FALSE(m.ctx.heap_exhausted);
  EXPECT_GT(m.heap->counters().major, 1u);
}

}  // namespace
}  // namespace eddy::rt
