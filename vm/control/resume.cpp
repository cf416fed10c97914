// Fibers and continuations: start one, put a captured one back, copy one.
#include <unordered_map>
#include <vector>

#include "runtime/statistics.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"
#include "vm/control/relink.h"
#include "runtime/plants.h"

namespace eddy::vm {

namespace {

void fail(Context& ctx, std::string message) {
  rt::panic(ctx, std::move(message));
  start_panic(&ctx);
}

// A fiber whose frames have all been left (a tail call took the place of the last one) is not worth keeping
// below another: chains of tail resumptions would grow. What comes next goes above its parent.
void skip_finished(Context& ctx) {
  while (ctx.fiber->sp == ctx.fiber->base - 1 && *ctx.fiber->sp == ctx.stubs.fiber_exit && ctx.fiber->parent) finish_fiber(ctx);
}

Value twin_of(Value v) {
  if (!rt::is_kind(v, rt::Kind::Node)) return v;
  const rt::EffectCell& cell = rt::as<rt::Node>(v)->previous;
  return cell.tag == rt::Node::kTwin ? cell.node : v;
}

// In a copied fiber, everything that belongs to the copy must be the copy's: its nodes, and what its unwind
// records and in-place clauses remember of the context.
void adopt_records(Fiber* fiber) {
  for (uint32_t at = fiber->records; at;) {
    Record record = record_at(fiber, at);
    at = record.previous();
    *record.object() = twin_of(*record.object());
    *record.top() = twin_of(*record.top());
    Value object = *record.object();
    if (record.frame()->function == &pseudo_functions.clause) {
      // The tag to go back to is the original's: what the cells know under it are the original's nodes.
      record.slots[ClauseFrame::Tag].bits = 0;
      continue;
    }
    if (rt::is_kind(object, rt::Kind::Named)) ++rt::as<rt::Named>(object)->live;
    if (rt::is_kind(object, rt::Kind::Exit)) ++rt::as<rt::Exit>(object)->live;
  }
}

// Whether the frame that made a handler still has it. A record of a region around the piece may name one that is gone, and
// whose fiber has become one of the piece.
bool is_installed(rt::Node* node) {
  const Fiber* home = node->home;
  auto used = static_cast<uint32_t>(home->offset_of(home->sp));
  return node->frame_offset <= used && node->frame()->slots[node->site->node_slot] == rt::ptr_value(node);
}

// What copying works on; kept between copies, which are frequent and mostly small.
struct CopyWork {
  std::vector<Fiber*> originals, copies;
  std::unordered_map<const Fiber*, Fiber*> by_original;  // used for long chains only
  std::vector<Value> nodes, twins;

