// The natives that std declares, by name, as std/natives.md describes them.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include "runtime/compare.h"
#include "tests/unit/runtime_fixture.h"

namespace eddy::rt {
namespace {

class NativesTest : public RuntimeTest {};

TEST_P(NativesTest, EveryDocumentedNativeExists) {
  // Rows of the tables below "## Natives" whose first cell is one or more `name`s.
  std::ifstream file(EDDY_SOURCE_DIR "/std/natives.md");
  ASSERT_TRUE(file);
  std::set<std::string> documented;
  std::string line;
  bool inside = false;
  while (std::getline(file, line)) {
    if (line.starts_with("## ")) inside = line == "## Natives";
    if (!inside || !line.starts_with("| `")) continue;
    std::string cell = line.substr(2, line.find('|', 2) - 2);
    for (size_t at = 0; (at = cell.find('`', at)) != std::string::npos;) {
      size_t end = cell.find('`', at + 1);
      std::string name = cell.substr(at + 1, end - at - 1);
      if (cell.find("float.sin") != std::string::npos && !name.starts_with("float.")) name = "float." + name;
      documented.insert(name);
      at = end + 1;
    }
  }
  std::set<std::string> defined;
  for (const Native& native : natives()) EXPECT_TRUE(defined.insert(std::string(native.name)).second) << native.name;
  for (const auto& name : documented) EXPECT_TRUE(defined.contains(name)) << name;
  for (const auto& name : defined) EXPECT_TRUE(documented.contains(name)) << name;
}

TEST_P(NativesTest, StdDeclaresThemWithTheirArity) {
  size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(EDDY_SOURCE_DIR "/std")) {
    if (entry.path().extension() != ".eddy") continue;
    std::ifstream file(entry.path());
    std::string text(std::istreambuf_iterator<char>(file), {});
    const std::string mark = "@native(\"";
    for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
      at += mark.size();
      std::string name = text.substr(at, text.find('"', at) - at);
      size_t line_end = text.find('\n', at), function = text.find("fn ", at);
      if (function > line_end) function = text.find("fn ", line_end);
      if (text.substr(at, line_end - at).find(" type ") != std::string::npos) continue;
      int depth = 0;
      unsigned arity = 0;
      for (size_t p = text.find('(', function);; ++p) {
        if (text[p] == '(' || text[p] == '<') ++depth;
        if (text[p] == ')' || text[p] == '>') --depth;
        if (depth == 0) break;
        if (depth == 1 && text[p] == ':' && text[p - 1] != ')') ++arity;  // not a function type's result
      }
      const Native* native = find_native(name);
      ASSERT_TRUE(native) << name << " in " << entry.path();
      EXPECT_EQ(native->arity, arity) << name << " in " << entry.path();
      ++found;
    }
  }
  EXPECT_GT(found, 100u);
}

TEST_P(NativesTest, WrongKindsPanic) {
  for (const Native& native : natives()) {
    if (native.arity == 0 || native.name == "exit") continue;
    for (Value wrong : {kUnit, small_int(-7), con_value(con::Nil), char_value('x')}) {
      for (unsigned i = 0; i < native.arity; ++i) ctx.args[i] = wrong;
      if (native.name.starts_with("print") || native.name.starts_with("eprint")) continue;
      ctx.args_live = native.arity;
      Value result = native.function(ctx, ctx.args);
      ctx.args_live = 0;
      EXPECT_EQ(result == kNull, ctx.panicking) << native.name;
      ctx.panicking = false;
    }
  }
}

