// Handlers, performing, resuming, fibers.
#include "runtime/statistics.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"
#include "vm/control/relink.h"
#include "vm/interpreter/dispatch.h"
#include "runtime/plants.h"

namespace eddy::vm {

namespace {

[[gnu::always_inline]] inline rt::Object* allocate_object(Context* ctx, rt::Kind kind, size_t bytes) { return ctx->heap->allocate(kind, 0, bytes); }

inline rt::Site* site_of(const Word* pc) { return reinterpret_cast<rt::Site*>(pc[1]); }

}  // namespace

HANDLER(HANDLE) {
  SUSPEND_HERE();
  auto* node = static_cast<rt::Node*>(allocate_object(ctx, rt::Kind::Node, sizeof(rt::Node)));
  RELOAD();
  rt::Site* site = site_of(pc);
  node->site = site;
  node->env = RB;
  node->outer = ctx->top;
  node->home = ctx->fiber;
  node->frame_offset = static_cast<uint32_t>(ctx->fiber->offset_of(frame_of(s)));
  node->records = ctx->fiber->records;
  Value v = rt::ptr_value(node);
  if (!site->effects.empty()) [[likely]] {
    rt::EffectCell& cell = ctx->cells[site->effects[0]];
    node->previous = cell;
    cell = {ctx->tag, v};
    for (size_t i = 1; i < site->effects.size(); ++i) ctx->cells[site->effects[i]] = {ctx->tag, v};
  } else {
    node->previous = {};
  }
  ctx->top = v;
  RA = v;
  NEXT(2);
}

HANDLER(HANDLE_END) {
  Value v = RA;
  if (!rt::is_kind(v, rt::Kind::Node)) [[unlikely]] FAIL_WITH("expected a handler");
  auto* node = rt::as<rt::Node>(v);
  ctx->top = node->outer;
  const rt::Site* site = node->site;
  if (!site->effects.empty()) [[likely]] {
    if (!PLANTED(handle_end_keeps_cell)) ctx->cells[site->effects[0]] = node->previous;
    for (size_t i = 1; i < site->effects.size(); ++i) ctx->cells[site->effects[i]].tag = 0;
  }
  NEXT(1);
}

HANDLER(MASK) {
  SUSPEND_HERE();
  auto* node = static_cast<rt::Node*>(allocate_object(ctx, rt::Kind::Node, sizeof(rt::Node)));
  RELOAD();
  rt::Site* site = site_of(pc);
  node->site = site;
  node->env = rt::kUnit;
  node->outer = ctx->top;
  node->home = ctx->fiber;
  node->frame_offset = static_cast<uint32_t>(ctx->fiber->offset_of(frame_of(s)));
  node->records = ctx->fiber->records;
  node->previous = {};
  for (uint32_t effect : site->effects) ctx->cells[effect].tag = 0;
  ctx->top = RA = rt::ptr_value(node);
  NEXT(2);
}

HANDLER(MASK_END) {
  Value v = RA;
  if (!rt::is_kind(v, rt::Kind::Node)) [[unlikely]] FAIL_WITH("expected a handler");
  auto* node = rt::as<rt::Node>(v);
  ctx->top = node->outer;
  for (uint32_t effect : node->site->effects) ctx->cells[effect].tag = 0;
  NEXT(1);
}

HANDLER(HANDLE_NAMED) {
  SUSPEND_HERE();
  auto* named = static_cast<rt::Named*>(allocate_object(ctx, rt::Kind::Named, sizeof(rt::Named)));
  RELOAD();
  rt::Site* site = site_of(pc);
  named->site = site;
  named->env = RC;
  named->live = 1;
  push_record(*ctx, s, a_of(w), b_of(w), rt::ptr_value(named), site->resume);
  NEXT(2);
}
HANDLER(NAMED_END) {
  Value v = RA;
  if (!rt::is_kind(v, rt::Kind::Named)) [[unlikely]] FAIL_WITH("expected a handler");
  if (!PLANTED(named_stays_live)) --rt::as<rt::Named>(v)->live;
  pop_record(*ctx, s, b_of(w));
  NEXT(1);
}

HANDLER(FIBER_CALL) {
  ctx->args[0] = RB;
  SUSPEND(1, a_of(w));
  call_on_fiber(*ctx);
  CONTINUE();
}

HANDLER(TAIL_FIBER) {
  ctx->args[0] = RB;
  replace_frame(ctx, s);
  call_on_fiber(*ctx);
  CONTINUE();
}

HANDLER(perform_any) {
  unsigned count = b_of(w);
  copy_list(ctx->args + 1, s, pc + 2, count);
  SUSPEND(2 + list_words(count), a_of(w));
  perform(*ctx, reinterpret_cast<PerformCell*>(pc[1]));
  CONTINUE();
}

// To a handler whose clause captures, where nothing is unusual: the clause starts on the owner's stack.
HANDLER(perform_capture) {
  auto* cell = reinterpret_cast<PerformCell*>(pc[1]);
  auto* node = rt::as<rt::Node>(cell->cached->node);
  const rt::Clause* clause = cell->clause;
  if (clause->kind == rt::ClauseKind::Abort) TAIL_TO(perform_any);
  rt::Function* f = clause->function;
  rt::Fiber* owner = node->home->parent;
  auto* callee = reinterpret_cast<Value*>(owner->sp + 1 - f->frame_size + rt::kFrameHeaderWords);
  const bool multi = clause->kind == rt::ClauseKind::Multi;
  bool room = ctx->alloc_ptr + rt::Continuation::bytes(multi) <= ctx->alloc_limit &&
              reinterpret_cast<Word*>(callee) - rt::kFrameHeaderWords >= owner->limit && ctx->stack_limit != kAlwaysSlow;
  if (!room || !owner->dirty || ctx->on_effect) TAIL_TO(perform_any);
  unsigned count = b_of(w);
  SUSPEND(2 + list_words(count), a_of(w));
  rt::Continuation* k = new_continuation(*ctx, multi);
  callee[0] = node->env;
  if (count > 1) copy_list(callee + 1, s, pc + 2, count);
  else if (count) callee[1] = s[pc[2] & 0xffff];
  callee[count + 1] = rt::ptr_value(k);
  detach(*ctx, k, node);
  ENTER(callee, f);
}

// To the handler met last: its clause runs in place, above a frame that keeps the performer's context.
HANDLER(perform_in_place) {
  auto* cell = reinterpret_cast<PerformCell*>(pc[1]);
  unsigned count = b_of(w);
  auto* node = rt::as<rt::Node>(cell->cached->node);
  rt::Function* f = cell->clause->function;
  Value* clause_frame = s - ClauseFrame::kWords;
  Value* callee = clause_frame - f->frame_size;
  if (!cell->clause->in_place) TAIL_TO(perform_capture);
  if (!fits(ctx, callee)) TAIL_TO(perform_any);
  WRITE_RETURN(2 + list_words(count), a_of(w));
  callee[0] = node->env;
  copy_list(callee + 1, s, pc + 2, count);
  lay_clause_frame(*ctx, clause_frame, rt::ptr_value(node), node->outer);
  ENTER(callee, f);
}

HANDLER(PERFORM) {
  auto* cell = reinterpret_cast<PerformCell*>(pc[1]);
  ++cell->count;
  if (cell->cached->tag != ctx->tag) [[unlikely]] TAIL_TO(perform_any);
  auto* node = rt::as<rt::Node>(cell->cached->node);
  if (node->site != cell->seen) [[unlikely]] TAIL_TO(perform_any);
  // A clause that needs no context of its own is a call.
  rt::Function* f = cell->plain;
  if (!f) TAIL_TO(perform_in_place);
  Value* callee = s - f->frame_size;
  if (!fits(ctx, callee)) [[unlikely]] TAIL_TO(perform_any);
  unsigned count = b_of(w);
  WRITE_RETURN(2 + list_words(count), a_of(w));
  callee[0] = node->env;
  copy_list(callee + 1, s, pc + 2, count);
  ENTER(callee, f);
}

HANDLER(PERFORM_NAMED) {
  auto* cell = reinterpret_cast<PerformCell*>(pc[1]);
  unsigned count = b_of(w);
  ++cell->count;
  copy_list(ctx->args, s, pc + 2, count);
  SUSPEND(2 + list_words(count), a_of(w));
  perform_named(*ctx, cell);
  CONTINUE();
}

static inline void profile_resume(const Word* pc) { ++reinterpret_cast<ResumeCell*>(pc[1])->count; }

// Whether resuming `k` puts it where it is, moved, and nothing unusual comes with that.
static inline bool moves(const Context* ctx, Value k, ResumeMode mode) {
  if (!rt::is_kind(k, rt::Kind::Continuation)) return false;
  auto* continuation = rt::as<rt::Continuation>(k);
  return continuation->top_fiber && !runs_a_copy(*ctx, continuation, mode) && !ctx->on_effect;
}

// The performer goes on with the value.
#define GO_ON_WITH(value)                                              \
  do {                                                                 \
    if (*ctx->fiber->sp == ctx->stubs.interp_return) [[likely]] {      \
      s = current_slots(ctx);                                          \
      Word resume_word = frame_of(s)->resume;                          \
      s[rt::resume_destination(resume_word)] = (value);                \
      GO(rt::resume_pc(resume_word));                                  \
    }                                                                  \
    deliver(*ctx, (value));                                            \
    CONTINUE();                                                        \
  } while (0)

HANDLER(RESUME) {
  profile_resume(pc);
  Value k = RB, value = RC;
  SUSPEND(2, a_of(w));
  if (moves(ctx, k, ResumeMode::Keep)) [[likely]] {
    relink(*ctx, rt::as<rt::Continuation>(k));
    GO_ON_WITH(value);
  }
  ctx->args[0] = k;
  ctx->args[1] = value;
  resume(*ctx, ResumeMode::Keep);
  CONTINUE();
}
HANDLER(RESUME_LAST) {
  profile_resume(pc);
  Value k = RB, value = RC;
  SUSPEND(2, a_of(w));
  if (moves(ctx, k, ResumeMode::Last)) [[likely]] {
    relink(*ctx, rt::as<rt::Continuation>(k));
    GO_ON_WITH(value);
  }
  ctx->args[0] = k;
  ctx->args[1] = value;
  resume(*ctx, ResumeMode::Last);
  CONTINUE();
}
HANDLER(TAIL_RESUME) {
  profile_resume(pc);
  ctx->args[0] = RB;
  ctx->args[1] = RC;
  replace_frame(ctx, s);
  resume(*ctx, ResumeMode::Keep);
  CONTINUE();
}
HANDLER(TAIL_RESUME_LAST) {
  profile_resume(pc);
  ctx->args[0] = RB;
  ctx->args[1] = RC;
  replace_frame(ctx, s);
  resume(*ctx, ResumeMode::Last);
  CONTINUE();
}

HANDLER(DROP) {
  ctx->args[0] = RA;
  SUSPEND(1, rt::kInPlace);
  drop(*ctx);
  CONTINUE();
}
HANDLER(DROP_UNUSED) {
  Value k = RA;
  if (!rt::is_kind(k, rt::Kind::Continuation) || !rt::as<rt::Continuation>(k)->top_fiber ||
      rt::as<rt::Continuation>(k)->resumed())
    NEXT(1);
  ctx->args[0] = k;
  SUSPEND(1, rt::kInPlace);
  drop(*ctx);
  CONTINUE();
}

// In an in-place clause: who its handler is.
HANDLER(ABORT_RET) {
  Value value = RA;
  rt::Frame* frame = frame_of(s);
  Word* return_word = frame->words() + frame->function->frame_words() - 1;
  auto* below = reinterpret_cast<rt::Frame*>(return_word + 1);
  ctx->fiber->sp = return_word;
  if (!returns_to_clause_frame(*ctx, return_word)) {
    deliver(*ctx, value);  // ABORT_NOW has been here
    CONTINUE();
  }
  abort_with_value(*ctx, below->slots[ClauseFrame::Object], value);
  CONTINUE();
}
HANDLER(ABORT_NOW) {
  SUSPEND(1, rt::kInPlace);
  if (cut_for_abort(*ctx, s)) s = current_slots(ctx);
  NEXT(1);
}

HANDLER(CLAUSE_END) {
  if (s[ClauseFrame::Resume].bits == ClauseFrame::kAborts) [[unlikely]] {
    Value value = s[ClauseFrame::Result];
    SUSPEND_HERE();
    abort_with_value(*ctx, s[ClauseFrame::Object], value);
    CONTINUE();
  }
  pop_record(*ctx, s, ClauseFrame::Link);
  if (!PLANTED(clause_end_keeps_top)) ctx->top = s[ClauseFrame::Top];
  ctx->tag = still_right(*ctx, s[ClauseFrame::Tag].bits);
  Value returned = s[ClauseFrame::Result];
  Word* caller = frame_of(s)->words() + ClauseFrame::kWords;
  if (caller[-1] == ctx->stubs.interp_return) [[likely]] {
    Word resume_word = reinterpret_cast<rt::Frame*>(caller)->resume;
    s = reinterpret_cast<Value*>(caller + rt::kFrameHeaderWords);
    s[rt::resume_destination(resume_word)] = returned;
    GO(rt::resume_pc(resume_word));
  }
  ctx->fiber->sp = caller - 1;
  deliver(*ctx, returned);
  CONTINUE();
}

// --- unwinding
HANDLER(DEFER) {
  push_record(*ctx, s, a_of(w), b_of(w), RC, rt::pack_resume(pc, rt::kUnwinding));
  if (!rt::is_kind(RA, rt::Kind::Closure) || rt::as<rt::Closure>(RA)->function->arity() != 0) {
    pop_record(*ctx, s, b_of(w));
    FAIL_WITH("expected a function");
  }
  NEXT(1);
}
HANDLER(DEFER_END) { pop_record(*ctx, s, b_of(w)); NEXT(1); }
HANDLER(GUARD) {
  push_record(*ctx, s, a_of(w), b_of(w), RC, rt::pack_resume(pc, rt::kUnwinding));
  if (!rt::is_kind(RA, rt::Kind::Continuation)) {
    pop_record(*ctx, s, b_of(w));
    FAIL_WITH("expected a resumption");
  }
  NEXT(1);
}
HANDLER(GUARD_END) { pop_record(*ctx, s, b_of(w)); NEXT(1); }
HANDLER(ATTEMPT) {
  push_record(*ctx, s, a_of(w), b_of(w), rt::kAttemptMark,
              rt::pack_resume(pc + static_cast<int64_t>(pc[1]), rt::kInPlace));
  NEXT(2);
}
HANDLER(ATTEMPT_END) { pop_record(*ctx, s, b_of(w)); NEXT(1); }
HANDLER(EXIT_POINT) {
  SUSPEND_HERE();
  auto* exit = static_cast<rt::Exit*>(allocate_object(ctx, rt::Kind::Exit, sizeof(rt::Exit)));
  RELOAD();
  exit->live = 1;
  push_record(*ctx, s, a_of(w), b_of(w), rt::ptr_value(exit),
              rt::pack_resume(pc + static_cast<int64_t>(pc[1]), rt::kInPlace));
  NEXT(2);
}
HANDLER(EXIT_END) {
  Value v = RA;
  if (!rt::is_kind(v, rt::Kind::Exit)) [[unlikely]] FAIL_WITH("expected an exit");
  --rt::as<rt::Exit>(v)->live;
  pop_record(*ctx, s, b_of(w));
  NEXT(1);
}
HANDLER(EXIT) {
  Value exit = RA, value = RB;
  SUSPEND_HERE();
  exit_to(*ctx, exit, value);
  CONTINUE();
}
HANDLER(UNWIND_NEXT) {
  SUSPEND_HERE();
  unwind_next(*ctx);
  CONTINUE();
}

}  // namespace eddy::vm
