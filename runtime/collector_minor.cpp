// The minor collection: everything in the nursery that can be reached moves to old space, so that afterwards
// the nursery is empty, no old object refers to a young one, and a sleeping fiber that was scanned never needs
// to be scanned again.
#include <cstring>

#include "runtime/collector.h"

namespace eddy::rt {

namespace {

// So many may wait to be scanned before they are.
constexpr size_t kManyFibers = 1024;

// Fibers lie far apart: each is asked for some time before its turn.
template <class F>
void each_fiber(const std::vector<Fiber*>& fibers, F&& visit) {
  constexpr size_t ahead = 8;
  for (size_t i = 0; i < fibers.size(); ++i) {
    if (i + ahead < fibers.size()) __builtin_prefetch(fibers[i + ahead]);
    visit(fibers[i]);
  }
}

}  // namespace

void Collector::minor() {
  cut_sleepers();
  alive_bits_ = kHeaderOld | old.sense();
  each_root(this, promote_root);
  scan_remembered();
  // A young one on this list was released and made again since; it has to be reached.
  each_fiber(impl.dirty, [this](Fiber* fiber) {
    if (!fiber->free() && fiber->old) fiber_stack.push_back(fiber);
    if (fiber_stack.size() == kManyFibers) drain_minor();
  });
  reach_roots();
  drain_minor();
  if (all_young_live) {
    for (Fiber* fiber : fibers.young())
      if (!fiber->free() && !fiber->marked) {
        fiber->marked = true;
        fiber_stack.push_back(fiber);
      }
    drain_minor();
  }
  clear_weak(settle_young);
  finish_fibers();
  impl.old_bytes += copied_bytes_;
  ++impl.counters.minor;
}

// Moves what a slot refers to, which is young. Returns the copy where it is new and has slots of its own to be looked into.
inline Object* Collector::promote(Value* slot) {
  Object* object = slot->ptr();
  if (!object->is_forwarded()) return copy(object, slot);
  slot->bits = object->header;
  return nullptr;
}

inline Object* Collector::copy(Object* object, Value* slot) {
  size_t bytes = size_of_object(object);
  char* to = bytes <= kMostInPieces ? old.allocate_quickly(bytes) : nullptr;
  if (!to) [[unlikely]] return copy_slowly(object, slot, bytes);
  // In pieces of 16 bytes, the last ones over each other; the smallest is nothing but its header.
  auto piece = [to, from = reinterpret_cast<const char*>(object)](size_t at) { std::memcpy(to + at, from + at, 16); };
  if (bytes >= 16) [[likely]] {
    piece(0);
    piece(bytes - 16);
  }
  if (bytes > 32) {
    piece(16);
    piece(bytes - 32);
  }
  if (bytes > 64) {
    piece(32);
    piece(bytes - 48);
  }
  return moved(object, slot, reinterpret_cast<Object*>(to), bytes);
}

Object* Collector::copy_slowly(Object* object, Value* slot, size_t bytes) {
  void* to = bytes <= Heap::kLargeBytes ? static_cast<void*>(old.allocate(bytes))
                                        : old.allocate_large(bytes, object->kind() == Kind::Array)->object();
  std::memcpy(to, object, bytes);
  return moved(object, slot, static_cast<Object*>(to), bytes);
}

inline Object* Collector::moved(Object* object, Value* slot, Object* to, size_t bytes) {
  to->header = object->header | alive_bits_;
  object->header = slot->bits = reinterpret_cast<Word>(to);
  copied_bytes_ += bytes;
  return has_slots(to->kind()) ? to : nullptr;
}

// Out of line, so that looking at what is not young costs no more than the comparison.
[[gnu::noinline]] void Collector::promote_young(Value* slot) {
  if (Object* object = promote(slot)) stack.push(object);
}

void Collector::promote_root(void* self, Value* slot) {
  auto* collector = static_cast<Collector*>(self);
  if (collector->is_young(*slot)) collector->promote_young(slot);
}

void Collector::scan(Object* object) {
  if (object->kind() == Kind::Node) {
    static_cast<Node*>(object)->previous = {};
  } else if (object->kind() == Kind::Continuation) {
    reach_continuation(static_cast<Continuation*>(object));
  }
  each_slot(impl.raw, object, [this](Value* slot) {
    if (is_young(*slot)) promote_young(slot);
  });
}

void Collector::scan_remembered() {
  impl.counters.remembered += impl.remembered.size() + impl.cards.size();
  for (Object* object : impl.remembered) {
    object->header &= ~kHeaderRemembered;
    scan(object);
  }
  impl.remembered.clear();

  // In pieces, for each may hold a value of its own in every element.
  constexpr uint32_t piece = OldSpace::kCardBytes / sizeof(Value);
  auto scan_items = [this](Array* array, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; ++i) promote_root(this, &array->items[i]);
    drain_minor();
  };
  for (auto [array, card] : impl.cards) {
    LargeObject::of(array)->cards[card] = 0;
    // The header takes the place of an element in the first card.
    uint64_t end = uint64_t{card + 1} * piece - 1;
    scan_items(array, card == 0 ? 0 : card * piece - 1, end < array->count() ? end : array->count());
  }
  impl.cards.clear();
  for (LargeObject* large : impl.fresh) {
    Object* object = large->object();
    if (object->kind() != Kind::Array) {
      object->header &= ~kHeaderRemembered;
      scan(object);
      continue;
    }
    auto* array = static_cast<Array*>(object);
    for (uint64_t i = 0; i < array->count(); i += piece)
      scan_items(array, i, i + piece < array->count() ? i + piece : array->count());
  }
  impl.fresh.clear();
}

