// The handler programs with everything made hard that the compiler relies on: few registers, far branches, hardly any
// room for code, and tiers that change by chance.
#include "jit/jit.h"
#include "tests/support/handler_programs.h"
#include "tests/support/run_text.h"

#include <gtest/gtest.h>

namespace eddy {
namespace {

using namespace test::handlers;

uint32_t seed = 1;
jit::TierMode tier = jit::TierMode::Jit;

const bool kAttached = [] {
  test::attach_compiler = [](vm::Vm& machine) {
    jit::Options options;
    options.tier = tier;
    options.chaos = seed;
    options.jit_threshold = options.osr_threshold = 3;
    return jit::attach(machine, options);
  };
  return true;
}();

struct Pair {
  Kind kind;
  Use use;
};
constexpr Pair kPairs[] = {{Kind::TailPlain, Use::AtOnce},   {Kind::Tail, Use::AtOnce},        {Kind::TailOrAbort, Use::AtOnce},
                           {Kind::TailOrAbort, Use::Never},  {Kind::TailOrAbort, Use::NeverNow}, {Kind::Abort, Use::Never},
                           {Kind::Once, Use::AtOnce},        {Kind::Once, Use::NotTail},       {Kind::Once, Use::Twice},
                           {Kind::Once, Use::Never},         {Kind::Once, Use::Later},         {Kind::Multi, Use::AtOnce},
                           {Kind::Multi, Use::NotTail},      {Kind::Multi, Use::Twice},        {Kind::Multi, Use::Later}};

TEST(Chaos, Handlers) {
  for (uint32_t s = 1; s <= 6; ++s)
    for (const Pair& p : kPairs)
      for (Wrap wrap : {Wrap::Fiber, Wrap::Handler, Wrap::Defer, Wrap::Attempt})
        for (auto [levels, depth] : {std::pair{0, 0}, {1, 40}, {7, 3}}) {
          seed = s * 2654435761u;
          tier = s % 2 ? jit::TierMode::Jit : jit::TierMode::Auto;
          if (p.use == Use::Later && wrap != Wrap::Fiber) continue;
          Case c{p.kind, p.use, false, wrap, levels, depth};
          std::string problem;
          std::optional<vm::Module> module = test::checked_module(text_of(c), &problem);
          ASSERT_TRUE(module) << problem;
          for (uint32_t stress : {0u, 5u})
            ASSERT_EQ(test::run_module(*module, {.gc_stress = stress}), expected(c)) << describe(c) << ", seed " << s;
        }
}

}  // namespace
}  // namespace eddy
