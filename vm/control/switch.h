// Which fiber runs, and what its context is. Every change of the current fiber goes through here.
#pragma once
#include "runtime/context.h"
#include "runtime/fiber_pool.h"
#include "runtime/heap.h"
#include "vm/loaded.h"

namespace eddy::vm {

using rt::Context;
using rt::Fiber;
using rt::Value;

inline Word* const kAlwaysSlow = reinterpret_cast<Word*>(~Word{0});

[[gnu::always_inline]] inline void make_current(Context& ctx, Fiber* fiber) {
  ctx.heap->fiber_ran(fiber);
  ctx.fiber = fiber;
  ctx.respect_limit();
}

// The current fiber is about to be left, its sp written: remembers which cells are right for it.
[[gnu::always_inline]] inline void leave_current(Context& ctx) {
  ctx.fiber->tag = ctx.tag;
}

// A tag to come back to: the saved one while no continuation has moved since it was given.
inline uint64_t still_right(Context& ctx, uint64_t tag) { return tag >= ctx.moved_at ? tag : ctx.fresh_tag(); }
inline uint64_t tag_of(Context& ctx, const Fiber* fiber) { return still_right(ctx, fiber->tag); }

inline void deliver(Context& ctx, Value v) {
  ctx.result = v;
  ctx.action = rt::Action::Deliver;
}

// Asks for a call of `function` with the first `count` of ctx.args.
inline void request_call(Context& ctx, rt::Function* function, unsigned count) {
  ctx.callee = function;
  ctx.args_live = count;
  ctx.action = rt::Action::Call;
}

// Room for `words` more below the current fiber's sp; on failure a panic has been started (ctx.action says how
// it goes on). May move the stack.
bool reserve(Context& ctx, size_t words);

// What a check found with the stack limit raised: interrupts, fuel, an exhausted heap. The frame has been
// written down. False where control went elsewhere.
// `entering`: the function whose call is checked for room, if that is what is done.
bool safepoint(Context* ctx, const rt::Function* entering = nullptr);

// The current fiber's body has finished with ctx.result: goes on in its parent.
void finish_fiber(Context& ctx);

// The address in a return-address word of the current fiber that is about to be returned to.
inline Word return_target(Context& ctx, Word* word) {
  Word address = *word;
  return address == ctx.stubs.watermark ? ctx.fibers->restore_watermark(ctx.fiber, word) : address;
}

}  // namespace eddy::vm