TEST_P(NativesTest, AnyArgumentsAreSafe) {
  World limited([] {
    HeapOptions options = NativesTest::options();
    options.max_heap_bytes = 16 << 20;
    return options;
  }());
  Context& ctx = limited.ctx;
  std::vector<Value> pool = {kUnit, kTrue, con_value(con::Nil), con_value(con::None), char_value('x'), char_value(0x1f600)};
  Roots keep(ctx, pool);
  auto add = [&](Value v) { pool.push_back(v); };
  for (int64_t n : {0l, 1l, -1l, 2l, 3l, 10l, 36l, 64l, 1000l, 100000000l, 1l << 40, kSmallMax, kSmallMin}) add(small_int(n));
  add(int_shl(ctx, small_int(1), small_int(63)));
  add(int_shl(ctx, small_int(-5), small_int(200)));
  for (double d : {0.0, -1.5, 1e300, HUGE_VAL, std::nan("")}) add(new_float(ctx, d));
  for (const char* text : {"", "a", "abc", "日本語", "12", "-7f", "1.5", ",", "a,b,,c", " trim\t"}) add(new_string(ctx, text));
  auto add_native = [&](const char* name, std::vector<Value> arguments) {
    std::copy(arguments.begin(), arguments.end(), ctx.args);
    ctx.args_live = static_cast<unsigned>(arguments.size());
    add(find_native(name)->function(ctx, ctx.args));
    ctx.args_live = 0;
  };
  std::mt19937 random(9);
  auto any = [&] { return pool[random() % pool.size()]; };
  add_native("bytes.new", {small_int(8)});
  add_native("array.new", {small_int(3), small_int(1)});
  add_native("array.new", {small_int(3), pool[21]});
  ASSERT_TRUE(is_kind(pool.back(), Kind::FloatArray));
  add_native("array.new", {small_int(0), kUnit});
  for (int i = 0; i < 20; ++i) {
    std::vector<Value> items;
    for (unsigned n = random() % 4; n > 0; --n) items.push_back(any());
    add(new_list(ctx, items));
    Value fields[] = {any(), any()};
    add(new_con(ctx, con::tuple(2), fields));
  }
  const std::set<std::string_view> excluded = {"exit",  "time.sleep", "read_line",  "read_all", "print",
                                               "println", "eprint",   "eprintln", "os.set_env"};
  for (int round = 0; round < (stressed() ? 200 : 6000); ++round) {
    for (const Native& native : natives()) {
      if (excluded.contains(native.name) || native.name.starts_with("file.")) continue;
      for (unsigned i = 0; i < native.arity; ++i) ctx.args[i] = any();
      ctx.args_live = native.arity;
      Value result = native.function(ctx, ctx.args);
      ctx.args_live = 0;
      ASSERT_EQ(result == kNull, ctx.panicking) << native.name;
      ctx.panicking = false;
      ctx.heap_exhausted = false;
      if (result != kNull && random() % 8 == 0) pool[pool.size() - 1 - random() % 20] = result;
    }
  }
}

TEST_P(NativesTest, Ints) {
  EXPECT_EQ(shown("int.parse", make().text("42").integer(10)), "Some(42)");
  EXPECT_EQ(shown("int.parse", make().text("-ff").integer(16)), "Some(-255)");
  EXPECT_EQ(shown("int.parse", make().text("123456789012345678901234567890").integer(10)), "Some(123456789012345678901234567890)");
  EXPECT_EQ(shown("int.parse", make().text("4 2").integer(10)), "None");
  EXPECT_EQ(shown("int.parse", make().text("1_0").integer(10)), "None");
  EXPECT_EQ(shown("int.parse", make().text("1").integer(1)), "panic: radix 1 out of range");
  EXPECT_EQ(shown("int.to_string", make().integer(-255).integer(16)), "\"-ff\"");
  EXPECT_EQ(shown("int.pow", make().integer(3).integer(50)), "717897987691852588770249");
  EXPECT_EQ(shown("int.bit_count", make().integer(255)), "8");
  EXPECT_EQ(shown("int.bit_count", make().integer(-1)), "0");
  EXPECT_EQ(shown("int.bit_length", make().integer(-256)), "8");
  EXPECT_EQ(shown("int.sqrt", make().integer(99)), "9");
  EXPECT_EQ(shown("int.sqrt", make().integer(-1)), "panic: square root of a negative number");
}

