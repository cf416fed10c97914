// Which matches cover everything, which arms are idle.
#include <gtest/gtest.h>

#include "lang/front_end.h"

namespace eddy::lang {
namespace {

const char* const kTypes =
    "type Color { Red  Green  Blue }\n"
    "type Tree<a> { Leaf  Node(left: Tree<a>, value: a, right: Tree<a>) }\n";

// "covered", "missing PATTERN", "idle LINE …"
std::string coverage(const std::string& params, const std::string& arms) {
  auto c = check_text("t.eddy", kTypes + ("fn f(" + params + ") => match x {\n" + arms + "\n}\n"));
  std::string out;
  for (const Diagnostic* d : c->diagnostics.sorted()) {
    if (d->severity == Severity::kWarning)
      out += "idle " + std::to_string(c->sources.find(d->span.begin)->line(d->span.begin) - 3) + " ";
    else if (d->text.find("is not covered") != std::string::npos)
      out += "missing " + d->text.substr(0, d->text.find(" is not"));
    else
      out += d->message;
  }
  return out.empty() ? "covered" : out;
}

TEST(Exhaustive, Constructors) {
  EXPECT_EQ(coverage("x: Color", "Red => 1\nGreen => 2\nBlue => 3"), "covered");
  EXPECT_EQ(coverage("x: Color", "Red => 1\nBlue => 3"), "missing `Green`");
  EXPECT_EQ(coverage("x: Color", "Red | Green => 1\nBlue => 3"), "covered");
  EXPECT_EQ(coverage("x: Color", "Red => 1\n_ => 2"), "covered");
  EXPECT_EQ(coverage("x: Tree<Int>", "Leaf => 1\nNode(Leaf, _, _) => 2"),
            "missing `Node(Node(_, _, _), _, _)`");
  EXPECT_EQ(coverage("x: Tree<Int>", "Leaf => 1\nNode(value: 0, ..) => 2\nNode(..) => 3"), "covered");
  EXPECT_EQ(coverage("x: Tree<Color>",
                     "Leaf => 1\nNode(_, Red, _) => 2\nNode(_, Green, Leaf) => 3\nNode(_, Blue, _) => 4"),
            "missing `Node(_, Green, Node(_, _, _))`");
}

TEST(Exhaustive, Literals) {
  EXPECT_EQ(coverage("x: Int", "0 => 1\n1 => 2"), "missing `_`");
  EXPECT_EQ(coverage("x: Bool", "true => 1\nfalse => 2"), "covered");
  EXPECT_EQ(coverage("x: String", "\"a\" => 1\n_ => 2"), "covered");
  EXPECT_EQ(coverage("x: Unit", "() => 1"), "covered");
  EXPECT_EQ(coverage("x: (Int, Bool)", "(0, true) => 1\n(_, false) => 2"), "missing `(_, true)`");
}

TEST(Exhaustive, Lists) {
  EXPECT_EQ(coverage("x: List<Int>", "[] => 1\n[a, ..r] => 2"), "covered");
  EXPECT_EQ(coverage("x: List<Int>", "[] => 1\n[a] => 2\n[a, b] => 3"), "missing `[_, _, _, .._]`");
  EXPECT_EQ(coverage("x: List<Int>", "[a, ..r] => 2"), "missing `[]`");
}

TEST(Exhaustive, Guards) {
  EXPECT_EQ(coverage("x: Color", "Red if true => 1\nGreen => 2\nBlue => 3"), "missing `Red`");
  EXPECT_EQ(coverage("x: Int", "n if n > 0 => 1\n_ => 2"), "covered");
}

TEST(Exhaustive, IdleArms) {
  EXPECT_EQ(coverage("x: Color", "Red => 1\n_ => 2\nBlue => 3"), "idle 3 ");
  EXPECT_EQ(coverage("x: Int", "1 => 1\n1 => 2\n_ => 3"), "idle 2 ");
  EXPECT_EQ(coverage("x: (Color, Color)", "(Red, _) => 1\n(_, Red) => 2\n(Red, Red) => 3\n_ => 4"),
            "idle 3 ");
  EXPECT_EQ(coverage("x: Color", "Red | Green => 1\nGreen => 2\nBlue => 3"), "idle 2 ");
}

TEST(Exhaustive, IrrefutablePatterns) {
  auto message = [](const std::string& body) {
    auto c = check_text("t.eddy", kTypes + ("fn f() {\n" + body + "\n}\n"));
    return c->diagnostics.empty() ? std::string() : c->diagnostics.items()[0].message;
  };
  EXPECT_EQ(message("let (a, b) = (1, 2)"), "");
  EXPECT_NE(message("let Some(x) = Some(1)").find("has to match always"), std::string::npos);
  EXPECT_NE(message("for Red in [Red] { }").find("has to match always"), std::string::npos);
  EXPECT_EQ(message("for (a, (b, _)) in [(1, (2, 3))] { }"), "");
}

TEST(Exhaustive, LongMatchesAreLinear) {
  std::string arms;
  for (int i = 0; i < 20000; i++) arms += std::to_string(i) + " => " + std::to_string(i) + "\n";
  EXPECT_EQ(coverage("x: Int", arms + "_ => 0"), "covered");
}

}  // namespace
}  // namespace eddy::lang
