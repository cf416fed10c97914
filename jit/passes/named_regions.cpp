// Regions of named handlers that nobody looks at. Where all that a region does is answered in the unit, and neither calls nor
// collects, its handler is not made and no record tells of it. Where code leaves inside, the frame state says to make both,
// as HANDLE_NAMED would have (FrameState::guard).
#include <algorithm>
#include <unordered_set>

#include "jit/passes/dominators.h"
#include "jit/passes/loops.h"
#include "jit/passes/passes.h"
#include "jit/passes/ways.h"

namespace eddy::jit {

namespace {

class NamedRegion {
 public:
  NamedRegion(Graph& graph, Dominators& dominators, Node* push) : g_(graph), push_(push), named_(strip(push->inputs[0])) {
    if (named_->op != NodeOp::Alloc || !walk(dominators)) return;
    find_names();
    vanishes_ = !is_wanted();
  }

  bool vanishes() const { return vanishes_; }

  void remove() {
    for (Node* n : nodes_)
      if (n->state) describe(n);
    for (Block* b : g_.blocks) {
      for (Node* n : b->nodes) {
        if (n->op != NodeOp::Load || !is_name(n->inputs[0])) continue;
        n->op = NodeOp::Copy;
        n->inputs = {named_->inputs[0]};
        n->imm = 0;
        n->aux = nullptr;
        n->known = 0;
        n->state = nullptr;
      }
      std::erase_if(b->nodes, [&](const Node* n) { return n == push_ || is_name(n) || ends_.count(n); });
    }
  }

 private:
  bool is_name(const Node* n) const { return names_.count(n) != 0; }

  // Its nodes, up to where it ends. False where one of them needs it, or something else that is made where code leaves.
  bool walk(const Dominators& dominators) {
    auto visit = [&](Block*, Node* n) {
      if (n->op == NodeOp::PopNamed && strip(n->inputs[0]) == named_) {
        ends_.insert(n);
        return Way::Ends;
      }
      if (!keeps_to_itself(n) || (n->state && (!n->state->objects.empty() || n->state->guard))) return Way::Fails;
      nodes_.push_back(n);
      return Way::GoesOn;
    };
    Block* first = push_->block;
    return walk_behind(first, push_, visit, [&](const Block* s) { return dominators.dominates(first, s); });
  }

  // The handler and what it is called.
  void find_names() {
    names_.insert(named_);
    for (size_t before = 0; before != names_.size();) {
      before = names_.size();
      for (const Block* b : g_.blocks)
        for (const Node* n : b->nodes)
          if ((n->op == NodeOp::Copy || (n->op == NodeOp::FindNamed && n->imm == reinterpret_cast<int64_t>(named_->aux))) && is_name(n->inputs[0]))
            names_.insert(n);
    }
  }

  // By anything but its own region, for its environment.
  bool is_wanted() const {
    std::unordered_set<const Node*> inside(nodes_.begin(), nodes_.end());
    auto suits = [&](const Node* n) {
      return is_name(n) || n == push_ || ends_.count(n) || (n->op == NodeOp::Load && n->imm == offsetof(rt::Named, env));
    };
    auto named = [&](const Node* n) { return is_name(n); };
    for (const Block* b : g_.blocks) {
      for (const Node* phi : b->phis)
        if (std::any_of(phi->inputs.begin(), phi->inputs.end(), named)) return true;
      for (const Node* n : b->nodes) {
        if (!suits(n) && std::any_of(n->inputs.begin(), n->inputs.end(), named)) return true;
        if (!inside.count(n) && !ends_.count(n) && any_value(n->state, named)) return true;
      }
    }
    return false;
  }

  // Says what to make where code leaves.
  void describe(Node* n) {
    FrameState* all = with_values(g_, n->state, [](Node* v) { return v; });
    FrameState::Virtual& v = all->objects.emplace_back();
    v.header = static_cast<Word>(named_->imm);
    v.first = named_->aux;
    v.has_first = true;
    for (Node* field : named_->inputs) v.fields.push_back({field, -1, false});
    for (FrameState* s = all; s; s = const_cast<FrameState*>(s->parent)) {
      for (const FrameState::Entry& e : s->values)
        if (is_name(e.node)) v.homes.push_back(e.home);
      std::erase_if(s->values, [&](const FrameState::Entry& e) { return is_name(e.node); });
      if (!s->entered || !is_name(s->entered)) continue;
      s->entered = nullptr;
      s->entered_object = 0;
    }
    all->guard = static_cast<const vm::Word*>(push_->aux);
    all->guarded = 0;
    n->state = all;
    g_.stage(all);
  }

  Graph& g_;
  Node* push_;
  Node* named_;
  std::vector<Node*> nodes_;  // inside, in no order
  std::unordered_set<const Node*> ends_, names_;
  bool vanishes_ = false;
};

}  // namespace

void remove_named_regions(Graph& graph) {
  // What takes continuations apart has records of its own.
  if (!graph.speculate || graph.spent) return;
  std::vector<Node*> pushes;
  for (const Block* b : graph.blocks)
    for (Node* n : b->nodes) {
      if (n->op == NodeOp::PushGuard || n->op == NodeOp::Handle) return;
      if (n->op == NodeOp::PushNamed) pushes.push_back(n);
    }
  if (pushes.empty()) return;
  Dominators dominators(graph);
  bool any = false;
  for (Node* push : pushes) {
    NamedRegion region(graph, dominators, push);
    if (!region.vanishes()) continue;
    region.remove();
    any = true;
  }
  if (any) graph.place_stage();
}

}  // namespace eddy::jit
