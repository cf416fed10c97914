#include <deque>
#include <optional>
#include <utility>

#include "vm/control/control.h"
#include "vm/control/frames.h"
#include "vm/control/pseudo.h"
#include "vm/registers.h"

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

rt::Frame* frame_of(const rt::FrameView& view) {
  return reinterpret_cast<rt::Frame*>(view.slots - rt::kFrameHeaderWords);
}

// What a trace says of a frame.
struct Shown {
  LoadedFunction* function;
  uint32_t pc;  // in it, of the instruction that is under way

  Shown(rt::Function* f, const Word* at, unsigned destination) : function(loaded(f)), pc(function->pc_of(at)) {
    // A return position belongs to the call before it.
    if (destination != rt::kInPlace && destination != rt::kUnwinding && pc) --pc;
  }
  explicit Shown(const rt::FrameView& view) : Shown(view.function, view.pc, rt::resume_destination(frame_of(view)->resume)) {}
  std::string place() const { return vm::place(function, pc); }
  std::string line() const { return "  at " + place() + "\n"; }
};

// Whether a clause has passed its ABORT_NOW on every way to this word of it.
bool has_settled(const LoadedFunction& f, uint32_t word) {
  std::vector<uint32_t> ways;
  std::vector<bool> seen(f.linked.size());
  for (const Word* pc : Instructions(f.linked))
    if (op_of(*pc) == Op::ABORT_NOW) ways.push_back(f.pc_of(pc) + length_of(*pc));
  while (!ways.empty()) {
    uint32_t at = ways.back();
    ways.pop_back();
    while (at < seen.size() && !seen[at]) {
      const Word* pc = &f.linked[at];
      for (uint32_t i = 0; i < length_of(*pc); ++i) seen[at + i] = true;
      visit_jumps(pc, [&](int64_t offset) { ways.push_back(static_cast<uint32_t>(at + offset)); });
      if (info_of(op_of(*pc)).ends) break;
      at += length_of(*pc);
    }
  }
  return word < seen.size() && seen[word];
}

// Calls visit(shown) for the frames that a trace tells of, youngest first, until it returns false. Where a clause has
// settled on dropping its body, the interpreter cuts that off at once (cut_for_abort), and machine code that the clause
// is part of when the clause ends: what is still to be cut off is passed over.
template <class F>
void walk_shown(Context& ctx, F&& visit) {
  for (Fiber* fiber = ctx.fiber; fiber; fiber = fiber->parent) {
    Word* at = fiber->sp;
    rt::FrameView view;
    std::optional<Shown> above;   // the frame that this one has called
    rt::Node* dropped = nullptr;  // down to this region's frame
    for (; describe_frame(ctx, ctx.fibers->return_address(fiber, at), at, view); at = view.return_word) {
      rt::Frame* frame = frame_of(view);
      Shown shown(view);
      if (dropped) {
        if (frame != dropped->frame()) continue;
        const rt::Site* site = std::exchange(dropped, nullptr)->site;
        if (site->returns && !returns_to_clause_frame(ctx, view.return_word)) continue;
        shown = Shown(view.function, rt::resume_pc(site->resume), rt::resume_destination(site->resume));
      } else if (view.function == &pseudo_functions.clause && above && has_settled(*above->function, above->pc)) {
        Value object = frame->slots[ClauseFrame::Object];
        Word below = rt::RecordLink::previous(frame->slots[ClauseFrame::Link].bits);
        if (rt::is_kind(object, rt::Kind::Node) && rt::as<rt::Node>(object)->home == fiber &&
            rt::as<rt::Node>(object)->records == below)
          dropped = rt::as<rt::Node>(object);
      }
      above = shown;
      if (view.function->hidden) continue;
      if (!visit(shown)) return;
    }
  }
}

}  // namespace

std::string current_place(Context& ctx) {
  std::string found = "?";
  walk_frames(ctx, [&](const rt::FrameView& view) {
    if (view.function->hidden) return true;
    found = Shown(view).place();
    return false;
  });
  return found;
}

std::string caller_place(Context& ctx) {
  std::string found = "outside";
  bool caller = false;
  walk_frames(ctx, [&](const rt::FrameView& view) {
    if (view.function->hidden && caller) return true;
    if (caller) found = Shown(view).place();
    return !std::exchange(caller, true);
  });
  return found;
}

std::string place_of(const rt::Site* site) { return place(loaded(site->owner), site->pc); }

std::string stack_trace(Context& ctx) {
  bool brief = may_be_caught(ctx);
  std::string head;
  std::deque<Shown> tail;
  uint64_t shown = 0, left_out = 0;
  walk_shown(ctx, [&](const Shown& frame) {
    if (shown < kHead) {
      head += frame.line();
      ++shown;
      return true;
    }
    if (brief) {
      head += "  …\n";
      return false;
    }
    tail.push_back(frame);
    if (tail.size() > kTail) {
      tail.pop_front();
      ++left_out;
    }
    return true;
  });
  if (left_out) head += "  … " + std::to_string(left_out) + " more\n";
  for (const Shown& frame : tail) head += frame.line();
  return head;
}

}  // namespace eddy::vm
