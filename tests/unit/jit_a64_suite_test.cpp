// Every instruction that the AArch64 back end makes of the conformance programs, on whichever host, is what it was meant
// to be: what asmjit was asked for against what Capstone reads. And each is of a form that tests/support/a64_forms.h
// has, where it is compared at its limits: a new form fails here until it is there.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "jit/codegen/assembled_stubs.h"
#include "jit/codegen/target.h"
#include "jit/jit.h"
#include "lang/compile.h"
#include "tests/support/a64_forms.h"

namespace eddy {
namespace {

namespace fs = std::filesystem;

// The instructions that the last assembler was asked for.
class Meant : public asmjit::Logger {
 public:
  Meant() { jit::a64::listener = this; }
  ~Meant() override { jit::a64::listener = nullptr; }
  asmjit::Error _log(const char* data, size_t size) noexcept override {
    std::string text(data, size == SIZE_MAX ? std::strlen(data) : size);
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    if (text == "start") lines.clear();
    else if (!text.empty() && text[0] != '.' && text.back() != ':' && !text.starts_with("align") && text != "nop")  // as `read`
      lines.push_back(std::move(text));
    return asmjit::kErrorOk;
  }
  std::vector<std::string> lines;
};

std::vector<std::string> read(const std::string& listing) {
  std::vector<std::string> lines;
  std::stringstream stream(listing);
  for (std::string line; std::getline(stream, line);) {
    line.erase(0, line.find_first_not_of(' '));
    size_t at = line.find("  ");
    if (at == std::string::npos) continue;
    line.erase(0, at + 2);
    if (size_t note = line.find("  ;"); note != std::string::npos) line.resize(note);
    if (line[0] != ';' && !line.starts_with("nop")) lines.push_back(line);  // padding
  }
  return lines;
}

std::set<std::string> known_shapes() {
  std::set<std::string> shapes;
  for (const test::Form& form : test::a64_forms()) shapes.insert(test::shape(test::plain_text(form.text)));
  // What goes somewhere: A64Forms.Branches, EveryReachReaches, Constants and Calls.
  for (const char* form : {"b @", "bl @", "b.cond @", "cbz x @", "cbz w @", "cbnz x @", "cbnz w @", "tbz w n @",
                           "tbnz w n @", "adr x @", "ldr x @"})
    shapes.insert(form);
  return shapes;
}

class Suite : public testing::Test {
 protected:
  void compare(const std::string& where, const std::vector<std::string>& got) {
    if (got.size() < meant.lines.size()) {
      wrong.push_back(where + ": " + std::to_string(meant.lines.size()) + " instructions meant, " + std::to_string(got.size()) + " read");
      return;
    }
    for (size_t i = 0; i < meant.lines.size(); ++i) {
      std::string want = test::plain_text(meant.lines[i]), have = test::plain_text(got[i]);
      ++instructions;
      if (want != have) wrong.push_back(where + ": meant " + meant.lines[i] + ", is " + got[i]);
      shapes.emplace(test::shape(have), where + ": " + got[i]);
    }
  }

  void program(const std::string& path, uint32_t chaos) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    lang::FrontEndOptions front;
    front.need_main = true;
    auto compilation = lang::check_text(path, text.str(), front);
    if (!compilation->ok()) return;
    std::optional<vm::Module> module = lang::compile(*compilation);
    if (!module) return;
    vm::VmOptions options;
    options.fuel = 20000;
    options.max_stack = uint64_t{16} << 20;
    options.heap.max_heap_bytes = size_t{256} << 20;
    std::unique_ptr<vm::Tier> tier;  // outlives the VM
    vm::Vm machine(options);
    jit::Options compiler;
    compiler.jit_threshold = compiler.osr_threshold = 3;
    compiler.chaos = chaos;
    tier = jit::attach(machine, compiler);
    ASSERT_TRUE(tier);
    std::string problem;
    vm::LoadedModule* loaded = machine.load(std::move(*module), &problem);
    if (!loaded) return;
    // With what the profile says by then.
    if (machine.initialise(loaded).outcome == vm::Outcome::Finished) machine.run_main(loaded);
    ++programs;
    for (vm::LoadedFunction& f : loaded->functions) {
      meant.lines.clear();
      std::string listing = jit::listing(*tier, f, "aarch64");
      if (listing.starts_with("not compiled")) {
        std::string here = jit::listing(*tier, f, "x86-64");
        if (here != listing) wrong.push_back(path + " " + f.name + ": " + listing + " on AArch64, but on x86-64");
        continue;
      }
      compare(path + " " + f.name, read(listing));
    }
  }

  void judge() {
    for (size_t i = 0; i < std::min<size_t>(wrong.size(), 20); ++i) ADD_FAILURE() << wrong[i];
    EXPECT_EQ(wrong.size(), 0u);
    std::set<std::string> known = known_shapes();
    for (const auto& [shape, where] : shapes)
      EXPECT_TRUE(known.contains(shape)) << "tests/support/a64_forms.h lacks the form: " << shape << ", as in " << where;
  }

  Meant meant;
  size_t programs = 0, instructions = 0;
  std::vector<std::string> wrong;
  std::map<std::string, std::string> shapes;
};

TEST_F(Suite, IsWhatItWasMeantToBe) {
  std::vector<std::string> paths;
  for (const char* folder : {"/tests/conformance", "/tests/regressions", "/bench/programs", "/examples"})
    for (const auto& entry : fs::recursive_directory_iterator(std::string(EDDY_SOURCE_DIR) + folder))
      if (entry.path().extension() == ".eddy") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  // What the programs say is not the question.
  std::fflush(nullptr);
  int kept[3];
  for (int i = 0; i < 3; ++i) {
    kept[i] = dup(i);
    int nothing = open("/dev/null", O_RDWR);
    if (i < 2) dup2(nothing, i);
    close(nothing);
  }
  for (size_t i = 0; i < paths.size(); ++i) {
    program(paths[i], 0);
    if (i % 8 == 0) program(paths[i], 77);  // few registers, far branches
  }
  std::fflush(nullptr);
  for (int i = 0; i < 3; ++i) {
    dup2(kept[i], i);
    close(kept[i]);
  }
  EXPECT_GT(programs, 600u);
  judge();
  std::printf("%zu programs, %zu instructions of %zu forms\n", programs, instructions, shapes.size());
}

TEST_F(Suite, StubsAreWhatTheyWereMeantToBe) {
  std::unique_ptr<vm::Tier> tier;
  vm::Vm machine(vm::VmOptions{});
  tier = jit::attach(machine, {});
  tier->safepoints.resize(1);
  for (jit::Watch watch : jit::kWatches) {
    meant.lines.clear();
    jit::AssembledStubs stubs = jit::a64::assemble_stubs(watch);
    EXPECT_EQ(stubs.failure, "");
    compare("stubs", read(jit::a64::target.disassemble(stubs.code.data(), stubs.code.size(), stubs.code.size(), 0x100000, *tier)));
  }
  judge();
}

}  // namespace
}  // namespace eddy
