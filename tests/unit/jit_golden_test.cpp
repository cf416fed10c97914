// What the compiler makes of small programs, one idea each: tests/golden/NAME.eddy says it, NAME.eas is its bytecode
// (`eddy disasm --plain`), NAME.ir the graph of its functions after they have run, NAME.x64 and NAME.a64 the code of those
// graphs for either processor, on whichever host, without slow paths. EDDY_UPDATE_GOLDEN=1 writes them anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
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

struct Line {
  unsigned long at;
  std::string text;
};

// Constants differ from run to run, and so does how many instructions make one and store it: that is one line.
void add(std::vector<Line>& lines, Line line) {
  static const std::regex made("mov(?:abs)? [er](\\w+?)d?, 0x[0-9a-f]{5,}"), stored("(mov qword ptr .*, )0x[0-9a-f]{5,}"),
      through("(mov qword ptr .*, )r(\\w+)"), placed("(?:mov[zn] (\\w+), .*, lsl .*|orr (\\w+), xzr, #.*|ldr (\\w+), #.*)"),
      joined("movk (\\w+), .*");
  std::smatch found;
  auto last = [&](const std::string& text) { return !lines.empty() && lines.back().text == text; };
  auto replace_last = [&] {
    line.at = lines.back().at;
    lines.pop_back();
  };
  if (std::string text = line.text; std::regex_match(text, found, made)) {
    line.text = "constant r" + found[1].str();
  } else if (std::regex_match(text, found, stored)) {
    line.text = found[1].str() + "constant";
  } else if (std::regex_match(text, found, through) && last("constant r" + found[2].str())) {
    replace_last();
    line.text = found[1].str() + "constant";
  } else if (std::regex_match(text, found, placed)) {
    line.text = "constant " + found[1].str() + found[2].str() + found[3].str();
  } else if (std::regex_match(text, found, joined)) {
    replace_last();
    line.text = "constant " + found[1].str();
  }
  lines.push_back(line);
}

// A listing without what is rare, and without what differs from run to run and from build to build: constants, offsets
// into the context, addresses. Places to go to have numbers.
std::string without_addresses(const std::string& listing) {
  std::vector<Line> lines;
  std::stringstream stream(listing);
  for (std::string line; std::getline(stream, line);) {
    size_t used = 0;
    unsigned long at = std::stoul(line, &used, 16);
    std::string text = line.substr(used + 2);
    if (text == "; rare from here on") break;
    if (size_t note = text.find("  ;"); note != std::string::npos) text.resize(note);
    while (!text.empty() && text.back() == ' ') text.pop_back();
    add(lines, {at, text});
  }
  constexpr unsigned long kBase = 0x100000;  // where listed code is supposed to stand
  static const std::regex place("#?0x(1[0-9a-f]{5})$"), context("\\b(x19,|r15 \\+) #?\\w+"), ahead("\\[rip \\+ \\w+"),
      away("^(bl?|call|jmp) #?0x.*");
  std::map<unsigned long, size_t> numbers;
  for (bool print : {false, true}) {
    std::string out;
    for (const Line& line : lines) {
      if (auto number = numbers.find(line.at); print && number != numbers.end())
        out += std::to_string(number->second) + ":\n";
      std::string text = line.text;
      std::smatch found;
      bool jumps = std::string("bctj").find(text[0]) != std::string::npos || text.starts_with("adr");
      if (jumps && std::regex_search(text, found, place)) {
        unsigned long to = std::stoul(found[1].str(), nullptr, 16) - kBase;
        bool rare = to > lines.back().at;
        text = std::regex_replace(text, place, rare ? "away" : "to " + std::to_string(numbers.emplace(to, numbers.size() + 1).first->second));
      }
      text = std::regex_replace(std::regex_replace(text, context, "$1 …"), ahead, "[rip, …");
      if (print) out += "  " + std::regex_replace(text, away, "$1 stub") + "\n";
    }
    if (print) return out;
  }
  return {};
}

// The graphs of what was called often, by the name of the function, or their code for another processor.
std::string listings(const std::string& text, const std::string& name, const char* arch) {
  std::string problem;
  std::optional<vm::Module> module = test::checked_module(text, &problem);
  if (!module) return problem;
  jit::Options options;
  options.jit_threshold = options.osr_threshold = 50;
  // Only where they are the idea.
  if (name != "rounds_of_a_loop") options.without |= 1u << static_cast<unsigned>(jit::Pass::Unroll);
  if (name == "recursion_inlined") options.without |= 1u << static_cast<unsigned>(jit::Pass::Accumulate);
  if (name == "floats_in_registers") options.without |= 1u << static_cast<unsigned>(jit::Pass::Inline);  // their calls are
  if (name != "loops_that_only_count") options.without |= 1u << static_cast<unsigned>(jit::Pass::Closed);
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
    if (f.compiled && f.name != "main") out += "function " + f.name + "\n" + (arch ? without_addresses(jit::listing(*tier, f, arch)) : jit::ir_listing(*tier, f));
  return out;
}

TEST(JitGolden, GraphsAndCode) {
  if (!jit::available()) return;
  unsigned seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(EDDY_SOURCE_DIR "/tests/golden")) {
    if (entry.path().extension() != ".eas") continue;
    ++seen;
    std::string name = entry.path().stem();
    for (auto [extension, arch] : {std::pair<const char*, const char*>{".ir", nullptr}, {".x64", "x86-64"}, {".a64", "aarch64"}}) {
      std::filesystem::path golden = entry.path();
      golden.replace_extension(extension);
      std::string got = listings(read(entry.path()), name, arch);
      EXPECT_EQ(got, listings(read(entry.path()), name, arch)) << "not the same twice";
      if (std::getenv("EDDY_UPDATE_GOLDEN")) std::ofstream(golden) << got;
      EXPECT_EQ(got, read(golden)) << golden << ": EDDY_UPDATE_GOLDEN=1 writes it anew";
    }
  }
  EXPECT_GT(seen, 0u);
}

// What a program of this folder allocates in all.
uint64_t allocated(const std::string& name, unsigned without) {
  jit::Options options;
  options.tier = jit::TierMode::Jit;
  options.without = without;
  std::string problem;
  std::optional<vm::Module> module = test::checked_module(read(std::filesystem::path(EDDY_SOURCE_DIR "/tests/golden") / (name + ".eas")), &problem);
  if (!module) return 0;
  std::unique_ptr<vm::Tier> tier;
  vm::Vm machine{vm::VmOptions()};
  tier = jit::attach(machine, options);
  vm::LoadedModule* loaded = machine.load(std::move(*module), &problem);
  if (!loaded) return 0;
  testing::internal::CaptureStdout();
  machine.run_main(loaded);
  rt::flush_output(machine.context(), &problem);
  testing::internal::GetCapturedStdout();
  return machine.context().heap->counters().bytes_allocated;
}

// Of a thousand operations one stores its continuation.
TEST(JitGolden, ContinuationsAreNotAllocated) {
  if (!jit::available()) return;
  uint64_t made = allocated("continuation_not_made", 1u << static_cast<unsigned>(jit::Pass::Continuations));
  uint64_t not_made = allocated("continuation_not_made", 0);
  EXPECT_GE(made, not_made + 900 * sizeof(rt::Continuation));
  EXPECT_GT(not_made, 0u);
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
