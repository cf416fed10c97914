#include <deque>
#include <utility>

#include "vm/control/control.h"
#include "vm/control/frames.h"
#include "vm/control/pseudo.h"

namespace eddy::vm {

namespace {

constexpr unsigned kHead = 40, kTail = 12;  // lines shown of a long trace

bool may_be_caught(Context& ctx) {
  for (Fiber* f = ctx.fiber; f; f = f->parent)
    for (uint32_t at = f->records; at;) {
      Record record = record_at(f, at);
      if (*record.object() == rt::kAttemptMark) return true;
      at = record.previous();
    }
  return false;
}

std::string place(const LoadedFunction* f, uint32_t pc) {
  PositionData p = f->position_at(pc);
  if (!p.line || !f->module || p.file >= f->module->source.files.size()) return f->name;
  return f->name + " (" + f->module->source.files[p.file] + ":" + std::to_string(p.line) + ":" +
         std::to_string(p.column) + ")";
}

std::string place(const rt::FrameView& view) {
  LoadedFunction* f = loaded(view.function);
  unsigned destination = rt::resume_destination(reinterpret_cast<rt::Frame*>(view.slots - rt::kFrameHeaderWords)->resume);
  uint32_t pc = f->pc_of(view.pc);
  // A return position belongs to the call before it.
  return place(f, destination == rt::kInPlace || destination == rt::kUnwinding || pc == 0 ? pc : pc - 1);
}

std::string line_of(const rt::FrameView& view) { return "  at " + place(view) + "\n"; }

}  // namespace

std::string current_place(Context& ctx) {
  std::string found = "?";
  walk_frames(ctx, [&](const rt::FrameView& view) {
    if (view.function->hidden) return true;
    found = place(view);
    return false;
  });
  return found;
}

std::string caller_place(Context& ctx) {
  std::string found = "outside";
  bool caller = false;
  walk_frames(ctx, [&](const rt::FrameView& view) {
    if (view.function->hidden && caller) return true;
    if (caller) found = place(view);
    return !std::exchange(caller, true);
  });
  return found;
}

std::string place_of(const rt::Site* site) { return place(loaded(site->owner), site->pc); }

std::string stack_trace(Context& ctx) {
  bool brief = may_be_caught(ctx);
  std::string head;
  std::deque<rt::FrameView> tail;
  uint64_t shown = 0, left_out = 0;
  walk_frames(ctx, [&](const rt::FrameView& view) {
    if (view.function->hidden) return true;
    if (shown < kHead) {
      head += line_of(view);
      ++shown;
      return true;
    }
    if (brief) {
      head += "  …\n";
      return false;
    }
    tail.push_back(view);
    if (tail.size() > kTail) {
      tail.pop_front();
      ++left_out;
    }
    return true;
  });
  if (left_out) head += "  … " + std::to_string(left_out) + " more\n";
  for (const rt::FrameView& view : tail) head += line_of(view);
  return head;
}

}  // namespace eddy::vm
