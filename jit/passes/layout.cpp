// The order in which blocks are emitted: a loop's blocks stand together, what it leaves for comes behind them.
#include <algorithm>

#include "jit/options.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {
// The loop of `header`, as blocks by id; empty where something leads into its middle.
std::vector<char> blocks_of(const Graph& graph, size_t header, const std::vector<size_t>& place, size_t* last) {
  std::vector<char> inside(graph.block_store.size());
  std::vector<const Block*> work;
  const Block* head = graph.blocks[header];
  inside[head->id] = 1;
  *last = header;
  for (const Block* p : head->preds)
    if (place[p->id] >= header) {
      *last = std::max(*last, place[p->id]);
      if (!inside[p->id]) work.push_back(p);
      inside[p->id] = 1;
    }
  while (!work.empty()) {
    const Block* b = work.back();
    work.pop_back();
    if (place[b->id] < header) return {};
    for (const Block* p : b->preds)
      if (!inside[p->id]) {
        inside[p->id] = 1;
        work.push_back(p);
      }
  }
  return inside;
}

// As std::stable_partition, whose temporary buffer the library warns about.
template <class It, class Test>
void put_first(It from, It to, Test test) {
  std::vector<Block*> others;
  for (It at = from; at != to; ++at) {
    if (test(*at)) *from++ = *at;
    else others.push_back(*at);
  }
  std::copy(others.begin(), others.end(), from);
}
}  // namespace

const char* flag_of(Pass pass) {
  static constexpr const char* flags[] = {
#define PASS(name, flag, doc) flag,
#include "jit/passes/passes.def"
#undef PASS
  };
  return flags[static_cast<size_t>(pass)];
}

void lay_out(Graph& graph) {
  // What is not expected to run stands out of the way, and so does what is only reached from there.
  std::vector<char> met(graph.block_store.size());
  for (Block* b : graph.blocks) {
    auto expected = [&](const Block* p) { return met[p->id] && !p->cold; };
    if (b != graph.blocks[0] && std::none_of(b->preds.begin(), b->preds.end(), expected)) b->cold = true;
    met[b->id] = 1;
  }
  put_first(graph.blocks.begin(), graph.blocks.end(), [](const Block* b) { return !b->cold; });
  std::vector<size_t> place(graph.block_store.size());
  for (size_t header = 0; header < graph.blocks.size(); ++header) {
    if (!graph.blocks[header]->loop) continue;
    for (size_t i = 0; i < graph.blocks.size(); ++i) place[graph.blocks[i]->id] = i;
    size_t last = header;
    std::vector<char> inside = blocks_of(graph, header, place, &last);
    if (inside.empty() || last == header) continue;
    auto from = graph.blocks.begin() + static_cast<std::ptrdiff_t>(header);
    auto to = graph.blocks.begin() + static_cast<std::ptrdiff_t>(last) + 1;
    // A block of a handler that was found follows the test.
    bool fixed = std::any_of(from, to, [&](const Block* b) {
      return b->end()->op == NodeOp::BranchCell && inside[b->id] != inside[b->succs[0]->id];
    });
    if (!fixed) put_first(from, to, [&](const Block* b) { return inside[b->id] != 0; });
  }
}

}  // namespace eddy::jit
