// Reading and writing unwind records (runtime/frame.h).
#pragma once
#include "vm/control/switch.h"

namespace eddy::vm {

struct Record {
  Fiber* fiber = nullptr;
  Word link = 0;
  Value* slots = nullptr;  // of its frame

  explicit operator bool() const { return fiber != nullptr; }
  rt::Frame* frame() const { return reinterpret_cast<rt::Frame*>(slots - rt::kFrameHeaderWords); }
  Value* object() const { return slots + rt::RecordLink::object_slot(link); }
  Value* top() const { return object() + 1; }
  Word& resume() const { return slots[rt::RecordLink::link_slot(link) + 1].bits; }
  uint32_t previous() const { return static_cast<uint32_t>(rt::RecordLink::previous(link)); }
};

// The record at an offset of a fiber; none at 0.
inline Record record_at(Fiber* fiber, uint32_t offset) {
  if (offset == 0) return {};
  Word* at = fiber->at(offset);
  return {fiber, *at, reinterpret_cast<Value*>(at) - rt::RecordLink::link_slot(*at)};
}

inline void push_record(Context& ctx, Value* s, unsigned object_slot, unsigned link_slot, Value object, Word resume) {
  s[object_slot] = object;
  s[object_slot + 1] = ctx.top;
  s[link_slot].bits = rt::RecordLink::pack(ctx.fiber->records, link_slot, object_slot);
  s[link_slot + 1].bits = resume;
  ctx.fiber->records = static_cast<uint32_t>(ctx.fiber->offset_of(s + link_slot));
}
inline void pop_record(Context& ctx, Value* s, unsigned link_slot) {
  ctx.fiber->records = static_cast<uint32_t>(rt::RecordLink::previous(s[link_slot].bits));
}

// Walks the records that lie between here and the bottom, newest first, as the program sees its context: below
// a clause that runs in place, what was installed inside the handled body does not count.
class LogicalRecords {
 public:
  explicit LogicalRecords(Context& ctx) : fiber_(ctx.fiber), offset_(fiber_->records) {}
  // The next one; also, though it is passed by, the region of `owner` where its clause runs in place here.
  Record next(Value owner = rt::kNull);

 private:
  Fiber* fiber_;
  uint32_t offset_;
};

// The region of a named handler that is nearest in the logical context.
Record find_region(Context& ctx, Value named);
// The region of the named handler whose clause runs in place here.
Record find_own_region(Context& ctx, Value named);

// The nearest unnamed handler of an effect, for which it refills the cell; kNull where there is none, kHole where
// the context belongs to a named handler whose region is suspended.
Value find_handler(Context& ctx, uint32_t effect);
// The same without touching the cells.
Value walk_handlers(Context& ctx, uint32_t effect);

}  // namespace eddy::vm
