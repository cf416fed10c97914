// The two moves of a continuation: off its handler's owner, and on top of whoever resumes it. Nothing is copied.
#pragma once
#include "runtime/object.h"
#include "runtime/plants.h"
#include "runtime/statistics.h"
#include "vm/control/control.h"
#include "vm/control/switch.h"

namespace eddy::vm {

// To be filled before the next allocation. `multi`: may be resumed more than once.
[[gnu::always_inline]] inline rt::Continuation* new_continuation(Context& ctx, bool multi) {
  return static_cast<rt::Continuation*>(ctx.heap->allocate(rt::Kind::Continuation, multi, rt::Continuation::bytes(multi)));
}

// Fills `k` with the piece of stack from the current fiber, whose sp is written, down to the one of `node`, and goes
// to the owner's.
[[gnu::always_inline]] inline void detach(Context& ctx, rt::Continuation* k, rt::Node* node) {
  k->top_fiber = ctx.fiber;
  k->top = ctx.top;
  k->node = rt::ptr_value(node);
  if (k->multi()) k->captured_at[0] = ctx.next_tag;
  ++ctx.stats->captures;
  leave_current(ctx);
  Fiber* owner = node->home->parent;
  ctx.top = node->outer;
  make_current(ctx, owner);
  ctx.tag = tag_of(ctx, owner);
}

// Whether resuming `k` runs a copy. The last resumption moves it, unless a copy of the frame that gives it up here
// may still hold it.
inline bool runs_a_copy(const Context& ctx, const rt::Continuation* k, ResumeMode mode) {
  return k->multi() && (mode == ResumeMode::Keep || (k->captured_at[0] <= ctx.fiber->copied && !PLANTED(last_copy_moves)));
}

// Puts `k` on top of the current fiber, whose sp is written.
[[gnu::always_inline]] inline void relink(Context& ctx, rt::Continuation* k) {
  leave_current(ctx);
  auto* node = rt::as<rt::Node>(k->node);
  Fiber* top_fiber = k->top_fiber;
  bool same_context = node->outer == ctx.top && top_fiber->tag >= ctx.moved_at;
  if (!same_context) {
    if (!PLANTED(resume_keeps_outer)) ctx.heap->write(node, &node->outer, ctx.top);
    uint64_t tag = ctx.fresh_tag();
    if (!PLANTED(move_unseen)) ctx.moved_at = tag;
  }
  node->home->parent = ctx.fiber;
  if (!PLANTED(resume_twice)) k->top_fiber = nullptr;
  ctx.top = k->top;
  make_current(ctx, top_fiber);
  ctx.tag = same_context || PLANTED(resume_keeps_tag) ? top_fiber->tag : ctx.next_tag - 1;
}

}  // namespace eddy::vm
