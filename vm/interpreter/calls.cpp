// Calls, returns, natives.
#include "runtime/natives/natives.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"
#include "vm/interpreter/dispatch.h"

namespace eddy::vm {

namespace {

// The arguments of a call whose frame has no room yet, or whose callee is machine code, travel in ctx.args.
inline void args_from_list(Context* ctx, const Value* s, const Word* list, unsigned count, unsigned first) {
  for (unsigned i = 0; i < count; ++i) ctx->args[first + i] = s[list_item(list, i)];
}

inline void copy_args(Value* to, const Value* s, const Word* list, unsigned count) {
  for (; count >= 4; count -= 4, to += 4) {
    Word w = *list++;
    to[0] = s[w & 0xffff];
    to[1] = s[(w >> 16) & 0xffff];
    to[2] = s[(w >> 32) & 0xffff];
    to[3] = s[w >> 48];
  }
  for (Word w = count ? *list : 0; count; --count, w >>= 16) *to++ = s[w & 0xffff];
}

// The slots of a callee's frame directly below the current one.
inline Value* callee_slots(Value* s, const rt::Function* f) { return s - f->frame_words(); }

inline bool fits(Context* ctx, const Value* callee) {
  return reinterpret_cast<Word>(callee - rt::kFrameHeaderWords) >= reinterpret_cast<Word>(ctx->stack_limit);
}

std::string arity_problem(const rt::Function* f, unsigned given) {
  return f->name + " takes " + std::to_string(f->arity()) + " arguments, not " + std::to_string(given);
}

}  // namespace

HANDLER(CALL) {
  auto* f = reinterpret_cast<rt::Function*>(pc[1]);
  unsigned count = b_of(w);
  unsigned words = 2 + list_words(count);
  Value* callee = callee_slots(s, f);
  SUSPEND(words, a_of(w));
  if (fits(ctx, callee) && f->entry == nullptr) [[likely]] {
    copy_args(callee, s, pc + 2, count);
    s = callee;
    frame_of(s)->function = f;
    GO(f->code);
  }
  args_from_list(ctx, s, pc + 2, count, 0);
  request_call(*ctx, f, count);
  CONTINUE();
}

// Whether a function value can be called with `count` arguments; a panic is pending where not.
static bool check_callable(Context* ctx, Value callee, unsigned count) {
  if (!rt::is_kind(callee, rt::Kind::Closure)) {
    rt::panic(*ctx, "expected a function");
    return false;
  }
  rt::Function* f = rt::as<rt::Closure>(callee)->function;
  if (f->arity() == count && !f->fiber_base) return true;
  rt::panic(*ctx, arity_problem(f, count));
  return false;
}

static inline void profile_call(const Word* pc, rt::Function* f) {
  auto* cell = reinterpret_cast<CallCell*>(pc[1]);
  ++cell->count;
  if (cell->seen != f) [[unlikely]] {
    cell->seen = f;
    if (cell->functions < 4) ++cell->functions;
  }
}

HANDLER(CALL_CLOSURE) {
  Value target = RC;
  unsigned count = b_of(w);
  unsigned words = 2 + list_words(count);
  if (rt::is_kind(target, rt::Kind::Closure)) [[likely]] {
    auto* closure = rt::as<rt::Closure>(target);
    rt::Function* f = closure->function;
    if (f->arity() == count && !f->fiber_base) [[likely]] {
      profile_call(pc, f);
      SUSPEND(words, a_of(w));
      Value* callee = callee_slots(s, f);
      if (fits(ctx, callee) && f->entry == nullptr) [[likely]] {
        unsigned first = f->takes_self;
        if (first) callee[0] = target;
        copy_args(callee + first, s, pc + 2, count);
        s = callee;
        frame_of(s)->function = f;
        GO(f->code);
      }
      args_from_list(ctx, s, pc + 2, count, f->takes_self);
      if (f->takes_self) ctx->args[0] = target;
      request_call(*ctx, f, f->params);
      CONTINUE();
    }
  }
  if (rt::is_kind(target, rt::Kind::Continuation) && count == 1) {
    SUSPEND(words, a_of(w));
    ctx->args[0] = target;
    ctx->args[1] = s[list_item(pc + 2, 0)];
    resume(*ctx, ResumeMode::Keep);
    CONTINUE();
  }
  SUSPEND_HERE();
  check_callable(ctx, target, count);
  FAIL();
}

// In place of the current frame: the callee's return address is this frame's.
static void replace_frame(Context* ctx, Value* s) {
  rt::Frame* frame = frame_of(s);
  ctx->fiber->sp = frame->words() + frame->function->frame_words() - 1;
}

HANDLER(TAIL_CALL) {
  auto* f = reinterpret_cast<rt::Function*>(pc[1]);
  unsigned count = b_of(w);
  args_from_list(ctx, s, pc + 2, count, 0);
  Word* top = frame_of(s)->words() + function_of(s)->frame_words();
  Value* callee = reinterpret_cast<Value*>(top - f->frame_words() + rt::kFrameHeaderWords);
  if (fits(ctx, callee) && f->entry == nullptr) [[likely]] {
    for (unsigned i = 0; i < count; ++i) callee[i] = ctx->args[i];
    s = callee;
    frame_of(s)->function = f;
    GO(f->code);
  }
  replace_frame(ctx, s);
  request_call(*ctx, f, count);
  CONTINUE();
}

HANDLER(TAIL_CLOSURE) {
  Value target = RC;
  unsigned count = b_of(w);
  if (rt::is_kind(target, rt::Kind::Closure)) [[likely]] {
    rt::Function* f = rt::as<rt::Closure>(target)->function;
    if (f->arity() == count && !f->fiber_base) [[likely]] {
      profile_call(pc, f);
      args_from_list(ctx, s, pc + 2, count, f->takes_self);
      if (f->takes_self) ctx->args[0] = target;
      unsigned params = f->params;
      Word* top = frame_of(s)->words() + function_of(s)->frame_words();
      Value* callee = reinterpret_cast<Value*>(top - f->frame_words() + rt::kFrameHeaderWords);
      if (fits(ctx, callee) && f->entry == nullptr) [[likely]] {
        for (unsigned i = 0; i < params; ++i) callee[i] = ctx->args[i];
        s = callee;
        frame_of(s)->function = f;
        GO(f->code);
      }
      replace_frame(ctx, s);
      request_call(*ctx, f, params);
      CONTINUE();
    }
  }
  if (rt::is_kind(target, rt::Kind::Continuation) && count == 1) {
    ctx->args[0] = target;
    ctx->args[1] = s[list_item(pc + 2, 0)];
    replace_frame(ctx, s);
    resume(*ctx, ResumeMode::Keep);
    CONTINUE();
  }
  SUSPEND_HERE();
  check_callable(ctx, target, count);
  FAIL();
}

// Loading turned operand C into an index of the table of all natives.
HANDLER(NATIVE) {
  unsigned count = b_of(w);
  args_from_list(ctx, s, pc + 1, count, 0);
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
