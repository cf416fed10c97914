// Which block every way to another one leads through.
#pragma once
#include <vector>

#include "jit/ir/ir.h"

namespace eddy::jit {

class Dominators {
 public:
  explicit Dominators(const Graph& graph);
  // Every way to `b` leads through `a`, which may be the same block.
  bool dominates(const Block* a, const Block* b) const { return enter_[a->id] <= enter_[b->id] && leave_[b->id] <= leave_[a->id]; }
  // In an order in which each stands behind those that dominate it.
  const std::vector<Block*>& order() const { return order_; }

 private:
  std::vector<Block*> order_;
  std::vector<uint32_t> enter_, leave_;  // of a walk over the tree, by block id
};

}  // namespace eddy::jit
