// Handlers that nobody looks for. Where all performs of a region are answered in the unit, and nothing in it calls what might
// look at the context, its node is not made and no cell is told of it. Where code leaves inside, the frame state says whose
// nodes to make and to install (FrameState::Virtual), as HANDLE would have: nothing has changed the context since.
//
// What is left of the node is its environment, in the node's slot: clauses take their captures from there, and if all of
// these are inlined, that need not be made either (objects.cpp).
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "jit/passes/dominators.h"
#include "jit/passes/loops.h"
#include "jit/passes/passes.h"
#include "jit/passes/ways.h"

namespace eddy::jit {

namespace {

constexpr size_t kMaxRegions = 16;

struct Region {
  Node* handle = nullptr;
  std::vector<Node*> nodes;           // inside, in no order
  std::vector<std::pair<Block*, Node*>> ends;
  bool needed = false;
  // What stands for it in its slot.
  Node* environment() const { return handle->inputs[0]->remade() ? handle->inputs[0] : handle; }
};

class Regions {
 public:
  explicit Regions(Graph& graph) : g_(graph), dominators_(graph) {}

  void run() {
    for (Block* b : dominators_.order())
      for (Node* n : b->nodes)
        if (n->op == NodeOp::Handle) regions_.push_back({n, {}, {}, false});
    if (regions_.empty() || regions_.size() > kMaxRegions) return;
    for (size_t i = 0; i < regions_.size(); ++i) by_handle_[regions_[i].handle] = i;
    for (Region& r : regions_) r.needed = !walk(r);
    look_at_uses();
    // A node points to the one around it.
    for (bool changed = true; changed;) {
      changed = false;
      for (Region& r : regions_) {
        if (r.needed) continue;
        for (const Node* n : r.nodes)
          if (n->op == NodeOp::Handle && regions_[by_handle_[n]].needed) r.needed = changed = true;
      }
    }
    std::erase_if(regions_, [](const Region& r) { return r.needed; });
    if (!regions_.empty()) rewrite();
  }

 private:
  const rt::Site* site(const Region& r) const { return static_cast<const rt::Site*>(r.handle->aux); }

  bool ends(const Node* n, const Region& r) const {
    if (n->op != NodeOp::HandleEnd && n->op != NodeOp::HandleAbort) return false;
    return std::any_of(n->inputs.begin(), n->inputs.end(), [&](Node* i) { return strip(i) == r.handle; });
  }

  // Its nodes, up to where it ends. False where one of them needs it.
  bool walk(Region& r) {
    Block* first = r.handle->block;
    auto visit = [&](Block* b, Node* n) {
      if (n == r.handle) return Way::Fails;  // round a loop without an end in between
      if (ends(n, r)) {
        r.ends.push_back({b, n});
        return Way::Ends;
      }
      if (!harmless(n, r)) return Way::Fails;
      r.nodes.push_back(n);
      return Way::GoesOn;
    };
    return walk_behind(first, r.handle, visit, [&](const Block* s) { return dominators_.dominates(first, s); });
  }

  // Whether a node does as well without the handler.
  bool harmless(const Node* n, const Region& r) const {
    switch (n->op) {
      case NodeOp::Native:
      case NodeOp::FNative:
      case NodeOp::FRem:
      case NodeOp::MakeArray: return true;
      // Others are found as if it were not there.
      case NodeOp::FindNode:
      case NodeOp::BranchCell: return !site(r)->handles(static_cast<const vm::PerformCell*>(n->aux)->effect);
      case NodeOp::Top:
      case NodeOp::ClauseEnter:
      case NodeOp::ClauseLeave:
      case NodeOp::PushGuard:
      case NodeOp::PopGuard:
      case NodeOp::PushNamed:
      case NodeOp::PopNamed:
      case NodeOp::Return:
      case NodeOp::TailCall:
      case NodeOp::TailClosure:
      case NodeOp::TailFiber:
      case NodeOp::TailResume:
      case NodeOp::AbortRet: return false;
      default: return !info_of(n->op).call;
    }
  }

  // A node is asked for its environment and to end, and stands in frame states.
  void look_at_uses() {
    for (Block* b : g_.blocks) {
      for (Node* phi : b->phis)
        for (Node* i : phi->inputs) spoil(i);
      for (Node* n : b->nodes)
        for (Node* i : n->inputs) {
          bool suits = n->op == NodeOp::Copy || n->op == NodeOp::HandleEnd || n->op == NodeOp::HandleAbort ||
                       (n->op == NodeOp::Load && n->imm == offsetof(rt::Node, env));
          if (!suits) spoil(i);
        }
    }
  }
  void spoil(Node* n) {
    auto found = by_handle_.find(strip(n));
    if (found != by_handle_.end()) regions_[found->second].needed = true;
  }

