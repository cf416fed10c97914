#include <gtest/gtest.h>

#include "lang/parser.h"
#include "std/embedded.h"
#include "tests/unit/lang_tree.h"

namespace eddy::lang {
namespace {

struct Parsed {
  SourceMap sources;
  Symbols symbols;
  Arena arena;
  Diagnostics diagnostics;
  ParseResult result;

  explicit Parsed(const std::string& text, ParseMode mode = ParseMode::kModule) {
    result = parse(*sources.add("test.eddy", text), symbols, arena, diagnostics, mode);
  }
  std::string tree() {
    if (!result.ok) return render(diagnostics, sources);
    return TreeText(symbols).module(*result.module);
  }
};

std::string module(const std::string& text) { return Parsed(text).tree(); }

/// Statements as the body of a function; the tree of the body.
std::string body(const std::string& text) {
  std::string tree = module("fn f() {\n" + text + "\n}");
  constexpr std::string_view before = "fn f() ";
  return tree.starts_with(before) ? tree.substr(before.size(), tree.size() - before.size() - 1) : tree;
}

std::string expr(const std::string& text) {
  std::string tree = body(text);
  return tree.starts_with("{") ? tree.substr(1, tree.size() - 2) : tree;
}

size_t error_count(const std::string& text) { return Parsed(text).diagnostics.sorted().size(); }

std::string repeat(const std::string& what, size_t times) {
  std::string out;
  out.reserve(what.size() * times);
  for (size_t i = 0; i < times; i++) out += what;
  return out;
}

TEST(Parser, Precedence) {
  EXPECT_EQ(expr("1 + 2 * 3 - 4"), "(1 + (2 * 3) - 4)");
  EXPECT_EQ(expr("a || b && c == d"), "(|| a (&& b (c == d)))");
  EXPECT_EQ(expr("a == b..c"), "(a == (.. b c))");
  EXPECT_EQ(expr("a ++ b ++ c | d ^ e & f << g + h"), "(++ a b (c | d ^ (e & (f << (g + h)))))");
  EXPECT_EQ(expr("0..=n + 1"), "(..= 0 (n + 1))");
  EXPECT_EQ(expr("-a.f(b) * !c"), "((neg (send a f b)) * (not c))");
  EXPECT_EQ(expr("a |> f(b) |> g"), "(|> a (call f b) g)");
  EXPECT_EQ(expr("x = a |> f"), "(= x (|> a f))");
  EXPECT_EQ(expr("x += 1; y[i] *= 2; p.q %= 3"), "(+= x 1); (*= (index y i) 2); (%= (. p q) 3)");
  EXPECT_EQ(expr("a * (b + c)"), "(a * (b + c))");
}

TEST(Parser, CallsAndAccess) {
  EXPECT_EQ(expr("f(1, b: 2)"), "(call f 1 b:2)");
  EXPECT_EQ(expr("(x.f)(y)"), "(call value (. x f) y)");
  EXPECT_EQ(expr("x.f(y).g[i].0.1"), "(. (. (index (. (send x f y) g) i) 0) 1)");
  EXPECT_EQ(expr("State.get() + m.Con(1)"), "((send State get) + (send m Con 1))");
  EXPECT_EQ(expr("f()()"), "(call (call f))");
  EXPECT_EQ(expr("f (x)").find("error"), 0u);
}

TEST(Parser, TrailingBlocks) {
  EXPECT_EQ(expr("each(xs) { x => print(x) }"), "(call each xs (block=> (x,) {(call print x)}))");
  EXPECT_EQ(expr("fold(xs, 0) { a, (b, _) => a }"), "(call fold xs 0 (block=> (a,(b,_,),) {a}))");
  EXPECT_EQ(expr("spawn() { a; b }"), "(call spawn (block () {a; b}))");
  EXPECT_EQ(expr("x.f() { 1 }.g()"), "(send (send x f (block () {1})) g)");
  EXPECT_EQ(expr("f() { n: Int, g: fn(Int): Int => g(n) }"),
            "(call f (block=> (n:Int,g:fn(Int,):Int,) {(call g n)}))");
  EXPECT_EQ(expr("f() { xs.map(fn(y) => y) }"), "(call f (block () {(send xs map (fn (y,) y))}))");
  EXPECT_EQ(expr("f() { P(x, [a, ..b]) => x }"), "(call f (block=> (P(x,[a,..b],),) {x}))");
  // A block on the next line is a statement, one in a head belongs to the head.
  EXPECT_EQ(body("f()\n{ 1 }"), "{(call f); {1}}");
  EXPECT_EQ(expr("if f() { 1 } else { 2 }"), "(if (call f) {1} else {2})");
  EXPECT_EQ(expr("if (f() { 1 }) { 2 }"), "(if (call f (block () {1})) {2})");
  EXPECT_EQ(expr("for x in g() { h() { x } }"), "(for x (call g) {(call h (block () {x}))})");
  EXPECT_EQ(expr("match f() { _ => 1 }"), "(match (call f) [_ => 1])");
  EXPECT_EQ(expr("f() { match x { a => b } }"), "(call f (block () {(match x [a => b])}))");
}

TEST(Parser, Newlines) {
  EXPECT_EQ(body("a\n+ b"), "{(a + b)}");
  EXPECT_EQ(body("a\n- b"), "{a; (neg b)}");
  EXPECT_EQ(body("a\n(b)"), "{a; b}");
  EXPECT_EQ(body("a\n[b]"), "{a; (list b)}");
  EXPECT_EQ(body("a +\nb"), "{(a + b)}");
  EXPECT_EQ(body("a\n.f()\n.g"), "{(. (send a f) g)}");
  EXPECT_EQ(body("(a\n- b)"), "{(a - b)}");
  EXPECT_EQ(body("f(a\n- b, c\n)"), "{(call f (a - b) c)}");
  EXPECT_EQ(body("[{ a\n- b }]"), "{(list {a; (neg b)})}");
  EXPECT_EQ(body("x\n|> f\n&& g\n|| h").find("error"), std::string::npos);
  for (const char* op : {"|>", "||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "*", "/", "%", "++", "|",
                         "&", "^", "<<", ">>"}) {
    std::string tree = body(std::string("a\n") + op + " b");
    EXPECT_EQ(tree.find(';'), std::string::npos) << op;
    EXPECT_EQ(tree.find("error"), std::string::npos) << op;
  }
  EXPECT_EQ(body("if a { b }\nelse { c }"), "{(if a {b} else {c})}");
  EXPECT_EQ(body("handle { a }\nwith { g() => b }"), "{(handle {a} [g() => b])}");
  EXPECT_EQ(body("return\nx"), "{(return); x}");
  EXPECT_EQ(body("break\nx"), "{(break); x}");
  EXPECT_EQ(body("return x"), "{(return x)}");
  EXPECT_EQ(body("let x: List<Int> = y\nlet f: fn(): List<Int>\n= z"),
            "{let x:List<Int,> = y; let f:fn():List<Int,> = z; }");
  EXPECT_EQ(body("a; b;"), "{a; b}");
  EXPECT_EQ(body("let a = 1"), "{let a = 1; }");
  EXPECT_EQ(body("\"${a\n- b}\""), "{(str (a - b))}");
  EXPECT_EQ(module("@native(\"n\") fn f(): List<Int>\nfn g() { }"),
            "@native( \"n\") fn f():List<Int,>\nfn g() {}\n");
}

TEST(Parser, Literals) {
  EXPECT_EQ(expr("0xff + 0b1010 + 1_000"), "(255 + 10 + 1000)");
  EXPECT_EQ(expr("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(expr("9223372036854775808"), "9223372036854775808b10");
  EXPECT_EQ(expr("0xffff_ffff_ffff_ffff_f"), "fffffffffffffffffb16");
  EXPECT_EQ(expr("2.5e-3 + 1.0"), "(0.0025f + 1f)");
  EXPECT_EQ(expr("['a', '\\u{1F600}']"), "(list '97' '128512')");
  EXPECT_EQ(expr("((), (1), (1, 2), [], [1, ..r], #[1, 2])"),
            "(tuple () 1 (tuple 1 2) (list) (list 1 ..r) (array 1 2))");
  EXPECT_EQ(expr("\"a${b}c${\"d${e}\"}\""), "(str \"a\" b \"c\" (str \"d\" e))");
}

TEST(Parser, Control) {
  EXPECT_EQ(expr("if a { } else if b { 1 } else { 2 }"), "(if a {} b {1} else {2})");
  EXPECT_EQ(expr("while a { break }"), "(while a {(break)})");
  EXPECT_EQ(expr("loop { break 3 }"), "(loop {(break 3)})");
  EXPECT_EQ(expr("for (a, b) in xs { continue }"), "(for (a,b,) xs {(continue)})");
  EXPECT_EQ(expr("fn(x, (a, b)) => x + 1"), "(fn (x,(a,b,),) (x + 1))");
  EXPECT_EQ(expr("fn(x: Int): Int / Exn { x }"), "(fn (x:Int,):Int /{Exn,} {x})");
  EXPECT_EQ(expr("f(fn() => x = 1, 2)"), "(call f (fn () (= x 1)) 2)");
  EXPECT_EQ(body("defer f()\nfn g(x) => x\nvar y: Int = 1"),
            "{(defer (call f)); fn g(x,) x; var y:Int = 1; }");
}

TEST(Parser, Patterns) {
  EXPECT_EQ(expr("match e { Leaf => ()   Node(l, v, _) => { l } }"),
            "(match e [Leaf => ()] [Node(l,v,_,) => {l}])");
  EXPECT_EQ(expr("match e { [] => 1, [x, y] => 2; [x, ..r] => 3\n[..] => 4 }"),
            "(match e [[] => 1] [[x,y,] => 2] [[x,..r] => 3] [[..] => 4])");
  EXPECT_EQ(expr("match e { A | B(1) as n if n > 1 => x  Node(value: v, ..) => y }"),
            "(match e [(as (or A B(1,)) n) if (n > 1) => x] [Node(value:v,..) => y])");
  EXPECT_EQ(
      expr("match e { -1 => a\n-2.5 => b, \"s\" => c, 'c' => d, true => f, () => g, m.Con(x) => h }"),
      "(match e [-1 => a] [-2.5f => b] [\"s\" => c] ['99' => d] [true => f] [() => g] [m.Con(x,) => h])");
}

TEST(Parser, Handlers) {
  EXPECT_EQ(
      expr("handle { a() } with { return x => (x, 1)  get() => resume(s)\n fun put(v) => { s = v }\n"
           "final E.stop() => 1; m.F.g(a, _) => 2, finally => b }"),
      "(handle {(call a)} [return(x,) => (tuple x 1)] [get() => (call resume s)] [fun put(v,) => {(= s v)}] "
      "[final E.stop() => 1] [m.F.g(a,_,) => 2] [finally() => b])");
  EXPECT_EQ(expr("handle h: Emit<Int> { h.emit(1) } with { emit(x) => resume() }"),
            "(handle h: Emit<Int,> {(send h emit 1)} [emit(x,) => (call resume)])");
  EXPECT_EQ(expr("mask<State<List<Int>>> { get() }"), "(mask State<List<Int,>,> {(call get)})");
  EXPECT_EQ(expr("handle f() with { g() => 1 }"), "(handle (call f) [g() => 1])");
}

TEST(Parser, Declarations) {
  EXPECT_EQ(module("import std/list\nimport a/b as c\nimport std/option { Some, None as N }"),
            "import/std/list\nimport/a/b as c\nimport/std/option { Some None as N }\n");
  EXPECT_EQ(module("type Tree<a> {\n Leaf\n Node(left: Tree<a>, value: a)\n}"),
            "type sum Tree a (Leaf) (Node left:Tree<a,> value:a)\n");
  EXPECT_EQ(module("type P(x: Int, var y: Int)\ntype N = Map<Int, List<Int>>\ntype S<a, e> { D  M(n: fn(): "
                   "S<a, {IO}> / e) }"),
            "type record P (P x:Int var y:Int)\ntype alias N = Map<Int,List<Int,>,>\n"
            "type sum S a e (D) (M n:fn():S<a, /{IO,},> /{|e})\n");
  EXPECT_EQ(module("effect State<s> { get(): s; put(value: s): Unit }\neffect C { multi pick(n: Int): Int }"),
            "effect State s (get():s) (put(value:s,):Unit)\neffect C (multi pick(n:Int,):Int)\n");
  EXPECT_EQ(module("private fn f(a: String, b: Int = 1, c: String...): Int / {A<Int>, B | e} => 1"),
            "private fn f(a:String,b:Int=1,c:String...,):Int /{A<Int,>,B,|e} 1\n");
  EXPECT_EQ(module("fn f(g: fn(): fn(): A / e, h: fn(): (fn(): A) / {}) { }"),
            "fn f(g:fn():fn():A /{|e},h:fn():fn():A /{},) {}\n");
  EXPECT_EQ(module("@test @memo fn t() => 1\nlet (a, b): (Int, Int) = p"),
            "@test @memo fn t() 1\nlet (a,b,):(Int,Int,) = p\n");
}

TEST(Parser, DocComments) {
  Parsed p(
      "/// Of the module.\n\nimport std/list\n/// one\n/// two\nfn f() { }\n/// not this\n\nfn g() { }\n"
      "type T {\n  /// leaf\n  L\n}");
  ASSERT_TRUE(p.result.ok);
  const Module& m = *p.result.module;
  EXPECT_EQ(m.file->text(m.doc), "/// Of the module.");
  EXPECT_EQ(m.file->text(m.decls[1]->doc), "/// one\n/// two");
  EXPECT_FALSE(m.decls[2]->doc);
  EXPECT_EQ(m.file->text(as<TypeDecl>(m.decls[3])->constructors[0].doc), "/// leaf");
}

TEST(Parser, Scripts) {
  Parsed p("let x = 1\nx + 1\nfn f() => x\nvar y = f()\ny += 1", ParseMode::kScript);
  EXPECT_EQ(p.tree(), "let x = 1\n(x + 1)\nfn f() x\nvar y = (call f)\n(+= y 1)\n");
  EXPECT_TRUE(Parsed("fn f() {", ParseMode::kScript).result.incomplete);
  EXPECT_TRUE(Parsed("f(1,", ParseMode::kScript).result.incomplete);
  EXPECT_TRUE(Parsed("1 +", ParseMode::kScript).result.incomplete);
  EXPECT_TRUE(Parsed("\"\"\"abc", ParseMode::kScript).result.incomplete);
  EXPECT_TRUE(Parsed("/* abc", ParseMode::kScript).result.incomplete);
  EXPECT_FALSE(Parsed("f(1))", ParseMode::kScript).result.incomplete);
  EXPECT_FALSE(Parsed("let = 1", ParseMode::kScript).result.incomplete);
}

TEST(Parser, LongChainsAreFlat) {
  constexpr size_t n = 100000;
  EXPECT_TRUE(Parsed("let x = a" + repeat(" + a", n)).result.ok);
  EXPECT_TRUE(Parsed("let x = a" + repeat(" ++ a", n)).result.ok);
  EXPECT_TRUE(Parsed("let x = a" + repeat(" && a", n)).result.ok);
  EXPECT_TRUE(Parsed("let x = a" + repeat(" |> f", n)).result.ok);
  EXPECT_TRUE(Parsed("let x = [a" + repeat(", a", n) + "]").result.ok);
  EXPECT_TRUE(Parsed("fn f() { if a { b }" + repeat(" else if a { b }", n) + " }").result.ok);
  EXPECT_TRUE(Parsed("fn f() { " + repeat("a;", n) + " }").result.ok);
  EXPECT_TRUE(Parsed("let x = a" + repeat(".f()", 900)).result.ok);
}

TEST(Parser, DeepNestingIsAnErrorNotACrash) {
  constexpr size_t n = 100000;
  for (const char* opener : {"(", "[", "{", "f(", "fn() => ", "-", "!", "x = ", "\"${", "f() { ", "if ",
                             "handle { ", "match x { A => ", "return "}) {
    Parsed p("let x = " + repeat(opener, n));
    EXPECT_FALSE(p.result.ok) << opener;
    EXPECT_NE(p.diagnostics.items().front().message.find("nested too deeply"), std::string::npos) << opener;
    EXPECT_LE(p.diagnostics.items().size(), 2u) << opener;
  }
  EXPECT_EQ(error_count("let x = a" + repeat(".f()", n)), 1u);
  EXPECT_EQ(error_count("let x = a" + repeat("[0]", n)), 1u);
  EXPECT_EQ(error_count("type T = " + repeat("List<", n)), 1u);
  EXPECT_EQ(error_count("fn f() { match x { " + repeat("S(", n)), 1u);
  EXPECT_TRUE(Parsed("let x = " + repeat("(", 900) + "1" + repeat(")", 900)).result.ok);
}

// One mistake, one message; several mistakes, all of them.
TEST(Parser, Recovers) {
  EXPECT_EQ(error_count("fn f() { let = 1 }\nfn g() { x y }\nfn h( { }\nfn ok() { }"), 3u);
  EXPECT_EQ(error_count("fn f() {\n  let x = (1 + \n}\nfn g() { 1 }"), 1u);
  EXPECT_EQ(error_count("fn f() {\n  foo(1, 2\n  let y = 3\n}\nfn g() { 1 }"), 1u);
  EXPECT_EQ(error_count("fn f() {\n  if a {\n  b\n}\n\ntype T { A }\n"), 1u);
  EXPECT_EQ(error_count("fn f(a: , b: Int) { }\nfn g() { [1, 2 3, 4] }"), 2u);
  EXPECT_EQ(error_count("function f() { 1 }\ndef g() { 2 }"), 2u);
  EXPECT_EQ(error_count("fn f() { \"abc }\nfn g() { }"), 1u);
  EXPECT_EQ(error_count("fn f() { match x { A -> 1\n B -> 2 } }"), 2u);
}

// The library's declarations are read one by one, by an index that the binary has, with the same result as all at once.
TEST(Parser, ReadsTheLibraryInParts) {
  for (const std_lib::EmbeddedModule& m : std_lib::embedded_modules()) {
    Parsed whole{std::string(m.text)};
    Parsed parts{""};
    const SourceFile& file = *parts.sources.add_static("std", m.text, m.lines);
    auto read = [&](std_lib::Part p) {
      Span span{file.pos(p.begin), file.pos(p.end)};
      Module* module = parse_parts(file, {&span, 1}, parts.symbols, parts.arena, parts.diagnostics);
      EXPECT_EQ(module->decls.size, 1u) << file.text(span);
      return module->decls[0];
    };
    std::vector<Decl*> decls;
    for (std_lib::Part p : m.declarations) {
      decls.push_back(read(p));
      EXPECT_NE(decls.back()->kind, DeclKind::kFn) << file.text(decls.back()->span);
    }
    for (const std_lib::EmbeddedFunction& f : m.functions) {
      decls.push_back(read(f.part));
      ASSERT_EQ(decls.back()->kind, DeclKind::kFn) << f.name;
      EXPECT_EQ(parts.symbols.text(as<FnDecl>(decls.back())->name.name), f.name);
      EXPECT_EQ(m.function(f.name)->part.begin, f.part.begin) << f.name;
    }
    EXPECT_EQ(m.function("no_such_function"), nullptr);
    std::ranges::sort(decls, {}, [](const Decl* d) { return d->span.begin; });
    parts.result.module->decls = parts.arena.copy(decls);
    EXPECT_EQ(parts.tree(), whole.tree()) << m.name;
    ASSERT_EQ(decls.size(), whole.result.module->decls.size) << m.name;
    const SourceFile& other = *whole.sources.files()[0];
    for (size_t i = 0; i < decls.size(); i++)
      EXPECT_EQ(file.text(decls[i]->span), other.text(whole.result.module->decls[i]->span));
    EXPECT_TRUE(parts.diagnostics.sorted().empty()) << render(parts.diagnostics, parts.sources);
    ASSERT_EQ(file.line_count(), other.line_count()) << m.name;
    for (uint32_t line = 1; line <= file.line_count(); line++) EXPECT_EQ(file.line_text(line), other.line_text(line));
  }
}

}  // namespace
}  // namespace eddy::lang
