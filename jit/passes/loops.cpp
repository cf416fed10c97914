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
    if (loop.blocks.size() == 1 && header->succs.size() <= 1) continue;
    auto larger = std::upper_bound(loops.begin(), loops.end(), loop.blocks.size(),
                                   [](size_t size, const Loop& other) { return size < other.blocks.size(); });
    loops.insert(larger, std::move(loop));
  }
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

namespace {
// Between two blocks, along one of the edges from the one to the other.
Block* put_between(Graph& graph, Block* from, Block* to, std::vector<Block*>::iterator place) {
  Block* between = graph.block();
  between->preds = {from};
  between->succs = {to};
  *std::find(from->succs.begin(), from->succs.end(), to) = between;
  *std::find(to->preds.begin(), to->preds.end(), from) = between;
  Node* jump = graph.node(NodeOp::Jump);
  jump->block = between;
  between->nodes = {jump};
  graph.blocks.insert(place, between);
  return between;
}
}  // namespace

bool only_copies(const Block* b) {
  return b->preds.size() == 1 && b->phis.empty() && b->end()->op == NodeOp::Jump &&
         std::all_of(b->nodes.begin(), b->nodes.end() - 1, [](const Node* n) { return n->op == NodeOp::Copy; });
}

std::vector<Loop::Exit> separate_exits(Graph& graph, const Loop& loop) {
  std::vector<Loop::Exit> exits;
  for (Block* b : loop.blocks)
    for (size_t i = 0; i < b->succs.size(); ++i) {
      Block* to = b->succs[i];
      if (loop.has(to)) continue;
      if (!only_copies(to)) {
        bool cold = to->cold;
        to = put_between(graph, b, to, std::find(graph.blocks.begin(), graph.blocks.end(), to));
        to->cold = cold;
      }
      exits.push_back({b, to});
    }
  return exits;
}

Block* split(Graph& graph, Block* from, Block* to) {
  return put_between(graph, from, to, std::find(graph.blocks.begin(), graph.blocks.end(), from) + 1);
}

Block* split(Graph& graph, Loop& loop, Block* from, Block* to) {
  Block* between = split(graph, from, to);
  loop.inside.resize(graph.block_store.size());
  loop.inside[between->id] = 1;
  loop.blocks.insert(std::find(loop.blocks.begin(), loop.blocks.end(), from) + 1, between);
  return between;
}

FrameState* with_values(Graph& graph, const FrameState* state, const std::function<Node*(Node*)>& replaced) {
  if (!state) return nullptr;
  FrameState* first = nullptr;
  const FrameState** link = nullptr;
  for (const FrameState* s = state; s; s = s->parent) {
    FrameState* made = graph.state();
    *made = *s;
    for (FrameState::Entry& e : made->values) {
      Node* now = replaced(e.node);
      e.boxed |= e.node->type == Type::Tagged && now->type == Type::Float;
      e.node = now;
    }
    if (made->entered) made->entered = replaced(made->entered);
    for (FrameState::Pending& p : made->stores) {
      p.object = replaced(p.object);
      p.value = replaced(p.value);
    }
    for (FrameState::Virtual& v : made->objects)
      for (FrameState::Virtual::Field& f : v.fields) {
        if (!f.node) continue;
        Node* now = replaced(f.node);
        f.boxed |= f.node->type == Type::Tagged && now->type == Type::Float;
        f.node = now;
      }
    if (link) *link = made;
    else first = made;
    link = &made->parent;
  }
  return first;
}

bool polls(const Loop& loop) {
  if (!is_quiet(loop)) return false;
  for (const Block* b : loop.blocks)
    for (const Node* n : b->nodes)
      if (n->op == NodeOp::Safepoint) return false;
  return true;
}

bool is_small(const Node* n) {
  while (n->op == NodeOp::Copy && !n->small) n = n->inputs[0];
  return n->small ? n->op != NodeOp::Alloc && n->type == Type::Tagged : n->is_const() && (n->imm & 1);
}

Node* small_int(Graph& graph, int64_t value) {
  Node* n = graph.node(NodeOp::Const);
  n->imm = static_cast<int64_t>(rt::small_int(value).bits);
  return n;
}

bool is_small_before(const Loop& loop, Node* n) {
  if (is_small(n)) return true;
  n = strip(n);
  for (const Node* guard : loop.before->nodes)
    if (guard->op == NodeOp::GuardSmall && strip(guard->inputs[0]) == n) return true;
  return false;
}

Node* outside(const Loop& loop, Node* n) {
  while (n->op == NodeOp::Copy && loop.defines(n)) n = n->inputs[0];
  return n;
}

// One with an immediate that is no Int is.
bool compares_words(const Node* n) {
  if (n->known == 3) return true;
  auto c = static_cast<Condition>(n->imm);
  bool equality = c == Condition::Equal || c == Condition::NotEqual;
  return equality && n->inputs[1]->is_const() && Value{static_cast<Word>(n->inputs[1]->imm)}.is_imm();
}

namespace {
bool stays(const Node* n, bool comparisons, bool boxes = true) {
  const NodeInfo& info = info_of(n->op);
  if (info.call) return false;
  switch (n->op) {
    case NodeOp::ClauseEnter:
    case NodeOp::ClauseLeave:
    case NodeOp::CellEnv:
    case NodeOp::BranchCell:
    case NodeOp::Handle:
    case NodeOp::HandleEnd:
    case NodeOp::HandleAbort:
    case NodeOp::PushGuard:
    case NodeOp::PopGuard:
    case NodeOp::PushNamed:
    case NodeOp::PopNamed:
    case NodeOp::SetUp:
    case NodeOp::Alloc: return false;
    case NodeOp::Box:
    case NodeOp::Rebox:
    case NodeOp::Remake: return !boxes;
    case NodeOp::Safepoint:
    case NodeOp::Store: return true;
    case NodeOp::Compare:
    case NodeOp::Branch: return !comparisons || compares_words(n);
    default: return !info.slow || n->speculative;
  }
}
}  // namespace

bool keeps_quiet(const Node* n) { return stays(n, true); }

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

bool is_quiet_but_for_boxes(const Loop& loop) {
  for (const Block* b : loop.blocks)
    for (const Node* n : b->nodes)
      if (!stays(n, false, false)) return false;
  return true;
}

}  // namespace eddy::jit
