#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "lang/format.h"
#include "lang/lexer.h"
#include "lang/parser.h"
#include "tests/unit/lang_tree.h"

namespace eddy::lang {
namespace {

std::string format(const std::string& text) {
  SourceMap sources;
  Symbols symbols;
  Diagnostics diagnostics;
  FormatResult r = format_source(*sources.add("test.eddy", text), symbols, diagnostics);
  return r.ok ? r.text : render(diagnostics, sources);
}

std::string tree(const std::string& text) {
  SourceMap sources;
  Symbols symbols;
  Arena arena;
  Diagnostics diagnostics;
  ParseResult r = parse(*sources.add("test.eddy", text), symbols, arena, diagnostics);
  return r.ok ? TreeText(symbols).module(*r.module) : render(diagnostics, sources);
}

std::string comments(const std::string& text) {
  SourceMap sources;
  Symbols symbols;
  Diagnostics diagnostics;
  const SourceFile* file = sources.add("test.eddy", text);
  std::string out;
  for (const Comment& c : lex(*file, symbols, diagnostics).comments) {
    std::string comment(file->text(c.span));
    while (!comment.empty() && comment.back() == ' ') comment.pop_back();
    out += comment + "\n";
  }
  return out;
}

/// Formatting keeps the meaning and the comments, and is done after one pass.
void check(const std::string& text, const std::string& name) {
  std::string once = format(text);
  EXPECT_EQ(tree(once), tree(text)) << name;
  EXPECT_EQ(comments(once), comments(text)) << name;
  EXPECT_EQ(format(once), once) << name;
}

TEST(Format, Spacing) {
  EXPECT_EQ(format("fn   f( x:Int,y )=>x+y*-1"), "fn f(x: Int, y) => x + y * -1\n");
  EXPECT_EQ(format("let (a,_)=f( 1 , b:2 )[ 0 ].g"), "let (a, _) = f(1, b: 2)[0].g\n");
  EXPECT_EQ(format("fn f():Map<Int,List<Int>>/{State< Int >,Exn|e}{g()}"),
            "fn f(): Map<Int, List<Int>> / {State<Int>, Exn | e} { g() }\n");
  EXPECT_EQ(format("type T<a>{A B( x:Int , var y:a ),C}"), "type T<a> { A  B(x: Int, var y: a)  C }\n");
  EXPECT_EQ(format("effect E{get():Int put(v:Int):Unit,multi p( ):a}"),
            "effect E { get(): Int; put(v: Int): Unit; multi p(): a }\n");
  EXPECT_EQ(format("import   std/list{a,B}\nimport a/b   as c"),
            "import std/list { a, B }\nimport a/b as c\n");
  EXPECT_EQ(format("let x=((1+2))*((3))"), "let x = (1 + 2) * (3)\n");
}

TEST(Format, Blocks) {
  EXPECT_EQ(format("fn f() { a; b }"), "fn f() { a; b }\n");
  EXPECT_EQ(format("fn f() {\na; b }"), "fn f() {\n  a\n  b\n}\n");
  EXPECT_EQ(format("fn f() {\n\n\n  a\n\n\n  b\n\n}"), "fn f() {\n  a\n\n  b\n}\n");
  EXPECT_EQ(format("fn f() {   }"), "fn f() {}\n");
  EXPECT_EQ(format("fn f() { if a {\nb } else { c } }"),
            "fn f() {\n  if a {\n    b\n  } else {\n    c\n  }\n}\n");
  EXPECT_EQ(format("fn f() { match x { A => 1  B => 2 } }"), "fn f() { match x { A => 1, B => 2 } }\n");
  EXPECT_EQ(format("fn f() => each(xs) { x =>\nprint(x) }"), "fn f() => each(xs) { x =>\n  print(x)\n}\n");
}

TEST(Format, LongLines) {
  std::string name(30, 'x');
  EXPECT_EQ(format("let v = f(" + name + ", " + name + ", " + name + ", " + name + ")"),
            "let v = f(\n  " + name + ",\n  " + name + ",\n  " + name + ",\n  " + name + ",\n)\n");
  EXPECT_EQ(format("let v = " + name + " + " + name + " - " + name + " + " + name),
            "let v = " + name + " +\n  " + name + " -\n  " + name + " +\n  " + name + "\n");
  EXPECT_EQ(format("let v = " + name + " |> " + name + " |> " + name + " |> " + name),
            "let v = " + name + "\n  |> " + name + "\n  |> " + name + "\n  |> " + name + "\n");
  EXPECT_EQ(format("fn f() => g(" + name + ", fn(x) { " + name + "; " + name + "; " + name + " })"),
            "fn f() => g(" + name + ", fn(x) {\n  " + name + "\n  " + name + "\n  " + name + "\n})\n");
}

TEST(Format, Comments) {
  EXPECT_EQ(format("// top\n\nfn f() { // open\n  a // behind\n  // own\n  b\n  // end\n}\n// last"),
            "// top\n\nfn f() { // open\n  a // behind\n  // own\n  b\n  // end\n}\n// last\n");
  EXPECT_EQ(format("let x = f(1, // one\n 2 /* two */)"), "let x = f(\n  1, // one\n  2, /* two */\n)\n");
  EXPECT_EQ(format("let x = f(1, /* one */ 2 /* two */)"), "let x = f(1, /* one */ 2 /* two */)\n");
  EXPECT_EQ(format("fn f() {\n  // only\n}"), "fn f() {\n  // only\n}\n");
  EXPECT_EQ(format("/// doc   \nfn f() {}"), "/// doc\nfn f() {}\n");
}

TEST(Format, KeepsTextOfLiterals) {
  EXPECT_EQ(format("let s = \"a${ f( 1 ) }\" ++ \"\"\"\n   x\n  \"\"\""),
            "let s = \"a${ f( 1 ) }\" ++ \"\"\"\n   x\n  \"\"\"\n");
  EXPECT_EQ(format("let n = 0xFF + 1_000 + 1.50"), "let n = 0xFF + 1_000 + 1.50\n");
}

TEST(Format, LeavesErrorsAlone) { EXPECT_NE(format("fn f( {").find("error"), std::string::npos); }

TEST(Format, Samples) {
  const char* samples[] = {
      "fn f() { a\n-b\n(c)\n[d] }",
      "fn f() { x\n  .a()\n  .b() { } }",
      "fn f() { let m: Map<Int, List<Int>>= x; mask<E<List<Int>>> { y } }",
      "fn f() { return; g() }",
      "fn f() { match x { A => return, B => -1, -1 => fn() => 2, (a, b) => c } }",
      "fn f() { handle h: E<Int> { a } with { return (x, y) => x, fun m.E.op(_, z: Int) => 1; finally => { b "
      "} } }",
      "/* a */ fn /* b */ f /* c */ ( /* d */ x /* e */ : /* f */ Int /* g */ ) /* h */ { /* i */ x /* j */ "
      "} /* k */",
      "fn f( // a\n x, // b\n // c\n y // d\n ) // e\n => // f\n x + // g\n y // h\n",
      "type T { // a\n A // b\n // c\n B(x: Int // d\n , y: Int) /* e */ C }",
      "@test // a\n// b\nfn t() { if a // c\n { b } // d\n else { c } }",
      "let x = [ // a\n]\nlet y = ( /* a */ )\nlet z = f( // b\n)",
      "fn f() { a; // b\n c; /* d */ e /* f */\n /* g */ h }",
      "fn f() { \"${ /* a */ b }\" // c\n }",
      "import a { // x\n b, // y\n C\n}",
      "fn f() { g(fn(x) { a\n b }, fn() => c) { d } }",
      "fn f() => a && // x\n b && c // y\n || d",
      "let a = 1;; let b = 2; // c\n",
      "fn f(x: Int = g() { 1 }, ys: Int...): (fn(): A) / {} { }",
  };
  for (const char* sample : samples) check(sample, sample);
}

TEST(Format, RepositoryFiles) {
  namespace fs = std::filesystem;
  size_t files = 0;
  for (const char* folder : {"std", "examples", "bench", "tests"}) {
    fs::path root = fs::path(EDDY_SOURCE_DIR) / folder;
    if (!fs::exists(root)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".eddy") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::stringstream text;
      text << in.rdbuf();
      if (tree(text.str()).starts_with("error")) continue;  // meant to be wrong
      check(text.str(), entry.path().string());
      files++;
    }
  }
  EXPECT_GT(files, 0u);
}

}  // namespace
}  // namespace eddy::lang
