#include "jit/codegen/stub_calls.h"

#include "runtime/fiber_pool.h"
#include "runtime/heap.h"
#include "vm/control/control.h"

namespace eddy::jit::stub_calls {

void fail(rt::Context* ctx) {
  ctx->args_live = 0;
  if (ctx->exiting) ctx->action = rt::Action::Stop;
  else vm::start_panic(ctx);
}

void finish(rt::Context* ctx, rt::Word result) {
  ctx->result = rt::Value{result};
  ctx->fiber->sp = ctx->fiber->base - 1;
  vm::finish_fiber(*ctx);
  ctx->action = rt::Action::Deliver;
}

void fiber_ran(rt::Context* ctx, rt::Fiber* fiber) { ctx->heap->fiber_ran(fiber); }

rt::Word restore(rt::Context* ctx, rt::Word* word) { return ctx->fibers->restore_watermark(ctx->fiber, word); }

}  // namespace eddy::jit::stub_calls
