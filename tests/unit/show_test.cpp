#include <cmath>
#include <cstring>

#include "runtime/function.h"
#include "runtime/handler.h"
#include "tests/unit/runtime_fixture.h"

namespace eddy::rt {
namespace {

class ShowTest : public RuntimeTest {
 protected:
  uint16_t add_con(const char* name, unsigned fields, std::vector<bool> raw = {}) {
    ConInfo info;
    info.name = name;
    info.type_name = "T";
    info.fields = static_cast<uint16_t>(fields);
    info.raw = std::move(raw);
    ctx.constructors.push_back(info);
    return static_cast<uint16_t>(ctx.constructors.size() - 1);
  }
};

TEST_P(ShowTest, Simple) {
  EXPECT_EQ(show(kUnit), "()");
  EXPECT_EQ(show(kTrue), "true");
  EXPECT_EQ(show(small_int(-42)), "-42");
  EXPECT_EQ(show(int_shl(ctx, small_int(-1), small_int(70))), "-1180591620717411303424");
  EXPECT_EQ(show(new_float(ctx, 1)), "1.0");
  EXPECT_EQ(show(con_value(con::None)), "None");
  EXPECT_EQ(show(con_value(con::Nil)), "[]");
}

TEST_P(ShowTest, TextIsEscaped) {
  auto quoted = [&](std::string_view s) { return show(new_string(ctx, s)); };
  EXPECT_EQ(quoted("plain é 😀"), "\"plain é 😀\"");
  EXPECT_EQ(quoted("a\"b\\c\n\t\r"), R"("a\"b\\c\n\t\r")");
  EXPECT_EQ(quoted("it's"), "\"it's\"");
  EXPECT_EQ(quoted("$5 ${x} $"), R"("$5 \${x} $")");
  EXPECT_EQ(quoted(std::string_view("\0\x1b\x7f", 3)), R"("\u{0}\u{1b}\u{7f}")");
  EXPECT_EQ(quoted("\u0085\u2028\ufeff"), R"("\u{85}\u{2028}\u{feff}")");
  auto c = [&](uint32_t code) { return show(char_value(code)); };
  EXPECT_EQ(c('a'), "'a'");
  EXPECT_EQ(c('\''), R"('\'')");
  EXPECT_EQ(c('"'), "'\"'");
  EXPECT_EQ(c('$'), "'$'");
  EXPECT_EQ(c('\n'), R"('\n')");
  EXPECT_EQ(c(0x1f600), "'😀'");
}

TEST_P(ShowTest, Display) {
  auto display = [&](Value v) {
    std::string out;
    EXPECT_TRUE(append_display(ctx, out, v));
    return out;
  };
  EXPECT_EQ(display(new_string(ctx, "a\n")), "a\n");
  EXPECT_EQ(display(char_value(0xe9)), "é");
  EXPECT_EQ(display(make().text("a").list(1).values[0]), "[\"a\"]");
}

TEST_P(ShowTest, Compound) {
  uint16_t point = add_con("Point", 2, {true, true}), node = add_con("Node", 3), leaf = add_con("Leaf", 0);
  EXPECT_EQ(show(make().number(1).number(-2.5).con(point, 2).values[0]), "Point(1.0, -2.5)");
  EXPECT_EQ(show(make().value(con_value(leaf)).integer(3).value(con_value(leaf)).con(node, 3).values[0]), "Node(Leaf, 3, Leaf)");
  EXPECT_EQ(show(make().integer(1).text("a").con(con::tuple(2), 2).values[0]), "(1, \"a\")");
  EXPECT_EQ(show(make().integer(1).integer(2).integer(3).list(3).values[0]), "[1, 2, 3]");
  EXPECT_EQ(show(make().integer(1).array(1).values[0]), "#[1]");
  EXPECT_EQ(show(make().number(1).number(2).array(2).values[0]), "#[1.0, 2.0]");
  EXPECT_EQ(show(make().array(0).values[0]), "#[]");
  EXPECT_EQ(show(make().integer(1).con(con::Ref, 1).values[0]), "ref(1)");
  EXPECT_EQ(show(make().integer(0).integer(3).con(con::Range, 2).values[0]), "0..3");
  EXPECT_EQ(show(make().integer(0).integer(3).con(con::RangeInclusive, 2).con(con::Some, 1).values[0]), "Some(0..=3)");
  EXPECT_EQ(show(make().list(0).con(con::Some, 1).list(1).values[0]), "[Some([])]");
  EXPECT_EQ(show(make().text("a").con(con::Err, 1).values[0]), "Err(\"a\")");
}

TEST_P(ShowTest, MapsAndSets) {
  uint16_t tip = add_con("MapTip", 0), bin = add_con("MapBin", 5), set_bin = add_con("SetBin", 4);
  auto leaf = con_value(tip);
  EXPECT_EQ(show(make().value(leaf).con(con::MapTree, 1).values[0]), "map.from_list([])");
  Make map(this);
  map.integer(2).integer(1).text("a").value(leaf);
  map.integer(1).integer(2).text("b").value(leaf).value(leaf).con(bin, 5).con(bin, 5).con(con::MapTree, 1);
  EXPECT_EQ(show(map.values[0]), R"(map.from_list([(1, "a"), (2, "b")]))");
  Make set(this);
  set.integer(3).integer(2);
  set.integer(1).integer(1).value(leaf).value(leaf).con(set_bin, 4);
  set.integer(1).integer(3).value(leaf).value(leaf).con(set_bin, 4);
  set.con(set_bin, 4).con(con::SetTree, 1);
  EXPECT_EQ(show(set.values[0]), "set.from_list([1, 2, 3])");
  EXPECT_EQ(show(make().value(small_int(1)).value(set.values[0]).list(2).values[0]), "[1, set.from_list([1, 2, 3])]");
}

TEST_P(ShowTest, FunctionsAndHandlers) {
  Function function;
  function.name = "area";
  auto* closure = static_cast<Closure*>(ctx.heap->allocate(Kind::Closure, 0, sizeof(Closure)));
  closure->function = &function;
  EXPECT_EQ(show(ptr_value(closure)), "<fn area>");
  Site site;
  site.name = "State";
  auto* named = static_cast<Named*>(ctx.heap->allocate(Kind::Named, 0, sizeof(Named)));
  named->site = &site;
  named->env = kUnit;
  named->live = 1;
  EXPECT_EQ(show(ptr_value(named)), "<handler State>");
  auto* k = static_cast<Continuation*>(ctx.heap->allocate(Kind::Continuation, 0, sizeof(Continuation)));
  std::memset(reinterpret_cast<char*>(k) + 8, 0, sizeof(Continuation) - 8);
  EXPECT_EQ(show(ptr_value(k)), "<resumption>");
}

TEST_P(ShowTest, Cycles) {
  Make ref(this);
  ref.integer(0).con(con::Ref, 1);
  Value some = new_con(ctx, con::Some, std::span(ref.values).first(1));
  auto* object = as<ConObject>(ref.values[0]);
  world.heap.write(object, &object->fields[0], some);
  EXPECT_EQ(show(ref.values[0]), "ref(Some(…))");

  Make array(this);
  array.integer(1).integer(2).array(2);
  Value list = new_list(ctx, array.values);  // [array]
  auto* a = as<Array>(array.values[0]);
  world.heap.write(a, &a->items[1], list);
  EXPECT_EQ(show(array.values[0]), "#[1, […]]");

  // Shared, but no cycle.
  Make shared(this);
  shared.integer(1).con(con::Ref, 1).value(kUnit);
  shared.values[1] = shared.values[0];
  shared.con(con::tuple(2), 2);
  EXPECT_EQ(show(shared.values[0]), "(ref(1), ref(1))");
}

TEST_P(ShowTest, ALongWayRound) {
  // A cycle of a thousand refs: deeper than what is searched by eye.
  Make first(this);
  first.integer(0).con(con::Ref, 1);
  Make chain(this);
  chain.value(first.values[0]);
  for (int i = 1; i < 1000; ++i) chain.con(con::Ref, 1);
  auto* object = as<ConObject>(first.values[0]);
  world.heap.write(object, &object->fields[0], chain.values[0]);
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += "ref(";
  expected += "…";
  for (int i = 0; i < 1000; ++i) expected += ')';
  EXPECT_EQ(show(chain.values[0]), expected);
}

TEST_P(ShowTest, DepthAndLength) {
  size_t n = stressed() ? 500 : 1'000'000;
  Make deep(this);
  deep.integer(7);
  for (size_t i = 0; i < n; ++i) deep.con(con::Some, 1);
  std::string text = show(deep.values[0]);
  EXPECT_EQ(text.size(), n * 6 + 1);
  EXPECT_TRUE(text.starts_with("Some(Some(") && text.ends_with("))))"));

  std::vector<Value> items(n, small_int(1));
  Root list(ctx, new_list(ctx, items));
  EXPECT_EQ(show(list.value).size(), n * 3);
}

TEST_P(ShowTest, EndlessTextIsRefused) {
  if (stressed()) return;
  // t = (t', t') forty levels deep: a terabyte of text in a kilobyte of heap.
  World small([] {
    HeapOptions options;
    options.max_heap_bytes = 64 << 20;
    return options;
  }());
  Root v(small.ctx, small_int(1));
  for (int i = 0; i < 40; ++i) {
    Value fields[] = {v.value, v.value};
    v.value = new_con(small.ctx, con::tuple(2), fields);
  }
  std::string out;
  EXPECT_FALSE(append_show(small.ctx, out, v.value));
  EXPECT_TRUE(small.ctx.panicking);
  EXPECT_EQ(string_view_of(small.ctx.panic_message), "out of memory");
}

RUNTIME_TESTS(ShowTest);

}  // namespace
}  // namespace eddy::rt
