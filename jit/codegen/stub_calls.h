// What the stubs call, through a table of addresses behind their code.
#pragma once
#include "runtime/context.h"

#define EDDY_STUB_CALLS(X)                   \
  X(Fail, stub_calls::fail)                  \
  X(Finish, stub_calls::finish)              \
  X(FiberRan, stub_calls::fiber_ran)         \
  X(Remake, stub_calls::remake)              \
  X(Restore, stub_calls::restore)            \
  X(BoxArguments, stub_calls::box_arguments) \
  X(Perform, calls::perform)                 \
  X(FiberCall, calls::fiber_call)            \
  X(ResumeKeep, calls::resume_keep)          \
  X(ResumeLast, calls::resume_last)          \
  X(ClauseAborts, calls::clause_aborts)

namespace eddy::jit {
enum class StubCall : uint8_t {
  Left,  // what place_stubs is given
#define X(name, function) name,
  EDDY_STUB_CALLS(X)
#undef X
};
}  // namespace eddy::jit

namespace eddy::jit::stub_calls {

void fail(rt::Context*);                         // a helper returned null: a panic is pending, or the process ends
void finish(rt::Context*, rt::Word result);      // the last frame of a fiber has returned
void fiber_ran(rt::Context*, rt::Fiber*);         // one that slept is going to run: the collector looks at it again
rt::Value remake(rt::Context*, rt::Fiber*, rt::Value top, rt::Value handler);  // a continuation of what had been taken apart. Never collects
rt::Word restore(rt::Context*, rt::Word* word);  // what the watermark at `word` stands for
// To ctx.args, of those in registers (as many as there are, docs/jit.md) which `f` takes so. Never collects.
void box_arguments(rt::Context*, rt::Function* f, double, double, double, double, double, double);

}  // namespace eddy::jit::stub_calls
