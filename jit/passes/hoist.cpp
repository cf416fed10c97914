// Moves out of loops what is the same in every round: checks, handlers that are found, fields nobody writes.
//
// What is moved lives longer than the register it was made for holds it, so it gets a slot that belongs to no frame.
// Nobody looks for values there: only loops that never call and never collect qualify.
#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

class Hoist {
 public:
  Hoist(Graph& graph, Loop& loop) : g_(graph), loop_(loop) {}

  void run() {
    if (!g_.speculate || !is_quiet_but_for_comparisons(loop_)) return;
    if (g_.compare_ints) settle_comparisons(g_, loop_);
    if (!is_quiet(loop_)) return;
    for (Block* b : loop_.blocks)
      for (Node* n : b->nodes)
        if (n->op == NodeOp::Safepoint) {
          n->op = NodeOp::Poll;
          n->reason = Reason::Request;
        }
    find_stores();
    find_outside_uses();
    for (Block* b : loop_.blocks)
      if (!b->cold) move(b);
    if (!same_.empty()) replace();
  }

 private:
  void find_stores() {
    for (Block* b : loop_.blocks)
      for (Node* n : b->nodes) {
        if (n->op == NodeOp::Store || n->op == NodeOp::StoreWord || n->op == NodeOp::StoreFloat) stored_.insert(n->imm);
        sets_globals_ |= n->op == NodeOp::GlobalSet;
      }
  }

  // Values that are wanted behind the loop, or go round it, stay where they are.
  void find_outside_uses() {
    auto use = [&](Node* n) { outside_.insert(n); };
    for (Block* b : g_.blocks) {
      for (Node* n : b->phis)
        for (Node* i : n->inputs) use(i);
      if (loop_.has(b) || only_leaves(b)) continue;
      for (Node* n : b->nodes) {
        for (Node* i : n->inputs) use(i);
        for (const FrameState* s = n->state; s; s = s->parent)
          each_value(s, use);
      }
    }
  }

  // Code that is left behind the loop at once counts as the loop's: nothing is called in between.
  bool only_leaves(const Block* b) const {
    return b->nodes.size() == 1 && b->end()->op == NodeOp::Leave &&
           std::all_of(b->preds.begin(), b->preds.end(), [&](const Block* p) { return loop_.has(p); });
  }

  bool field_is_there(const Node* n) const {
    const Node* object = n->inputs[0];
    return (n->known & kAlwaysThere) || checked_.count(object) || n->block == loop_.header;
  }

  bool is_constant(const Node* n) const {
    for (const Node* i : n->inputs)
      if (loop_.defines(i)) return false;
    switch (n->op) {
      case NodeOp::FindNode:
      case NodeOp::LoadAt:
      case NodeOp::CheckKind:
      case NodeOp::CheckCon:
      case NodeOp::GuardSmall:
      case NodeOp::CheckFunction:
      case NodeOp::ArrayLen:
      case NodeOp::Unbox: return true;
      case NodeOp::Load:
      case NodeOp::LoadFloat: return !stored_.count(n->imm) && field_is_there(n);
      case NodeOp::GlobalGet: return !sets_globals_;
      case NodeOp::FAdd:
      case NodeOp::FSub:
      case NodeOp::FMul:
      case NodeOp::FDiv:
      case NodeOp::FNeg:
      case NodeOp::FAbs:
      case NodeOp::FSqrt:
      case NodeOp::FRound: return true;
      default: return false;
    }
  }

  void move(Block* b) {
    std::vector<Node*> kept;
    for (Node* n : b->nodes) {
      bool leaves = info_of(n->op).leaves;
      for (Node*& i : n->inputs) i = leader(i);
      if (!is_constant(n) || outside_.count(n) || (leaves && !g_.move_checks)) {
        kept.push_back(n);
        continue;
      }
      if (n->op == NodeOp::CheckKind || n->op == NodeOp::CheckCon) checked_.insert(n->inputs[0]);
      if (Node* before = already_there(n)) {
        if (n->type != Type::None) same_[n] = before;
        continue;
      }
      // What was known of it may have come from the loop.
      if (n->op != NodeOp::Load) n->known = 0;
      if (leaves) {
        n->state = loop_.anchor->state;
        if (n->op != NodeOp::FindNode && n->op != NodeOp::CheckFunction) n->reason = Reason::Moved;
      }
      if (n->type != Type::None) n->home = g_.spill_slot();
      n->block = loop_.before;
      loop_.before->nodes.insert(loop_.before->nodes.end() - 1, n);
    }
    b->nodes = std::move(kept);
  }

