// `==`, `compare` and `hash`, and that they agree with one another.
#include "runtime/compare.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "runtime/function.h"
#include "tests/unit/runtime_fixture.h"

namespace eddy::rt {
namespace {

class CompareTest : public RuntimeTest {
 protected:
  CompareTest() {
    tip = add_con("Tip", "Node", 0, 0);
    bin = add_con("Bin", "Node", 1, 5);
    circle = add_con("Circle", "Shape", 0, 1, {true});
    square = add_con("Square", "Shape", 1, 1, {true});
    dot = add_con("Dot", "Shape", 2, 0);
  }
  uint16_t add_con(const char* name, const char* type, unsigned index, unsigned fields, std::vector<bool> raw = {}) {
    ConInfo info;
    info.name = name;
    info.type_name = type;
    info.index = static_cast<uint16_t>(index);
    info.fields = static_cast<uint16_t>(fields);
    info.raw = std::move(raw);
    ctx.constructors.push_back(info);
    return static_cast<uint16_t>(ctx.constructors.size() - 1);
  }

  // A Map of these Int keys to their negatives, balanced as `order` says.
  Value map_of(std::vector<int> keys, std::mt19937& random) {
    std::sort(keys.begin(), keys.end());
    Root tree(ctx, build(keys, 0, keys.size(), random));
    return new_con(ctx, con::MapTree, {&tree.value, 1});
  }
  Value build(const std::vector<int>& keys, size_t from, size_t to, std::mt19937& random) {
    if (from == to) return con_value(tip);
    size_t middle = from + random() % (to - from);
    std::vector<Value> fields = {small_int(static_cast<int64_t>(to - from)), small_int(keys[middle]), small_int(-keys[middle])};
    Roots keep(ctx, fields);
    Value left = build(keys, from, middle, random);
    fields.push_back(left);
    Value right = build(keys, middle + 1, to, random);
    fields.push_back(right);
    return new_con(ctx, bin, fields);
  }

  int eq(const Make& pair) { return equal(ctx, pair.values[0], pair.values[1]); }
  int order(const Make& pair) { return compare(ctx, pair.values[0], pair.values[1]); }
  // Checks compare both ways, ==, and the hashes of equal values.
  void expect(int wanted, const Make& pair) {
    Value a = pair.values[0], b = pair.values[1];
    EXPECT_EQ(compare(ctx, a, b), wanted) << show(a) << " and " << show(b);
    EXPECT_EQ(compare(ctx, b, a), -wanted) << show(a) << " and " << show(b);
    EXPECT_EQ(equal(ctx, a, b), wanted == 0) << show(a) << " and " << show(b);
    EXPECT_EQ(hash(ctx, a) == hash(ctx, b), wanted == 0) << show(a) << " and " << show(b);
  }

