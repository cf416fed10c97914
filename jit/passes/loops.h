// Loops of the graph, for passes that move code out of them.
#pragma once
#include <functional>
#include <unordered_set>
#include <vector>

#include "jit/ir/ir.h"

namespace eddy::jit {

struct Loop {
  Block* header = nullptr;
  Block* before = nullptr;          // its only way in; ends in an Anchor and a Jump
  Node* anchor = nullptr;
  std::vector<Block*> blocks;       // in their order
  std::vector<char> inside;         // by block id
  bool has(const Block* b) const { return b->id < inside.size() && inside[b->id]; }
  struct Exit { Block *from, *to; };
  bool defines(const Node* n) const { return !n->remade() && n->block && has(n->block); }
};

// Those with an anchor, inner ones first.
std::vector<Loop> find_loops(const Graph& graph);

// Puts a node into a block, in front of what ends it.
Node* append(Graph& graph, Block* block, NodeOp op, std::initializer_list<Node*> inputs);

inline const Node* strip(const Node* n) {
  while (n->op == NodeOp::Copy) n = n->inputs[0];
  return n;
}
inline Node* strip(Node* n) { return const_cast<Node*>(strip(static_cast<const Node*>(n))); }
// Small Ints that are constants.
Node* small_int(Graph& graph, int64_t value);
inline bool is_small_constant(const Node* n) { return n->is_const() && (n->imm & 1); }
inline int64_t constant_of(const Node* n) { return n->imm >> 1; }

bool is_small(const Node* n);
// The same in front of a loop, where it may have been checked.
bool is_small_before(const Loop& loop, Node* n);
// What a value is a copy of, within the loop: a value from outside can be used in front of it.
Node* outside(const Loop& loop, Node* n);

// A block with nothing but copies and one way in.
bool only_copies(const Block* b);
// Copies of those of the values that are wanted behind the loop on each way out of it, which are used there from now on; the
// blocks in which they stand.
std::unordered_set<const Block*> copy_on_ways_out(Graph& graph, const Loop& loop, const std::vector<Node*>& values);
// A block of its own on each way out of a loop, for copies; where there is one already, that.
std::vector<Loop::Exit> separate_exits(Graph& graph, const Loop& loop);
// A block on the way from one to the other.
Block* split(Graph& graph, Block* from, Block* to);
// The same, which belongs to the loop.
Block* split(Graph& graph, Loop& loop, Block* from, Block* to);
// The same frame state, each value replaced.
FrameState* with_values(Graph& graph, const FrameState* state, const std::function<Node*(Node*)>& replaced);

// Whether a loop is quiet, and its safepoint leaves.
bool polls(const Loop& loop);
// Whether a loop may keep more in registers than its frames have slots for: it never calls, and its slow paths leave.
bool is_quiet(const Loop& loop);
// The same, with comparisons of what may be no small Int left out of account.
bool is_quiet_but_for_comparisons(const Loop& loop);
// The same, with boxes left out of account as well.
bool is_quiet_but_for_boxes(const Loop& loop);
// Whether a node does not keep a loop from being quiet.
bool keeps_quiet(const Node* n);
// Whether a node neither looks at the context nor lets anybody look at the frames, unless it leaves.
bool keeps_to_itself(const Node* n);
// Operands of comparisons with Ints are checked, and so compared as words.
void settle_comparisons(Graph& graph, const Loop& loop);
// Whether a comparison is one of words.
bool compares_words(const Node* n);

}  // namespace eddy::jit
