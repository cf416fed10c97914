// By Cooper, Harvey and Kennedy's iteration: graphs are small and nearly always reducible.
#include "jit/passes/dominators.h"

#include <algorithm>

namespace eddy::jit {

namespace {
constexpr uint32_t kNone = ~uint32_t{0};
}

Dominators::Dominators(const Graph& graph) : enter_(graph.block_store.size()), leave_(graph.block_store.size()) {
  size_t count = graph.block_store.size();
  std::vector<char> seen(count);
  struct Open {
    Block* block;
    size_t next;
  };
  std::vector<Open> work{{graph.blocks[0], 0}};
  seen[graph.blocks[0]->id] = 1;
  while (!work.empty()) {
    Open& top = work.back();
    if (top.next == top.block->succs.size()) {
      order_.push_back(top.block);
      work.pop_back();
      continue;
    }
    Block* next = top.block->succs[top.next++];
    if (seen[next->id]) continue;
    seen[next->id] = 1;
    work.push_back({next, 0});
  }
  std::reverse(order_.begin(), order_.end());
  std::vector<uint32_t> place(count, kNone), above(order_.size(), kNone);
  for (size_t i = 0; i < order_.size(); ++i) place[order_[i]->id] = static_cast<uint32_t>(i);
  above[0] = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = 1; i < order_.size(); ++i) {
      uint32_t met = kNone;
      for (const Block* p : order_[i]->preds) {
        uint32_t other = place[p->id];
        if (other == kNone || above[other] == kNone) continue;
        if (met == kNone) {
          met = other;
          continue;
        }
        while (met != other) {
          while (other > met) other = above[other];
          while (met > other) met = above[met];
        }
      }
      if (above[i] == met) continue;
      above[i] = met;
      changed = true;
    }
  }
  std::vector<std::vector<uint32_t>> below(order_.size());
  for (uint32_t i = 1; i < order_.size(); ++i) below[above[i]].push_back(i);
  struct Visit {
    uint32_t block;
    size_t next;
  };
  uint32_t clock = 1;
  std::vector<Visit> walk{{0, 0}};
  enter_[order_[0]->id] = clock++;
  while (!walk.empty()) {
    Visit& top = walk.back();
    if (top.next == below[top.block].size()) {
      leave_[order_[top.block]->id] = clock++;
      walk.pop_back();
      continue;
    }
    uint32_t next = below[top.block][top.next++];
    enter_[order_[next]->id] = clock++;
    walk.push_back({next, 0});
  }
}

}  // namespace eddy::jit
