// What the compiler makes of programs: the shape of the bytecode, and how clauses are classified. That it means the
// right thing is the conformance programs' matter.
#include <gtest/gtest.h>

#include <sstream>

#include "lang/compile.h"
#include "lang/lower/big_literal.h"
#include "runtime/natives/natives.h"
#include "vm/disassembler.h"
#include "vm/verifier.h"

namespace eddy::lang {
namespace {

int native_arity(std::string_view name) {
  const rt::Native* native = rt::find_native(name);
  return native ? native->arity : -1;
}

vm::Module module_of(const std::string& text) {
  auto c = check_text("test.eddy", text);
  std::optional<vm::Module> module = c->ok() ? compile(*c) : std::nullopt;
  if (!module) {
    ADD_FAILURE() << render(c->diagnostics, c->sources);
    return {};
  }
  if (auto error = vm::verify(*module, native_arity)) ADD_FAILURE() << vm::to_string(*error, *module);
  return std::move(*module);
}

// The instructions of one function, a line each, without positions and labels' own lines.
std::string listing(const std::string& text, const std::string& function) {
  vm::Module module = module_of(text);
  vm::DisassembleOptions options;
  options.plain = true;
  options.filter = [&](const vm::FunctionData& f) { return f.name == function; };
  std::istringstream lines(vm::disassemble(module, options));
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    size_t start = line.find_first_not_of(' ');
    if (start == std::string::npos || line[start] == '@' || line[start] == '}' || line[0] == 'f') continue;
    out += line.substr(start) + "\n";
  }
  return out;
}

rt::ClauseKind kind_of(const std::string& clause, const std::string& more = "") {
  std::string text =
      "effect E { op(x: Int): Int }\neffect M { multi op2(x: Int): Int }\n"
      "fn other(): Int => 1\n" +
      more + "fn main() {\n  let unused = handle { op(1) } with { " + clause + " }\n  ()\n}\n";
  vm::Module module = module_of(text);
  return module.sites.empty() ? rt::ClauseKind::Multi : module.sites[0].clauses[0].kind;
}

TEST(Lower, a_function_that_calls_itself_last_is_a_loop) {
  std::string code = listing(
      "fn go(i: Int): Int => if i == 0 { 7 } else { go(i - 1) }\nfn main() { println(go(10)) }", "go");
  EXPECT_EQ(code, "L0:\nJNE_I r0, 0, L3\nLOAD_INT r1, 7\nRET r1\nL3:\nSUB_I r0, r0, 1\nLOOP L0\n");
}

TEST(Lower, calls_in_tail_position_replace_the_frame) {
  std::string text =
      "fn even(n: Int): Bool => n == 0 || odd(n - 1)\n"
      "fn odd(n: Int): Bool => if n == 0 { false } else { even(n - 1) }\n"
      "fn apply(f: fn(Int): Int, x: Int): Int => f(x)\n"
      "fn main() { println(even(10)); println(apply(fn(x) => x, 1)) }";
  EXPECT_NE(listing(text, "even").find("TAIL_CALL odd"), std::string::npos);
  EXPECT_NE(listing(text, "odd").find("TAIL_CALL even"), std::string::npos);
  EXPECT_NE(listing(text, "apply").find("TAIL_CLOSURE"), std::string::npos);
}

TEST(Lower, floats_stay_raw_inside_a_function) {
  EXPECT_EQ(listing("fn f(x: Float, y: Float): Float => x * x + y\nfn main() { println(f(1.0, 2.0)) }", "f"),
            "UNBOX f0, r0\nUNBOX f1, r1\nFMUL f2, f0, f0\nFADD f2, f2, f1\nBOX r0, f2\nRET r0\n");
}

TEST(Lower, a_match_reads_every_field_once) {
  EXPECT_EQ(listing("fn sum(xs: List<Int>): Int => match xs { [] => 0  [x, ..rest] => x + sum(rest) }\n"
                    "fn main() { println(sum([1])) }",
                    "sum"),
            "JISNT r0, Cons, L8\nGET r1, r0, 0\nGET r2, r0, 1\nCALL r3, sum (r2)\nADD r3, r1, r3\nRET r3\n"
            "L8:\nLOAD_INT r1, 0\nRET r1\n");
  std::string many = listing(
      "type T { A  B(x: Int)  C(x: Int)  D }\nfn f(t: T): Int => match t { A => 1  B(x) => x  C(x) => x + 1  "
      "D => 4 }\n"
      "fn main() { println(f(A)) }",
      "f");
  EXPECT_NE(many.find("SWITCH"), std::string::npos);
}

TEST(Lower, clauses_are_classified_by_path) {
  using Kind = rt::ClauseKind;
  EXPECT_EQ(kind_of("op(x) => resume(x)"), Kind::Tail);
  EXPECT_EQ(kind_of("fun op(x) => x + 1"), Kind::Tail);
  EXPECT_EQ(kind_of("op(x) => if x > 0 { resume(x) } else { resume(0) }"), Kind::Tail);
  EXPECT_EQ(kind_of("op(x) => if x > 0 { resume(x) } else { panic(\"no\") }"), Kind::Tail);
  EXPECT_EQ(kind_of("op(x) => { let y = other(); match y { 0 => resume(1)  _ => resume(x) } }"), Kind::Tail);
  EXPECT_EQ(kind_of("op(x) => x"), Kind::Abort);
  EXPECT_EQ(kind_of("final op(x) => x"), Kind::Abort);
  EXPECT_EQ(kind_of("op(x) => if x > 0 { resume(x) } else { 0 }"), Kind::TailOrAbort);
  EXPECT_EQ(kind_of("op(x) => resume(x) + 1"), Kind::Once);
  EXPECT_EQ(kind_of("op(x) => { let k = resume; k(x) }"), Kind::Once);
  EXPECT_EQ(kind_of("op(x) => { defer println(x); resume(x) }"), Kind::Once);
  EXPECT_EQ(kind_of("op(x) => { let f = fn() => resume(x); f() }"), Kind::Once);
  EXPECT_EQ(kind_of("op(x) => resume(resume(x))"), Kind::Once);
}

TEST(Lower, only_the_last_call_moves_a_resumption) {
  std::string text =
      "effect C { multi pick(): Bool }\n"
      "fn main() {\n"
      "  println(handle { if pick() { 1 } else { 2 } } with { pick() => { let a = resume(true); a + "
      "resume(false) } })\n"
      "}";
  std::string code = listing(text, "C.pick");
  EXPECT_NE(code.find("RESUME "), std::string::npos);
  EXPECT_LT(code.find("RESUME "), code.find("RESUME_LAST"));
}

TEST(Lower, local_functions_get_captures_as_arguments) {
  std::string text =
      "fn f(n: Int): Int { fn go(i: Int): Int => if i > n { 0 } else { i + go(i + 1) }\n go(0) }\n"
      "fn main() { println(f(3)) }";
  EXPECT_EQ(listing(text, "f").find("MAKE_CLOSURE"), std::string::npos);
  EXPECT_NE(listing(text, "go").find("CALL r2, go (r3, r1)"), std::string::npos) << listing(text, "go");
}

TEST(Lower, clauses_that_only_compute_are_plain) {
  vm::Module module = module_of(
      "effect S { get(): Int; put(x: Int): Unit; log(x: Int): Unit }\n"
      "fn main() { var s = 0\n handle { put(get() + 1); log(1) } with { get() => resume(s)  put(x) => { s = "
      "x; resume() }\n"
      " log(x) => { println(x); resume() } } }");
  ASSERT_EQ(module.sites.size(), 1u);
  EXPECT_TRUE(module.sites[0].clauses[0].plain);
  EXPECT_TRUE(module.sites[0].clauses[1].plain);
  EXPECT_FALSE(module.sites[0].clauses[2].plain);
}

// What a closure captured is fetched once and kept: only where every way to its next use has fetched it.
TEST(Lower, captures_have_a_value_on_every_way_to_their_uses) {
  module_of(
      "effect E { op(): a }\n"
      "fn main() { let l = true; handle { op() } with { final op() => {\n"
      "  for i in 1..=2 { println((match i { 1 | 2 => l  m if l => l  _ => true })) } } } }");
  module_of(
      "effect Y { y(x: Int): Bool }\n"
      "fn main() {\n  let l = true\n  var q = []\n"
      "  handle { println(y(1)) } with { y(x) => { q = q ++ [resume]\n"
      "    let g = fn(): Unit / {Emit<Int>} { emit(1) }\n"
      "    for i in g { if l { break } }\n    println(l && q == []) } }\n}");
  module_of(
      "effect E { e(): Int }\n"
      "fn main() {\n  let n = 3\n"
      "  let f = fn() { let a = handle { if e() > n { n } else { n + 1 } } with { e() => n }\n"
      "    let b = attempt(fn() => n)\n    while n > 4 && n < 9 { if n == 5 { return n } }\n"
      "    if n == 1 || n == 2 { n } else { a + n } }\n  println(f())\n}");
}

TEST(Lower, big_literals_become_decimal) {
  using lower::to_decimal;
  EXPECT_EQ(to_decimal("ffffffffffffffffffffffff", 16), "79228162514264337593543950335");
  EXPECT_EQ(to_decimal("000123", 10), "123");
  EXPECT_EQ(to_decimal("0", 2), "0");
  EXPECT_EQ(to_decimal("1" + std::string(100, '0'), 2), "1267650600228229401496703205376");
}

TEST(Lower, deep_and_wide_programs_compile) {
  std::string list = "[0";
  for (int i = 1; i < 5000; ++i) list += ", " + std::to_string(i);
  module_of("fn main() { println(" + list + "]) }");
  std::string arms;
  for (int i = 0; i < 500; ++i) arms += "    \"" + std::to_string(i) + "\" => " + std::to_string(i) + "\n";
  module_of("fn f(s: String): Int => match s {\n" + arms + "    _ => 0\n}\nfn main() { println(f(\"7\")) }");
  std::string pattern = "[0";
  for (int i = 1; i < 300; ++i) pattern += ", _";
  module_of("fn f(xs: List<Int>): Int => match xs { " + pattern +
            "] => 1  _ => 0 }\nfn main() { println(f([])) }");
}

}  // namespace
}  // namespace eddy::lang
