// The nodes behind one, on all ways from there.
#pragma once
#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

#include "jit/ir/ir.h"

namespace eddy::jit {

enum class Way : uint8_t { GoesOn, Ends, Fails };

// `visit` is asked of each node behind `start` in `block`, and says whether the way ends with it; `enters`, whether a way may lead
// into a block. False where one of them objects.
template <class Visit, class Enters>
bool walk_behind(Block* block, const Node* start, Visit visit, Enters enters) {
  std::unordered_set<const Block*> seen;
  auto place = std::find(block->nodes.begin(), block->nodes.end(), start);
  std::vector<std::pair<Block*, size_t>> work{{block, static_cast<size_t>(place - block->nodes.begin()) + 1}};
  while (!work.empty()) {
    auto [b, i] = work.back();
    work.pop_back();
    Way way = Way::GoesOn;
    for (; i < b->nodes.size() && way == Way::GoesOn; ++i) way = visit(b, b->nodes[i]);
    if (way == Way::Fails) return false;
    if (way == Way::Ends) continue;
    for (Block* s : b->succs) {
      if (!seen.insert(s).second) continue;
      if (!enters(s)) return false;
      work.push_back({s, 0});
    }
  }
  return true;
}

}  // namespace eddy::jit