void Collector::drain_minor() {
  for (;;) {
    while (!stack.empty()) {
      // The top of the stack is kept in `object` and `next`: lists and trees mostly do without the memory.
      for (Object* object = stack.pop(); object;) {
        if (object->kind() != Kind::Con || impl.raw.any(object->con())) [[unlikely]] {
          scan(object);
          break;
        }
        Value* fields = static_cast<ConObject*>(object)->fields;
        Object* next = nullptr;
        for (uint32_t i = object->count(); i-- > 0;) {
          if (!is_young(fields[i])) continue;
          if (Object* copied = promote(&fields[i])) {
            if (next) stack.push(next);
            next = copied;
          }
        }
        object = next;
      }
    }
    if (fiber_stack.empty()) return;
    scan_fiber(next_fiber());
  }
}

// Whether the value in a weak slot survives; corrects the slot.
bool Collector::settle_young(Collector& self, Value* slot) {
  if (!self.heap.in_nursery(slot->ptr())) return true;
  if (!slot->ptr()->is_forwarded()) return false;
  slot->bits = slot->ptr()->header;
  return true;
}

// Fibers that were scanned last time and have not run since sleep for longer: they keep only what they use.
// (Others soon grow again; so a scheduler's do not go back and forth.)
void Collector::cut_sleepers() {
  each_fiber(impl.scanned, [this](Fiber* fiber) {
    if (!fiber->free() && !fiber->dirty) fibers.cut_stack(fiber);
  });
  impl.scanned.clear();
}

// Releases young fibers that nobody reached; all others are now old, and clean except where they go on.
void Collector::finish_fibers() {
  each_fiber(impl.dirty, [](Fiber* fiber) { fiber->dirty = !fiber->old; });
  impl.scanned.swap(impl.dirty);
  each_fiber(fibers.young(), [this](Fiber* fiber) {
    fiber->old = true;
    if (fiber->free()) return;
    fiber->dirty = false;
    if (fiber->marked) {
      impl.scanned.push_back(fiber);
    } else {
      fibers.release(fiber);
      ++impl.counters.fibers_collected;
    }
    fiber->marked = false;
  });
  fibers.young().clear();
  if (ctx.fiber) heap.fiber_ran(ctx.fiber);
  for (Fiber* fiber : heap.held) heap.fiber_ran(fiber);
}

}  // namespace eddy::rt
