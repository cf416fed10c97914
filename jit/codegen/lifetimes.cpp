#include "jit/codegen/lifetimes.h"

#include <algorithm>

namespace eddy::jit {

namespace {
template <class F>
void each_use(const Node* n, F f) {
  for (Node* i : n->inputs)
    if (!i->remade()) f(i, true);
  for (const FrameState* s = n->state; s; s = s->parent)
    each_value(s, [&](Node* v) {
      if (!v->remade()) f(v, false);
    });
}
}  // namespace

Lifetimes::Lifetimes(const Graph& graph)
    : position_(graph.node_store.size()),
      end_of_(graph.block_store.size()),
      uses_(graph.node_store.size()),
      all_uses_(graph.node_store.size()),
      live_in_(graph.block_store.size()),
      live_out_(graph.block_store.size()),
      entering_(graph.block_store.size()) {
  uint32_t at = 2;
  for (const Block* b : graph.blocks) {
    for (const Node* n : b->phis) position_[n->id] = at;
    at += 2;
    for (const Node* n : b->nodes) {
      position_[n->id] = at;
      each_use(n, [&](Node* v, bool real) {
        if (real) uses_[v->id].push_back(at);
        all_uses_[v->id].push_back(at);
      });
      at += 2;
    }
    // Phi inputs are used on the edge, after the last node.
    for (const Block* s : b->succs)
      for (size_t i = 0; i < s->preds.size(); ++i)
        if (s->preds[i] == b)
          for (const Node* phi : s->phis)
            if (!phi->inputs[i]->remade()) {
              uses_[phi->inputs[i]->id].push_back(at - 1);
              all_uses_[phi->inputs[i]->id].push_back(at - 1);
            }
    end_of_[b->id] = at - 1;
  }
  solve(graph);
}

void Lifetimes::solve(const Graph& graph) {
  size_t words = (graph.node_store.size() + 63) / 64;
  for (const Block* b : graph.blocks) {
    live_in_[b->id].assign(words, 0);
    live_out_[b->id].assign(words, 0);
  }
  auto set = [](Bits& bits, const Node* n) { bits[n->id / 64] |= uint64_t{1} << (n->id % 64); };
  auto clear = [](Bits& bits, const Node* n) { bits[n->id / 64] &= ~(uint64_t{1} << (n->id % 64)); };
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t k = graph.blocks.size(); k-- > 0;) {
      const Block* b = graph.blocks[k];
      Bits live(words);
      for (const Block* s : b->succs)
        for (size_t w = 0; w < words; ++w) live[w] |= live_in_[s->id][w];
      live_out_[b->id] = live;
      for (const Block* s : b->succs)
        for (size_t i = 0; i < s->preds.size(); ++i)
          if (s->preds[i] == b)
            for (const Node* phi : s->phis)
              if (!phi->inputs[i]->remade()) set(live, phi->inputs[i]);
      for (size_t i = b->nodes.size(); i-- > 0;) {
        clear(live, b->nodes[i]);
        each_use(b->nodes[i], [&](Node* v, bool) { set(live, v); });
      }
      for (const Node* phi : b->phis) clear(live, phi);
      if (live != live_in_[b->id]) {
        live_in_[b->id] = std::move(live);
        changed = true;
      }
    }
  }
  for (const Block* b : graph.blocks)
    for (size_t w = 0; w < words; ++w)
      for (uint64_t bits = live_in_[b->id][w]; bits; bits &= bits - 1)
        entering_[b->id].push_back(
            const_cast<Node*>(&graph.node_store[w * 64 + static_cast<size_t>(std::countr_zero(bits))]));
}

uint32_t Lifetimes::next_use(const Node* n, uint32_t position) const {
  const auto& uses = uses_[n->id];
  auto next = std::upper_bound(uses.begin(), uses.end(), position);
  return next == uses.end() ? kFar : *next;
}

bool Lifetimes::dead_after(const Node* n, uint32_t position, const Block* block) const {
  if (live_out(block, n)) return false;
  const auto& uses = all_uses_[n->id];
  auto next = std::upper_bound(uses.begin(), uses.end(), position);
  return next == uses.end() || *next > end_of_[block->id];
}

}  // namespace eddy::jit
