// Modules: where they are found, what their names mean to importers.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lang/front_end.h"

namespace eddy::lang {
namespace {

namespace fs = std::filesystem;

class Modules : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("eddy_modules_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  std::string check(const std::string& text, std::vector<std::string> paths = {}) {
    FrontEndOptions options;
    options.paths = std::move(paths);
    auto c = check_text((folder_ / "main.eddy").string(), text, options);
    std::string out;
    for (const Diagnostic* d : c->diagnostics.sorted()) out += d->message + "\n";
    return out;
  }
  fs::path folder_;
};

TEST_F(Modules, NamesOfImports) {
  write("shapes/circle.eddy",
        "type Circle(r: Float)\neffect Draw { draw(c: Circle): Unit }\n"
        "fn area(c: Circle): Float => c.r * c.r\nprivate fn secret() => 1\nlet unit = Circle(1.0)\n");
  EXPECT_EQ(check("import shapes/circle as c\nfn f() => c.area(Circle(2.0)) + c.unit.area()\nfn g(x: "
                  "c.Circle) => match x { c.Circle(r) => r }"),
            "");
  EXPECT_EQ(
      check(
          "import shapes/circle\nfn f() => handle { circle.draw(circle.unit) } with { draw(_) => resume() }"),
      "");
  EXPECT_EQ(check("import shapes/circle { area, Circle }\nfn f() => area(Circle(1.0))"), "");
  EXPECT_EQ(check("import shapes/circle { area as surface }\nfn f(c) => surface(c)"), "");
  EXPECT_EQ(check("import shapes/circle\nfn f() => circle.secret()"),
            "`secret` is private to the module `shapes/circle`\n");
  EXPECT_EQ(check("import shapes/circle\nfn f() => circle.aera()"),
            "the module `shapes/circle` has no `aera`\n");
  EXPECT_EQ(check("import shapes/circle { nothing }"), "the module `shapes/circle` has no `nothing`\n");
}

TEST_F(Modules, OwnNamesShadow) {
  write("a.eddy", "type Exn2 { Here }\nfn id(x) => (x, x)\n");
  EXPECT_EQ(check("import a\ntype Exn2 { Mine }\nfn f(): Exn2 => Mine"), "");
  EXPECT_EQ(
      check("effect Exn { throw(n: Int): a }\nfn f() => handle { throw(1) } with { throw(n) => n + 1 }"), "");
  EXPECT_EQ(check("fn println(x: Int) => x + 1\nfn f(): Int => println(1)"), "");
  EXPECT_EQ(check("import a\nfn f(a: (Int, Int)) => a.0"), "");
}

TEST_F(Modules, Paths) {
  write("lib/util.eddy", "fn one() => 1\n");
  EXPECT_EQ(check("import util\nfn f() => util.one()", {(folder_ / "lib").string()}), "");
  EXPECT_EQ(check("import util"), "there is no module `util`\n");
  EXPECT_EQ(check("import std/lst"), "there is no module `std/lst`\n");
  fs::create_directories(folder_ / "dir.eddy");
  EXPECT_EQ(check("import dir"), "cannot read the module `dir`\n");
}

TEST_F(Modules, Cycles) {
  write("a.eddy", "import b\nfn x() => 1\n");
  write("b.eddy", "import a\nfn y() => 2\n");
  EXPECT_EQ(check("import a"), "modules import each other in a circle\n");
  write("main.eddy", "import main\n");
  auto c = check_file((folder_ / "main.eddy").string());
  ASSERT_FALSE(c->diagnostics.empty());
  EXPECT_EQ(c->diagnostics.items()[0].message, "modules import each other in a circle");
}

TEST_F(Modules, OnceEach) {
  write("base.eddy", "type T { A }\n");
  write("left.eddy", "import base\nfn l(): T => A\n");
  write("right.eddy", "import base\nfn r(t: T) => t\n");
  EXPECT_EQ(check("import left\nimport right\nfn f() => right.r(left.l())"), "");
}

TEST_F(Modules, MethodsComeWithTheType) {
  write("box.eddy", "type Box(n: Int)\nfn double(b: Box) => Box(b.n * 2)\nfn make(n: Int) => Box(n)\n");
  write("user.eddy", "import box\nfn three() => box.make(3)\n");
  EXPECT_EQ(check("import user\nfn f() => user.three().double().n"), "");
}

TEST_F(Modules, Unreadable) {
  auto c = check_file((folder_ / "nothing.eddy").string());
  ASSERT_FALSE(c->ok());
  EXPECT_EQ(c->diagnostics.items()[0].message,
            "cannot read `" + (folder_ / "nothing.eddy").string() + "`: No such file or directory");
  c = check_file(folder_.string());
  EXPECT_FALSE(c->ok());
}

TEST_F(Modules, LongChains) {
  for (int i = 0; i < 400; i++) {
    write("m" + std::to_string(i) + ".eddy", "import m" + std::to_string(i + 1) + "\n");
  }
  write("m400.eddy", "fn last() => 1\n");
  EXPECT_EQ(check("import m0"), "imports are nested too deeply\n");
  EXPECT_EQ(check("import m200"), "");
}

// tests/diagnostics/modules: NAME/main.eddy and what it is told, NAME.err. EDDY_UPDATE_GOLDEN=1 rewrites the
// latter.
TEST(ModuleReports, Golden) {
  fs::path folder = EDDY_SOURCE_DIR "/tests/diagnostics/modules";
  FrontEndOptions options;
  options.need_main = true;
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    count++;
    auto c = check_file((entry.path() / "main.eddy").string(), options);
    std::string found = render(c->diagnostics, c->sources);
    std::string prefix = entry.path().string() + "/";
    for (size_t at; (at = found.find(prefix)) != std::string::npos;) found.erase(at, prefix.size());
    fs::path golden = entry.path().string() + ".err";
    if (std::getenv("EDDY_UPDATE_GOLDEN")) {
      std::ofstream(golden) << found;
      continue;
    }
    std::ifstream in(golden);
    EXPECT_EQ(found, std::string(std::istreambuf_iterator<char>(in), {})) << entry.path();
  }
  EXPECT_GT(count, 3u);
}

}  // namespace
}  // namespace eddy::lang