TEST_P(NativesTest, Floats) {
  EXPECT_EQ(shown("float.parse", make().text("2.5")), "Some(2.5)");
  EXPECT_EQ(shown("float.parse", make().text("x")), "None");
  EXPECT_EQ(shown("float.round", make().number(2.5)), "3.0");
  EXPECT_EQ(shown("float.round", make().number(-2.5)), "-3.0");
  EXPECT_EQ(shown("float.pow", make().number(2).number(10)), "1024.0");
  EXPECT_EQ(shown("float.to_int", make().number(-3.9)), "-3");
  EXPECT_EQ(shown("float.to_int", make().number(1e20)), "100000000000000000000");
  EXPECT_EQ(shown("float.to_int", make().number(std::nan(""))), "panic: nan is not an integer");
  EXPECT_EQ(shown("float.to_int", make().number(-HUGE_VAL)), "panic: -inf is not an integer");
  EXPECT_EQ(shown("float.to_bits", make().number(-1)), "13830554455654793216");
  EXPECT_EQ(shown("float.from_bits", make().digits("13830554455654793216")), "-1.0");
  EXPECT_EQ(shown("float.from_bits", make().integer(-1)), "nan");
  EXPECT_EQ(shown("float.to_fixed", make().number(3.14159).integer(3)), "\"3.142\"");
  EXPECT_EQ(shown("float.to_fixed", make().number(1).integer(-1)), "panic: digits -1 out of range");
}

TEST_P(NativesTest, Chars) {
  auto c = [](uint32_t code) { return char_value(code); };
  EXPECT_EQ(shown("char.to_upper", make().value(c(0xe9))), "'É'");
  EXPECT_EQ(shown("char.to_lower", make().value(c(0x42f))), "'я'");
  EXPECT_EQ(shown("char.to_upper", make().value(c(0xff))), "'Ÿ'");
  EXPECT_EQ(shown("char.to_upper", make().value(c(0xdf))), "'ß'");
  EXPECT_EQ(shown("char.from_code", make().integer(0x1f600)), "Some('😀')");
  EXPECT_EQ(shown("char.from_code", make().integer(0xd800)), "None");
  EXPECT_EQ(shown("char.from_code", make().integer(-1)), "None");
  EXPECT_EQ(shown("char.from_code", make().integer(0x110000)), "None");
  EXPECT_EQ(shown("char.is_letter", make().value(c(0x4e2d))), "true");
  EXPECT_EQ(shown("char.is_letter", make().value(c('1'))), "false");
  EXPECT_EQ(shown("char.is_upper", make().value(c(0x3a3))), "true");
  EXPECT_EQ(shown("char.is_lower", make().value(c(0x3a3))), "false");
  EXPECT_EQ(shown("char.is_space", make().value(c(0xa0))), "true");
}

