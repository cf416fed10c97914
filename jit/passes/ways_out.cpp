// What a loop leaves for those behind it: a copy of each value on each way out, found again by whoever uses it.
#include <unordered_map>

#include "jit/passes/loops.h"

namespace eddy::jit {

namespace {

class WaysOut {
 public:
  WaysOut(Graph& graph, const Loop& loop, const std::vector<Node*>& values)
      : g_(graph), loop_(loop), values_(values), inside_(values.begin(), values.end()) {}

  std::unordered_set<const Block*> run() {
    std::unordered_set<Node*> wanted;
    auto want = [&](Node* n) {
      if (inside_.count(n)) wanted.insert(n);
    };
    for (Block* b : g_.blocks) {
      if (loop_.has(b)) continue;
      for (Node* n : b->phis)
        for (size_t i = 0; i < n->inputs.size(); ++i)
          if (!loop_.has(b->preds[i]) || inside_.count(n->inputs[i])) want(n->inputs[i]);
      for (Node* n : b->nodes) {
        for (Node* i : n->inputs) want(i);
        for (const FrameState* s = n->state; s; s = s->parent) each_value(s, want);
      }
    }
    for (const Loop::Exit& exit : separate_exits(g_, loop_)) exits_.insert(exit.to);
    for (Node* v : values_)
      if (wanted.count(v)) outside(v);
    return std::move(exits_);
  }

 private:
  void outside(Node* v) {
    std::unordered_map<Block*, Node*> known;
    std::vector<Node*> phis;
    for (Block* b : g_.blocks) {
      if (loop_.has(b) || exits_.count(b)) continue;
      // Phis use their inputs where the way comes from.
      for (Node* phi : b->phis)
        for (size_t i = 0; i < phi->inputs.size(); ++i)
          if (phi->inputs[i] == v) phi->inputs[i] = at(v, b->preds[i], known, phis);
      for (Node* n : b->nodes) {
        for (Node*& i : n->inputs)
          if (i == v) i = at(v, b, known, phis);
        if (any_value(n->state, [&](const Node* x) { return x == v; })) {
          Node* now = at(v, b, known, phis);
          n->state = with_values(g_, n->state, [&](Node* x) { return x == v ? now : x; });
        }
      }
    }
  }

  // The copy of `v` that holds at the end of `b`.
  Node* at(Node* v, Block* b, std::unordered_map<Block*, Node*>& known, std::vector<Node*>& phis) {
    // A way up to a block that is known already, or several: no recursion, the graph may be deep.
    struct Open {
      Block* block;
      size_t next;
    };
    if (Node* n = known[b]) return n;
    std::vector<Open> work{{b, 0}};
    while (!work.empty()) {
      Open& top = work.back();
      Block* here = top.block;
      if (exits_.count(here)) {
        Node*& n = known[here];
        if (!n) n = copy_at_start(v, here);
        work.pop_back();
        continue;
      }
      if (here->preds.size() > 1 && !known[here]) {
        Node* phi = g_.node(NodeOp::Phi);
        phi->home = v->home;
        phi->type = v->type;
        phi->small = v->small;
        phi->block = here;
        here->phis.push_back(phi);
        phi->inputs.assign(here->preds.size(), nullptr);
        known[here] = phi;
      }
      if (top.next < here->preds.size()) {
        Block* pred = here->preds[top.next++];
        if (!known[pred]) work.push_back({pred, 0});
        continue;
      }
      if (here->preds.size() == 1) {
        known[here] = known[here->preds[0]];
      } else {
        Node* phi = known[here];
        for (size_t i = 0; i < here->preds.size(); ++i) phi->inputs[i] = known[here->preds[i]];
      }
      work.pop_back();
    }
    return known[b];
  }

  Node* copy_at_start(Node* v, Block* b) {
    Node* copy = g_.node(NodeOp::Copy);
    copy->inputs = {v};
    copy->type = v->type;
    copy->small = v->small;
    copy->home = v->home;
    copy->block = b;
    b->nodes.insert(b->nodes.begin(), copy);
    return copy;
  }

  Graph& g_;
  const Loop& loop_;
  const std::vector<Node*>& values_;
  std::unordered_set<const Node*> inside_;
  std::unordered_set<const Block*> exits_;
};

}  // namespace

std::unordered_set<const Block*> copy_on_ways_out(Graph& graph, const Loop& loop, const std::vector<Node*>& values) {
  return WaysOut(graph, loop, values).run();
}

}  // namespace eddy::jit
