// Floats that go round a loop, as doubles: what is a box whenever it comes round needs none while nobody looks. The way in is
// taken out of its box once in front of the loop; a new one is made on each way out, and where code leaves in the middle.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

class Floats {
 public:
  Floats(Graph& graph, Loop& loop) : g_(graph), loop_(loop) {}

  void run() {
    if (!g_.move_checks || !is_quiet_but_for_boxes(loop_)) return;
    find();
    if (!goes_round() || !used_as_doubles()) return;
    std::vector<Node*> values;
    for (Block* b : loop_.blocks)
      for (auto* list : {&b->phis, &b->nodes})
        for (Node* n : *list)
          if (n->type == Type::Tagged && member(source(n))) values.push_back(n);
    std::unordered_set<const Block*> exits = copy_on_ways_out(g_, loop_, values);
    make_doubles();
    for (Block* b : std::vector<Block*>(loop_.blocks))
      for (size_t i = 0; i < b->preds.size(); ++i) feed(b, i);
    convert();
    for (Block* b : g_.blocks)
      if (exits.count(b)) make_boxes(b);
  }

 private:
  // What a value is a copy of, within the loop.
  Node* source(Node* n) const {
    while (n->op == NodeOp::Copy && n->type == Type::Tagged && loop_.defines(n)) n = n->inputs[0];
    return n;
  }
  bool member(const Node* n) const { return phis_.count(n) || boxes_.count(n); }
  bool way_in(const Node* phi, size_t i) const { return phi->block == loop_.header && phi->block->preds[i] == loop_.before; }

  // Boxes, and the phis that nothing else comes to.
  void find() {
    for (Block* b : loop_.blocks) {
      for (const Node* n : b->nodes)
        if (n->op == NodeOp::Box || n->op == NodeOp::Rebox) boxes_.insert(n);
      for (const Node* phi : b->phis)
        if (phi->type == Type::Tagged && !phi->small) phis_.insert(phi);
    }
    for (bool changed = true; changed;) changed = std::erase_if(phis_, [&](const Node* phi) { return !suits(phi); }) != 0;
  }

  bool suits(const Node* phi) const {
    for (size_t i = 0; i < phi->inputs.size(); ++i) {
      Node* from = source(phi->inputs[i]);
      if (way_in(phi, i)) {
        if (from->is_const()) return false;
        continue;
      }
      // One phi's old value for another: it would have to be kept apart.
      if (!member(from) || (from != phi && from->op == NodeOp::Phi && from->block == phi->block)) return false;
    }
    return true;
  }

  // Whether there is a phi to which a box comes.
  bool goes_round() const {
    return std::any_of(phis_.begin(), phis_.end(), [&](const Node* phi) {
      return phi->block == loop_.header &&
             std::any_of(phi->inputs.begin(), phi->inputs.end(), [&](Node* i) { return source(i) != phi && member(source(i)); });
    });
  }

  // In the loop nobody may ask for the objects.
  bool used_as_doubles() const {
    for (const Block* b : loop_.blocks) {
      for (const Node* phi : b->phis)
        if (!phis_.count(phi))
          for (Node* i : phi->inputs)
            if (member(source(i))) return false;
      for (const Node* n : b->nodes) {
        if (n->op != NodeOp::Copy && n->op != NodeOp::Unbox)
          for (Node* i : n->inputs)
            if (member(source(i))) return false;
        for (const FrameState* s = n->state; s; s = s->parent) {
          if (s->entered && member(source(s->entered))) return false;
          for (const FrameState::Pending& p : s->stores)
            if (member(source(p.object)) || member(source(p.value))) return false;
        }
      }
    }
    return true;
  }

