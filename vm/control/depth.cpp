#include "runtime/statistics.h"
#include "vm/control/control.h"
#include "vm/control/frames.h"

namespace eddy::vm {

void measure_depth(Context& ctx) {
  uint64_t frames = 0, handlers = 0;
  walk_frames(ctx, [&](const rt::FrameView& view) {
    frames += !view.function->hidden;
    return true;
  });
  // What a named handler's context is, is looked up by those who need it: the chain is counted up to there.
  for (Value at = ctx.top; rt::is_kind(at, rt::Kind::Node); at = rt::as<rt::Node>(at)->outer) ++handlers;
  ctx.stats->peak_frames = std::max(ctx.stats->peak_frames, frames);
  ctx.stats->peak_handlers = std::max(ctx.stats->peak_handlers, handlers);
}

}  // namespace eddy::vm
