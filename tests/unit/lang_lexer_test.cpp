#include <gtest/gtest.h>

#include "lang/lexer.h"
#include "lang/literals.h"
#include "lang/parser.h"
#include "std/embedded.h"

namespace eddy::lang {
namespace {

struct Lexed {
  SourceMap sources;
  Symbols symbols;
  Diagnostics diagnostics;
  const SourceFile* file;
  Tokens tokens;

  explicit Lexed(std::string text) {
    file = sources.add("test.eddy", std::move(text));
    tokens = lex(*file, symbols, diagnostics);
  }
  /// Texts of all tokens, separated by spaces, a newline mark before those that start a line.
  std::string words() const {
    std::string out;
    for (const Token& t : tokens.tokens) {
      if (t.kind == TokenKind::kEnd) break;
      if (!out.empty()) out += t.newline_before() ? " / " : " ";
      out += file->text(t.span());
    }
    return out;
  }
};

std::string words(std::string text) { return Lexed(std::move(text)).words(); }

std::string errors(std::string text) {
  Lexed lexed(std::move(text));
  std::string out;
  for (const Diagnostic* d : lexed.diagnostics.sorted()) out += d->message + "\n";
  return out;
}

/// The value of a string or character literal expression.
std::string string_value(const std::string& literal) {
  SourceMap sources;
  Symbols symbols;
  Arena arena;
  Diagnostics diagnostics;
  const SourceFile* file = sources.add("test.eddy", "let s = " + literal);
  ParseResult r = parse(*file, symbols, arena, diagnostics);
  if (!r.ok) return "error: " + diagnostics.items().front().message;
  const Expr* e = as<LetDecl>(r.module->decls[0])->value;
  if (e->kind == ExprKind::kString) return std::string(as<StringExpr>(e)->value);
  if (e->kind != ExprKind::kInterpolation) return "not a string";
  std::string out;
  for (const StringPart& p : as<InterpolationExpr>(e)->parts) out += p.value ? "<>" : std::string(p.text);
  return out;
}

TEST(Lexer, SplitsOperators) {
  EXPECT_EQ(words("a..=b..c...d"), "a ..= b .. c ... d");
  EXPECT_EQ(words("a|>b||c|d&&e&f"), "a |> b || c | d && e & f");
  EXPECT_EQ(words("x+=1++2"), "x += 1 ++ 2");
  EXPECT_EQ(words("a>>=b"), "a >> = b");
  EXPECT_EQ(words("#[1]=>@x"), "#[ 1 ] => @ x");
}

TEST(Lexer, NumbersAndDots) {
  EXPECT_EQ(words("1..n 1.5.floor() 0..3"), "1 .. n 1.5 . floor ( ) 0 .. 3");
  EXPECT_EQ(words("t.1.0"), "t . 1 . 0");
  EXPECT_EQ(words("2.5e-3 1_000 0xff 0b1010"), "2.5e-3 1_000 0xff 0b1010");
  EXPECT_EQ(words("1.abs()"), "1 . abs ( )");
  EXPECT_EQ(errors("12abc"), "`abc` cannot follow a number\n");
}

TEST(Lexer, KnowsKeywordsAndCase) {
  Lexed lexed("fn Tree value _ _x resume fnord");
  std::vector<TokenKind> kinds;
  for (const Token& t : lexed.tokens.tokens) kinds.push_back(t.kind);
  using K = TokenKind;
  EXPECT_EQ(kinds, (std::vector<K>{K::kKeyword_fn, K::kUpper, K::kLower, K::kUnderscore, K::kLower,
                                   K::kKeyword_resume, K::kLower, K::kEnd}));
}

TEST(Lexer, MarksLinesAndSpaces) {
  EXPECT_EQ(words("a\nb /* c\n d */ e // f\ng"), "a / b / e / g");
  Lexed lexed("f (x)");
  EXPECT_TRUE(lexed.tokens.tokens[1].space_before());
  EXPECT_FALSE(lexed.tokens.tokens[2].space_before());
}

TEST(Lexer, CommentsNest) {
  EXPECT_EQ(words("a /* 1 /* 2 */ 3 */ b"), "a b");
  EXPECT_EQ(errors("/* /* */"), "this comment is never closed\n");
  Lexed lexed("/// doc\n//// not doc\n// line\nx");
  ASSERT_EQ(lexed.tokens.comments.size(), 3u);
  EXPECT_EQ(lexed.tokens.comments[0].kind, CommentKind::kDoc);
  EXPECT_EQ(lexed.tokens.comments[1].kind, CommentKind::kLine);
}

TEST(Lexer, StringsWithInterpolation) {
  EXPECT_EQ(words(R"("a ${x} b ${ {y} } c")"), R"("a ${ x } b ${ { y } } c")");
  EXPECT_EQ(words(R"("${"${1}"}")"), R"("${ "${ 1 }" }")");
  EXPECT_EQ(words(R"("$x \${x} \"")"), R"("$x \${x} \"")");
}

TEST(Lexer, StringValues) {
  EXPECT_EQ(string_value(R"("a\tb \"q\" \u{e9} \$ \\")"), "a\tb \"q\" \u00e9 $ \\");
  EXPECT_EQ(string_value(R"("a ${1} b")"), "a <> b");
  EXPECT_EQ(string_value(R"("costs $5")"), "costs $5");
  EXPECT_EQ(string_value(R"("\q")"), "error: unknown escape `\\q`");
  EXPECT_EQ(string_value(R"("\u{110000}")"), "error: there is no character with this code point");
  EXPECT_EQ(string_value(R"("\u{D800}")"), "error: there is no character with this code point");
  EXPECT_EQ(string_value(R"("\u{}")"), "error: this is not a code point");
}

TEST(Lexer, MultiLineStrings) {
  EXPECT_EQ(string_value("\"\"\"\n    a\n      b\n\n    c\n  \"\"\""), "a\n  b\n\nc");
  EXPECT_EQ(string_value("\"\"\"\n  a\n  b\"\"\""), "a\nb");
  EXPECT_EQ(string_value("\"\"\"one \"line\" \"\"\""), "one \"line\" ");
  EXPECT_EQ(string_value("\"\"\"\n  a ${1}\n  ${2} b\n\"\"\""), "a <>\n<> b");
  EXPECT_EQ(string_value("\"\"\"\r\n  a\r\n  b\r\n\"\"\""), "a\nb");
  EXPECT_EQ(string_value("\"\"\"\n  a\\n  b\n\"\"\""), "a\n  b");
  EXPECT_EQ(string_value("\"\"\"\n\"\"\""), "");
  EXPECT_EQ(string_value("\"\"\"\n\n\"\"\""), "");
  EXPECT_EQ(string_value("\"\"\"a\"\"\"\""), "a\"");
}

TEST(Lexer, Characters) {
  EXPECT_EQ(errors("'a' '\\n' '\\u{1F600}' '\u00e9' '\\''"), "");
  EXPECT_EQ(errors("''"), "this character literal is empty\n");
  EXPECT_EQ(errors("'ab'"), "a character literal holds exactly one character\n");
  EXPECT_EQ(errors("'a"), "this character literal is never closed\n");
}

TEST(Lexer, RefusesWhatIsNoText) {
  EXPECT_EQ(errors("let x = \"\xff\""), "this file is not valid UTF-8 (byte 0xff at offset 9)\n");
  EXPECT_EQ(errors("\xed\xa0\x80"), "this file is not valid UTF-8 (byte 0xed at offset 0)\n");
  EXPECT_EQ(errors(std::string("a\0b", 3)), "this file holds a NUL byte (at offset 1)\n");
}

TEST(Lexer, AcceptsMarksAndLineEndings) {
  EXPECT_EQ(words("\xEF\xBB\xBF"
                  "a\r\nb\r\n"),
            "a / b");
  EXPECT_EQ(words("#!/usr/bin/env eddy\nx"), "x");
  EXPECT_EQ(words("\u00e9tat \u03b1_1"), "\u00e9tat \u03b1_1");
}

TEST(Lexer, UnclosedStringsStopAtTheirLine) {
  EXPECT_EQ(words("\"abc\nd"), "\"abc / d");
  EXPECT_EQ(errors("\"abc\nd"), "this string is never closed\n");
  // The brace of the interpolation is missing: one error, and the next line is code again.
  EXPECT_EQ(errors("f(\"a ${b\")\nc(\"d\")"), "this string is never closed\n");
}

TEST(Symbols, InternsAndGrows) {
  Symbols symbols;
  EXPECT_EQ(symbols.text(sym::main), "main");
  EXPECT_EQ(symbols.intern("resume"), sym::resume);
  std::vector<Symbol> all;
  for (int i = 0; i < 20000; i++) all.push_back(symbols.intern("name" + std::to_string(i)));
  for (int i = 0; i < 20000; i++) {
    EXPECT_EQ(symbols.intern("name" + std::to_string(i)), all[i]);
    EXPECT_EQ(symbols.text(all[i]), "name" + std::to_string(i));
  }
}

TEST(Source, FindsLinesAndColumns) {
  SourceMap sources;
  const SourceFile* a = sources.add("a", "x\n\u00e9y\n");
  const SourceFile* b = sources.add("b", "");
  EXPECT_EQ(sources.find(a->pos(0)), a);
  EXPECT_EQ(sources.find(a->end()), a);
  EXPECT_EQ(sources.find(b->base()), b);
  EXPECT_EQ(sources.find(0), nullptr);
  LineColumn place = a->locate(a->pos(4));
  EXPECT_EQ(place.line, 2u);
  EXPECT_EQ(place.column, 2u);
  EXPECT_EQ(a->line_text(2), "\u00e9y");
  EXPECT_EQ(a->line_count(), 3u);
}

// The library's texts stay where they are in the binary.
TEST(Source, TakesTextsWithoutCopying) {
  SourceMap sources;
  for (const std_lib::EmbeddedModule& m : std_lib::embedded_modules()) {
    const SourceFile* file = sources.add_static("std", m.text, m.lines);
    EXPECT_EQ(file->data(), m.text.data());
    EXPECT_EQ(file->data()[m.text.size()], 0) << m.name;
  }
}

}  // namespace
}  // namespace eddy::lang
