// Loads in the order in which the next round waits for them.
//
// A loop over a list is no faster than its loads of the tail, each of which waits for the one of the round before. A
// processor starts first what stands first: behind the head's, such a load starts late where the loop keeps the units
// for loads busy, and all later rounds with it.
#include <algorithm>
#include <unordered_set>

#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

// Adds the loads by which a value is come to from the phi that takes it, if it is by loads alone.
void add_chain(const Node* phi, const Node* value, std::unordered_set<const Node*>& chain) {
  std::vector<const Node*> loads;
  const Node* at = strip(value);
  for (; at->op == NodeOp::Load; at = strip(at->inputs[0])) loads.push_back(at);
  if (at == phi) chain.insert(loads.begin(), loads.end());
}

// Whether two neighbours may change places: the object has to be in its home until it is loaded from.
bool independent(const Node* first, const Node* second) {
  if (first->op != NodeOp::Load && first->op != NodeOp::LoadFloat) return false;
  const Node* object = second->inputs[0];
  return first->inputs[0] == object && first->home != second->home && object->home != second->home;
}

}  // namespace

void order_loads(Graph& graph) {
  std::unordered_set<const Node*> chain;
  for (const Loop& loop : find_loops(graph)) {
    if (!is_quiet(loop)) continue;  // a call takes longer
    for (const Node* phi : loop.header->phis)
      for (size_t way = 0; way < loop.header->preds.size(); ++way)
        if (loop.has(loop.header->preds[way])) add_chain(phi, phi->inputs[way], chain);
  }
  if (chain.empty()) return;
  for (Block* b : graph.blocks)
    for (auto at = b->nodes.begin(); at != b->nodes.end(); ++at) {
      if (!chain.contains(*at)) continue;
      auto to = at;
      while (to != b->nodes.begin() && !chain.contains(to[-1]) && independent(to[-1], *at)) --to;
      std::rotate(to, at, at + 1);
    }
}

}  // namespace eddy::jit