TEST_P(NativesTest, LookingIntoStrings) {
  const char* text = "naïve 日本 😀!";
  EXPECT_EQ(shown("string.length", make().text(text)), "11");
  EXPECT_EQ(shown("string.byte_length", make().text(text)), "19");
  EXPECT_EQ(shown("string.at", make().text(text).integer(7)), "'本'");
  EXPECT_EQ(shown("string.at", make().text(text).integer(11)), "panic: index 11 out of range (length 11)");
  EXPECT_EQ(shown("string.at", make().text("").integer(-1)), "panic: index -1 out of range (length 0)");
  EXPECT_EQ(shown("string.at", make().text("a").digits("99999999999999999999")),
            "panic: index 99999999999999999999 out of range (length 1)");
  EXPECT_EQ(shown("string.slice", make().text(text).integer(2).integer(8)), "\"ïve 日本\"");
  EXPECT_EQ(shown("string.slice", make().text(text).integer(11).integer(11)), "\"\"");
  EXPECT_EQ(shown("string.slice", make().text("abc").integer(1).integer(4)), "panic: index 4 out of range (length 3)");
  EXPECT_EQ(shown("string.slice", make().text("abc").integer(3).integer(2)), "panic: index 3 out of range (length 3)");
  EXPECT_EQ(shown("string.slice", make().text("abc").integer(-1).integer(2)), "panic: index -1 out of range (length 3)");
  EXPECT_EQ(shown("string.find", make().text(text).text("😀").integer(0)), "Some(9)");
  EXPECT_EQ(shown("string.find", make().text("aXbX").text("X").integer(2)), "Some(3)");
  EXPECT_EQ(shown("string.find", make().text("abc").text("").integer(3)), "Some(3)");
  EXPECT_EQ(shown("string.find", make().text("abc").text("").integer(4)), "None");
  EXPECT_EQ(shown("string.find", make().text("abc").text("a").integer(-5)), "Some(0)");
  EXPECT_EQ(shown("string.find", make().text("abc").text("z").integer(0)), "None");
  EXPECT_EQ(shown("string.find_last", make().text("äbäb").text("ä")), "Some(2)");
  EXPECT_EQ(shown("string.contains", make().text(text).text("日本")), "true");
  EXPECT_EQ(shown("string.starts_with", make().text(text).text("naï")), "true");
  EXPECT_EQ(shown("string.ends_with", make().text(text).text("?")), "false");
  EXPECT_EQ(shown("string.chars", make().text("aé😀")), "['a', 'é', '😀']");
  EXPECT_EQ(shown("string.to_array", make().text("aé😀")), "#['a', 'é', '😀']");
  EXPECT_EQ(shown("string.bytes", make().text("é")), "[195, 169]");
}

TEST_P(NativesTest, EveryIndexOfAMultiByteString) {
  // The cursor must survive any order of access, and collections in between.
  std::string text;
  std::vector<std::string> chars;
  for (int i = 0; i < 300; ++i) {
    chars.push_back(i % 4 == 0 ? "a" : i % 4 == 1 ? "é" : i % 4 == 2 ? "本" : "😀");
    text += chars.back();
  }
  Make made(this);
  made.text(text).text("zé本zé本zé本");
  auto at = [&](int i) {
    Value c = call("string.at", {made.values[0], small_int(i)});
    std::string out;
    append_display(ctx, out, c);
    return out;
  };
  for (int i = 0; i < 300; ++i) ASSERT_EQ(at(i), chars[static_cast<size_t>(i)]) << i;
  for (int i = 299; i >= 0; --i) ASSERT_EQ(at(i), chars[static_cast<size_t>(i)]) << i;
  for (int k = 0; k < 900; ++k) {
    int i = k * 7919 % 300;
    ASSERT_EQ(at(i), chars[static_cast<size_t>(i)]) << i;
    if (k % 3 == 0) {
      const char* expected[] = {"'z'", "'é'", "'本'"};
      EXPECT_EQ(show(call("string.at", {made.values[1], small_int(k % 9)})), expected[k % 9 % 3]);
    }
    if (k % 100 == 0) world.heap.collect_minor();
    if (k % 250 == 0) world.heap.collect_major();
  }
}

TEST_P(NativesTest, TakingStringsApart) {
  EXPECT_EQ(shown("string.split", make().text("a,,b").text(",")), R"(["a", "", "b"])");
  EXPECT_EQ(shown("string.split", make().text("").text(",")), R"([""])");
  EXPECT_EQ(shown("string.split", make().text("x--y--").text("--")), R"(["x", "y", ""])");
  EXPECT_EQ(shown("string.split", make().text("aé😀").text("")), R"(["a", "é", "😀"])");
  EXPECT_EQ(shown("string.split", make().text("").text("")), "[]");
  EXPECT_EQ(shown("string.words", make().text("  one\ttwo \u00a0 three")), R"(["one", "two", "three"])");
  EXPECT_EQ(shown("string.words", make().text(" \n ")), "[]");
  EXPECT_EQ(shown("string.trim", make().text(" \u2003é \n")), "\"é\"");
  EXPECT_EQ(shown("string.trim", make().text("   ")), "\"\"");
  EXPECT_EQ(shown("string.trim_start", make().text(" a ")), "\"a \"");
  EXPECT_EQ(shown("string.trim_end", make().text(" a ")), "\" a\"");
}