  // --- the graph without them
  void rewrite() {
    std::unordered_map<const Node*, std::vector<const Region*>> inside;  // outer ones first, as they are met
    by_handle_.clear();
    for (const Region& r : regions_) {
      by_handle_[r.handle] = static_cast<size_t>(&r - regions_.data());
      for (const Node* n : r.nodes) inside[n].push_back(&r);
    }
    // By themselves or as copies. (What takes their environments turns into such a copy, too.)
    std::unordered_set<const Node*> handlers;
    for (const Region& r : regions_) handlers.insert(r.handle);
    for (const Block* b : g_.blocks)
      for (Node* n : b->nodes)
        if (n->op == NodeOp::Copy && handlers.count(strip(n))) handlers.insert(n);
    auto is_handler = [&](const Node* n) { return handlers.count(n) != 0; };
    for (Block* b : g_.blocks) {
      std::vector<Node*> kept;
      for (Node* n : b->nodes) {
        if (auto open = inside.find(n); open != inside.end() && n->state) {
          describe(n, open->second);
          if (n->op == NodeOp::Safepoint) {
            n->op = NodeOp::Poll;
            n->reason = Reason::Request;
          }
        }
        if (n->op == NodeOp::Copy && is_handler(n)) continue;
        if (n->op == NodeOp::Load && is_handler(n->inputs[0])) {
          n->op = NodeOp::Copy;
          n->inputs = {regions_[by_handle_[strip(n->inputs[0])]].environment()};
          n->imm = 0;
          n->aux = nullptr;
          n->known = 0;
        } else if (n->op == NodeOp::HandleEnd && is_handler(n->inputs[0])) {
          continue;
        } else if (n->op == NodeOp::Handle && is_handler(n) && n->inputs[0]->remade()) {
          continue;
        } else if (n->op == NodeOp::HandleAbort) {
          // What surrounds a region that is there is there.
          std::erase_if(n->inputs, is_handler);
          if (n->inputs.empty()) continue;
        }
        kept.push_back(n);
      }
      b->nodes = std::move(kept);
    }
    for (const Region& r : regions_) {
      r.handle->op = NodeOp::Copy;
      r.handle->state = nullptr;
      r.handle->imm = 0;
      r.handle->aux = nullptr;
    }
    g_.place_stage();
  }

  // Says what to install where code leaves, and keeps their environments in their slots.
  void describe(Node* n, const std::vector<const Region*>& open) {
    FrameState* all = with_values(g_, n->state, [](Node* v) { return v; });
    for (FrameState* s = all; s; s = const_cast<FrameState*>(s->parent))
      for (FrameState::Entry& e : s->values)
        if (auto found = by_handle_.find(e.node); found != by_handle_.end()) e.node = regions_[found->second].environment();
    n->state = all;
    for (const Region* r : open) {
      int base = static_cast<int>(r->handle->imm), home = r->handle->home;
      for (FrameState* s = all; s; s = const_cast<FrameState*>(s->parent)) {
        if (s->base != base) continue;
        bool there = std::any_of(s->values.begin(), s->values.end(), [&](const FrameState::Entry& e) { return e.home == home; });
        if (!there) s->values.push_back({home, r->environment()});
      }
    }
    if (info_of(n->op).call) return;
    std::unordered_map<const Node*, int> index;
    for (const Region* r : open) {
      index[r->handle] = static_cast<int>(all->objects.size());
      FrameState::Virtual& v = all->objects.emplace_back();
      v.header = rt::make_header(rt::Kind::Node, 0);
      v.first = r->handle->aux;
      v.has_first = true;
      v.fields = {{r->environment(), -1, false}};
      v.homes = {r->handle->home};
      v.handles_for = static_cast<int>(r->handle->imm);
    }
    for (FrameState* s = all; s; s = const_cast<FrameState*>(s->parent)) {
      if (!s->entered) continue;
      auto known = index.find(strip(s->entered));
      if (known == index.end()) continue;
      s->entered = nullptr;
      s->entered_object = known->second;
    }
    g_.stage(all);
  }

  Graph& g_;
  Dominators dominators_;
  std::vector<Region> regions_;
  std::unordered_map<const Node*, size_t> by_handle_;
};

}  // namespace

void remove_handlers(Graph& graph) {
  if (!graph.speculate) return;
  bool any = false;
  for (const Block* b : graph.blocks)
    for (const Node* n : b->nodes) any |= n->op == NodeOp::Handle;
  if (any) Regions(graph).run();
}

}  // namespace eddy::jit