  uint16_t tip, bin, circle, square, dot;
};

TEST_P(CompareTest, Simple) {
  expect(-1, make().integer(1).integer(2));
  expect(0, make().integer(-5).integer(-5));
  expect(-1, make().digits("-99999999999999999999").integer(-5));
  expect(1, make().digits("99999999999999999999").integer(5));
  expect(0, make().digits("99999999999999999999").digits("99999999999999999999"));
  expect(-1, make().digits("99999999999999999998").digits("99999999999999999999"));
  expect(-1, make().value(kFalse).value(kTrue));
  expect(0, make().value(kUnit).value(kUnit));
  expect(-1, make().value(char_value('a')).value(char_value(0x1f600)));
  expect(-1, make().text("abc").text("abd"));
  expect(-1, make().text("ab").text("abc"));
  expect(-1, make().text("z").text("é"));
  expect(-1, make().text("\uffff").text("😀"));  // by code point, not by UTF-16 unit
  expect(0, make().text("").text(""));
  expect(-1, make().number(-1).number(2));
}

TEST_P(CompareTest, FloatsByIeeeAndInTotalOrder) {
  double nan = std::nan("");
  EXPECT_EQ(eq(make().number(nan).number(nan)), 0);
  EXPECT_EQ(order(make().number(nan).number(nan)), 0);
  EXPECT_EQ(order(make().number(nan).number(HUGE_VAL)), 1);
  EXPECT_EQ(order(make().number(-HUGE_VAL).number(nan)), -1);
  expect(0, make().number(0.0).number(-0.0));
  EXPECT_EQ(hash(ctx, make().number(nan).values[0]), hash(ctx, make().number(-nan).values[0]));
  // The same object is not equal to itself where there is a nan inside.
  Make inside(this);
  inside.number(nan).con(con::Some, 1);
  EXPECT_EQ(equal(ctx, inside.values[0], inside.values[0]), 0);
  EXPECT_EQ(compare(ctx, inside.values[0], inside.values[0]), 0);
  Make array(this);
  array.number(nan).array(1);
  EXPECT_EQ(equal(ctx, array.values[0], array.values[0]), 0);
  EXPECT_EQ(compare(ctx, array.values[0], array.values[0]), 0);
  Make raw(this);
  raw.number(nan).con(circle, 1);
  EXPECT_EQ(equal(ctx, raw.values[0], raw.values[0]), 0);
  EXPECT_EQ(compare(ctx, raw.values[0], raw.values[0]), 0);
}

TEST_P(CompareTest, Structures) {
  expect(-1, make().value(con_value(con::None)).integer(1).con(con::Some, 1));
  expect(0, make().integer(1).con(con::Some, 1).integer(1).con(con::Some, 1));
  expect(-1, make().integer(9).con(con::Ok, 1).integer(1).con(con::Err, 1));
  expect(-1, make().number(9).con(circle, 1).number(1).con(square, 1));
  expect(-1, make().number(1).con(circle, 1).number(1.5).con(circle, 1));
  expect(0, make().number(0.0).con(circle, 1).number(-0.0).con(circle, 1));
  expect(-1, make().number(1).con(square, 1).value(con_value(dot)));
  expect(-1, make().integer(1).text("b").con(con::tuple(2), 2).integer(2).text("a").con(con::tuple(2), 2));
  expect(-1, make().integer(1).text("a").con(con::tuple(2), 2).integer(1).text("b").con(con::tuple(2), 2));
  expect(-1, make().list(0).integer(0).list(1));
  expect(-1, make().integer(1).integer(9).list(2).integer(2).list(1));
  expect(-1, make().integer(1).list(1).integer(1).integer(0).list(2));
  expect(0, make().text("a").text("b").list(2).text("a").text("b").list(2));
  expect(-1, make().list(0).list(0).list(2).list(0).list(0).list(0).list(3));
  expect(-1, make().integer(1).integer(9).array(2).integer(2).array(1));
  expect(0, make().text("a").array(1).text("a").array(1));
  expect(-1, make().number(1).array(1).number(1).number(0).array(2));
  expect(0, make().array(0).array(0));
  expect(0, make().integer(5).con(con::Ref, 1).integer(5).con(con::Ref, 1));
  // An empty array of Floats may be of either sort.
  Make empty(this);
  empty.array(0).number(1).array(1);
  empty.values[1] = call("array.slice", {empty.values[1], small_int(0), small_int(0)});
  ASSERT_TRUE(is_kind(empty.values[1], Kind::FloatArray));
  expect(0, empty);
}

TEST_P(CompareTest, MapsByContent) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<int> keys;
    for (int i = 0; i < 40; ++i)
      if (random() % 2) keys.push_back(i);
    Make pair(this);
    pair.value(map_of(keys, random));
    pair.value(map_of(keys, random));
    expect(0, pair);
    std::vector<int> more = keys;
    more.push_back(100);
    pair.values[1] = map_of(more, random);
    expect(-1, pair);
    if (keys.empty()) continue;
    more = keys;
    more[0] -= 1;
    pair.values[1] = map_of(more, random);
    expect(1, pair);
  }
}

