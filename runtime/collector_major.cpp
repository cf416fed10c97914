// The major collection: marks what can be reached in old space, where every object is by then, and sweeps the
// rest. Fibers nobody reached are released.
#include "runtime/collector.h"

namespace eddy::rt {

namespace {

// Arrays with more elements are looked through in pieces of so many, so that the mark stack stays small.
constexpr uint32_t kSegment = 1024;

}  // namespace

void Collector::major() {
  is_major = true;
  impl.old_bytes = 0;
  old.start_marking();
  alive_bits_ = kHeaderOld | old.sense();
  each_root(this, mark_root);
  reach_roots();
  drain_major();
  clear_weak(is_marked);
  release_unreached();
  old.sweep(heap.options_.verify);
  fibers.trim();
  stack.trim();
  ++impl.counters.major;
}

// Returns the object where it has slots to be looked into.
inline Object* Collector::mark(Value value) {
  Object* object = value.ptr();
  object->header ^= kHeaderMarked;
  size_t bytes = size_of_object(object);
  impl.old_bytes += bytes;
  if (bytes <= Heap::kLargeBytes) old.mark_lines(object, bytes);
  return has_slots(object->kind()) ? object : nullptr;
}

// Out of line, so that looking at what is marked costs no more than the comparison.
[[gnu::noinline]] void Collector::mark_new(Value value) {
  if (Object* object = mark(value)) stack.push(object);
}

void Collector::mark_root(void* self, Value* slot) {
  auto* collector = static_cast<Collector*>(self);
  if (collector->is_unmarked(*slot)) collector->mark_new(*slot);
}

void Collector::scan_marked(Object* object) {
  switch (object->kind()) {
    case Kind::Array:
      if (object->count() > kSegment) return segments_.push_back({static_cast<Array*>(object), 0});
      break;
    case Kind::Node: static_cast<Node*>(object)->previous = {}; break;
    case Kind::Continuation: reach_continuation(static_cast<Continuation*>(object)); break;
    default: break;
  }
  each_slot(impl.raw, object, [this](Value* slot) { mark_root(this, slot); });
}

void Collector::drain_major() {
  for (;;) {
    if (!stack.empty()) {
      // As in a minor collection: the top of the stack is in `object` and `next`.
      for (Object* object = stack.pop(); object;) {
        if (object->kind() != Kind::Con || impl.raw.any(object->con())) [[unlikely]] {
          scan_marked(object);
          break;
        }
        Value* fields = static_cast<ConObject*>(object)->fields;
        Object* next = nullptr;
        for (uint32_t i = object->count(); i-- > 0;) {
          if (!is_unmarked(fields[i])) continue;
          if (Object* found = mark(fields[i])) {
            if (next) stack.push(next);
            next = found;
          }
        }
        object = next;
      }
    } else if (!fiber_stack.empty()) {
      // Before more of a big array, which may hold a million of them.
      scan_fiber(next_fiber());
    } else if (!segments_.empty()) {
      auto& [array, next] = segments_.back();
      uint32_t from = next, count = array->count();
      uint32_t to = count - from > kSegment ? from + kSegment : count;
      Array* items = array;
      if (to == count)
        segments_.pop_back();
      else
        next = to;
      for (uint32_t i = from; i < to; ++i) mark_root(this, &items->items[i]);
    } else {
      return;
    }
  }
}

bool Collector::is_marked(Collector& self, Value* slot) {
  return (slot->ptr()->header & kHeaderMarked) == self.old.sense();
}

}  // namespace eddy::rt
