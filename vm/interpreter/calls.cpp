// Calls, returns, natives.
#include "runtime/natives/natives.h"
#include "runtime/statistics.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"
#include "vm/interpreter/dispatch.h"
#include "vm/tier.h"
#include "runtime/plants.h"
#include "vm/trace.h"

namespace eddy::vm {

namespace {

std::string arity_problem(const rt::Function* f, unsigned given) {
  return f->name + " takes " + std::to_string(f->arity()) + " arguments, not " + std::to_string(given);
}

}  // namespace

HANDLER(CALL) {
  auto* f = reinterpret_cast<rt::Function*>(pc[1]);
  unsigned count = b_of(w);
  unsigned words = 2 + list_words(count);
  Value* callee = s - f->frame_size;
  if (fits(ctx, callee)) [[likely]] {
    WRITE_RETURN(words, a_of(w));
    copy_list(callee, s, pc + 2, count);
    ENTER(callee, f);
  }
  SUSPEND(words, a_of(w));
  copy_list(ctx->args, s, pc + 2, count);
  request_call(*ctx, f, count);
  CONTINUE();
}

#define CALL_FEW(count)                                                                \
  HANDLER(CALL_##count) {                                                              \
    auto* f = reinterpret_cast<rt::Function*>(pc[1]);                                  \
    constexpr unsigned words = 2 + list_words(count);                                  \
    Value* callee = s - c_of(w);                                                       \
    if (fits(ctx, callee)) [[likely]] {                                                \
      WRITE_RETURN(words, a_of(w));                                                    \
      [[maybe_unused]] Word list = count ? pc[2] : 0;                                  \
      if constexpr (count > 0) callee[0] = s[list & 0xffff];                           \
      if constexpr (count > 1) callee[1] = s[(list >> 16) & 0xffff];                   \
      if constexpr (count > 2) callee[2] = s[(list >> 32) & 0xffff];                   \
      if constexpr (count > 3) callee[3] = s[list >> 48];                              \
      ENTER(callee, f);                                                                \
    }                                                                                  \
    SUSPEND(words, a_of(w));                                                           \
    copy_list(ctx->args, s, pc + 2, count);                                          \
    request_call(*ctx, f, count);                                                      \
    CONTINUE();                                                                        \
  }
CALL_FEW(0)
CALL_FEW(1)
CALL_FEW(2)
CALL_FEW(3)
CALL_FEW(4)

// Explains why a value cannot be called with `count` arguments.
static void not_callable(Context* ctx, Value callee, unsigned count) {
  bool function = rt::is_kind(callee, rt::Kind::Closure);
  rt::panic(*ctx, function ? arity_problem(rt::as<rt::Closure>(callee)->function, count) : "expected a function");
}

static inline void profile_call(const Word* pc, rt::Function* f) {
  auto* cell = reinterpret_cast<CallCell*>(pc[1]);
  ++cell->count;
  if (cell->seen != f) [[unlikely]] cell->meet(f);
}

// A call through a value that is not simply one of the function's own arity: puts the arguments into ctx.args.
// `fn(): T` and `fn(Unit): T` are one type, so one argument may be () or missing. Null: it cannot be called, or
// is a resumption, to be resumed with ctx.args[1].
static rt::Function* prepare_call(Context* ctx, Value target, const Value* s, const Word* list, unsigned count) {
  if (rt::is_kind(target, rt::Kind::Continuation) && count <= 1) {
    ctx->args[0] = target;
    ctx->args[1] = count ? s[list_item(list, 0)] : rt::kUnit;
    return nullptr;
  }
  if (!rt::is_kind(target, rt::Kind::Closure)) return nullptr;
  rt::Function* f = rt::as<rt::Closure>(target)->function;
  unsigned first = f->takes_self;
  if (first) ctx->args[0] = target;
  if (f->values != count) {
    if (f->values > 1 || count > 1) return nullptr;
    ctx->args[first] = rt::kUnit;  // unused where the function takes none
    return f;
  }
  copy_list(ctx->args + first, s, list, count);
  return f;
}

HANDLER(CALL_CLOSURE) {
  Value target = RC;
  unsigned count = b_of(w);
  unsigned words = 2 + list_words(count);
  if (rt::is_kind(target, rt::Kind::Closure)) [[likely]] {
    rt::Function* f = rt::as<rt::Closure>(target)->function;
    Value* callee = s - f->frame_size;
    if (f->values == count && fits(ctx, callee)) [[likely]] {
      profile_call(pc, f);
      WRITE_RETURN(words, a_of(w));
      unsigned first = f->takes_self;
      if (first) callee[0] = target;
      copy_list(callee + first, s, pc + 2, count);
      ENTER(callee, f);
    }
  }
  rt::Function* f = prepare_call(ctx, target, s, pc + 2, count);
  if (f) {
    SUSPEND(words, a_of(w));
    request_call(*ctx, f, f->params);
  } else if (rt::is_kind(target, rt::Kind::Continuation)) {
    ++ctx->stats->resumes[static_cast<unsigned>(rt::ResumeShape::Escaped)];
    SUSPEND(words, a_of(w));
    resume(*ctx, ResumeMode::Keep);
  } else {
    SUSPEND_HERE();
    not_callable(ctx, target, count);
    FAIL();
  }
  CONTINUE();
}

// The arguments are in ctx.args.
#define TAIL_ENTER(f, count)                                                                       \
  do {                                                                                             \
    Value* callee = reinterpret_cast<Value*>(frame_of(s)->words() + function_of(s)->frame_size -   \
                                             (f)->frame_size + rt::kFrameHeaderWords);             \
    if (fits(ctx, callee)) [[likely]] {                                                            \
      for (unsigned i = 0; i < (count); ++i) callee[i] = ctx->args[i];                             \
      ENTER(callee, f);                                                                            \
    }                                                                                              \
    replace_frame(ctx, s);                                                                         \
    request_call(*ctx, (f), (count));                                                              \
    CONTINUE();                                                                                    \
  } while (0)

HANDLER(TAIL_CALL) {
  auto* f = reinterpret_cast<rt::Function*>(pc[1]);
  unsigned count = b_of(w);
  copy_list(ctx->args, s, pc + 2, count);
  TAIL_ENTER(f, count);
}

HANDLER(TAIL_CLOSURE) {
  Value target = RC;
  unsigned count = b_of(w);
  rt::Function* f = prepare_call(ctx, target, s, pc + 2, count);
  if (f) {
    profile_call(pc, f);
    TAIL_ENTER(f, f->params);
  }
  if (rt::is_kind(target, rt::Kind::Continuation)) {
    ++ctx->stats->resumes[static_cast<unsigned>(rt::ResumeShape::Escaped)];
    replace_frame(ctx, s);
    resume(*ctx, ResumeMode::Keep);
  } else {
    SUSPEND_HERE();
    not_callable(ctx, target, count);
    FAIL();
  }
  CONTINUE();
}

// A compiled function's start: its frame has been laid out, but machine code makes its own.
HANDLER(ENTER_MACHINE) {
  rt::Function* f = function_of(s);
  for (unsigned i = 0; i < f->params; ++i) ctx->args[i] = s[i];
  replace_frame(ctx, s);
  request_call(*ctx, f, f->params);
  CONTINUE();
}

// Only where there is no compiler: with one, functions start otherwise.
HANDLER(TRACE_CALL) {
  rt::Function* f = function_of(s);
  suspend(ctx, s, rt::pack_resume(f->code, rt::kInPlace));
  static_cast<Trace*>(ctx->trace)->call(*ctx, *loaded(f), s);
  GO(f->code);
}

HANDLER(COUNT) {
  rt::Function* f = function_of(s);
  Tier* tier = tier_of(*ctx);
  f->heat -= tier->call_weight;
  if (f->heat > 0 || !tier->hot_function(*loaded(f), frame_of(s)->words() + f->frame_words())) GO(f->code);
  if (ctx->fuel_limited && !PLANTED(fuel_twice)) ++ctx->fuel;  // one call, though it is entered twice
  for (unsigned i = 0; i < f->params; ++i) ctx->args[i] = s[i];
  replace_frame(ctx, s);
  request_call(*ctx, f, f->params);
  CONTINUE();
}

// Loading turned operand C into an index of the table of all natives.
HANDLER(NATIVE) {
  unsigned count = b_of(w);
  copy_list(ctx->args, s, pc + 1, count);
  ctx->args_live = count;
  SUSPEND_HERE();
  Value result = rt::natives()[c_of(w)].function(*ctx, ctx->args);
  RELOAD();
  ctx->args_live = 0;
  if (result == rt::kNull) [[unlikely]] {
    if (ctx->exiting) {
      ctx->action = rt::Action::Stop;
      LEAVE();
    }
    FAIL();
  }
  RA = result;
  NEXT(1 + list_words(count));
}

// The loader put the frame's size into RET's operand D.
#define RETURN(value)                                                                     \
  do {                                                                                    \
    Value returned = (value);                                                             \
    Word* caller = frame_of(s)->words() + d_of(w);                                        \
    if (caller[-1] == ctx->stubs.interp_return) [[likely]] {                              \
      Word resume_word = reinterpret_cast<rt::Frame*>(caller)->resume;                    \
      s = reinterpret_cast<Value*>(caller + rt::kFrameHeaderWords);                       \
      s[rt::resume_destination(resume_word)] = returned;                                  \
      GO(rt::resume_pc(resume_word));                                                     \
    }                                                                                     \
    ctx->fiber->sp = caller - 1;                                                          \
    deliver(*ctx, returned);                                                              \
    CONTINUE();                                                                           \
  } while (0)

HANDLER(RET) { RETURN(RA); }
HANDLER(RET_UNIT) { RETURN(rt::kUnit); }

HANDLER(PANIC) {
  Value message = RA;
  if (!rt::is_kind(message, rt::Kind::String)) FAIL_WITH("expected a String");
  SUSPEND_HERE();
  ctx->panicking = true;
  ctx->panic_message = message;
  FAIL();
}

}  // namespace eddy::vm