  Fiber* copy_of(const Fiber* fiber) const {
    if (originals.size() > 8) {
      auto found = by_original.find(fiber);
      return found == by_original.end() ? nullptr : found->second;
    }
    for (size_t i = 0; i < originals.size(); ++i)
      if (originals[i] == fiber) return copies[i];
    return nullptr;
  }
  // The nodes of the chain that a context reaches, newest first.
  void collect(Value top) {
    while (rt::is_kind(top, rt::Kind::Node)) {
      auto* node = rt::as<rt::Node>(top);
      if (node->previous.tag == rt::Node::kTwin || !copy_of(node->home) || !is_installed(node)) return;
      node->previous = {rt::Node::kTwin, top};  // listed
      nodes.push_back(top);
      top = node->outer;
    }
  }
};

// All stacks together are at their limit, but many may belong to what was dropped.
void make_room(Context& ctx) { ctx.heap->collect_major(); }

bool copy_fibers(Context& ctx, CopyWork& work) {
  auto* k = rt::as<rt::Continuation>(ctx.args[0]);
  work.originals.clear();
  work.copies.clear();
  work.by_original.clear();
  for (Fiber* f = k->top_fiber;; f = f->parent) {
    Fiber* copy = ctx.fibers->copy(f);
    if (!copy) {
      for (Fiber* c : work.copies) ctx.fibers->release(c);
      return false;
    }
    uint64_t tag = ctx.fresh_tag();
    if (!PLANTED(copy_unstamped)) f->copied = copy->copied = tag;
    if (!PLANTED(copy_shares_tag)) copy->tag = tag;  // what the cells know under the old one are the original's nodes
    if (!work.copies.empty()) work.copies.back()->parent = copy;
    work.originals.push_back(f);
    work.copies.push_back(copy);
    if (f == k->base_fiber()) break;
  }
  if (work.originals.size() > 8)
    for (size_t i = 0; i < work.originals.size(); ++i) work.by_original[work.originals[i]] = work.copies[i];
  return true;
}

// ctx.args[0] becomes a copy of the continuation there. False: no stack left, a panic has been started.
bool copy_continuation(Context& ctx) {
  static thread_local CopyWork work;
  if (!copy_fibers(ctx, work)) {
    make_room(ctx);
    if (!copy_fibers(ctx, work)) {
      fail(ctx, "stack overflow");
      return false;
    }
  }
  auto source = [&] { return rt::as<rt::Continuation>(ctx.args[0]); };
  work.nodes.clear();
  work.twins.clear();
  work.collect(source()->top);
  for (Fiber* f : work.originals)
    for (uint32_t at = f->records; at;) {
      Record record = record_at(f, at);
      work.collect(*record.top());
      at = record.previous();
    }
  work.collect(source()->node);
  for (Value node : work.nodes) rt::as<rt::Node>(node)->previous = {};

  size_t held = ctx.heap->held.size();
  ctx.heap->held.insert(ctx.heap->held.end(), work.copies.begin(), work.copies.end());
  rt::Roots keep_nodes(ctx, work.nodes), keep_twins(ctx, work.twins);
  for (size_t i = 0; i < work.nodes.size(); ++i) {
    auto* twin = static_cast<rt::Node*>(ctx.heap->allocate(rt::Kind::Node, 0, sizeof(rt::Node)));
    rt::Word header = twin->header;
    *twin = *rt::as<rt::Node>(work.nodes[i]);
    twin->header = header;
    twin->previous = {};
    work.twins.push_back(rt::ptr_value(twin));
  }
  // The copy is resumed once, here.
  rt::Continuation* k = new_continuation(ctx, false);
  rt::Word header = k->header;
  *k = *source();
  k->header = header;
  k->top_fiber = work.copies.front();
  ctx.heap->held.resize(held);

  // No allocation from here on: originals point to their twins while references are replaced.
  for (size_t i = 0; i < work.nodes.size(); ++i) rt::as<rt::Node>(work.nodes[i])->previous = {rt::Node::kTwin, work.twins[i]};
  for (Value v : work.twins) {
    auto* twin = rt::as<rt::Node>(v);
    twin->home = work.copy_of(twin->home);
    ctx.heap->write(twin, &twin->outer, twin_of(twin->outer));
    if (!PLANTED(copy_shares_node)) twin->frame()->slots[twin->site->node_slot] = v;
  }
  if (!PLANTED(copies_share_records))
    for (Fiber* copy : work.copies) adopt_records(copy);
  k->top = twin_of(k->top);
  k->node = twin_of(k->node);
  for (Value node : work.nodes) rt::as<rt::Node>(node)->previous = {};
  source()->set_resumed();
  ctx.args[0] = rt::ptr_value(k);
  ++ctx.stats->resumes[static_cast<unsigned>(rt::ResumeShape::Copied)];
  return true;
}

// The common case, one fiber with nothing but its handler: the copy goes on top of the current fiber without a
// Continuation of its own. False: it is not that case.
bool resume_small_copy(Context& ctx) {
  auto* k = rt::as<rt::Continuation>(ctx.args[0]);
  if (k->top_fiber != k->base_fiber() || k->top != k->node || k->top_fiber->records) return false;
  auto* twin = static_cast<rt::Node*>(ctx.heap->allocate(rt::Kind::Node, 0, sizeof(rt::Node)));
  k = rt::as<rt::Continuation>(ctx.args[0]);
  rt::Word header = twin->header;
  *twin = *rt::as<rt::Node>(k->node);
  twin->header = header;
  twin->previous = {};
  twin->outer = ctx.top;
  Fiber* copy = ctx.fibers->copy(k->top_fiber);
  if (!copy) return false;  // the general way reports it
  k->set_resumed();
  uint64_t tag = ctx.fresh_tag();
  if (!PLANTED(copy_unstamped)) k->top_fiber->copied = copy->copied = tag;
  twin->home = copy;
  twin->frame()->slots[twin->site->node_slot] = rt::ptr_value(twin);
  ++ctx.stats->resumes[static_cast<unsigned>(rt::ResumeShape::Copied)];
  skip_finished(ctx);
  leave_current(ctx);
  copy->parent = ctx.fiber;
  ctx.top = rt::ptr_value(twin);
  make_current(ctx, copy);
  ctx.tag = tag;
  return true;
}

}  // namespace

void call_on_fiber(Context& ctx) {
  Value closure = ctx.args[0];
  ctx.args_live = 1;
  if (!rt::is_kind(closure, rt::Kind::Closure) || !rt::as<rt::Closure>(closure)->function->fiber_base)
    return fail(ctx, "expected a fiber's body");
  skip_finished(ctx);
  rt::Function* function = rt::as<rt::Closure>(closure)->function;
  Fiber* fiber = ctx.fibers->make(function->frame_words());
  if (!fiber) {
    make_room(ctx);
    fiber = ctx.fibers->make(function->frame_words());
    if (!fiber) return fail(ctx, "stack overflow");
  }
  leave_current(ctx);
  fiber->sp = fiber->base - 1;
  *fiber->sp = ctx.stubs.fiber_exit;
  fiber->records = 0;
  fiber->parent = ctx.fiber;
  make_current(ctx, fiber);
  ctx.tag = ctx.fresh_tag();
  request_call(ctx, function, 1);
}

void resume(Context& ctx, ResumeMode mode) {
  ctx.args_live = 2;
  const Fiber* from = ctx.fiber;
  if (!rt::is_kind(ctx.args[0], rt::Kind::Continuation)) return fail(ctx, "expected a resumption");
  if (!rt::as<rt::Continuation>(ctx.args[0])->top_fiber) return fail(ctx, "continuation already resumed");
  if (runs_a_copy(ctx, rt::as<rt::Continuation>(ctx.args[0]), mode)) {
    if (!resume_small_copy(ctx)) {
      if (!copy_continuation(ctx)) return;
      skip_finished(ctx);
      relink(ctx, rt::as<rt::Continuation>(ctx.args[0]));
    }
  } else {
    skip_finished(ctx);
    relink(ctx, rt::as<rt::Continuation>(ctx.args[0]));
  }
  if (ctx.on_effect) ctx.on_effect(ctx, rt::EffectEvent::Resume, nullptr, nullptr, from);
  ctx.args_live = 0;
  deliver(ctx, ctx.args[1]);
}

}  // namespace eddy::vm
