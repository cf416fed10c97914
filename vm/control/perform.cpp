// Performing: find the handler, then run its clause in place, after an abort, or with a continuation.
#include "runtime/statistics.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"
#include "vm/control/relink.h"

namespace eddy::vm {

namespace {

void fail(Context& ctx, std::string message) {
  rt::panic(ctx, std::move(message));
  start_panic(&ctx);
}

// The fiber on which a clause runs; null where that takes a search.
const Fiber* runs_on(const Context& ctx, const rt::Clause* clause, Value handler) {
  if (clause->in_place) return ctx.fiber;
  if (!rt::is_kind(handler, rt::Kind::Node)) return nullptr;
  auto* node = rt::as<rt::Node>(handler);
  return node->site->needs_fiber ? node->home->parent : node->home;
}

// Remembers in a perform site's profile whom it met.
void profile(Context& ctx, PerformCell* cell, rt::Site* site, const rt::Clause* clause, Value handler) {
  ++ctx.stats->performs[static_cast<unsigned>(clause->kind)];
  ++cell->slow;
  if (ctx.on_effect) return ctx.on_effect(ctx, rt::EffectEvent::Perform, site, clause, runs_on(ctx, clause, handler));
  if (cell->seen == site) return;
  if (ctx.on_depth) ctx.on_depth(ctx);
  cell->meets(site, clause);
}

// Puts the frame below an in-place clause on the stack, which then has the outer context. False: no room.
bool push_clause_frame(Context& ctx, Value object, Value outer, const rt::Function* callee) {
  Fiber* fiber = ctx.fiber;
  if (!reserve(ctx, ClauseFrame::kWords + callee->frame_size)) return false;
  Word* base = fiber->sp + 1 - ClauseFrame::kWords;
  lay_clause_frame(ctx, reinterpret_cast<Value*>(base + rt::kFrameHeaderWords), object, outer);
  // Where the clause is machine code, so is its way back.
  if (callee->entry && ctx.stubs.clause_end) base[-1] = ctx.stubs.clause_end;
  fiber->sp = base - 1;
  return true;
}

// Takes the chain from the current fiber down to the one of `base` off and calls the clause on the owner.
void capture(Context& ctx, Value base, const rt::Clause* clause, unsigned args) {
  ctx.result = base;
  rt::Continuation* k = new_continuation(ctx, clause->kind == rt::ClauseKind::Multi);
  detach(ctx, k, rt::as<rt::Node>(ctx.result));
  ctx.args[args + 1] = rt::ptr_value(k);
  ctx.result = rt::kNull;
  request_call(ctx, clause->function, args + 2);
}

std::string operation_name(Context& ctx, const PerformCell* cell) { return ctx.effect_names[cell->effect]; }

}  // namespace

void perform(Context& ctx, PerformCell* cell) {
  ctx.args_live = cell->args + 1;
  ctx.args[0] = rt::kUnit;
  Value found = ctx.top;
  // The nearest handler is often the one seen last, also in a context that the cells know nothing of yet.
  if (!rt::is_kind(found, rt::Kind::Node) || rt::as<rt::Node>(found)->site != cell->seen) {
    rt::EffectCell& cached = ctx.cells[cell->effect];
    found = cached.node;
    if (cached.tag != ctx.tag) {
      ++cell->misses;
      found = find_handler(ctx, cell->effect);
      if (found == rt::kNull) return fail(ctx, "unhandled effect " + operation_name(ctx, cell));
      if (found == rt::kHole) return fail(ctx, "handler is suspended");
    }
  }
  auto* node = rt::as<rt::Node>(found);
  const rt::Clause* clause =
      node->site == cell->seen ? cell->clause : node->site->find(cell->effect, cell->operation);
  if (!clause || clause->params != cell->args) return fail(ctx, "unhandled effect " + operation_name(ctx, cell));
  profile(ctx, cell, node->site, clause, found);
  ctx.args[0] = node->env;
  switch (clause->kind) {
    case rt::ClauseKind::Tail:
    case rt::ClauseKind::TailOrAbort:
      if (!clause->plain && !push_clause_frame(ctx, found, node->outer, clause->function)) return;
      return request_call(ctx, clause->function, cell->args + 1);
    case rt::ClauseKind::Abort:
      return abort_clause(ctx, found, clause);
    case rt::ClauseKind::Once:
    case rt::ClauseKind::Multi:
      return capture(ctx, found, clause, cell->args);
  }
}

void perform_named(Context& ctx, PerformCell* cell) {
  ctx.args_live = cell->args + 1;
  Value handler = ctx.args[0];
  if (!rt::is_kind(handler, rt::Kind::Named)) return fail(ctx, "expected a handler");
  auto* named = rt::as<rt::Named>(handler);
  if (named->live == 0) return fail(ctx, "handler is no longer active");
  const rt::Clause* clause =
      named->site == cell->seen ? cell->clause : named->site->find(cell->effect, cell->operation);
  if (!clause || clause->params != cell->args) return fail(ctx, "this handler does not handle " + operation_name(ctx, cell));
  profile(ctx, cell, named->site, clause, handler);
  ++ctx.stats->named_performs;
  ctx.args[0] = named->env;
  if (clause->kind == rt::ClauseKind::Tail) {
    if (!clause->plain && !push_clause_frame(ctx, handler, handler, clause->function)) return;
    return request_call(ctx, clause->function, cell->args + 1);
  }
  Record region = find_region(ctx, handler);
  if (!region) return fail(ctx, "handler is suspended");
  switch (clause->kind) {
    case rt::ClauseKind::TailOrAbort:
      if (!push_clause_frame(ctx, handler, *region.top(), clause->function)) return;
      return request_call(ctx, clause->function, cell->args + 1);
    case rt::ClauseKind::Abort:
      return abort_clause(ctx, handler, clause);
    default: {
      // The region's fiber starts with a joint: the node that links the captured piece to its context.
      auto* base = reinterpret_cast<rt::Frame*>(region.fiber->base - region.frame()->function->frame_words());
      Value joint = base->slots[1];
      if (!region.frame()->function->fiber_base || base != region.frame() || !rt::is_kind(joint, rt::Kind::Node))
        return fail(ctx, "this handler has no fiber");
      return capture(ctx, joint, clause, cell->args);
    }
  }
}

}  // namespace eddy::vm
