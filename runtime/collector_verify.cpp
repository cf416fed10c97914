// The verifier: walks everything that can be reached and checks what the collections rely on. It shares only
// each_slot with them, and remembers what it has seen by itself.
#include <fmt/format.h>

#include "runtime/collector.h"

namespace eddy::rt {

namespace {

struct Verifier {
  Context& ctx;
  Heap& heap;
  Heap::Impl& impl;
  WordSet &blocks, &large, &seen, &seen_fibers, &cards, &fresh;
  std::vector<Object*>& stack;
  mutable Word last_block = 0;
  std::vector<Fiber*> fiber_stack;
  std::string problem;
  // What the slot being visited is in.
  const Object* holder = nullptr;
  const Fiber* fiber = nullptr;

  Verifier(Context& c, Heap& h, Heap::Impl& i)
      : ctx(c), heap(h), impl(i), blocks(i.verifying.blocks), large(i.verifying.large), seen(i.verifying.objects),
        seen_fibers(i.verifying.fibers), cards(i.verifying.cards), fresh(i.verifying.fresh), stack(i.verifying.stack) {
    for (WordSet* set : {&blocks, &large, &seen, &seen_fibers, &cards, &fresh}) set->clear();
    stack.clear();
    std::vector<Word>&block_list = i.verifying.block_list, &large_list = i.verifying.large_list;
    block_list.clear();
    large_list.clear();
    impl.old.list_blocks(block_list, large_list);
    for (Word block : block_list) blocks.insert(block);
    for (Word object : large_list) large.insert(object);
    for (auto& card : impl.cards) cards.insert(reinterpret_cast<Word>(card.array) + card.index);
    for (LargeObject* l : impl.fresh) fresh.insert(reinterpret_cast<Word>(l->object()));
  }

  template <class... Args>
  void fail(fmt::format_string<Args...> format, Args&&... args) {
    if (!problem.empty()) return;
    problem = fmt::format(format, std::forward<Args>(args)...);
    if (holder)
      problem += fmt::format(" (in object {:#x}, header {:#x})", reinterpret_cast<Word>(holder), holder->header);
    if (fiber) problem += fmt::format(" (in fiber {})", fiber->id);
  }

  bool in_old(Word p) const {
    Word block = p & ~Word{OldSpace::kBlockBytes - 1};
    if (block == last_block) return true;
    if (!blocks.contains(block)) return false;
    last_block = block;
    return true;
  }

  void check_remembered(const Value* slot) {
    if (holder->header & kHeaderRemembered || fresh.contains(reinterpret_cast<Word>(holder))) return;
    size_t offset = reinterpret_cast<Word>(slot) - reinterpret_cast<Word>(holder);
    if (large.contains(reinterpret_cast<Word>(holder)) &&
        cards.contains(reinterpret_cast<Word>(holder) + offset / OldSpace::kCardBytes))
      return;
    fail("an old object refers to young {:#x} at offset {} and is not remembered", slot->bits, offset);
  }

  void visit(Value* slot) {
    Value v = *slot;
    if (!problem.empty() || !v.is_ptr() || !v.bits) return;
    Word p = v.bits;
    bool young = heap.in_nursery(v.ptr());
    if (young) {
      if (holder && (holder->header & kHeaderOld)) check_remembered(slot);
      if (fiber && !fiber->dirty) fail("a clean fiber refers to young {:#x}", p);
      if (p >= reinterpret_cast<Word>(ctx.alloc_ptr)) return fail("pointer {:#x} beyond the nursery's end", p);
    } else if (!in_old(p) && !large.contains(p)) {
      return fail("pointer {:#x} is neither young nor old", p);
    }
    if (seen.insert(p)) check_object(v.ptr(), young);
  }

  static void visit_slot(void* self, Value* slot) { static_cast<Verifier*>(self)->visit(slot); }

  void check_object(Object* object, bool young) {
    Word header = object->header, p = reinterpret_cast<Word>(object);
    if (!(header & kHeaderTag)) return fail("object {:#x} is forwarded: {:#x}", p, header);
    if (static_cast<unsigned>(object->kind()) >= kKinds) return fail("object {:#x} has bad header {:#x}", p, header);
    if (young == ((header & kHeaderOld) != 0)) return fail("object {:#x}: header {:#x} lies about its age", p, header);
    if (!young && (header & kHeaderMarked) != impl.old.sense())
      return fail("object {:#x}, header {:#x}, was not marked", p, header);
    size_t bytes = size_of_object(object);
    if (young) {
      if (p + bytes > reinterpret_cast<Word>(ctx.alloc_ptr)) return fail("object {:#x} ends beyond the nursery", p);
    } else if (large.contains(p)) {
      if (LargeObject::of(object)->bytes != bytes) return fail("large object {:#x} has another size", p);
    } else if (p % OldSpace::kBlockBytes + bytes > OldSpace::kBlockBytes) {
      return fail("object {:#x} crosses its block's end", p);
    }
    if (object->kind() == Kind::Con) {
      if (object->con() >= ctx.constructors.size() || ctx.constructors[object->con()].fields != object->count())
        return fail("object {:#x}, header {:#x}, does not fit its constructor", p, header);
    }
    if (has_slots(object->kind())) stack.push_back(object);
  }

  void check_continuation(const Continuation* k) {
    if (!k->top_fiber) return;
    for (Fiber* f = k->top_fiber;; f = f->parent) {
      if (!f || f->free()) return fail("a continuation's chain of fibers is broken");
      reach(f);
      if (f == k->base_fiber()) return;
    }
  }

  void reach(Fiber* f) {
    if (seen_fibers.insert(reinterpret_cast<Word>(f))) fiber_stack.push_back(f);
  }

  void check_fiber(Fiber* f) {
    if (f->free()) return fail("fiber {} is in use and free", f->id);
    if (!f->old && !f->dirty) return fail("young fiber {} is clean", f->id);
    if (f->sp > f->base || f->sp < f->limit - kStackSlackWords) return fail("fiber {}: sp out of bounds", f->id);
    if (f->sp == f->base) return;
    fiber = f;
    FrameView view;
    for (Word* word = f->sp; problem.empty();) {
      if (word >= f->base) {
        fail("frames run past the base");
        break;
      }
      if (!heap.frame_maps.describe(ctx, ctx.fibers->return_address(f, word), word, view)) break;
      heap.frame_maps.each_live(ctx, view, this, visit_slot);
      if (view.return_word <= word) {
        fail("a frame does not lie above its return word");
        break;
      }
      word = view.return_word;
    }
    fiber = nullptr;
  }

  void run(Collector& roots) {
    roots.each_root(this, visit_slot);
    for (Fiber* f = ctx.fiber; f; f = f->parent) reach(f);
    for (Fiber* f : heap.held) reach(f);
    while (problem.empty()) {
      if (!stack.empty()) {
        Object* object = stack.back();
        stack.pop_back();
        holder = object;
        if (object->kind() == Kind::Continuation) check_continuation(static_cast<Continuation*>(object));
        each_slot(impl.raw, object, [this](Value* slot) { visit(slot); });
        holder = nullptr;
      } else if (!fiber_stack.empty()) {
        Fiber* f = fiber_stack.back();
        fiber_stack.pop_back();
        check_fiber(f);
      } else {
        break;
      }
    }
  }
};

}  // namespace

bool Heap::verify(std::string* problem) {
  Verifier verifier(ctx_, *this, *impl_);
  Collector roots(*this);
  verifier.run(roots);
  if (problem) *problem = verifier.problem;
  return verifier.problem.empty();
}

}  // namespace eddy::rt
