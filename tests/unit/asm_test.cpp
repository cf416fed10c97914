// Runs tests/asm/*.eas; the first line of each says what it must give: "; expect: …".
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/run_text.h"

namespace eddy {
namespace {

std::vector<std::filesystem::path> programs() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(EDDY_SOURCE_DIR "/tests/asm"))
    if (entry.path().extension() == ".eas") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

class Programs : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Programs, GiveWhatTheySay) {
  std::ifstream in(GetParam());
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const std::string mark = "; expect: ";
  ASSERT_TRUE(text.starts_with(mark));
  std::string want = text.substr(mark.size(), text.find('\n') - mark.size());
  std::string problem;
  std::optional<vm::Module> module = test::checked_module(text, &problem);
  ASSERT_TRUE(module) << problem;
  const test::RunMode modes[] = {
      {}, {.gc_stress = 1, .verify_heap = text.size() < 1200}, {.gc_stress = 7, .nursery = 1 << 16}};
  for (const test::RunMode& mode : modes)
    EXPECT_EQ(test::run_module(*module, mode), want) << "collecting at every " << mode.gc_stress;
}

INSTANTIATE_TEST_SUITE_P(Asm, Programs, testing::ValuesIn(programs()),
                         [](const auto& info) { return info.param.stem().string(); });

}  // namespace
}  // namespace eddy