  // Each gets a place of its own, where no frame is.
  void make_doubles() {
    for (Block* b : loop_.blocks) {
      for (Node* phi : std::vector<Node*>(b->phis)) {
        if (!phis_.count(phi)) continue;
        Node* d = g_.node(NodeOp::Phi);
        d->type = Type::Float;
        d->home = g_.spill_slot();
        d->block = b;
        d->inputs.assign(phi->inputs.size(), nullptr);
        b->phis.push_back(d);
        doubles_[phi] = d;
      }
      for (Node* n : b->nodes) {
        if (!boxes_.count(n)) continue;
        n->op = NodeOp::Copy;
        n->type = Type::Float;
        n->home = g_.spill_slot();
        n->state = nullptr;
        n->known = 0;
        doubles_[n] = n;
      }
    }
  }

  Node* double_of(Node* n) const {
    auto found = doubles_.find(source(n));
    return found == doubles_.end() ? nullptr : found->second;
  }

  void feed(Block* b, size_t pred) {
    Block* from = nullptr;
    for (Node* phi : std::vector<Node*>(b->phis)) {
      if (!phis_.count(phi)) continue;
      Node *d = doubles_[phi], *input = phi->inputs[pred];
      if (way_in(phi, pred)) {
        d->inputs[pred] = first(d, input);
        continue;
      }
      Node* brought = double_of(input);
      if (brought != d) {
        if (!from) {
          from = b->preds[pred];
          if (from->succs.size() > 1) from = split(g_, loop_, from, b);
        }
        brought = append(g_, from, NodeOp::Copy, {brought});
        brought->type = Type::Float;
        brought->home = d->home;
      }
      d->inputs[pred] = brought;
    }
  }

  Node* first(const Node* d, Node* input) {
    Node* made = strip(input);
    if (made->op == NodeOp::Box && made->inputs[0]->remade()) return made->inputs[0];
    Node* n = append(g_, loop_.before, NodeOp::Unbox, {input});
    n->home = d->home;
    n->state = loop_.anchor->state;
    n->reason = Reason::Moved;
    n->known = made->op == NodeOp::Box || made->op == NodeOp::Rebox;
    return n;
  }

  void convert() {
    std::unordered_map<FrameState*, FrameState*> states;
    auto now = [&](Node* n) {
      Node* d = double_of(n);
      return d ? d : n;
    };
    for (Block* b : loop_.blocks)
      for (Node* n : b->nodes) {
        if (n->state) {
          FrameState*& state = states[n->state];
          if (!state) state = with_values(g_, n->state, now);
          n->state = state;
        }
        Node* d = n->op == NodeOp::Unbox ? double_of(n->inputs[0]) : nullptr;
        if (!d) continue;
        n->op = NodeOp::Copy;
        n->inputs = {d};
        n->state = nullptr;
        n->known = 0;
      }
    for (Block* b : loop_.blocks) {
      std::erase_if(b->phis, [&](const Node* n) { return phis_.count(n) != 0; });
      std::erase_if(b->nodes, [&](Node* n) { return n->op == NodeOp::Copy && n->type == Type::Tagged && double_of(n); });
    }
  }

  // What the loop leaves is a value again.
  void make_boxes(Block* b) {
    for (Node* n : b->nodes) {
      if (n->op != NodeOp::Copy || n->type != Type::Tagged) continue;
      Node* d = double_of(n->inputs[0]);
      if (!d) continue;
      n->op = NodeOp::Rebox;
      n->inputs = {d};
    }
  }

  Graph& g_;
  Loop& loop_;
  std::set<const Node*> phis_, boxes_;
  std::unordered_map<const Node*, Node*> doubles_;
};

}  // namespace

void unbox_loops(Graph& graph) {
  if (!graph.speculate) return;
  // Each loop anew: blocks come in between.
  std::set<Block*> done;
  for (bool more = true; more;) {
    more = false;
    for (Loop& loop : find_loops(graph)) {
      if (!done.insert(loop.header).second) continue;
      Floats(graph, loop).run();
      more = true;
      break;
    }
  }
}

}  // namespace eddy::jit