TEST_P(CompareTest, Functions) {
  Function function;
  auto* closure = static_cast<Closure*>(ctx.heap->allocate(Kind::Closure, 0, sizeof(Closure)));
  closure->function = &function;
  Make pair(this);
  pair.value(ptr_value(closure)).con(con::Some, 1).value(pair.values[0]);
  pair.values[1] = pair.values[0];
  for (auto* compare_them : {+[](Context& c, Value a, Value b) { return equal(c, a, b); }, &compare}) {
    EXPECT_EQ(compare_them(ctx, pair.values[0], pair.values[1]), kIncomparable);
    EXPECT_EQ(panic_text(), "functions cannot be compared");
    Value inner = as<ConObject>(pair.values[0])->fields[0];
    EXPECT_EQ(compare_them(ctx, inner, inner), kIncomparable);
    EXPECT_EQ(panic_text(), "functions cannot be compared");
  }
  EXPECT_EQ(hash(ctx, pair.values[0]), kNoHash);
  EXPECT_EQ(panic_text(), "functions cannot be hashed");
  // What decides before a function is reached, decides.
  Make early(this);
  early.integer(1).value(as<ConObject>(pair.values[0])->fields[0]).con(con::tuple(2), 2);
  early.integer(2).value(as<ConObject>(pair.values[0])->fields[0]).con(con::tuple(2), 2);
  EXPECT_EQ(eq(early), 0);
  EXPECT_EQ(order(early), -1);
}

TEST_P(CompareTest, OrderedOperands) {
  EXPECT_EQ(compare_ordered(ctx, small_int(1), small_int(2)), -1);
  EXPECT_EQ(compare_ordered(ctx, char_value('b'), char_value('a')), 1);
  Make pair(this);
  pair.text("a").text("a").digits("-99999999999999999999");
  EXPECT_EQ(compare_ordered(ctx, pair.values[0], pair.values[1]), 0);
  EXPECT_EQ(compare_ordered(ctx, pair.values[2], small_int(0)), -1);
  EXPECT_EQ(compare_ordered(ctx, pair.values[0], small_int(0)), kIncomparable);
  EXPECT_EQ(panic_text(), "expected two Ints, Chars or Strings");
}

TEST_P(CompareTest, Cycles) {
  // ref(Some(itself)) and one that goes round in two steps: equal, for they unfold to the same.
  auto ring = [&](int length) {
    Make first(this);
    first.integer(0).con(con::Ref, 1);
    Make chain(this);
    chain.value(first.values[0]);
    chain.con(con::Some, 1);
    for (int i = 1; i < length; ++i) chain.con(con::Ref, 1).con(con::Some, 1);
    auto* object = as<ConObject>(first.values[0]);
    world.heap.write(object, &object->fields[0], chain.values[0]);
    return first.values[0];
  };
  Make rings(this);
  rings.value(ring(1));
  rings.value(ring(2));
  expect(0, rings);
  rings.value(ring(7000 / (stressed() ? 10 : 1)));
  EXPECT_EQ(equal(ctx, rings.values[0], rings.values[2]), 1);
  EXPECT_EQ(compare(ctx, rings.values[2], rings.values[1]), 0);
}

TEST_P(CompareTest, SharedParts) {
  // Sixty levels of (t, t): 2^60 paths, sixty objects.
  auto tower = [&] {
    Root v(ctx, small_int(1));
    for (int i = 0; i < 60; ++i) {
      Value fields[] = {v.value, v.value};
      v.value = new_con(ctx, con::tuple(2), fields);
    }
    return v.value;
  };
  Make pair(this);
  pair.value(tower());
  pair.value(tower());
  expect(0, pair);
}

TEST_P(CompareTest, DepthAndLength) {
  size_t n = stressed() ? 500 : 1'000'000;
  auto deep = [&](int64_t last, bool front) {
    Make v(this);
    v.integer(last);
    for (size_t i = 0; i < n; ++i) {
      if (front) {
        v.integer(1).con(con::tuple(2), 2);
      } else {
        v.con(con::Some, 1);
      }
    }
    return v.values[0];
  };
  for (bool front : {false, true}) {
    Make pair(this);
    pair.value(deep(1, front));
    pair.value(deep(1, front));
    EXPECT_EQ(eq(pair), 1);
    EXPECT_EQ(order(pair), 0);
    EXPECT_EQ(hash(ctx, pair.values[0]), hash(ctx, pair.values[1]));
    pair.values[1] = deep(2, front);
    EXPECT_EQ(eq(pair), 0);
    EXPECT_EQ(order(pair), -1);
  }
  std::vector<Value> items(n, small_int(1));
  Make lists(this);
  lists.value(new_list(ctx, items));
  items.back() = small_int(2);
  lists.value(new_list(ctx, items));
  EXPECT_EQ(order(lists), -1);
  EXPECT_EQ(eq(lists), 0);
}

RUNTIME_TESTS(CompareTest);

}  // namespace
}  // namespace eddy::rt
