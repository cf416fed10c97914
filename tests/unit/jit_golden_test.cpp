// What the compiler makes of small programs, one idea each: tests/golden/NAME.eddy says it, NAME.eas is its bytecode
// (`eddy disasm --plain`), NAME.ir the graph of its functions after they have run, and NAME.a64 the code for AArch64 of
// those graphs, on whichever host. EDDY_UPDATE_GOLDEN=1 writes both anew.
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

// A listing without what differs from run to run and from build to build: addresses, how many instructions it takes to
// make them, offsets into the context. Places to go to have numbers.
std::string without_addresses(const std::string& listing) {
  struct Line {
    unsigned long at;
    std::string text;
  };
  std::vector<Line> lines;
  std::stringstream stream(listing);
  for (std::string line; std::getline(stream, line);) {
    size_t used = 0;
    unsigned long at = std::stoul(line, &used, 16);
    std::string text = line.substr(used + 2);
    if (size_t note = text.find("  ;"); note != std::string::npos) text.resize(note);
    while (!text.empty() && text.back() == ' ') text.pop_back();
    // One constant is one line.
    std::string mnemonic = text.substr(0, text.find(' ')), to = text.substr(0, text.find(',')).substr(mnemonic.size());
    bool literal = mnemonic == "ldr" && text.find('[') == std::string::npos;
    bool made = mnemonic == "movz" || mnemonic == "movn" || (mnemonic == "orr" && text.find("xzr, #") != std::string::npos);
    bool shifted = made && text.find("lsl") != std::string::npos;
    if (mnemonic == "movk") lines.back().text = "constant" + to;
    else lines.push_back({at, literal || shifted ? "constant" + to : text});
  }
  constexpr unsigned long kBase = 0x100000;  // where listed code is supposed to stand
  static const std::regex place("#0x(1[0-9a-f]{5})$"), context("(\\bx19), #\\w+"), away("^(bl?) #.*");
  std::map<unsigned long, size_t> numbers;
  for (bool print : {false, true}) {
    std::string out;
    for (const Line& line : lines) {
      if (auto number = numbers.find(line.at); print && number != numbers.end())
        out += std::to_string(number->second) + ":\n";
      std::string text = line.text;
      std::smatch found;
      bool jumps = text[0] == 'b' || text[0] == 'c' || text[0] == 't' || text.starts_with("adr");
      if (jumps && std::regex_search(text, found, place)) {
        unsigned long to = std::stoul(found[1].str(), nullptr, 16) - kBase;
        auto entry = numbers.emplace(to, numbers.size() + 1).first;
        text = std::regex_replace(text, place, "to " + std::to_string(entry->second));
      }
      text = std::regex_replace(std::regex_replace(text, context, "$1, …"), away, "$1 stub");
      if (print) out += "  " + text + "\n";
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
    for (const char* arch : {"", "aarch64"}) {
      std::filesystem::path golden = entry.path();
      golden.replace_extension(*arch ? ".a64" : ".ir");
      std::string got = listings(read(entry.path()), name, *arch ? arch : nullptr);
      EXPECT_EQ(got, listings(read(entry.path()), name, *arch ? arch : nullptr)) << "not the same twice";
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
