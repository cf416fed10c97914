// Walking frames: for the collector, for traces.
#pragma once
#include "vm/control/switch.h"

namespace eddy::vm {

// The walker's and the collector's view of frames (rt::FrameMaps).
bool describe_frame(Context& ctx, Word address, Word* return_word, rt::FrameView& view);
unsigned frames_at(Context& ctx, Word address);
void each_live_slot(Context& ctx, const rt::FrameView& view, void* data, void (*visit)(void*, Value*));

// Calls visit(view, destination) for every frame from the youngest of the current fiber to the bottom of the
// chain, until it returns false.
template <class F>
void walk_frames(Context& ctx, F&& visit) {
  for (Fiber* fiber = ctx.fiber; fiber; fiber = fiber->parent) {
    Word* at = fiber->sp;
    rt::FrameView view;
    while (describe_frame(ctx, ctx.fibers->return_address(fiber, at), at, view)) {
      if (!visit(view)) return;
      at = view.return_word;
    }
  }
}

}  // namespace eddy::vm
