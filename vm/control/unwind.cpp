// Leaving frames before they are finished: aborts, panics, jumps out of handled bodies, dropped continuations.
//
// All are one loop over the unwind records between here and a target. The frames themselves are not visited;
// what has something to do when it is left has a record. Deferred code is Eddy code, so the loop cannot call
// it: it cuts the stack at the record's frame, puts an UnwindFrame there that remembers the rest of the work,
// and has the deferred closure called above it.
#include <cstring>

#include "runtime/statistics.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"
#include "vm/control/relink.h"
#include "vm/tier.h"
#include "runtime/plants.h"

namespace eddy::vm {

namespace {

enum class UnwindKind : uint8_t {
  Panic,   // to the nearest attempt; payload: message
  Clause,  // to `target`, then the clause with its arguments (payload: Env of them, or in ctx.args)
  Value,   // to `target`, whose region's value is the payload
  Exit,    // to the record of `target`, payload: value
  Drop,    // to the bottom of fiber `base`, then () to who dropped it
};

struct Unwind {
  UnwindKind kind;
  Value target = rt::kNull;   // Node, Named or Exit; of a panic: what it passes over without being caught
  Value payload = rt::kNull;
  Value trace = rt::kNull;
  const rt::Clause* clause = nullptr;
  Fiber* base = nullptr;
};

void abandon_fiber(Context& ctx) {
  Fiber* left = ctx.fiber;
  Fiber* parent = left->parent;
  ctx.fibers->release(left);
  make_current(ctx, parent);
}

// Cuts the current fiber so that `frame` is its youngest frame, which goes on at `resume`.
void cut_to(Context& ctx, rt::Frame* frame, Word resume) {
  frame->resume = resume;
  Word* below = frame->words() - 1;
  *below = ctx.stubs.interp_return;
  ctx.fiber->sp = below;
}

// The region of `site` installed by `frame` is to get a value (from what is called there, or delivered).
void land_at_region(Context& ctx, rt::Frame* frame, const rt::Site* site, Value outer) {
  if (site->returns) ctx.fiber->sp = frame->words() + frame->function->frame_words() - 1;
  else cut_to(ctx, frame, site->resume);
  ctx.top = outer;
  if (!PLANTED(abort_keeps_tag)) ctx.tag = ctx.fresh_tag();
}

void finish_at_region(Context& ctx, Unwind& u, rt::Frame* frame, const rt::Site* site, Value env, Value outer) {
  land_at_region(ctx, frame, site, outer);
  if (u.kind == UnwindKind::Value) return deliver(ctx, u.payload);
  ctx.args[0] = env;
  if (rt::is_kind(u.payload, rt::Kind::Env)) {
    auto* kept = rt::as<rt::Closure>(u.payload);
    for (uint32_t i = 0; i < kept->count(); ++i) ctx.args[1 + i] = kept->captures[i];
  }
  request_call(ctx, u.clause->function, u.clause->params + 1u);
}

// Cuts the stack at a record and leaves a frame there that remembers the rest of the work; `words` more fit below.
// False: no room, a panic has been started. ctx.result holds the record's object.
bool push_unwind_frame(Context& ctx, Unwind& u, const Record& record, unsigned words) {
  Fiber* fiber = ctx.fiber;
  ctx.top = *record.top();
  ctx.tag = ctx.fresh_tag();
  ctx.result = *record.object();
  cut_to(ctx, record.frame(), record.resume());  // nothing is ever delivered there
  if (u.kind == UnwindKind::Clause && !rt::is_kind(u.payload, rt::Kind::Env)) {
    rt::Root target(ctx, u.target);
    unsigned count = u.clause->params;
    auto* kept = static_cast<rt::Closure*>(ctx.heap->allocate(rt::Kind::Env, count, 16 + 8 * size_t{count}));
    kept->function = nullptr;
    for (unsigned i = 0; i < count; ++i) kept->captures[i] = ctx.args[1 + i];
    u.payload = rt::ptr_value(kept);
    u.target = target.value;
  }
  if (!reserve(ctx, UnwindFrame::kWords + words)) return false;
  Word* base = fiber->sp + 1 - UnwindFrame::kWords;
  auto* frame = reinterpret_cast<rt::Frame*>(base);
  frame->function = &pseudo_functions.unwind;
  frame->resume = rt::pack_resume(frame->function->code, UnwindFrame::Result);
  Value* s = frame->slots;
  auto kept = [](Value v) { return v == rt::kNull ? rt::kHole : v; };
  push_record(ctx, s, UnwindFrame::Object, UnwindFrame::Link, kept(u.target), 0);
  s[UnwindFrame::Result] = rt::kUnit;
  s[UnwindFrame::Target] = kept(u.target);
  s[UnwindFrame::Payload] = kept(u.payload);
  s[UnwindFrame::Trace] = kept(u.trace);
  s[UnwindFrame::Kind].bits = static_cast<Word>(u.kind);
  s[UnwindFrame::ClausePtr].bits = reinterpret_cast<Word>(u.clause);
  s[UnwindFrame::Base].bits = reinterpret_cast<Word>(u.base);
  base[-1] = ctx.stubs.interp_return;
  fiber->sp = base - 1;
  return true;
}

void run_deferred(Context& ctx, Unwind& u, const Record& record) {
  rt::Function* function = rt::as<rt::Closure>(*record.object())->function;
  if (!push_unwind_frame(ctx, u, record, function->frame_size)) return;
  ctx.args[0] = ctx.result;
  request_call(ctx, function, 1);
}

// Puts the continuation in ctx.args[0] on top of the current fiber, to be unwound; says how.
Unwind start_drop(Context& ctx) {
  auto* k = rt::as<rt::Continuation>(ctx.args[0]);
  Unwind u{UnwindKind::Drop};
  u.payload = u.target = k->node;
  u.base = k->base_fiber();
  ++ctx.stats->resumes[static_cast<unsigned>(rt::ResumeShape::Dropped)];
  const Fiber* from = ctx.fiber;
  // Linked as by a resume, so that its pending defers see the context of whoever drops it.
  relink(ctx, k);
  if (ctx.on_effect) ctx.on_effect(ctx, rt::EffectEvent::Drop, nullptr, nullptr, from);
  return u;
}

// What a panic passes over without being caught: whatever lies inside the region of the clause that panicked.
bool passes(Context& ctx, Unwind& u) {
  if (PLANTED(panic_caught_inside)) u.target = rt::kNull;
  if (u.target == rt::kNull) return false;
  if (rt::is_kind(u.target, rt::Kind::Node)) {
    auto* node = rt::as<rt::Node>(u.target);
    if (ctx.fiber == node->home && ctx.fiber->records == node->records) u.target = rt::kNull;
  }
  return u.target != rt::kNull;
}

void uncaught(Context& ctx, Unwind& u) {
  ctx.uncaught = true;
  ctx.panic_message = u.payload;
  ctx.panic_trace = u.trace;
  ctx.action = rt::Action::Stop;
}

void run(Context& ctx, Unwind u) {
  for (;;) {
    Fiber* fiber = ctx.fiber;
    bool panicking = u.kind == UnwindKind::Panic;
    if (panicking) passes(ctx, u);
    if (!panicking && rt::is_kind(u.target, rt::Kind::Node) &&
        (u.kind == UnwindKind::Clause || u.kind == UnwindKind::Value)) {
      auto* node = rt::as<rt::Node>(u.target);
      if (fiber == node->home && fiber->records == node->records)
        return finish_at_region(ctx, u, node->frame(), node->site, node->env, node->outer);
    }
    if (fiber->records == 0) {
      bool last = u.kind == UnwindKind::Drop && fiber == u.base;
      if (!fiber->parent) {
        if (!panicking) {  // only hostile bytecode gets here
          rt::panic(ctx, "handler is no longer active");
          return start_panic(&ctx);
        }
        return uncaught(ctx, u);
      }
      abandon_fiber(ctx);
      if (last) {
        ctx.tag = tag_of(ctx, ctx.fiber);
        if (rt::is_kind(u.payload, rt::Kind::Node)) ctx.top = rt::as<rt::Node>(u.payload)->outer;
        return deliver(ctx, rt::kUnit);
      }
      continue;
    }
    Record record = record_at(fiber, fiber->records);
    fiber->records = record.previous();
    Value object = *record.object();
    bool pseudo = record.frame()->function == &pseudo_functions.clause ||
                  record.frame()->function == &pseudo_functions.unwind;
    if (pseudo) {
      // A panic in a clause drops the body that performed; in deferred code, what was being dropped. A named
      // handler whose region is suspended has no body here.
      bool drops = object != rt::kHole && (!rt::is_kind(object, rt::Kind::Named) || find_region(ctx, object));
      if (panicking && u.target == rt::kNull && drops) u.target = object;
      continue;
    }
    if (object == rt::kAttemptMark) {
      if (!panicking || u.target != rt::kNull || ctx.interrupted) continue;
      rt::Word where = record.resume();
      if (!PLANTED(attempt_keeps_top)) ctx.top = *record.top();
      ctx.tag = ctx.fresh_tag();
      *record.object() = u.payload;
      *record.top() = u.trace;
      cut_to(ctx, record.frame(), where);
      return deliver(ctx, rt::kUnit);
    }
    bool lost = (PLANTED(abort_loses_defer) && u.kind == UnwindKind::Clause) ||
                (PLANTED(drop_loses_defer) && u.kind == UnwindKind::Drop) ||
                (PLANTED(panic_loses_defer) && panicking);
    if (lost) continue;
    if (rt::is_kind(object, rt::Kind::Closure)) return run_deferred(ctx, u, record);
    if (rt::is_kind(object, rt::Kind::Continuation)) {
      auto* k = rt::as<rt::Continuation>(object);
      if (!k->top_fiber || k->resumed()) continue;
      if (!push_unwind_frame(ctx, u, record, 0)) return;
      ctx.args[0] = ctx.result;
      u = start_drop(ctx);
      continue;
    }
    if (rt::is_kind(object, rt::Kind::Named)) {
      auto* named = rt::as<rt::Named>(object);
      --named->live;
      if (object != u.target) continue;
      if (panicking) {
        u.target = rt::kNull;
        continue;
      }
      return finish_at_region(ctx, u, record.frame(), named->site, named->env, *record.top());
    }
    if (rt::is_kind(object, rt::Kind::Exit)) {
      --rt::as<rt::Exit>(object)->live;
      if (object != u.target) continue;
      if (panicking) {
        u.target = rt::kNull;
        continue;
      }
      rt::Word where = record.resume();
      if (!PLANTED(jump_keeps_top)) ctx.top = *record.top();
      ctx.tag = ctx.fresh_tag();
      *record.top() = u.payload;  // register t + 1 takes the value
      cut_to(ctx, record.frame(), where);
      return deliver(ctx, rt::kUnit);
    }
  }
}

}  // namespace

void start_panic(Context* ctx) {
  ctx->panicking = false;
  ctx->args_live = 0;
  Unwind u{UnwindKind::Panic};
  std::string trace = stack_trace(*ctx);
  rt::Root message(*ctx, ctx->panic_message);
  u.trace = rt::new_string(*ctx, trace);
  u.payload = message.value;
  ctx->panic_message = rt::kNull;
  run(*ctx, u);
}

void abort_clause(Context& ctx, Value target, const rt::Clause* clause) {
  if (rt::is_kind(target, rt::Kind::Node)) {
    // Nothing to do on the way out.
    auto* node = rt::as<rt::Node>(target);
    if (ctx.fiber == node->home && ctx.fiber->records == node->records) {
      ctx.args[0] = node->env;
      land_at_region(ctx, node->frame(), node->site, node->outer);
      return request_call(ctx, clause->function, clause->params + 1u);
    }
  }
  Unwind u{UnwindKind::Clause};
  u.target = target;
  u.clause = clause;
  run(ctx, u);
}

void abort_with_value(Context& ctx, Value target, Value value) {
  Unwind u{UnwindKind::Value};
  u.target = target;
  u.payload = value;
  run(ctx, u);
}

void exit_to(Context& ctx, Value exit, Value value) {
  bool found = rt::is_kind(exit, rt::Kind::Exit) && rt::as<rt::Exit>(exit)->live != 0;
  // It may live in another copy of the continuation, or below one that is suspended.
  for (Fiber* f = ctx.fiber; found; f = f->parent) {
    if (!f) {
      found = false;
      break;
    }
    uint32_t at = f->records;
    while (at && *record_at(f, at).object() != exit) at = record_at(f, at).previous();
    if (at) break;
  }
  if (!found) {
    rt::panic(ctx, "already returned");
    return start_panic(&ctx);
  }
  Unwind u{UnwindKind::Exit};
  u.target = exit;
  u.payload = value;
  run(ctx, u);
}

void drop(Context& ctx) {
  ctx.args_live = 1;
  if (!rt::is_kind(ctx.args[0], rt::Kind::Continuation) || !rt::as<rt::Continuation>(ctx.args[0])->top_fiber)
    return deliver(ctx, rt::kUnit);
  run(ctx, start_drop(ctx));
}

void unwind_next(Context& ctx) {
  Value* s = reinterpret_cast<Value*>(ctx.fiber->sp + 1 + rt::kFrameHeaderWords);
  auto value = [&](unsigned slot) { return s[slot] == rt::kHole ? rt::kNull : s[slot]; };
  Unwind u{static_cast<UnwindKind>(s[UnwindFrame::Kind].bits)};
  u.target = value(UnwindFrame::Target);
  u.payload = value(UnwindFrame::Payload);
  u.trace = value(UnwindFrame::Trace);
  u.clause = reinterpret_cast<const rt::Clause*>(s[UnwindFrame::ClausePtr].bits);
  u.base = reinterpret_cast<Fiber*>(s[UnwindFrame::Base].bits);
  pop_record(ctx, s, UnwindFrame::Link);
  run(ctx, u);
}

bool returns_to_clause_frame(Context& ctx, const Word* return_word) {
  Word address = ctx.fibers->return_address(ctx.fiber, return_word);
  if (address == ctx.stubs.interp_return)
    return reinterpret_cast<const rt::Frame*>(return_word + 1)->function == &pseudo_functions.clause;
  if (!ctx.tier || address == ctx.stubs.fiber_exit || address == ctx.stubs.vm_exit) return false;
  return tier_of(ctx)->safepoint_at(address).function == &pseudo_functions.clause;
}

bool cut_for_abort(Context& ctx, Value* s) {
  rt::Frame* frame = reinterpret_cast<rt::Frame*>(s - rt::kFrameHeaderWords);
  unsigned words = frame->function->frame_words();
  Word* return_word = frame->words() + words - 1;
  if (!returns_to_clause_frame(ctx, return_word)) return false;
  auto* marker = reinterpret_cast<rt::Frame*>(return_word + 1);
  Value object = marker->slots[ClauseFrame::Object];
  uint32_t below = static_cast<uint32_t>(rt::RecordLink::previous(marker->slots[ClauseFrame::Link].bits));
  marker->slots[ClauseFrame::Resume].bits = ClauseFrame::kAborts;
  if (!rt::is_kind(object, rt::Kind::Node)) return false;
  auto* node = rt::as<rt::Node>(object);
  uint32_t own = static_cast<uint32_t>(ctx.fiber->offset_of(&marker->slots[ClauseFrame::Link]));
  if (node->home != ctx.fiber || below != node->records || ctx.fiber->records != own) return false;
  rt::Frame* region = node->frame();
  land_at_region(ctx, region, node->site, node->outer);
  // The region's frame stays where it was itself that of a clause in place: what follows must not be taken for it.
  if (node->site->returns && returns_to_clause_frame(ctx, ctx.fiber->sp)) cut_to(ctx, region, node->site->resume);
  ctx.fiber->records = below;
  // The clause's frame moves up to where its region's value is waited for.
  Word* to = ctx.fiber->sp + 1 - words;
  std::memmove(to, frame->words(), (words - 1) * sizeof(Word));
  ctx.fiber->sp = to - 1;
  return true;
}

}  // namespace eddy::vm
