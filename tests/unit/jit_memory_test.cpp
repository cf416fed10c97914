// Memory for machine code: never writable and executable at once, and not there at all where the system refuses it.
#include <gtest/gtest.h>

#include <fstream>

#include "jit/jit.h"
#include "runtime/system_memory.h"
#include "tests/support/run_text.h"

namespace eddy {
namespace {

const char* const kProgram = R"(
main main
function twice params 1 { ADD r1, r0, r0 RET r1 }
function main { LOAD_INT r0, 15 CALL r0, twice (r0) CALL r0, twice (r0) RET r0 }
)";

bool any_writable_and_executable() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find(" rwx") != std::string::npos) return true;
  return false;
}

jit::Options at_once() {
  jit::Options options;
  options.tier = jit::TierMode::Jit;
  return options;
}

TEST(JitMemory, IsNeverWritableAndExecutable) {
  vm::Vm machine{vm::VmOptions{}};
  auto tier = jit::attach(machine, at_once());
  if (!tier) return;  // no machine code for this processor
  std::string problem;
  vm::LoadedModule* loaded = machine.load(*test::checked_module(kProgram, &problem), &problem);
  EXPECT_EQ(test::outcome_text(machine.run_main(loaded)), "60");
  EXPECT_FALSE(any_writable_and_executable());
}

// Request 1 is for the stubs: without them everything is interpreted; without a later one, a function is.
TEST(JitMemory, RefusedMeansInterpreted) {
  for (uint64_t refuse = 1; refuse < 12; ++refuse) {
    vm::Vm machine{vm::VmOptions{}};
    rt::memory::refuse_request(refuse);
    auto tier = jit::attach(machine, at_once());
    EXPECT_TRUE(refuse != 1 || !tier);
    std::string problem;
    vm::LoadedModule* loaded = machine.load(*test::checked_module(kProgram, &problem), &problem);
    std::string got = test::outcome_text(machine.run_main(loaded));
    // A refused request may also have been the one for the stack.
    EXPECT_TRUE(got == "60" || got.find("stack overflow") != std::string::npos) << got;
    rt::memory::refuse_request(0);
    EXPECT_EQ(test::outcome_text(machine.run_main(loaded)), "60");
  }
}

}  // namespace
}  // namespace eddy