TEST_P(NativesTest, MakingStrings) {
  EXPECT_EQ(shown("string.concat", make().text("ab").text("çd")), "\"abçd\"");
  EXPECT_EQ(shown("string.concat", make().text("").text("")), "\"\"");
  EXPECT_EQ(shown("string.interpolate", make().text("x = ").integer(3).text(", ").value(char_value(0xe9)).array(4)), "\"x = 3, é\"");
  EXPECT_EQ(shown("string.interpolate", make().text("a").text("b").array(2)), "\"ab\"");
  EXPECT_EQ(shown("string.interpolate", make().number(1).number(2.5).array(2)), "\"1.02.5\"");
  EXPECT_EQ(shown("string.join", make().text("a").text("b").text("c").list(3).text(", ")), "\"a, b, c\"");
  EXPECT_EQ(shown("string.join", make().integer(1).integer(2).list(2).text("-")), "\"1-2\"");
  EXPECT_EQ(shown("string.join", make().list(0).text("-")), "\"\"");
  EXPECT_EQ(shown("string.from_chars", make().value(char_value('a')).value(char_value(0x1f600)).list(2)), "\"a😀\"");
  EXPECT_EQ(shown("string.from_array", make().value(char_value('a')).value(char_value(0x1f600)).array(2)), "\"a😀\"");
  EXPECT_EQ(shown("string.from_array", make().number(1).array(1)), "panic: expected a Char");
  EXPECT_EQ(shown("string.from_bytes", make().integer(195).integer(169).list(2)), "Some(\"é\")");
  EXPECT_EQ(shown("string.from_bytes", make().integer(195).list(1)), "None");
  EXPECT_EQ(shown("string.from_bytes", make().integer(256).list(1)), "None");
  EXPECT_EQ(shown("string.replace", make().text("aXbXc").text("X").text("éé")), "\"aéébééc\"");
  EXPECT_EQ(shown("string.replace", make().text("aaa").text("aa").text("b")), "\"ba\"");
  EXPECT_EQ(shown("string.replace", make().text("abc").text("").text("x")), "\"abc\"");
  EXPECT_EQ(shown("string.to_upper", make().text("straße ñ ω я z")), "\"STRASSE Ñ Ω Я Z\"");
  EXPECT_EQ(shown("string.to_lower", make().text("ÀÉ ΩЯ Z")), "\"àé ωя z\"");
  EXPECT_EQ(shown("string.repeat", make().text("ab").integer(3)), "\"ababab\"");
  EXPECT_EQ(shown("string.repeat", make().text("ab").integer(0)), "\"\"");
  EXPECT_EQ(shown("string.repeat", make().text("ab").integer(-5)), "\"\"");
  EXPECT_EQ(shown("string.repeat", make().text("ab").integer(int64_t{1} << 40)), "panic: out of memory");
  EXPECT_EQ(shown("string.repeat", make().text("").integer(int64_t{1} << 40)), "\"\"");
  EXPECT_EQ(shown("string.reverse", make().text("aé😀b")), "\"b😀éa\"");
}

TEST_P(NativesTest, StringBuilderStorage) {
  std::vector<Value> kept = {call("bytes.new", {small_int(4)}), kUnit};
  Roots keep(ctx, kept);
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    kept[1] = new_string(ctx, i % 2 ? "ab" : "日本");
    kept[0] = call("bytes.append", {kept[0], small_int(static_cast<int64_t>(expected.size())), kept[1]});
    expected += i % 2 ? "ab" : "日本";
    kept[0] = call("bytes.append_char", {kept[0], small_int(static_cast<int64_t>(expected.size())), char_value(0xe9)});
    expected += "é";
  }
  Value text = call("bytes.to_string", {kept[0], small_int(static_cast<int64_t>(expected.size()))});
  EXPECT_EQ(string_view_of(text), expected);
  EXPECT_EQ(show(call("bytes.to_string", {kept[0], small_int(1)})), "panic: not valid UTF-8");
  EXPECT_EQ(show(kept[0]), "<bytes>");
  EXPECT_TRUE(show(call("bytes.append", {kept[0], small_int(1 << 30), kept[1]})).starts_with("panic: index 1073741824"));
  EXPECT_EQ(show(call("bytes.new", {small_int(int64_t{1} << 50)})), "panic: out of memory");
}

