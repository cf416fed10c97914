#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "lang/diagnostics.h"
#include "lang/parser.h"

namespace eddy::lang {
namespace {

namespace fs = std::filesystem;

TEST(Diagnostics, RendersPlacesAndRemarks) {
  SourceMap sources;
  const SourceFile* file = sources.add("dir/a.eddy", "let a = 1\nlet bb = (2\n\nlet c = 3\n");
  Diagnostics diagnostics;
  diagnostics.error({file->pos(23), file->pos(26)}, "second")
      .label({file->pos(19), file->pos(20)}, "opened here")
      .help("close it");
  diagnostics.warning({file->pos(4), file->pos(5)}, "first").here("this one").note("a note\nof two lines");
  diagnostics.error({file->pos(23), file->pos(26)}, "second");
  EXPECT_EQ(
      render(diagnostics, sources),
      "warning: first\n --> dir/a.eddy:1:5\n  |\n1 | let a = 1\n  |     ^ this one\n  |\n  = note: a note\n"
      "          of two lines\n\n"
      "error: second\n --> dir/a.eddy:4:1\n  |\n2 | let bb = (2\n  |          - opened here\n...\n"
      "4 | let c = 3\n  | ^^^\n  |\n  = help: close it\n");
  EXPECT_EQ(diagnostics.error_count(), 2u);
}

TEST(Diagnostics, WidthsOfCharacters) {
  SourceMap sources;
  const SourceFile* file = sources.add("a", "\t\u4e2d\u00e9e\u0301 x\n");
  Diagnostics diagnostics;
  size_t x = file->text().find('x');
  diagnostics.error({file->pos(x), file->pos(x + 1)}, "m");
  EXPECT_EQ(render(diagnostics, sources),
            "error: m\n --> a:1:7\n  |\n1 |     \u4e2d\u00e9e\u0301 x\n  |          ^\n");
}

TEST(Diagnostics, LongLinesAreCut) {
  SourceMap sources;
  const SourceFile* file = sources.add("a", std::string(100000, 'a') + "!" + std::string(100000, 'b'));
  Diagnostics diagnostics;
  diagnostics.error({file->pos(100000), file->pos(100001)}, "m");
  std::string shown = render(diagnostics, sources);
  EXPECT_LT(shown.size(), 600u);
  EXPECT_NE(shown.find("a!b"), std::string::npos);
}

TEST(Diagnostics, ColorsOnRequest) {
  SourceMap sources;
  const SourceFile* file = sources.add("a", "x");
  Diagnostics diagnostics;
  diagnostics.error({file->pos(0), file->pos(1)}, "m");
  RenderOptions options;
  options.color = true;
  EXPECT_NE(render(diagnostics, sources, options).find("\033["), std::string::npos);
}

TEST(Diagnostics, Json) {
  SourceMap sources;
  const SourceFile* file = sources.add("a\"b", "x\ny\n");
  Diagnostics diagnostics;
  diagnostics.error({file->pos(2), file->pos(3)}, "bad\t\"m\"")
      .label({file->pos(0), file->pos(1)}, "l")
      .help("h");
  diagnostics.error({}, "nowhere");
  EXPECT_EQ(render_json(diagnostics, sources),
            "{\"severity\":\"error\",\"message\":\"nowhere\",\"file\":null,\"text\":\"\",\"labels\":[],"
            "\"notes\":[],\"help\":[]}\n"
            "{\"severity\":\"error\",\"message\":\"bad\\t\\\"m\\\"\",\"file\":\"a\\\"b\",\"line\":2,"
            "\"column\":1,\"end_line\":2,"
            "\"end_column\":2,\"text\":\"\",\"labels\":[{\"file\":\"a\\\"b\",\"line\":1,\"column\":1,\"end_"
            "line\":1,"
            "\"end_column\":2,\"text\":\"l\"}],\"notes\":[],\"help\":[\"h\"]}\n");
}

TEST(Diagnostics, Closest) {
  EXPECT_EQ(closest("lenght", {"length", "append", "tail"}), "length");
  EXPECT_EQ(closest("xyz", {"length", "append"}), "");
  EXPECT_EQ(closest("prnt", {"print", "println", "point"}), "print");
}

TEST(Diagnostics, FloodIsBounded) {
  Diagnostics diagnostics;
  for (int i = 0; i < 100000; i++) diagnostics.error({}, "m").help("h");
  EXPECT_EQ(diagnostics.error_count(), 100000u);
  EXPECT_LT(diagnostics.items().size(), 10000u);
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// tests/diagnostics/syntax: what the compiler says about each NAME.eddy is in NAME.err.
// EDDY_UPDATE_GOLDEN=1 writes the answers anew.
TEST(Diagnostics, SyntaxGolden) {
  fs::path folder = fs::path(EDDY_SOURCE_DIR) / "tests/diagnostics/syntax";
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".eddy") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty());
  const bool update = std::getenv("EDDY_UPDATE_GOLDEN") != nullptr;
  for (const fs::path& path : files) {
    SourceMap sources;
    Symbols symbols;
    Arena arena;
    Diagnostics diagnostics;
    const SourceFile* file = sources.add(path.filename().string(), read(path));
    ParseResult result = parse(*file, symbols, arena, diagnostics);
    EXPECT_FALSE(result.ok) << path;
    std::string shown = render(diagnostics, sources);
    fs::path expected = path;
    expected.replace_extension(".err");
    if (update) {
      std::ofstream(expected, std::ios::binary) << shown;
    } else {
      EXPECT_EQ(shown, read(expected)) << path;
    }
  }
}

}  // namespace
}  // namespace eddy::lang
