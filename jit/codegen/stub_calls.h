// What only the stubs call.
#pragma once
#include "runtime/context.h"

namespace eddy::jit::stub_calls {

void fail(rt::Context*);                         // a helper returned null: a panic is pending, or the process ends
void finish(rt::Context*, rt::Word result);      // the last frame of a fiber has returned
rt::Word restore(rt::Context*, rt::Word* word);  // what the watermark at `word` stands for

}  // namespace eddy::jit::stub_calls
