#include "jit/passes/loops.h"

#include <algorithm>

namespace eddy::jit {

std::vector<Loop> find_loops(const Graph& graph) {
  std::vector<size_t> place(graph.block_store.size());
  for (size_t i = 0; i < graph.blocks.size(); ++i) place[graph.blocks[i]->id] = i;
  std::vector<Loop> loops;
  for (Block* header : graph.blocks) {
    if (!header->loop) continue;
    Loop loop;
    loop.header = header;
    loop.inside.assign(graph.block_store.size(), 0);
    loop.inside[header->id] = 1;
    std::vector<Block*> work;
    unsigned ways_in = 0;
    bool regular = true;
    auto enter = [&](Block* b) {
      if (loop.inside[b->id]) return;
      // Something else leads into its middle.
      if (place[b->id] < place[header->id]) regular = false;
      loop.inside[b->id] = 1;
      work.push_back(b);
    };
    for (Block* p : header->preds) {
      if (place[p->id] >= place[header->id]) {
        enter(p);
      } else {
        ++ways_in;
        loop.before = p;
      }
    }
    while (!work.empty() && regular) {
      Block* b = work.back();
      work.pop_back();
      for (Block* p : b->preds) enter(p);
    }
    if (!regular || ways_in != 1 || loop.before->nodes.size() < 2) continue;
    for (Node* n : loop.before->nodes)
      if (n->op == NodeOp::Anchor) loop.anchor = n;
    if (!loop.anchor || loop.before->succs.size() != 1) continue;
    for (Block* b : graph.blocks)
      if (loop.has(b)) loop.blocks.push_back(b);
    if (loop.blocks.size() > 1 || header->succs.size() > 1) loops.push_back(std::move(loop));
  }
  std::stable_sort(loops.begin(), loops.end(),
                   [](const Loop& a, const Loop& b) { return a.blocks.size() < b.blocks.size(); });
  return loops;
}

Node* append(Graph& graph, Block* block, NodeOp op, std::initializer_list<Node*> inputs) {
  Node* n = graph.node(op);
  n->inputs = inputs;
  n->block = block;
  n->speculative = graph.speculate;
  block->nodes.insert(block->nodes.end() - 1, n);
  return n;
}

bool is_small(const Node* n) {
  while (n->op == NodeOp::Copy && !n->small) n = n->inputs[0];
  return n->small ? n->op != NodeOp::Alloc && n->type == Type::Tagged : n->is_const() && (n->imm & 1);
}

// One with an immediate that is no Int is.
bool compares_words(const Node* n) {
  if (n->known == 3) return true;
  auto c = static_cast<Condition>(n->imm);
  bool equality = c == Condition::Equal || c == Condition::NotEqual;
  return equality && n->inputs[1]->is_const() && Value{static_cast<Word>(n->inputs[1]->imm)}.is_imm();
}

namespace {
bool stays(const Node* n, bool comparisons) {
  const NodeInfo& info = info_of(n->op);
  if (info.call) return false;
  switch (n->op) {
    case NodeOp::ClauseEnter:
    case NodeOp::ClauseLeave:
    case NodeOp::CellEnv:
    case NodeOp::BranchCell:
    case NodeOp::Handle:
    case NodeOp::HandleEnd:
    case NodeOp::PushNamed:
    case NodeOp::PopNamed:
    case NodeOp::SetUp:
    case NodeOp::Alloc:
    case NodeOp::Box: return false;
    case NodeOp::Safepoint:
    case NodeOp::Store: return true;
    case NodeOp::Compare:
    case NodeOp::Branch: return !comparisons || compares_words(n);
    default: return !info.slow || n->speculative;
  }
}
}  // namespace

bool is_quiet(const Loop& loop) {
  for (const Block* b : loop.blocks)
    for (const Node* n : b->nodes)
      if (!stays(n, true)) return false;
  return true;
}

bool is_quiet_but_for_comparisons(const Loop& loop) {
  for (const Block* b : loop.blocks)
    for (const Node* n : b->nodes)
      if (!stays(n, false)) return false;
  return true;
}

}  // namespace eddy::jit