  Node* already_there(Node* n) {
    auto effect = [](const Node* x) { return static_cast<const vm::PerformCell*>(x->aux)->effect; };
    for (Node* m : loop_.before->nodes) {
      if (m->op != n->op || m->imm != n->imm || m->inputs != n->inputs) continue;
      if (n->op == NodeOp::FindNode ? effect(n) != effect(m) : n->op != NodeOp::Load && m->aux != n->aux) continue;
      if (m->type == Type::None || g_.is_spill(m->home)) return m;
    }
    return nullptr;
  }

  Node* leader(Node* n) const {
    auto found = same_.find(n);
    return found == same_.end() ? n : found->second;
  }

  void replace() {
    for (Block* b : g_.blocks)
      for (Node* n : b->nodes) {
        for (Node*& i : n->inputs) i = leader(i);
        for (FrameState* s = n->state; s; s = const_cast<FrameState*>(s->parent)) {
          for (FrameState::Entry& e : s->values) e.node = leader(e.node);
          if (s->entered) s->entered = leader(s->entered);
          for (FrameState::Virtual& v : s->objects)
            for (FrameState::Virtual::Field& f : v.fields)
              if (f.node) f.node = leader(f.node);
        }
      }
  }

  Graph& g_;
  Loop& loop_;
  std::set<int64_t> stored_;  // offsets of fields
  bool sets_globals_ = false;
  std::unordered_set<const Node*> outside_, checked_;
  std::unordered_map<Node*, Node*> same_;
};

}  // namespace

// What is compared with an Int is an Int, and most Ints are small. One comparison may tell about another.
void settle_comparisons(Graph& graph, const Loop& loop) {
  std::unordered_set<const Node*> ints, settled;
  for (Block* b : loop.blocks)
    for (Node* n : b->nodes)
      if (n->op == NodeOp::GuardSmall) ints.insert(strip(n->inputs[0]));
  auto is_int = [&](Node* n) { return is_small(n) || ints.count(strip(n)); };
  auto settle = [&](Block* b, size_t i) {
    Node* n = b->nodes[i];
    if ((n->op != NodeOp::Compare && n->op != NodeOp::Branch) || compares_words(n) || settled.count(n)) return false;
    if (!is_int(n->inputs[0]) && !is_int(n->inputs[1])) return false;
    settled.insert(n);
    bool both = true;
    for (Node* operand : n->inputs) {
      if (is_small(operand)) continue;
      if (operand->is_const()) {
        both = false;
        continue;
      }
      Node* guard = graph.node(NodeOp::GuardSmall);
      guard->inputs = {operand};
      guard->block = b;
      guard->state = n->state;
      guard->reason = Reason::Order;
      b->nodes.insert(b->nodes.begin() + static_cast<std::ptrdiff_t>(i++), guard);
      ints.insert(strip(operand));
    }
    if (both) n->known = 3;
    return true;
  };
  for (bool more = true; more;) {
    more = false;
    for (Block* b : loop.blocks)
      for (size_t i = 0; i < b->nodes.size(); ++i) more |= settle(b, i);
  }
}

void move_callees(Graph& graph) {
  if (!graph.speculate || !graph.move_checks) return;
  for (Loop& loop : find_loops(graph))
    for (Block* b : loop.blocks) {
      if (b->cold) continue;
      for (Node* n : std::vector<Node*>(b->nodes)) {
        if (n->op != NodeOp::CheckFunction || loop.defines(n->inputs[0])) continue;
        std::erase(b->nodes, n);
        n->state = loop.anchor->state;
        n->block = loop.before;
        loop.before->nodes.insert(loop.before->nodes.end() - 1, n);
      }
    }
}

void hoist(Graph& graph) {
  for (Loop& loop : find_loops(graph)) Hoist(graph, loop).run();
}

}  // namespace eddy::jit
