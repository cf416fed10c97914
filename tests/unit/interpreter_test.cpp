// Whole programs made with FunctionBuilder, run by the interpreter.
#include <gtest/gtest.h>

#include "runtime/bigint.h"
#include "vm/builder.h"
#include "vm/vm.h"

using namespace eddy;
using namespace eddy::vm;

namespace {

int64_t run(Module module, int64_t argument, uint32_t stress) {
  VmOptions options;
  options.heap.stress = stress;
  options.heap.verify = stress != 0;
  Vm machine(options);
  std::string problem;
  LoadedModule* loaded_module = machine.load(std::move(module), &problem);
  EXPECT_NE(loaded_module, nullptr) << problem;
  RunResult result = machine.call(&loaded_module->functions[static_cast<size_t>(loaded_module->source.main)],
                                  {rt::small_int(argument)});
  EXPECT_EQ(result.outcome, Outcome::Finished) << result.message << "\n" << result.trace;
  return result.value.is_small() ? result.value.small() : -1;
}

FunctionBuilder function(const char* name, unsigned params) {
  FunctionBuilder f(name);
  f.data().params = static_cast<uint16_t>(params);
  for (unsigned i = 0; i < params; ++i) f.take();
  return f;
}
constexpr Reg r(uint32_t i) { return {i, false}; }

Module fibonacci() {
  Module m;
  FunctionBuilder f = function("fib", 1);
  Reg a = f.take(), b = f.take();
  Label recurse = f.label();
  f.emit(Op::JGE_I, {r(0), 2, recurse});
  f.emit(Op::RET, {r(0)});
  f.bind(recurse);
  Reg args[] = {a};
  f.emit(Op::SUB_I, {a, r(0), 1});
  f.emit(Op::CALL, {a, 0}, args);
  Reg args2[] = {b};
  f.emit(Op::SUB_I, {b, r(0), 2});
  f.emit(Op::CALL, {b, 0}, args2);
  f.emit(Op::ADD, {a, a, b});
  f.emit(Op::RET, {a});
  m.functions.push_back(f.build(m.sites));
  m.main = 0;
  return m;
}

// A body that performs tick(i) for i = n … 1 and returns 0; `base`: as the body of a fiber.
Module ticker(rt::ClauseKind kind, bool plain, bool tail_resume = false) {
  Module m;
  m.effects.push_back({"Tick", {{"tick", 1, kind == rt::ClauseKind::Multi}}});
  bool fiber = kind == rt::ClauseKind::Once || kind == rt::ClauseKind::Multi;
  // 0: the loop
  {
    FunctionBuilder f = function("loop", 1);
    Reg v = f.take(), sum = f.take();
    Label again = f.label(), end = f.label();
    f.emit(Op::LOAD_INT, {sum, 0});
    f.bind(again);
    f.emit(Op::JLE_I, {r(0), 0, end});
    Reg args[] = {r(0)};
    f.emit(Op::PERFORM, {v, 0, 0}, args);
    f.emit(Op::ADD, {sum, sum, v});
    f.emit(Op::SUB_I, {r(0), r(0), 1});
    f.emit(Op::LOOP, {again});
    f.bind(end);
    f.emit(Op::RET, {sum});
    m.functions.push_back(f.build(m.sites));
  }
  SiteData site;
  site.name = "Tick";
  site.effects = {0};
  site.clauses = {{0, 0, kind, plain, 1}};
  m.sites.push_back(site);
  // 1: the clause
  {
    FunctionBuilder f = function("clause", fiber ? 3 : 2);
    f.data().clause = f.data().takes_self = true;
    if (tail_resume) {
      f.emit(Op::TAIL_RESUME_LAST, {r(2), r(1), 0});
    } else if (kind == rt::ClauseKind::Once) {
      // resume(x) * 1 + 1, not in tail position
      f.emit(Op::RESUME, {r(2), r(2), r(1), 0});
      f.emit(Op::ADD_I, {r(2), r(2), 1});
      f.emit(Op::RET, {r(2)});
    } else if (kind == rt::ClauseKind::Multi) {
      Reg first = f.take();
      f.emit(Op::LOAD_INT, {r(1), 0});
      f.emit(Op::RESUME, {first, r(2), r(1), 0});
      f.emit(Op::LOAD_INT, {r(1), 1});
      f.emit(Op::RESUME_LAST, {r(2), r(2), r(1), 0});
      f.emit(Op::ADD, {first, first, r(2)});
      f.emit(Op::RET, {first});
    } else if (kind == rt::ClauseKind::TailOrAbort) {
      Label on = f.label();
      f.emit(Op::JNE_I, {r(1), 3, on});
      f.emit(Op::ABORT_NOW);
      f.emit(Op::LOAD_INT, {r(1), 77});
      f.emit(Op::ABORT_RET, {r(1)});
      f.bind(on);
      f.emit(Op::RET, {r(1)});
    } else {
      f.emit(Op::RET, {r(1)});
    }
    m.functions.push_back(f.build(m.sites));
  }
  // 2: the handler
  {
    FunctionBuilder f = function("handle", 1);
    if (fiber) {
      f.data().takes_self = f.data().fiber_base = true;
      f.data().captures = 1;
    }
    Reg node = f.take(), unit = f.take(), result = f.take();
    EXPECT_EQ(node.index, 1u);
    Label aborted = f.label();
    f.emit(Op::LOAD_UNIT, {unit});
    f.emit(Op::HANDLE, {node, unit, result, 0});
    Reg args[] = {unit};
    if (fiber) f.emit(Op::GET_UP, {unit, 0});
    else f.emit(Op::MOVE, {unit, r(0)});
    f.emit(Op::CALL, {result, 0}, args);
    f.emit(Op::HANDLE_END, {node});
    f.bind(aborted);
    f.site_target(0, aborted);
    f.emit(Op::RET, {result});
    m.functions.push_back(f.build(m.sites));
  }
  m.main = 2;
  if (fiber) {
    FunctionBuilder f = function("main", 1);
    Reg closure = f.take();
    Reg captures[] = {r(0)};
    f.emit(Op::MAKE_CLOSURE, {closure, 2}, captures);
    f.emit(Op::FIBER_CALL, {closure, closure});
    f.emit(Op::RET, {closure});
    m.functions.push_back(f.build(m.sites));
    m.main = 3;
  }
  return m;
}

class Interpreter : public testing::TestWithParam<uint32_t> {};

TEST_P(Interpreter, Calls) { EXPECT_EQ(run(fibonacci(), 15, GetParam()), 610); }
TEST_P(Interpreter, PlainTailClause) { EXPECT_EQ(run(ticker(rt::ClauseKind::Tail, true), 100, GetParam()), 5050); }
TEST_P(Interpreter, TailClauseInItsOwnContext) { EXPECT_EQ(run(ticker(rt::ClauseKind::Tail, false), 100, GetParam()), 5050); }
TEST_P(Interpreter, Abort) { EXPECT_EQ(run(ticker(rt::ClauseKind::Abort, false), 100, GetParam()), 100); }
TEST_P(Interpreter, TailOrAbort) { EXPECT_EQ(run(ticker(rt::ClauseKind::TailOrAbort, false), 100, GetParam()), 77); }
TEST_P(Interpreter, OnceNotInTailPosition) { EXPECT_EQ(run(ticker(rt::ClauseKind::Once, false), 100, GetParam()), 5150); }
TEST_P(Interpreter, OnceInTailPosition) {
  EXPECT_EQ(run(ticker(rt::ClauseKind::Once, false, true), 100, GetParam()), 5050);
}
TEST_P(Interpreter, MultiResumesEveryCopy) { EXPECT_EQ(run(ticker(rt::ClauseKind::Multi, false), 8, GetParam()), 1024); }

INSTANTIATE_TEST_SUITE_P(Collector, Interpreter, testing::Values(0u, 1u),
                         [](const auto& i) { return i.param ? "Stress" : "Plain"; });

}  // namespace
