// Where values are used, and which are alive between blocks: what register allocation asks.
#pragma once
#include <cstdint>
#include <vector>

#include "jit/ir/ir.h"

namespace eddy::jit {

class Lifetimes {
 public:
  explicit Lifetimes(const Graph& graph);

  uint32_t position(const Node* n) const { return position_[n->id]; }
  // A use by a node (not only by a frame state) after `position`; far where there is none in sight.
  uint32_t next_use(const Node* n, uint32_t position) const;
  // Not needed after `position` in `block`, nor later.
  bool dead_after(const Node* n, uint32_t position, const Block* block) const;
  bool live_in(const Block* b, const Node* n) const { return test(live_in_, b, n); }
  bool live_out(const Block* b, const Node* n) const { return test(live_out_, b, n); }
  // The values that are alive where a block starts, but for its phis.
  const std::vector<Node*>& entering(const Block* b) const { return entering_[b->id]; }
  static constexpr uint32_t kFar = ~uint32_t{0};

 private:
  using Bits = std::vector<uint64_t>;
  bool test(const std::vector<Bits>& sets, const Block* b, const Node* n) const {
    return sets[b->id][n->id / 64] >> (n->id % 64) & 1;
  }
  void solve(const Graph& graph);

  std::vector<uint32_t> position_, end_of_;
  std::vector<std::vector<uint32_t>> uses_, all_uses_;
  std::vector<Bits> live_in_, live_out_;
  std::vector<std::vector<Node*>> entering_;
};

}  // namespace eddy::jit
