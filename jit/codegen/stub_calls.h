// What the stubs call.
#pragma once
#include "runtime/context.h"

namespace eddy::jit::stub_calls {

void fail(rt::Context*);                         // a helper returned null: a panic is pending, or the process ends
void finish(rt::Context*, rt::Word result);      // the last frame of a fiber has returned
void fiber_ran(rt::Context*, rt::Fiber*);         // one that slept is going to run: the collector looks at it again
rt::Value remake(rt::Context*, rt::Fiber*, rt::Value top, rt::Value handler);  // a continuation of what had been taken apart. Never collects
rt::Word restore(rt::Context*, rt::Word* word);  // what the watermark at `word` stands for
// To ctx.args, of those in registers (as many as there are, docs/jit.md) which `f` takes so. Never collects.
void box_arguments(rt::Context*, rt::Function* f, double, double, double, double, double, double);

}  // namespace eddy::jit::stub_calls
