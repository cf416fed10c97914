#include "vm/control/switch.h"

#include "vm/control/control.h"

namespace eddy::vm {

void finish_fiber(Context& ctx) {
  Fiber* done = ctx.fiber;
  Fiber* parent = done->parent;
  ctx.fibers->release(done);
  make_current(ctx, parent);
  ctx.tag = tag_of(ctx, parent);
}

bool reserve(Context& ctx, size_t words) {
  Fiber* fiber = ctx.fiber;
  // The return-address word below the youngest frame may lie in the slack.
  if (fiber->sp - fiber->limit >= static_cast<ptrdiff_t>(words)) return true;
  if (ctx.fibers->grow(fiber, words)) {
    ctx.respect_limit();
    return true;
  }
  rt::panic(ctx, "stack overflow");
  start_panic(&ctx);
  return false;
}

bool safepoint(Context* ctx, const rt::Function* entering) {
  ctx->safepoint_asked = 0;
  ctx->respect_limit();
  if (ctx->profile) {
    if (uint32_t due = ctx->samples.exchange(0, std::memory_order_relaxed)) ctx->profile->take(*ctx, entering, due);
  }
  if (ctx->fuel_limited) {
    if (ctx->fuel == 0) {
      ctx->limit_hit = rt::Limit::Fuel;
      ctx->action = rt::Action::Stop;
      return false;
    }
    --ctx->fuel;
    ctx->request_safepoint();
  }
  if (ctx->heap_exhausted) {
    ctx->heap_exhausted = false;
    rt::panic(*ctx, "out of memory");
    start_panic(ctx);
    return false;
  }
  switch (ctx->interrupt.exchange(rt::Interrupt::None)) {
    case rt::Interrupt::None: return true;
    case rt::Interrupt::Timeout:
      ctx->limit_hit = rt::Limit::Time;
      ctx->action = rt::Action::Stop;
      return false;
    case rt::Interrupt::Stop:
      ctx->interrupted = true;  // no attempt catches it
      rt::panic(*ctx, "interrupted");
      start_panic(ctx);
      return false;
  }
  return true;
}

}  // namespace eddy::vm
