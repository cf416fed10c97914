// What the compiler makes of small programs, one idea each: tests/golden/NAME.eddy says it, NAME.eas is its bytecode
// (`eddy disasm --plain`), NAME.ir the graph of its functions after they have run. EDDY_UPDATE_GOLDEN=1 writes the
// graphs anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "jit/jit.h"
#include "runtime/natives/state.h"
#include "tests/support/run_text.h"

namespace eddy {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The graphs of what was called often, by the name of the function.
std::string graphs(const std::string& text, bool unrolled) {
  std::string problem;
  std::optional<vm::Module> module = test::checked_module(text, &problem);
  if (!module) return problem;
  jit::Options options;
  options.jit_threshold = options.osr_threshold = 50;
  // Only where it is the idea.
  if (!unrolled) options.without = 1u << static_cast<unsigned>(jit::Pass::Unroll);
  std::unique_ptr<vm::Tier> tier;
  vm::Vm machine{vm::VmOptions()};
  tier = jit::attach(machine, options);
  vm::LoadedModule* loaded = machine.load(std::move(*module), &problem);
  if (!loaded) return problem;
  testing::internal::CaptureStdout();
  machine.run_main(loaded);
  rt::flush_output(machine.context(), &problem);
  testing::internal::GetCapturedStdout();
  std::string out;
  for (vm::LoadedFunction& f : loaded->functions)
    if (f.compiled && f.name != "main") out += "function " + f.name + "\n" + jit::ir_listing(*tier, f);
  return out;
}

TEST(JitGolden, Graphs) {
  if (!jit::available()) return;
  unsigned seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(EDDY_SOURCE_DIR "/tests/golden")) {
    if (entry.path().extension() != ".eas") continue;
    ++seen;
    std::filesystem::path golden = entry.path();
    golden.replace_extension(".ir");
    bool unrolled = entry.path().stem() == "rounds_of_a_loop";
    std::string got = graphs(read(entry.path()), unrolled);
    EXPECT_EQ(got, graphs(read(entry.path()), unrolled)) << "not the same twice";
    if (std::getenv("EDDY_UPDATE_GOLDEN")) std::ofstream(golden) << got;
    EXPECT_EQ(got, read(golden)) << golden << ": EDDY_UPDATE_GOLDEN=1 writes it anew";
  }
  EXPECT_GT(seen, 0u);
}

// Each pass can be left out, and the program does the same.
TEST(JitGolden, EachPassCanBeLeftOut) {
  for (const auto& entry : std::filesystem::directory_iterator(EDDY_SOURCE_DIR "/tests/golden")) {
    if (entry.path().extension() != ".eas") continue;
    std::string text = read(entry.path()), want;
    for (unsigned pass = 0; pass <= static_cast<unsigned>(jit::Pass::Count); ++pass) {
      jit::Options options;
      options.jit_threshold = options.osr_threshold = 5;
      if (pass < static_cast<unsigned>(jit::Pass::Count)) options.without = 1u << pass;
      std::string problem;
      std::optional<vm::Module> module = test::checked_module(text, &problem);
      ASSERT_TRUE(module) << problem;
      std::unique_ptr<vm::Tier> tier;
      vm::Vm machine{vm::VmOptions()};
      tier = jit::attach(machine, options);
      vm::LoadedModule* loaded = machine.load(std::move(*module), &problem);
      ASSERT_TRUE(loaded) << problem;
      testing::internal::CaptureStdout();
      machine.run_main(loaded);
      rt::flush_output(machine.context(), &problem);
      std::string got = testing::internal::GetCapturedStdout();
      if (pass == 0) want = got;
      EXPECT_EQ(got, want) << entry.path() << " without pass " << pass;
      EXPECT_NE(got, "");
    }
  }
}

}  // namespace
}  // namespace eddy
