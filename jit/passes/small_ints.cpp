// Which values are small Ints, loops included: what goes round a loop is one if every way to it gives one, where the
// way in is checked once in front of the loop.
#include <algorithm>
#include <unordered_map>

#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

class SmallInts {
 public:
  explicit SmallInts(Graph& graph) : g_(graph) {}

  void run() {
    for (Loop& l : find_loops(g_)) loops_[l.header] = std::move(l);
    assume();
    check_ways_in();
    check_results();
    for (Block* b : g_.blocks) refine(b);
  }

 private:
  // All phis are small, until one has an input that is none.
  void assume() {
    std::vector<Node*> assumed;
    for (Block* b : g_.blocks)
      for (Node* phi : b->phis)
        if (phi->type == Type::Tagged && !phi->small) {
          phi->small = true;
          assumed.push_back(phi);
        }
    for (bool changed = true; changed;) {
      changed = false;
      for (Node*& phi : assumed) {
        if (!phi || holds(phi)) continue;
        phi->small = false;
        phi = nullptr;
        changed = true;
      }
    }
  }

  bool holds(Node* phi) const {
    auto loop = loops_.find(phi->block);
    bool any = false;
    for (size_t i = 0; i < phi->inputs.size(); ++i) {
      bool small = is_small(phi->inputs[i]);
      any |= small;
      if (small) continue;
      if (safepoint_behind_call(phi, i)) continue;
      bool way_in = loop != loops_.end() && phi->block->preds[i] == loop->second.before;
      if (!way_in || !g_.move_checks || !g_.speculate || phi->inputs[i]->is_const()) return false;
    }
    return any;
  }

  // The check for interrupts behind a call of the function itself, whose result goes round a loop: it is a small Int where
  // the others are.
  Node* safepoint_behind_call(const Node* phi, size_t i) const {
    const Node* value = strip(phi->inputs[i]);
    if (!g_.speculate || !phi->block->loop || value->op != NodeOp::Call || value->aux != static_cast<rt::Function*>(g_.function)) return nullptr;
    const std::vector<Node*>& nodes = phi->block->preds[i]->nodes;
    auto safepoint = std::find_if(nodes.begin(), nodes.end(), [](const Node* n) { return n->op == NodeOp::Safepoint; });
    return safepoint == nodes.end() || value->block != phi->block->preds[i] ? nullptr : *safepoint;
  }

  static bool is_checked(const Block* b, const Node* value) {
    return std::any_of(b->nodes.begin(), b->nodes.end(), [&](const Node* n) { return n->op == NodeOp::GuardSmall && n->inputs[0] == value; });
  }

  void check_results() {
    for (auto& [header, loop] : loops_)
      for (Node* phi : header->phis) {
        if (!phi->small) continue;
        for (size_t i = 0; i < phi->inputs.size(); ++i) {
          Node* safepoint = is_small(phi->inputs[i]) ? nullptr : safepoint_behind_call(phi, i);
          if (!safepoint || is_checked(header->preds[i], phi->inputs[i])) continue;
          Node* guard = g_.node(NodeOp::GuardSmall);
          guard->inputs = {phi->inputs[i]};
          guard->block = header->preds[i];
          guard->state = safepoint->state;
          std::vector<Node*>& nodes = guard->block->nodes;
          nodes.insert(std::find(nodes.begin(), nodes.end(), safepoint), guard);
        }
      }
  }

  void check_ways_in() {
    for (auto& [header, loop] : loops_)
      for (Node* phi : header->phis) {
        if (!phi->small) continue;
        for (size_t i = 0; i < phi->inputs.size(); ++i)
          if (header->preds[i] == loop.before && !is_small(phi->inputs[i])) check_before(loop, phi->inputs[i]);
      }
  }

  void check_before(const Loop& loop, Node* value) {
    value = strip(value);
    for (Node* n : loop.before->nodes)
      if (n->op == NodeOp::GuardSmall && n->inputs[0] == value) return;
    Node* guard = append(g_, loop.before, NodeOp::GuardSmall, {value});
    guard->state = loop.anchor->state;
    guard->reason = Reason::Moved;
  }

  void refine(Block* b) {
    for (Node* n : b->nodes) {
      bool ints = arithmetic(n->op) || n->op == NodeOp::Compare || n->op == NodeOp::Branch;
      bool index = n->op == NodeOp::ArrayGet || n->op == NodeOp::ArrayGetF || n->op == NodeOp::StringAt;
      bool sets = n->op == NodeOp::ArraySet || n->op == NodeOp::ArraySetF;
      for (size_t i = 0; i < n->inputs.size() && i < 7; ++i) {
        bool counts = ints || (index && i == 1) || (sets && i == 1) || (n->op == NodeOp::ArraySet && i == 2) ||
                      (n->op == NodeOp::Store && i == 1) || n->op == NodeOp::IntToFloat;
        if (counts && is_small(n->inputs[i])) n->known |= static_cast<uint8_t>(1u << i);
      }
    }
    std::erase_if(b->nodes, [](Node* n) { return n->op == NodeOp::GuardSmall && is_small(n->inputs[0]); });
  }

  Graph& g_;
  std::unordered_map<Block*, Loop> loops_;
};

}  // namespace

void find_small_ints(Graph& graph) { SmallInts(graph).run(); }

}  // namespace eddy::jit
