#include <gtest/gtest.h>

#include "lang/doc.h"
#include "lang/parser.h"

namespace eddy::lang {
namespace {

std::string document(const std::string& text, DocOptions options = {}) {
  SourceMap sources;
  Symbols symbols;
  Arena arena;
  Diagnostics diagnostics;
  ParseResult r = parse(*sources.add("test.eddy", text), symbols, arena, diagnostics);
  EXPECT_TRUE(r.ok) << render(diagnostics, sources);
  options.title = "m";
  return document(*r.module, symbols, options);
}

TEST(Doc, Sections) {
  EXPECT_EQ(
      document("/// About.\n\n/// Adds.\n///\n///   indented\nfn add(a: Int, b: Int = 1): Int => a + b\n"
               "private fn hidden() { }\n@test fn t() { }\n/// Limit.\nlet limit: Int = 3\n"
               "/// A tree.\ntype Tree<a> {\n  /// Nothing.\n  Leaf\n  Node(value: a)\n}\n"
               "effect E {\n  /// Stops.\n  stop(): a\n}"),
      "# m\n\nAbout.\n"
      "\n## Types\n\n### `Tree`\n\n```eddy fragment\ntype Tree<a> {\n  Leaf\n  Node(value: a)\n}\n```\n\nA "
      "tree.\n\n"
      "- `Leaf`: Nothing.\n"
      "\n## Effects\n\n### `E`\n\n```eddy fragment\neffect E {\n  stop(): a\n}\n```\n\n- `stop`: Stops.\n"
      "\n## Constants\n\n### `limit`\n\n```eddy fragment\nlet limit: Int\n```\n\nLimit.\n"
      "\n## Functions\n\n### `add`\n\n```eddy fragment\nfn add(a: Int, b: Int = 1): Int\n```\n\nAdds.\n\n  "
      "indented\n");
}

TEST(Doc, InferredSignatures) {
  DocOptions options;
  options.type_of = [](const Decl& d, size_t) -> std::string {
    if (d.kind == DeclKind::kLet) return "List<Int>";
    return "fn(fn(a): b / e, List<a>): List<b> / e";
  };
  EXPECT_EQ(document("fn map(f, xs...) => g(f, xs)\nlet l = [1]", options),
            "# m\n\n## Constants\n\n### `l`\n\n```eddy fragment\nlet l: List<Int>\n```\n"
            "\n## Functions\n\n### `map`\n\n```eddy fragment\nfn map(f: fn(a): b / e, xs: a...): List<b> / "
            "e\n```\n");
}

}  // namespace
}  // namespace eddy::lang
