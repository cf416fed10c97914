// Runs the programs of handler_programs.h with and without collections at every turn.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/handler_programs.h"
#include "tests/support/run_text.h"

namespace eddy {
namespace {

using namespace test::handlers;

// --- running it

int runs = 0;

void check_text(const std::string& text, const std::string& want, const std::string& name, bool heavy) {
  std::string problem;
  std::optional<vm::Module> module = test::checked_module(text, &problem);
  ASSERT_TRUE(module) << name << ": " << problem << "\n" << text;
  const test::RunMode modes[] = {{},
                                 {.gc_stress = heavy ? 97u : 1u, .verify_heap = !heavy},
                                 {.gc_stress = heavy ? 301u : 3u, .nursery = 1 << 16}};
  for (const test::RunMode& mode : modes) {
    ++runs;
    ASSERT_EQ(test::run_module(*module, mode), want)
        << name << ", collecting at every " << mode.gc_stress << "\n"
        << text;
  }
}

void check(const Case& c) {
  check_text(text_of(c), expected(c), describe(c), c.levels > 20 || c.depth > 100);
}

struct Pair {
  Kind kind;
  Use use;
};
constexpr Pair kInPlace[] = {{Kind::TailPlain, Use::AtOnce},     {Kind::Tail, Use::AtOnce},
                             {Kind::TailOrAbort, Use::AtOnce},   {Kind::TailOrAbort, Use::Never},
                             {Kind::TailOrAbort, Use::NeverNow}, {Kind::Abort, Use::Never}};
constexpr Pair kCapturing[] = {{Kind::Once, Use::AtOnce},   {Kind::Once, Use::NotTail},
                               {Kind::Once, Use::Twice},    {Kind::Once, Use::Never},
                               {Kind::Once, Use::NeverNow}, {Kind::Multi, Use::AtOnce},
                               {Kind::Multi, Use::NotTail}, {Kind::Multi, Use::Twice},
                               {Kind::Multi, Use::Never},   {Kind::Multi, Use::NeverNow}};
constexpr Wrap kWraps[] = {Wrap::Fiber, Wrap::Handler, Wrap::Mask, Wrap::Attempt,
                           Wrap::Defer, Wrap::Named,   Wrap::Exit};
constexpr From kFroms[] = {From::Main,       From::Value,    From::OtherHandler, From::TailClause,
                           From::OnceClause, From::OwnFiber, From::ClauseOfSame};

template <class Pairs>
void check_all(const Pairs& pairs, bool named) {
  for (const Pair& p : pairs)
    for (Wrap wrap : kWraps)
      for (int levels : {0, 1, 2, 7}) {
        if (levels == 0 && wrap != Wrap::Fiber) continue;
        for (bool elsewhere : {false, true}) {
          Case c{p.kind, p.use, named, wrap, levels, 0};
          c.lands_elsewhere = elsewhere;
          check(c);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
}

TEST(Handlers, InPlaceClauses) { check_all(kInPlace, false); }
TEST(Handlers, CapturingClauses) { check_all(kCapturing, false); }
TEST(Handlers, NamedInPlaceClauses) { check_all(kInPlace, true); }
TEST(Handlers, NamedCapturingClauses) { check_all(kCapturing, true); }

TEST(Handlers, ResumedLater) {
  for (Kind kind : {Kind::Once, Kind::Multi})
    for (bool named : {false, true})
      for (From from : kFroms)
        for (Wrap wrap : kWraps)
          for (int levels : {0, 1, 2}) {
            if (levels == 0 && wrap != Wrap::Fiber) continue;
            Case c{kind, Use::Later, named, wrap, levels, 0};
            c.from = from;
            check(c);
            if (HasFatalFailure()) return;
          }
}

TEST(Handlers, AcrossManyFibers) {
  for (bool named : {false, true}) {
    for (const Pair& p : kInPlace) {
      check({p.kind, p.use, named, Wrap::Fiber, 1000, 0});
      if (HasFatalFailure()) return;
    }
    for (const Pair& p : kCapturing) {
      check({p.kind, p.use, named, Wrap::Fiber, 1000, 0});
      if (HasFatalFailure()) return;
    }
    for (From from : kFroms) {
      Case c{Kind::Once, Use::Later, named, Wrap::Fiber, 1000, 0};
      c.from = from;
      check(c);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Handlers, WhileTheStackGrows) {
  for (bool named : {false, true})
    for (int depth : {5, 60, 3000})
      for (int levels : {0, 2}) {
        for (const Pair& p : kInPlace) check({p.kind, p.use, named, Wrap::Fiber, levels, depth});
        for (const Pair& p : kCapturing) check({p.kind, p.use, named, Wrap::Defer, levels, depth});
        check({Kind::Once, Use::Later, named, Wrap::Fiber, levels, depth});
        if (HasFatalFailure()) return;
      }
}

// The inner handler's clause performs the same operation, which goes to the outer one.
TEST(Handlers, FromInsideAnotherClause) {
  constexpr Pair kInner[] = {{Kind::Tail, Use::AtOnce},  {Kind::TailOrAbort, Use::AtOnce},
                             {Kind::Once, Use::AtOnce},  {Kind::Once, Use::NotTail},
                             {Kind::Multi, Use::AtOnce}, {Kind::Multi, Use::NotTail}};
  auto check_pair = [](const Pair& inner, const Pair& outer, Wrap wrap, int levels) {
    Case c{inner.kind, inner.use, false, wrap, levels, 0};
    bool multi = inner.kind == Kind::Multi || outer.kind == Kind::Multi;
    std::string rest =
        body_function(false) + nest_functions(wrap) +
        clause_function("inner", inner.kind, inner.use, kAskOutside) +
        clause_function("outer", outer.kind, outer.use, outer.kind == Kind::Tail ? kAddAsked : kAddCapture) +
        handler_function("run", "inner", inner.kind, false, false, "nest") +
        handler_function("run_outer", "outer", outer.kind, false, false, "run3") +
        "function run3 params 3 { CALL r0, run (r0, r1) RET r0 }\n";
    std::string steps =
        fmt::format("  LOAD_INT r0, {}\n  LOAD_INT r1, 0\n  CALL r2, run_outer (r0, r1)\n  RET r2", levels);
    std::string text = program(rest, steps, multi);
    int64_t inner_extra = 5000 + (inner.use == Use::NotTail ? 6 : 0);
    int64_t value = 0, leaves = 1;
    std::string want;
    if (outer.kind == Kind::Multi && outer.use == Use::Twice && inner.kind == Kind::Multi &&
        inner.use == Use::NotTail)
      return;
    switch (outer.use) {
      case Use::AtOnce:
        value = body_value(c, 22, 42) + inner_extra + 5000;
        break;
      case Use::NotTail:
        value = body_value(c, 22, 42) + inner_extra + 5000 + 6;
        break;
      case Use::Twice:
        // A resumption that a copied clause holds stays one-shot.
        if (outer.kind == Kind::Once || inner.kind == Kind::Once)
          want = "panic: continuation already resumed";
        leaves = 4;
        for (int a : {22, 24})
          for (int b : {42, 44}) value += body_value(c, a, b) + inner_extra + 5000;
        break;
      default:
        value = 777;
        // The inner clause goes, and what it holds becomes unreachable; dropping it would be its own
        // business.
        if (captures(inner.kind)) leaves = 0;
        break;
    }
    if (want.empty()) want = std::to_string(value + (wrap == Wrap::Defer ? leaves * levels * 10000000 : 0));
    check_text(text, want,
               fmt::format("inner {} {}, outer {} {}, wrap {} {}", kind_word(inner.kind),
                           static_cast<int>(inner.use), kind_word(outer.kind), static_cast<int>(outer.use),
                           static_cast<int>(wrap), levels),
               false);
  };
  for (const Pair& inner : kInner)
    for (Wrap wrap : {Wrap::Fiber, Wrap::Handler, Wrap::Defer})
      for (int levels : {0, 2}) {
        for (const Pair& outer : kInPlace) check_pair(inner, outer, wrap, levels);
        for (const Pair& outer : kCapturing) check_pair(inner, outer, wrap, levels);
        if (HasFatalFailure()) return;
      }
}

// A multi-shot resumption stays one in the copies of the clause that holds it, though each copy gives it up
// at its end.
TEST(Handlers, MultiResumptionInACopiedClause) {
  for (int levels : {0, 1, 2}) {
    Case c{Kind::Multi, Use::NotTail, false, Wrap::Defer, levels, 0};
    std::string rest = body_function(false) + nest_functions(c.wrap) +
                       clause_function("inner", Kind::Multi, Use::NotTail, kAskOutside) +
                       clause_function("outer", Kind::Multi, Use::Twice, kAddCapture) +
                       handler_function("run", "inner", Kind::Multi, false, false, "nest") +
                       handler_function("run_outer", "outer", Kind::Multi, false, false, "run3") +
                       "function run3 params 3 { CALL r0, run (r0, r1) RET r0 }\n";
    int64_t value = 4 * levels * 10000000;
    for (int a : {22, 24})
      for (int b : {42, 44}) value += body_value(c, a, b) + 5000 + 6 + 5000;
    std::string steps =
        fmt::format("  LOAD_INT r0, {}\n  LOAD_INT r1, 0\n  CALL r2, run_outer (r0, r1)\n  RET r2", levels);
    check_text(program(rest, steps, true), std::to_string(value), fmt::format("{} defers", levels), false);
  }
}

// A tail clause of a named handler finds the handlers that enclose its region.
TEST(Handlers, NamedTailClausePerforms) {
  for (int levels : {0, 1, 2}) {
    Case c{Kind::Tail, Use::AtOnce, true, Wrap::Fiber, levels, 0};
    std::string rest = body_function(true) + nest_functions(c.wrap) +
                       clause_function("clause", c.kind, c.use, kAddAsked) +
                       handler_function("run", "clause", c.kind, true, false, "nest");
    std::string steps =
        fmt::format("  LOAD_INT r0, {}\n  LOAD_INT r1, 0\n  CALL r2, run (r0, r1)\n  RET r2", levels);
    check_text(program(rest, steps, false), expected(c), fmt::format("{} fibers", levels), false);
  }
}

// The inner handler stands in tail position in a clause that runs in place: after ABORT_NOW its clause's
// frame lies directly above the frame of that other clause, and must not be taken for it.
TEST(Handlers, AbortNowInsideAnInPlaceClause) {
  for (Kind outer : {Kind::Tail, Kind::TailOrAbort})
    for (bool now : {false, true}) {
      std::string text = fmt::format(R"(
main main
effect A {{ op(1) }}
effect B {{ ask(0) }}
site inner {{ handles A clause A op tail_or_abort inner_clause }}
site outer {{ handles B clause B ask {} outer_clause }}
function inner_clause params 2 self clause {{ {} LOAD_INT r2, 7 ABORT_RET r2 }}
function outer_clause params 1 self clause {{
  LOAD_UNIT r1
  HANDLE r2, r1, r3, inner -> out
  PERFORM r3, A, op (r1)
  HANDLE_END r2
out:
  RET r3
}}
function main {{
  LOAD_UNIT r0
  HANDLE r1, r0, r2, outer -> out
  PERFORM r3, B, ask ()
  PERFORM r4, B, ask ()
  HANDLE_END r1
  ADD r2, r3, r4
  ADD_I r2, r2, 100
out:
  RET r2
}}
)",
                                     kind_word(outer), now ? "ABORT_NOW" : "");
      check_text(text, "114", fmt::format("{}{}", kind_word(outer), now ? ", now" : ""), false);
    }
}

// The collector leaves watermarks in the return addresses of deep stacks: here in those of clauses and performers.
TEST(Handlers, DeepCallsInAClause) {
  for (Kind kind : {Kind::Tail, Kind::TailOrAbort, Kind::Once})
    for (Use use : {Use::AtOnce, Use::Never, Use::NeverNow})
      for (int depth : {10, 200, 4000, 20000}) {
        if (kind == Kind::Tail && use != Use::AtOnce) continue;
        Case c{kind, use, false, Wrap::Defer, 2, 3000};
        std::string value = fmt::format("LOAD_INT r5, {} CALL r5, deep (r5) {}", depth, kAddCapture);
        std::string clause = clause_function("clause", kind, use, value);
        if (size_t at = clause.find("JNE_I"); at != std::string::npos)
          clause.insert(at, fmt::format("LOAD_INT r5, {} CALL r5, deep (r5) ", depth));
        std::string rest = body_function(false) + nest_functions(c.wrap) + clause +
                           handler_function("run", "clause", kind, false, false, "nest") + R"(
function deep params 1 {
  JLE_I r0, 0, end
  MAKE r1, Some (r0)
  SUB_I r0, r0, 1
  CALL r2, deep (r0)
  GET r1, r1, 0
  ADD r2, r2, r1
  RET r2
end:
  LOAD_INT r0, 0
  RET r0
}
)";
        std::string steps =
            fmt::format("  LOAD_INT r0, {}\n  LOAD_INT r1, {}\n  CALL r2, run (r0, r1)\n  RET r2", c.levels, c.depth);
        check_text(program(rest, steps, false), expected(c), fmt::format("{}, deep {}", describe(c), depth), true);
      }
}

TEST(Handlers, RanThemAll) {
  if (runs) {
    EXPECT_GT(runs, 1000);
  }
}

}  // namespace
}  // namespace eddy
