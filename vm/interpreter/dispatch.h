// How instruction handlers are written and chained. One set of handlers, two dispatchers:
//
//   clang     every handler is a function that tail-calls the next one; pc, slots and context stay in
//             registers (preserve_none + musttail)
//   portable  every handler returns the next state to a loop
//
// Rules for handlers:
//   1. Whatever may collect, grow the stack or unwind is preceded by SUSPEND (a return position) or
//      SUSPEND_HERE (an instruction that fails or allocates in place); afterwards `s` is re-read by RELOAD.
//   2. After such a call no Value read before it is used again.
//   3. A handler ends in NEXT(words), GO(target pc), CONTINUE() or LEAVE().
#pragma once
#include "runtime/context.h"
#include "runtime/frame.h"
#include "runtime/heap.h"
#include "runtime/object.h"
#include "vm/bytecode.h"
#include "vm/loaded.h"

namespace eddy::vm {

using rt::Context;
using rt::Value;

// The state between two instructions.
struct Machine {
  const Word* pc;
  Value* s;       // slots of the current frame
};

#if defined(__clang__) && !defined(EDDY_PORTABLE_DISPATCH) && __has_cpp_attribute(clang::musttail) && \
    __has_attribute(preserve_none)
#define EDDY_TAIL_DISPATCH 1
#define EDDY_HANDLER_CC __attribute__((preserve_none))
#define EDDY_HANDLER_PARAMS const Word *pc, Value *s, Context *ctx, Word w
using Handler = void(EDDY_HANDLER_CC*)(EDDY_HANDLER_PARAMS);
#define HANDLER(name) EDDY_HANDLER_CC void op_##name(EDDY_HANDLER_PARAMS)
#define DISPATCH()                                                   \
  do {                                                               \
    Word next_word = *pc;                                            \
    [[clang::musttail]] return kHandlers[next_word & 0xffff](pc, s, ctx, next_word); \
  } while (0)
#define LEAVE() return
// Goes on as another handler would.
#define TAIL_TO(name) [[clang::musttail]] return op_##name(pc, s, ctx, w)
#else
#define EDDY_TAIL_DISPATCH 0
#define EDDY_HANDLER_CC
#define EDDY_HANDLER_PARAMS Machine &m, Context *ctx
using Handler = bool (*)(EDDY_HANDLER_PARAMS);
#define HANDLER(name)                                                \
  static inline bool body_##name(const Word*& pc, Value*& s, Context* ctx, Word w); \
  bool op_##name(Machine& m, Context* ctx) { return body_##name(m.pc, m.s, ctx, *m.pc); } \
  static inline bool body_##name([[maybe_unused]] const Word*& pc, [[maybe_unused]] Value*& s, \
                                 [[maybe_unused]] Context* ctx, [[maybe_unused]] Word w)
#define DISPATCH() return true
#define LEAVE() return false
#define TAIL_TO(name) return body_##name(pc, s, ctx, w)
#endif

extern const Handler kHandlers[kOpCount] __attribute__((visibility("hidden")));

