// Which fibers are alive, and the frames of one.
#include "runtime/collector.h"

namespace eddy::rt {

void Collector::reach_chain(Fiber* first, const Fiber* last) {
  for (Fiber* fiber = first; fiber; fiber = fiber->parent) {
    if (is_major || !fiber->old) {
      if (!fiber->marked) {
        fiber->marked = true;
        fiber_stack.push_back(fiber);
      }
    } else if (chain_budget == 0) {
      all_young_live = true;
      return;
    } else {
      --chain_budget;
    }
    if (fiber == last) return;
  }
}

void Collector::reach_continuation(Continuation* k) {
  if (k->top_fiber) {
    reach_chain(k->top_fiber, k->base_fiber());
  } else {
    // Consumed: a program that keeps it must not keep its handlers too.
    k->top = kNull;
    k->node = kNull;
  }
}

void Collector::reach_roots() {
  reach_chain(ctx.fiber, nullptr);
  // One by one: the parent of a fiber under construction may be unset or not its own.
  for (Fiber* fiber : heap.held) reach_chain(fiber, fiber);
}

bool Collector::make_plan(FramePlan& plan, Word address, Word* word) {
  const unsigned frames = heap.frame_maps.frames_at(ctx, address);
  if (frames == 0) return false;
  plan.address = address;
  plan.frames = frames;
  plan.slots.clear();
  struct Recorder {
    FramePlan& plan;
    Word* from;
  } recorder{plan, word};
  FrameView view;
  for (unsigned i = 0; i < frames; ++i, word = view.return_word) {
    heap.frame_maps.describe(ctx, i == 0 ? address : *word, word, view);
    heap.frame_maps.each_live(ctx, view, &recorder, [](void* data, Value* slot) {
      auto* r = static_cast<Recorder*>(data);
      r->plan.slots.push_back(static_cast<uint32_t>(&slot->bits - r->from));
    });
  }
  plan.words = static_cast<uint32_t>(word - recorder.from);
  return true;
}

inline Word* Collector::scan_frame(Word address, Word* word) {
  FramePlan& plan = impl.plans[(address ^ address >> 6) % std::size(impl.plans)];
  if (plan.address != address && !make_plan(plan, address, word)) return scan_interpreted(address, word);
  impl.counters.frames_scanned += plan.frames;
  for (uint32_t slot : plan.slots) look_at(reinterpret_cast<Value*>(word + slot));
  return word + plan.words;
}

Word* Collector::scan_interpreted(Word address, Word* word) {
  FrameView view;
  if (!heap.frame_maps.describe(ctx, address, word, view)) return nullptr;
  ++impl.counters.frames_scanned;
  heap.frame_maps.each_live(ctx, view, this, [](void* self, Value* slot) { static_cast<Collector*>(self)->look_at(slot); });
  return view.return_word;
}

void Collector::scan_fiber(Fiber* fiber) {
  ++impl.counters.fibers_scanned;
  // A new fiber without a frame has no word at sp.
  if (fiber->sp >= fiber->base) return;
  if (fiber->watermarks || fiber->offset_of(fiber->sp) > kWatermarkDepth) return scan_deep_fiber(fiber);
  // The oldest word says what the whole fiber returns to.
  for (Word* word = fiber->sp; word && word != fiber->base - 1;) word = scan_frame(*word, word);
}

void Collector::scan_deep_fiber(Fiber* fiber) {
  FiberPool::Watermarks* marks = fibers.watermarks(fiber);
  size_t known = marks ? marks->size() : 0;  // the youngest mark not yet met is known - 1
  bool met = false;
  const Word sentinel = ctx.stubs.watermark;
  const Word top = fiber->offset_of(fiber->sp);
  // Not in one that is being put together: its oldest frames are still to be written to.
  const bool place = sentinel && top > kWatermarkDepth &&
                     std::find(heap.held.begin(), heap.held.end(), fiber) == heap.held.end();
  Word next_mark = top - kWatermarkTop;
  new_watermarks_.clear();

  for (Word* word = fiber->sp;;) {
    Word address = *word, offset = fiber->offset_of(word);
    if (sentinel && address == sentinel) {
      while ((*marks)[known - 1].offset != offset) --known;
      if (!met) marks->resize(known);  // younger ones were in frames that are gone
      met = true;
      if (!is_major) break;
      address = (*marks)[--known].address;
    }
    word = scan_frame(address, word);
    if (!word) break;
    if (place && !met && offset <= next_mark) {
      new_watermarks_.push_back({offset, address});
      next_mark = offset - kWatermarkSpacing;
      if (offset < kWatermarkSpacing) next_mark = 0;
    }
  }
  if (marks && !met) marks->clear();
  if (new_watermarks_.empty()) return;
  FiberPool::Watermarks& table = fibers.make_watermarks(fiber);
  for (size_t i = new_watermarks_.size(); i-- > 0;) {
    table.push_back(new_watermarks_[i]);
    *fiber->at(new_watermarks_[i].offset) = sentinel;
  }
}

void Collector::release_unreached() {
  fibers.for_each_live([this](Fiber* fiber) {
    if (fiber->marked) {
      fiber->marked = false;
    } else {
      fibers.release(fiber);
      ++impl.counters.fibers_collected;
    }
  });
}

}  // namespace eddy::rt
