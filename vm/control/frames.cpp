#include "vm/control/frames.h"

#include "vm/liveness.h"
#include "vm/tier.h"
#include "runtime/plants.h"

namespace eddy::vm {

static bool is_base(const Context& ctx, Word address) {
  return address == ctx.stubs.fiber_exit || address == ctx.stubs.vm_exit || !ctx.tier;
}

unsigned frames_at(Context& ctx, Word address) {
  if (address == ctx.stubs.interp_return || is_base(ctx, address)) return 0;
  const Tier* tier = tier_of(ctx);
  const InlinedCaller* first = &tier->callers[tier->safepoint_at(address).callers];
  const InlinedCaller* end = first;
  while (end->function) ++end;
  return static_cast<unsigned>(end - first) + 1;
}

bool describe_frame(Context& ctx, Word address, Word* return_word, rt::FrameView& view) {
  auto* frame = reinterpret_cast<rt::Frame*>(return_word + 1);
  if (address != ctx.stubs.interp_return) {
    if (is_base(ctx, address)) return false;
    // Machine code writes a frame's header only where it must; whoever looks at the frame has it written here.
    const Tier* tier = tier_of(ctx);
    const Safepoint& s = tier->safepoint_at(address);
    frame->function = s.function;
    frame->resume = rt::pack_resume(s.pc, s.destination);
    for (const InlinedCaller* c = &tier->callers[s.callers]; c->function; ++c) {
      auto* caller = reinterpret_cast<rt::Frame*>(frame->words() + c->words);
      caller->function = c->function;
      caller->resume = rt::pack_resume(c->pc, c->destination);
      caller->words()[-1] = ctx.stubs.interp_return;
    }
  }
  view.function = frame->function;
  view.slots = return_word + 1 + rt::kFrameHeaderWords;
  view.pc = rt::resume_pc(frame->resume);
  view.return_word = frame->words() + frame->function->frame_words() - 1;
  return true;
}

void each_live_slot(Context&, const rt::FrameView& view, void* data, void (*visit)(void*, Value*)) {
  LoadedFunction* f = loaded(view.function);
  auto* slots = reinterpret_cast<Value*>(view.slots);
  if (f->all_live) {
    for (unsigned i = 0; i < f->tagged; ++i) visit(data, &slots[i]);
    return;
  }
  if (!f->liveness) {
    auto target = [f](const Word* pc) {
      const auto* site = reinterpret_cast<const rt::Site*>(pc[1]);
      return f->pc_of(rt::resume_pc(site->resume));
    };
    f->liveness = std::make_unique<Liveness>(std::span<const Word>(f->linked), f->tagged, target);
  }
  unsigned destination = rt::resume_destination(reinterpret_cast<rt::Frame*>(view.slots - rt::kFrameHeaderWords)->resume);
  int waits = destination == rt::kInPlace     ? Liveness::kInPlace
              : destination == rt::kUnwinding ? Liveness::kUnwinding
                                              : static_cast<int>(destination);
  auto live = f->liveness->live_at(f->pc_of(view.pc), waits);
  size_t left_out = PLANTED(slot_lost) && live.size() ? 1 : 0;
  for (size_t i = 0; i + left_out < live.size(); ++i) visit(data, &slots[live[i]]);
}

}  // namespace eddy::vm
