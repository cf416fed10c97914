// Gives the values of a quiet loop places of their own. While such a loop runs nobody looks at its frame, so its values
// need not stand in the slots of the bytecode's registers; what they are put into other registers for goes away. What is
// wanted behind the loop is copied to its slot on the way out.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

constexpr size_t kMaxValues = 300;

class Detach {
 public:
  Detach(Graph& graph, Loop& loop) : g_(graph), loop_(loop) {}

  void run() {
    find_values();
    if (values_.empty() || values_.size() > kMaxValues) return;
    exits_ = copy_on_ways_out(g_, loop_, values_);
    own_places();
    see_through_copies();
  }

 private:
  void find_values() {
    for (Block* b : loop_.blocks)
      for (auto* list : {&b->phis, &b->nodes})
        for (Node* n : *list)
          if (n->type != Type::None && !n->remade()) values_.push_back(n);
  }

  // --- inside
  void own_places() {
    for (Node* v : values_) v->home = g_.spill_slot();
    for (Block* b : std::vector<Block*>(loop_.blocks))
      if (!b->phis.empty())
        for (size_t i = 0; i < b->preds.size(); ++i) feed(b, i);
  }

  // What a way brings to a block's phis is put into their places at its end: after that nothing uses what stood there.
  void feed(Block* b, size_t pred) {
    bool any = std::any_of(b->phis.begin(), b->phis.end(), [&](Node* phi) { return !phi->inputs[pred]->remade(); });
    if (!any) return;
    Block* from = b->preds[pred];
    if (from->succs.size() > 1) from = split(g_, loop_, from, b);
    std::vector<Node*> sources;
    for (Node* phi : b->phis) {
      Node* source = phi->inputs[pred];
      // One phi's old value for another: it would be overwritten.
      if (source->op == NodeOp::Phi && source->block == b && source != phi) source = copy_at_end(source, from, g_.spill_slot());
      sources.push_back(source);
    }
    for (size_t i = 0; i < b->phis.size(); ++i) {
      Node* phi = b->phis[i];
      if (sources[i]->remade() || sources[i] == phi) continue;
      Node* copy = copy_at_end(sources[i], from, phi->home);
      phi->inputs[pred] = copy;
      kept_.insert(copy);
    }
  }

  Node* copy_at_end(Node* source, Block* b, int home) {
    Node* copy = append(g_, b, NodeOp::Copy, {source});
    copy->type = source->type;
    copy->small = source->small;
    copy->home = home;
    return copy;
  }

  void see_through_copies() {
    std::unordered_map<Node*, Node*> imported;
    for (Block* b : loop_.blocks)
      for (Node* n : b->nodes) {
        if (n->op != NodeOp::Copy || kept_.count(n)) continue;
        Node* source = leader(n->inputs[0]);
        if (!source->remade() && !loop_.defines(source) && !g_.is_spill(source->home)) {
          Node*& copy = imported[source];
          if (!copy) copy = copy_at_end(source, loop_.before, g_.spill_slot());
          source = copy;
        }
        leaders_[n] = source;
      }
    std::unordered_map<FrameState*, FrameState*> states;
    auto lead = [&](Node* n) { return leader(n); };
    for (Block* b : g_.blocks) {
      if (!loop_.has(b) && !exits_.count(b)) continue;
      for (Node* n : b->nodes) {
        for (Node*& i : n->inputs) i = leader(i);
        if (!n->state || !loop_.has(b)) continue;
        FrameState*& state = states[n->state];
        if (!state) state = with_values(g_, n->state, lead);
        n->state = state;
      }
    }
    for (Block* b : loop_.blocks)
      for (Node* phi : b->phis)
        for (Node*& i : phi->inputs)
          if (!kept_.count(i)) i = leader(i);
    for (Block* b : loop_.blocks) std::erase_if(b->nodes, [&](Node* n) { return leaders_.count(n) != 0; });
  }

  Node* leader(Node* n) const {
    auto found = leaders_.find(n);
    return found == leaders_.end() ? n : found->second;
  }

  Graph& g_;
  Loop& loop_;
  std::vector<Node*> values_;
  std::unordered_set<const Node*> kept_;
  std::unordered_set<const Block*> exits_;
  std::unordered_map<Node*, Node*> leaders_;
};

}  // namespace

void detach(Graph& graph) {
  if (!graph.speculate) return;
  std::vector<const Block*> done;
  for (bool more = true; more;) {
    more = false;
    std::vector<Loop> loops = find_loops(graph);
    // Outer ones first: they take what is in them along.
    for (size_t i = loops.size(); i-- > 0 && !more;) {
      Loop& loop = loops[i];
      if (std::find(done.begin(), done.end(), loop.header) != done.end() || !polls(loop)) continue;
      for (const Loop& inner : loops)
        if (loop.has(inner.header)) done.push_back(inner.header);
      done.push_back(loop.header);
      Detach(graph, loop).run();
      more = true;
    }
  }
}

}  // namespace eddy::jit
