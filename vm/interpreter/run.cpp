// The dispatch table, and how control finds its next frame.
#include "vm/interpreter/run.h"

#include "vm/control/control.h"
#include "vm/interpreter/dispatch.h"

namespace eddy::vm {

const Handler kHandlers[kOpCount] = {
#define OP(name, operands, flags, doc) op_##name,
#include "vm/opcodes.def"
#undef OP
};

bool next_frame(Context* ctx, const Word*& pc, Value*& s) {
  for (;;) {
    switch (ctx->action) {
      case rt::Action::Stop: return false;
      case rt::Action::Call: {
        rt::Function* f = ctx->callee;
        if (f->entry) return false;
        Word* base = ctx->fiber->sp + 1 - f->frame_size;
        if (reinterpret_cast<Word>(base) < reinterpret_cast<Word>(ctx->stack_limit)) {
          if (ctx->stack_limit == kAlwaysSlow && !safepoint(ctx, f)) continue;
          if (!reserve(*ctx, f->frame_size)) continue;
          base = ctx->fiber->sp + 1 - f->frame_size;
        }
        auto* frame = reinterpret_cast<rt::Frame*>(base);
        frame->function = f;
        s = frame->slots;
        for (unsigned i = 0; i < f->params; ++i) s[i] = ctx->args[i];
        ctx->args_live = 0;
        pc = f->start;
        return true;
      }
      case rt::Action::Deliver: {
        Word address = return_target(*ctx, ctx->fiber->sp);
        if (address == ctx->stubs.interp_return) {
          auto* frame = reinterpret_cast<rt::Frame*>(ctx->fiber->sp + 1);
          s = frame->slots;
          unsigned destination = rt::resume_destination(frame->resume);
          if (destination != rt::kInPlace) s[destination] = ctx->result;
          ctx->result = rt::kNull;
          pc = rt::resume_pc(frame->resume);
          return true;
        }
        if (address == ctx->stubs.fiber_exit) {
          finish_fiber(*ctx);
          continue;
        }
        if (address == ctx->stubs.vm_exit) ctx->action = rt::Action::Stop;
        return false;
      }
    }
  }
}

#if EDDY_TAIL_DISPATCH
EDDY_HANDLER_CC void go_on(EDDY_HANDLER_PARAMS) {
  if (next_frame(ctx, pc, s)) DISPATCH();
}

void interpret(Context& ctx) { go_on(nullptr, nullptr, &ctx, 0); }
#else
void interpret(Context& ctx) {
  Machine m{};
  if (!next_frame(&ctx, m.pc, m.s)) return;
  while (kHandlers[*m.pc & 0xffff](m, &ctx)) {
  }
}
#endif

}  // namespace eddy::vm
