// Compiled code against what the program says, for the ways in and out of it.
#include <gtest/gtest.h>

#include "jit/jit.h"
#include "runtime/fiber_pool.h"
#include "tests/support/run_text.h"

namespace eddy {
namespace {

std::string run(const std::string& text, jit::Options options, uint32_t stress = 0, uint64_t* stacks = nullptr) {
  std::string problem;
  std::optional<vm::Module> module = test::checked_module(text, &problem);
  if (!module) return problem;
  vm::VmOptions vm_options;
  vm_options.heap.stress = stress;
  vm_options.heap.verify = stress != 0;
  std::unique_ptr<vm::Tier> tier;
  vm::Vm machine(vm_options);
  tier = jit::attach(machine, options);
  vm::LoadedModule* loaded = machine.load(std::move(*module), &problem);
  if (!loaded) return problem;
  vm::RunResult result = machine.run_main(loaded);
  if (stacks) *stacks = machine.context().fibers->counters.peak_bytes;
  return test::outcome_text(result);
}

void check(const std::string& text, const std::string& want) {
  for (jit::TierMode mode : {jit::TierMode::Interp, jit::TierMode::Auto, jit::TierMode::Jit})
    for (int threshold : {1, 10, 500})
      for (bool no_opt : {false, true})
        for (uint32_t stress : {0u, 1u}) {
          jit::Options options;
          options.tier = mode;
          options.jit_threshold = options.osr_threshold = threshold;
          options.no_opt = no_opt;
          EXPECT_EQ(run(text, options, stress), want) << static_cast<int>(mode) << " threshold " << threshold;
        }
}

TEST(Jit, Recursion) {
  check(R"(
main main
function fib params 1 {
  JGT_I r0, 1, more
  RET r0
more:
  SUB_I r1, r0, 1
  CALL r1, fib (r1)
  SUB_I r2, r0, 2
  CALL r2, fib (r2)
  ADD r1, r1, r2
  RET r1
}
function main { LOAD_INT r0, 15 CALL r0, fib (r0) RET r0 }
)", "610");
}

// Sums and products on the way back from recursion are made on the way there.
TEST(Jit, RecursionThatAddsOrMultipliesTakesNoStack) {
  const std::string text = R"(
main main
function count params 1 {
  JGT_I r0, 0, more
  LOAD_INT r1, 7
  RET r1
more:
  SUB_I r1, r0, 1
  CALL r1, count (r1)
  ADD_I r1, r1, 1
  RET r1
}
function signs params 2 {
  JGT_I r0, 0, more
  RET r1
more:
  SUB_I r2, r0, 1
  CALL r2, signs (r2, r0)
  MUL_I r3, r2, -1
  MOVE r2, r3
  JMP out
out:
  RET r2
}
function main {
  LOAD_INT r0, 20000
  CALL r1, count (r0)
  CALL r2, signs (r0, r1)
  ADD r1, r1, r2
  RET r1
}
)";
  check(text, "20008");
  if (!jit::available()) return;
  jit::Options options;
  options.tier = jit::TierMode::Jit;
  uint64_t with = 0, without = 0;
  run(text, options, 0, &with);
  options.without = 1u << static_cast<unsigned>(jit::Pass::Accumulate);
  run(text, options, 0, &without);
  EXPECT_GE(without, with + 20000 * 5 * sizeof(rt::Word));
}

// Small Ints overflow in compiled code: it leaves, goes on interpreted, and is compiled again.
TEST(Jit, LeavesForBigIntegersAndComesBack) {
  check(R"(
main main
function grow params 1 { MUL r1, r0, r0 MUL r1, r1, r1 MUL r1, r1, r1 DIV r1, r1, r0 RET r1 }
function main {
  LOAD_INT r0, 1
  LOAD_INT r1, 0
again:
  LOAD_INT r2, 1000
  CALL r2, grow (r2)
  CALL r3, grow (r0)
  ADD r2, r2, r3
  LOAD_INT r4, 997
  REM r2, r2, r4
  ADD r1, r1, r2
  ADD_I r0, r0, 1
  JGE_I r0, 60, done
  LOOP again
done:
  RET r1
}
)", "32283");
}

TEST(Jit, EntersLoopsInTheMiddle) {
  check(R"(
main main
function main {
  LOAD_INT r0, 0
  LOAD_INT r1, 0
outer:
  LOAD_INT r2, 0
inner:
  ADD r1, r1, r2
  ADD_I r2, r2, 1
  JGE_I r2, 50, next
  LOOP inner
next:
  ADD_I r0, r0, 1
  JGE_I r0, 40, done
  LOOP outer
done:
  RET r1
}
)", "49000");
}

// More arguments than registers, exchanged on the way round.
TEST(Jit, SelfTailCallPermutesArguments) {
  check(R"(
main main
function turn params 6 {
  JEQ_I r0, 0, done
  SUB_I r0, r0, 1
  TAIL_CALL turn (r0, r2, r3, r4, r5, r1)
done:
  MUL_I r1, r1, 10000
  MUL_I r2, r2, 1000
  MUL_I r3, r3, 100
  MUL_I r4, r4, 10
  ADD r1, r1, r2
  ADD r1, r1, r3
  ADD r1, r1, r4
  ADD r1, r1, r5
  RET r1
}
function eight params 8 { ADD r0, r0, r6 MUL r0, r0, r7 RET r0 }
function main {
  LOAD_INT r0, 23
  LOAD_INT r1, 1
  LOAD_INT r2, 2
  LOAD_INT r3, 3
  LOAD_INT r4, 4
  LOAD_INT r5, 5
  CALL r6, turn (r0, r1, r2, r3, r4, r5)
  CALL r7, eight (r6, r1, r2, r3, r4, r5, r1, r2)
  RET r7
}
)", "90248");
}

TEST(Jit, ListsItsCode) {
  std::string problem;
  std::optional<vm::Module> module = test::checked_module("main main\nfunction main { LOAD_INT r0, 7 RET r0 }\n", &problem);
  ASSERT_TRUE(module) << problem;
  std::unique_ptr<vm::Tier> tier;
  vm::Vm machine(vm::VmOptions{});
  jit::Options options;
  options.tier = jit::TierMode::Jit;
  tier = jit::attach(machine, options);
  vm::LoadedModule* loaded = machine.load(std::move(*module), &problem);
  ASSERT_TRUE(loaded);
  EXPECT_NE(jit::ir_listing(*tier, loaded->functions[0]).find("Return #f"), std::string::npos);
  EXPECT_NE(jit::listing(*tier, loaded->functions[0]).find("ret"), std::string::npos);
}

}  // namespace
}  // namespace eddy