TEST_P(NativesTest, Arrays) {
  EXPECT_EQ(shown("array.new", make().integer(3).text("x")), R"(#["x", "x", "x"])");
  EXPECT_EQ(shown("array.new", make().integer(2).number(1.5)), "#[1.5, 1.5]");
  EXPECT_EQ(shown("array.new", make().integer(-1).integer(0)), "panic: negative length: -1");
  EXPECT_EQ(shown("array.new", make().integer(int64_t{1} << 50).integer(0)), "panic: out of memory");
  EXPECT_EQ(shown("array.new", make().integer(4'000'000'000).number(0)), "panic: out of memory");
  EXPECT_EQ(shown("array.new", make().digits("999999999999999999999").integer(0)), "panic: out of memory");
  EXPECT_EQ(shown("array.copy", make().integer(1).integer(2).array(2)), "#[1, 2]");
  EXPECT_EQ(shown("array.copy", make().number(1).array(1)), "#[1.0]");
  EXPECT_EQ(shown("array.slice", make().text("a").text("b").text("c").array(3).integer(1).integer(3)), R"(#["b", "c"])");
  EXPECT_EQ(shown("array.slice", make().array(0).integer(0).integer(1)), "panic: index 1 out of range (length 0)");
  EXPECT_EQ(shown("array.concat", make().text("a").array(1).text("b").array(1)), R"(#["a", "b"])");
  EXPECT_EQ(shown("array.concat", make().array(0).number(2).array(1)), "#[2.0]");
  EXPECT_EQ(shown("array.concat", make().number(2).array(1).array(0)), "#[2.0]");
  EXPECT_EQ(shown("array.concat", make().number(2).array(1).integer(1).array(1)), "panic: expected arrays of one type");
  EXPECT_EQ(shown("array.to_list", make().text("a").text("b").array(2)), R"(["a", "b"])");
  EXPECT_EQ(shown("array.to_list", make().number(1).number(2).array(2)), "[1.0, 2.0]");
  EXPECT_EQ(shown("array.from_list", make().list(0)), "#[]");
}

TEST_P(NativesTest, ArraysInPlace) {
  Make made(this);
  made.text("a").text("b").text("c").text("d").array(4).text("x").number(1).number(2).number(3).array(3);
  Value& words = made.values[0];
  Value& floats = made.values[2];
  call("array.reverse", {words});
  EXPECT_EQ(show(words), R"(#["d", "c", "b", "a"])");
  call("array.blit", {words, small_int(0), words, small_int(1), small_int(3)});
  EXPECT_EQ(show(words), R"(#["d", "d", "c", "b"])");
  call("array.blit", {words, small_int(1), words, small_int(0), small_int(3)});
  EXPECT_EQ(show(words), R"(#["d", "c", "b", "b"])");
  EXPECT_EQ(show(call("array.blit", {words, small_int(2), words, small_int(0), small_int(3)})), "panic: index 4 out of range (length 4)");
  EXPECT_EQ(show(call("array.blit", {words, small_int(5), words, small_int(0), small_int(0)})), "panic: index 5 out of range (length 4)");
  EXPECT_EQ(show(call("array.blit", {words, small_int(0), words, small_int(-1), small_int(1)})), "panic: index -1 out of range (length 4)");
  EXPECT_EQ(show(call("array.blit", {words, small_int(0), words, small_int(0), small_int(-1)})), "panic: negative length: -1");
  EXPECT_EQ(show(call("array.blit", {words, small_int(0), floats, small_int(0), small_int(1)})), "panic: expected arrays of one type");
  call("array.fill", {words, made.values[1]});
  EXPECT_EQ(show(words), R"(#["x", "x", "x", "x"])");
  call("array.reverse", {floats});
  EXPECT_EQ(show(floats), "#[3.0, 2.0, 1.0]");
  EXPECT_EQ(show(call("array.fill", {floats, small_int(1)})), "panic: expected a Float");
}

TEST_P(NativesTest, LargeOldArraysKeepYoungElements) {
  // Large arrays remember stores piece by piece: whatever natives move must be found by the next collection.
  Root array(ctx, call("array.new", {small_int(20000), kUnit}));
  world.heap.collect_major();
  for (int i = 0; i < 20000; i += 997) {
    Value text = new_string(ctx, std::to_string(i));
    auto* a = as<Array>(array.value);
    world.heap.write(a, &a->items[i], text);
  }
  call("array.reverse", {array.value});
  world.heap.collect_minor();
  EXPECT_EQ(show(as<Array>(array.value)->items[19999 - 997]), "\"997\"");
  Root text(ctx, new_string(ctx, "young"));
  call("array.fill", {array.value, text.value});
  world.heap.collect_minor();
  EXPECT_EQ(show(as<Array>(array.value)->items[19999]), "\"young\"");
  for (int i = 0; i < 20000; i += 1500) {
    Value s = new_string(ctx, std::to_string(i));
    auto* a = as<Array>(array.value);
    world.heap.write(a, &a->items[i], s);
  }
  EXPECT_EQ(show(call("array.sort", {array.value})), "()");
  world.heap.collect_minor();
  EXPECT_EQ(show(as<Array>(array.value)->items[0]), "\"0\"");
  EXPECT_EQ(show(as<Array>(array.value)->items[1]), "\"10500\"");
  std::string problem;
  EXPECT_TRUE(world.heap.verify(&problem)) << problem;
}

TEST_P(NativesTest, Sorting) {
  auto sorted = [&](const Make& made) {
    Root array(ctx, made.values[0]);
    Value result = call("array.sort", {array.value});
    return result == kNull ? show(result) : show(array.value);
  };
  EXPECT_EQ(sorted(make().integer(3).integer(-1).integer(2).array(3)), "#[-1, 2, 3]");
  EXPECT_EQ(sorted(make().integer(3).digits("99999999999999999999").digits("-99999999999999999999").array(3)),
            "#[-99999999999999999999, 3, 99999999999999999999]");
  EXPECT_EQ(sorted(make().number(2).number(std::nan("")).number(-1).number(HUGE_VAL).array(4)), "#[-1.0, 2.0, inf, nan]");
  EXPECT_EQ(sorted(make().text("b").text("ä").text("a").array(3)), R"(#["a", "b", "ä"])");
  EXPECT_EQ(sorted(make().array(0)), "#[]");
  // Stable: pairs that compare equal would keep their order; here by comparing first components only via lists.
  Make many(this);
  std::vector<int> expected;
  for (int i = 0; i < 100; ++i) {
    int key = i * 37 % 101;
    expected.push_back(key);
    many.integer(key).text("k").con(con::tuple(2), 2);
  }
  many.array(100);
  std::sort(expected.begin(), expected.end());
  Root array(ctx, many.values[0]);
  ASSERT_NE(call("array.sort", {array.value}), kNull);
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(as<ConObject>(as<Array>(array.value)->items[i])->fields[0], small_int(expected[i]));
}

TEST_P(NativesTest, Files) {
  std::string directory = ::testing::TempDir() + "eddy_natives_" + std::to_string(getpid()) + (stressed() ? "s" : "p");
  std::string path = directory + "/deep/file.txt";
  EXPECT_EQ(shown("file.exists", make().text(directory)), "false");
  EXPECT_EQ(shown("file.create_directory", make().text(directory + "/deep")), "Ok(())");
  EXPECT_EQ(shown("file.create_directory", make().text(directory + "/deep")), "Ok(())");
  EXPECT_EQ(shown("file.read", make().text(path)), "Err(\"" + path + ": No such file or directory\")");
  EXPECT_EQ(shown("file.write", make().text(path).text("one\ntwo é\r\n")), "Ok(())");
  EXPECT_EQ(shown("file.append", make().text(path).text("three")), "Ok(())");
  EXPECT_EQ(shown("file.read", make().text(path)), R"(Ok("one\ntwo é\r\nthree"))");
  EXPECT_EQ(shown("file.size", make().text(path)), "Ok(17)");
  EXPECT_EQ(shown("file.is_file", make().text(path)), "true");
  EXPECT_EQ(shown("file.is_directory", make().text(path)), "false");
  EXPECT_EQ(shown("file.create_directory", make().text(path)), "Err(\"" + path + ": Not a directory\")");
  EXPECT_EQ(shown("file.list", make().text(directory + "/deep")), R"(Ok(["file.txt"]))");
  EXPECT_EQ(shown("file.read", make().text(directory)), "Err(\"" + directory + ": Is a directory\")");

  auto open = [&](int mode) {
    Make arguments(this);
  arguments.text(path).integer(mode);
    Value result = call("file.open", arguments.values);
    return as<ConObject>(result)->fields[0];
  };
  {
    Root file(ctx, open(0));
    EXPECT_EQ(show(file.value), "<file>");
    EXPECT_EQ(show(call("file.read_line", {file.value})), R"(Ok(Some("one")))");
    EXPECT_EQ(show(call("file.read_line", {file.value})), R"(Ok(Some("two é")))");
    EXPECT_EQ(show(call("file.read_line", {file.value})), R"(Ok(Some("three")))");
    EXPECT_EQ(show(call("file.read_line", {file.value})), "Ok(None)");
    EXPECT_EQ(call("file.close", {file.value}), kUnit);
    EXPECT_EQ(call("file.close", {file.value}), kUnit);
    EXPECT_EQ(show(call("file.read_line", {file.value})), R"(Err("file is closed"))");
  }
  {
    Root file(ctx, open(2));
    Root text(ctx, new_string(ctx, "!"));
    EXPECT_EQ(show(call("file.write_text", {file.value, text.value})), "Ok(())");
    // Not closed, but whoever looks must see it.
    EXPECT_EQ(shown("file.size", make().text(path)), "Ok(18)");
  }
  EXPECT_EQ(shown("file.rename", make().text(path).text(directory + "/b")), "Ok(())");
  EXPECT_EQ(shown("file.remove", make().text(directory + "/b")), "Ok(())");
  EXPECT_EQ(shown("file.remove", make().text(directory + "/deep")), "Ok(())");
  EXPECT_EQ(shown("file.remove", make().text(directory)), "Ok(())");
  EXPECT_EQ(shown("file.write", make().text("/dev/full").text("x")), R"(Err("/dev/full: No space left on device"))");
}

TEST_P(NativesTest, UnreachableFilesAreClosed) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit few{64, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  for (int i = 0; i < 500; ++i) {
    Make arguments(this);
  arguments.text("/dev/null").integer(0);
    ASSERT_TRUE(is_con(call("file.open", arguments.values), con::Ok)) << i;
  }
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST_P(NativesTest, Process) {
  ctx.arguments = {"one", "b\xff"};
  EXPECT_EQ(shown("args", make()), "[\"one\", \"b\xef\xbf\xbd\"]");
  EXPECT_EQ(shown("os.set_env", make().text("EDDY_TEST_VARIABLE").text("é")), "()");
  EXPECT_EQ(shown("os.env", make().text("EDDY_TEST_VARIABLE")), "Some(\"é\")");
  EXPECT_EQ(shown("os.env", make().text("EDDY_TEST_NONE")), "None");
  EXPECT_EQ(call("exit", {small_int(259)}), kNull);
  EXPECT_TRUE(ctx.exiting);
  EXPECT_EQ(ctx.exit_status, 3);
}

RUNTIME_TESTS(NativesTest);

}  // namespace
}  // namespace eddy::rt