#define OP(name, operands, flags, doc)                                                       \
  DECLARE_HANDLER(op_##name)
#if EDDY_TAIL_DISPATCH
#define DECLARE_HANDLER(f) EDDY_HANDLER_CC void f(EDDY_HANDLER_PARAMS);
#else
#define DECLARE_HANDLER(f) bool f(EDDY_HANDLER_PARAMS);
#endif
#include "vm/opcodes.def"
#undef OP
#undef DECLARE_HANDLER

// --- operands
#define RA s[a_of(w)]
#define RB s[b_of(w)]
#define RC s[c_of(w)]
inline double raw(Value v) { return std::bit_cast<double>(v.bits); }
inline Value from_raw(double d) { return {std::bit_cast<Word>(d)}; }

#define NEXT(words) \
  do {              \
    pc += (words);  \
    DISPATCH();     \
  } while (0)
#define GO(target) \
  do {             \
    pc = (target); \
    DISPATCH();    \
  } while (0)

// --- frames
inline rt::Frame* frame_of(Value* s) { return reinterpret_cast<rt::Frame*>(s - rt::kFrameHeaderWords); }
inline rt::Function* function_of(Value* s) { return frame_of(s)->function; }

// Writes down where this frame goes on, so that others can walk, grow or leave the stack.
inline void suspend(Context* ctx, Value* s, Word resume) {
  rt::Frame* frame = frame_of(s);
  frame->resume = resume;
  Word* below = frame->words() - 1;
  *below = ctx->stubs.interp_return;
  ctx->fiber->sp = below;
}
#define SUSPEND_HERE() suspend(ctx, s, rt::pack_resume(pc, rt::kInPlace))
#define SUSPEND(words, destination) suspend(ctx, s, rt::pack_resume(pc + (words), (destination)))
// The current frame again, after something that may have moved the stack.
inline Value* current_slots(Context* ctx) { return reinterpret_cast<Value*>(ctx->fiber->sp + 1 + rt::kFrameHeaderWords); }
#define RELOAD() (s = current_slots(ctx))

// The first half of it, where nobody looks before the callee has run: enough to return here.
#define WRITE_RETURN(length, destination)                                \
  do {                                                                   \
    frame_of(s)->resume = rt::pack_resume(pc + (length), (destination)); \
    frame_of(s)->words()[-1] = ctx->stubs.interp_return;                \
  } while (0)
// Goes to a callee whose slots, arguments in place, are `callee`.
#define ENTER(callee, f)          \
  do {                            \
    s = (callee);                 \
    frame_of(s)->function = (f);  \
    GO((f)->start);               \
  } while (0)
inline bool fits(Context* ctx, const Value* callee) {
  return reinterpret_cast<Word>(callee - rt::kFrameHeaderWords) >= reinterpret_cast<Word>(ctx->stack_limit);
}

// The registers of a list, to `to` and the words after it.
[[gnu::always_inline]] inline void copy_list(Value* to, const Value* s, const Word* list, unsigned count) {
  for (; count >= 4; count -= 4, to += 4) {
    Word w = *list++;
    to[0] = s[w & 0xffff];
    to[1] = s[(w >> 16) & 0xffff];
    to[2] = s[(w >> 32) & 0xffff];
    to[3] = s[w >> 48];
  }
  for (Word w = count ? *list : 0; count; --count, w >>= 16) *to++ = s[w & 0xffff];
}

// In place of the current frame: what is called next returns where this frame would.
inline void replace_frame(Context* ctx, Value* s) {
  rt::Frame* frame = frame_of(s);
  ctx->fiber->sp = frame->words() + frame->function->frame_size - 1;
}

// Follows ctx->action as far as it stays interpreted: fills pc and s, or says to leave.
bool next_frame(Context* ctx, const Word*& pc, Value*& s);
#if EDDY_TAIL_DISPATCH
// A handler of its own, so that no other one has the addresses of its registers taken.
EDDY_HANDLER_CC void go_on(EDDY_HANDLER_PARAMS);
#define CONTINUE() [[clang::musttail]] return go_on(pc, s, ctx, w)
#else
#define CONTINUE()                                \
  do {                                            \
    if (!next_frame(ctx, pc, s)) LEAVE();         \
    DISPATCH();                                   \
  } while (0)
#endif

// Unwinds with the panic that is pending in the context (after SUSPEND or SUSPEND_HERE).
void start_panic(Context* ctx);
#define FAIL()        \
  do {                \
    start_panic(ctx); \
    CONTINUE();       \
  } while (0)
#define FAIL_WITH(text)        \
  do {                         \
    SUSPEND_HERE();            \
    rt::panic(*ctx, text);     \
    FAIL();                    \
  } while (0)

}  // namespace eddy::vm
