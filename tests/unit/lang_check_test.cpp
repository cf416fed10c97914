// Inferred types, what is accepted and what is not, and the reports (tests/diagnostics/types).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "lang/front_end.h"

namespace eddy::lang {
namespace {

namespace fs = std::filesystem;

std::string type_of(const std::string& text, std::string_view name) {
  auto c = check_text("test.eddy", text);
  if (!c->ok()) return render(c->diagnostics, c->sources);
  for (Decl* d : c->program.root->tree->decls) {
    if (!d->note) continue;
    if (d->note->function && c->symbols.text(d->note->function->name) == name) {
      return show_scheme(c->symbols, d->note->function->scheme);
    }
    for (GlobalBinding* g : d->note->globals) {
      if (c->symbols.text(g->name) == name) return show_scheme(c->symbols, g->scheme);
    }
  }
  return "no such name";
}

std::string errors(const std::string& text) {
  auto c = check_text("test.eddy", text);
  std::string out;
  for (const Diagnostic* d : c->diagnostics.sorted()) out += d->message + "\n";
  return out;
}

const char* const kEffects =
    "effect State<s> { get(): s; put(value: s): Unit }\n"
    "effect Ask { ask(): Int }\n"
    "effect Pick { multi pick(n: Int): Int }\n";

struct Inferred {
  const char* text;
  const char* type;  // of f
};

class Types : public testing::TestWithParam<Inferred> {};

TEST_P(Types, Inferred) { EXPECT_EQ(type_of(kEffects + std::string(GetParam().text), "f"), GetParam().type); }

INSTANTIATE_TEST_SUITE_P(
    Check, Types,
    testing::Values(
        Inferred{"fn f(x) => x", "fn(a): a"}, Inferred{"fn f() => 1", "fn(): Int"},
        Inferred{"fn f(x, y) => x + y", "fn(Int, Int): Int"},
        Inferred{"fn f(x) => x + 1.5", "fn(Float): Float"},
        Inferred{"fn f(x, y) => x == y", "fn(a, a): Bool"},
        Inferred{"fn f(x, y) => x < y", "fn(Int, Int): Bool"},
        Inferred{"fn f(g, x) => g(x)", "fn(fn(a): b / e, a): b / e"},
        Inferred{"fn f(g, h) => fn(x) => g(h(x))", "fn(fn(a): b / e, fn(c): a / e): fn(c): b / e"},
        Inferred{"fn f() => ask() + 1", "fn(): Int / Ask"},
        Inferred{"fn f() { let n = get(); put(n + 1); n }", "fn(): Int / State<Int>"},
        Inferred{"fn f() => handle { ask() } with { ask() => resume(1) }", "fn(): Int"},
        Inferred{"fn f(g: fn(): Unit) { handle { g() } with { ask() => resume(1) } }",
                 "fn(fn(): Unit / {Ask | e}): Unit / e"},
        Inferred{"fn f(g: fn(): Unit) { g() }", "fn(fn(): Unit / e): Unit / e"},
        Inferred{"fn f(g: fn(): Unit) { g(); handle { g() } with { ask() => resume(1) } }",
                 "fn(fn(): Unit / e): Unit / e"},
        // A row of the function's own group is used polymorphically.
        Inferred{"fn f(n: Int): Int => if ask() == n { handle { f(n + 1) } with { ask() => resume(ask()) } } "
                 "else { n }",
                 "fn(Int): Int / Ask"},
        Inferred{"fn f(n: Int): Int => if n == 0 { ask() } else { h(n) }\nfn h(n: Int): Int => handle { f(n "
                 "- 1) } with { ask() => resume(get()) }",
                 "fn(Int): Int / {Ask, State<Int>}"},
        // Repeated effects: the first is the nearest handler's.
        Inferred{"fn f(g: fn(): a / {State<Int>, State<String> | e}): a / {State<String> | e} => handle { "
                 "g() } with { get() => resume(1)  put(_) => resume() }",
                 "fn(fn(): a / {State<Int>, State<String> | e}): a / {State<String> | e}"},
        Inferred{"fn f(g: fn(): a / e): a / {Ask | e} => mask<Ask> { g() }",
                 "fn(fn(): a / e): a / {Ask | e}"},
        Inferred{"fn f(g: fn(): a / e): a / {IO | e} { println(1); g() }", "fn(fn(): a / e): a / {IO | e}"},
        // A resumption promises what its handle performs, not what surrounds it.
        Inferred{
            "fn f() {\n var k: Option<fn(Int): Int> = None\n handle { handle { ask() } with { ask() => { k = "
            "Some(resume); 0 } }\n get() } with { get() => resume(1)  put(_) => resume() }\n k.unwrap()(3) }",
            "fn(): Int"},
        Inferred{"let f = fn(x) => x", "fn(a): a"}, Inferred{"let f = []", "List<a>"},
        Inferred{"let f = (None, 1)", "(Option<a>, Int)"},
        Inferred{"fn f() { let (g, h) = (fn(x) => x, fn(x) => [x]); (g(1), g(\"a\"), h('c')) }",
                 "fn(): (Int, String, List<Char>)"},
        Inferred{"fn f(x: a, y) { let z: a = y; z }", "fn(a, a): a"},
        Inferred{"fn f(xs) { var n = 0; for x in list.map(xs, fn(x) => x * 2) { n += x }; n }",
                 "fn(List<Int>): Int"},
        Inferred{"fn f(xs: List<List<Int>>) => xs.map(fn(x) => x.length())",
                 "fn(List<List<Int>>): List<Int>"},
        // Methods wait for the type of their receiver.
        Inferred{"fn f(x) { let n = x.length(); let y: String = x; n }", "fn(String): Int"},
        Inferred{"fn f() { let g = fn(p) => p.0; g((1, \"a\")) }", "fn(): Int"},
        Inferred{"fn f(n: Int) { fn even(i) => i == 0 || odd(i - 1)\n fn odd(i) => i != 0 && even(i - 1)\n "
                 "even(n) }",
                 "fn(Int): Bool"},
        Inferred{"fn f() { fn id(x) => x\n (id(1), id(\"a\")) }", "fn(): (Int, String)"},
        Inferred{"fn f(x: Int) { if x > 0 { return \"pos\" }\n \"neg\" }", "fn(Int): String"},
        Inferred{"fn f() => loop { break 3 }", "fn(): Int"}, Inferred{"fn f() => loop { }", "fn(): a"},
        Inferred{"type Step<a, e> { Done  More(value: a, next: fn(): Step<a, e> / e) }\nfn f(s: Step<Int, "
                 "{IO}>) => match s { Done => 0  More(v, next) => { next(); v } }",
                 "fn(Step<Int, {IO}>): Int / IO"},
        Inferred{"fn f(h: Ask) => h.ask()", "fn(Ask): Int"},
        Inferred{"fn f(g: fn(): Unit / {Emit<Int>}) { var n = 0; for x in g { n += x }; n }",
                 "fn(fn(): Unit / Emit<Int>): Int"},
        Inferred{"fn f(x: Int, y: Int = 2, zs: Int...) => x + y\nfn g() => f(1, y: 3)",
                 "fn(Int, Int, List<Int>): Int"},
        Inferred{"fn f(x) => abs(x)", "fn(Int): Int"},
        Inferred{"fn f(x: Float) => abs(x)", "fn(Float): Float"}));

struct Rejected {
  const char* text;
  const char* message;  // part of the first error's
};
class Errors : public testing::TestWithParam<Rejected> {};

TEST_P(Errors, Reported) {
  std::string found = errors(kEffects + std::string(GetParam().text));
  EXPECT_NE(found.find(GetParam().message), std::string::npos) << found;
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 1) << "more than one error:\n" << found;
}

INSTANTIATE_TEST_SUITE_P(
    Check, Errors,
    testing::Values(
        Rejected{"fn f(g: fn(): a / e): a / e => handle { g() } with { ask() => resume(1) }",
                 "not the effects allowed"},
        Rejected{"fn f(): Int / {} => ask()", "`Ask` is not handled"},
        Rejected{"fn f(g: fn(): Int / {}): Int => g()\nfn h() => f(fn() => ask())", "`Ask` is not handled"},
        Rejected{"fn f(x: a): Int => x", "wrong type"},
        Rejected{"fn main() { ask() }", "nobody handles the effect `Ask`"},
        Rejected{"fn f() { let x = ref([]); x.value = [1]; x.value = [\"a\"] }",
                 "does not fit what it is assigned to"},
        Rejected{"fn f() { var g = fn(x) => x; g(1); g(\"a\") }", "wrong type"},
        Rejected{"fn f(x) => x.foo", "not known"}, Rejected{"fn f(x) => x(x)", "infinite"},
        Rejected{"let x = ask()", "`Ask` is not handled"},
        Rejected{"fn f() { defer ask() }", "`Ask` is not handled"},
        Rejected{"fn f() => handle { get() } with { get() => resume(1) }", "lacks `put`"},
        Rejected{
            "effect Raise { raise(): a }\nfn f() => handle { raise() + 1 } with { raise() => resume(1) }",
            "wrong type"},
        Rejected{"type T { A  B(x: Int) }\nfn f(t: T) => t.x", "no field `x`"},
        Rejected{"type T = List<T>", "stands for itself"},
        Rejected{"type T(x: b)", "unknown type variable `b`"},
        Rejected{"fn f(x: Int, x: Int) => x", "declared twice"},
        Rejected{"fn f() => 1\nfn f() => 2", "declared twice"}));

TEST(Check, BenchmarkShapes) {
  // Where a resumption's row meets a type that closes it, the function is pure.
  EXPECT_EQ(type_of("effect Yield { yield(value: Int): Unit }\n"
                    "type Gen { Done  More(value: Int, next: fn(Unit): Gen / {}) }\n"
                    "fn f(i: Int): Gen { handle { yield(i); Done } with { yield(v) => More(v, resume) } }",
                    "f"),
            "fn(Int): Gen");
}

TEST(Check, HugeTypesAreRefused) {
  std::string text = "fn f0(x) => (x, x)\n";
  for (int i = 1; i < 40; i++)
    text += "fn f" + std::to_string(i) + "(x) => f" + std::to_string(i - 1) + "(f" + std::to_string(i - 1) +
            "(x))\n";
  EXPECT_NE(errors(text).find("too large"), std::string::npos);
  std::string deep = "fn main() {\n  let x0 = 1\n";
  for (int i = 1; i < 20000; i++)
    deep += "  let x" + std::to_string(i) + " = [x" + std::to_string(i - 1) + "]\n";
  EXPECT_EQ(errors(deep + "}\n"), "");  // deep, but nothing has to walk it
}

TEST(Check, RowFactsOfCalls) {
  auto c = check_text(
      "test.eddy",
      std::string(kEffects) +
          "fn pure(n: Int) => n\nfn f(g: fn(): Int) { pure(1); ask(); pick(2); g(); println(1) }\n");
  ASSERT_TRUE(c->ok());
  for (Decl* d : c->program.root->tree->decls) {
    if (!d->note || !d->note->function || c->symbols.text(d->note->function->name) != "f") continue;
    BlockExpr* body = as<BlockExpr>(d->note->function->decl->body);
    std::vector<RowFacts> facts;
    for (Stmt* s : body->stmts) facts.push_back(call_facts(*as<CallExpr>(as<ExprStmt>(s)->value)->note));
    ASSERT_EQ(facts.size(), 4u);
    EXPECT_FALSE(facts[0].performs);
    EXPECT_TRUE(facts[1].performs && !facts[1].multi && !facts[1].open);
    EXPECT_TRUE(facts[2].multi && !facts[2].open);
    EXPECT_TRUE(facts[3].open);
    EXPECT_FALSE(call_facts(*as<CallExpr>(body->value)->note).performs);
  }
}

TEST(Check, TheLibraryIsClean) {
  for (const auto& entry : fs::directory_iterator(EDDY_SOURCE_DIR "/std")) {
    if (entry.path().extension() != ".eddy") continue;
    auto c = check_file(entry.path().string());
    EXPECT_TRUE(c->diagnostics.empty()) << render(c->diagnostics, c->sources);
  }
}

// tests/diagnostics/types: NAME.eddy and what it is told, NAME.err. EDDY_UPDATE_GOLDEN=1 rewrites the latter.
TEST(Check, GoldenReports) {
  fs::path folder = EDDY_SOURCE_DIR "/tests/diagnostics/types";
  bool update = std::getenv("EDDY_UPDATE_GOLDEN") != nullptr;
  size_t count = 0;
  FrontEndOptions options;
  options.tests = true;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".eddy") continue;
    count++;
    std::ifstream in(entry.path());
    std::stringstream text;
    text << in.rdbuf();
    auto c = check_text(entry.path().filename().string(), text.str(), options);
    std::string found = render(c->diagnostics, c->sources);
    EXPECT_FALSE(found.empty()) << entry.path();
    fs::path golden = fs::path(entry.path()).replace_extension(".err");
    if (update) {
      std::ofstream(golden) << found;
      continue;
    }
    std::ifstream expected_in(golden);
    std::stringstream expected;
    expected << expected_in.rdbuf();
    EXPECT_EQ(found, expected.str()) << entry.path();
  }
  EXPECT_GT(count, 50u);
}

}  // namespace
}  // namespace eddy::lang
