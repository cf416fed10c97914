#include "jit/codegen/stub_calls.h"

#include <iterator>
#include <utility>

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

rt::Value remake(rt::Context* ctx, rt::Fiber* fiber, rt::Value top, rt::Value handler) {
  auto* k = static_cast<rt::Continuation*>(ctx->heap->old_object(rt::Continuation::header_of(false), rt::Continuation::bytes(false)));
  k->top_fiber = fiber;
  k->top = top;
  k->node = handler;
  return rt::ptr_value(k);
}

rt::Word restore(rt::Context* ctx, rt::Word* word) { return ctx->fibers->restore_watermark(ctx->fiber, word); }

void box_arguments(rt::Context* ctx, rt::Function* f, double a, double b, double c, double d, double e, double g) {
  const double values[] = {a, b, c, d, e, g};
  for (unsigned i = 0; i < std::size(values); ++i) {
    if (!(f->raw_params >> i & 1)) continue;
    char* end = ctx->alloc_ptr + sizeof(rt::FloatBox);
    if (end > ctx->alloc_limit) {
      ctx->args[i] = ctx->heap->old_float(values[i]);
      continue;
    }
    auto* box = reinterpret_cast<rt::FloatBox*>(std::exchange(ctx->alloc_ptr, end));
    box->header = rt::make_header(rt::Kind::Float, 1);
    box->value = values[i];
    ctx->args[i] = rt::ptr_value(box);
  }
}

}  // namespace eddy::jit::stub_calls
