// Indices that a loop counts, and what its tests say of them: where every access in a loop is within the array, that is
// checked once in front of the loop, and so is that it is an array at all.
//
// What counts up from 0 or more is below the length where a test before the access keeps it below what is at most the
// length; what counts down from below the length is an index as long as a test keeps it from getting negative. Arrays never
// change their length.
#include <algorithm>
#include <map>

#include "jit/passes/dominators.h"
#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

bool reads(const Node* n) { return n->op == NodeOp::ArrayGet || n->op == NodeOp::ArrayGetF; }
bool writes(const Node* n) { return n->op == NodeOp::ArraySet || n->op == NodeOp::ArraySetF; }

class Bounds {
 public:
  Bounds(Graph& graph, const Loop& loop, const Dominators& dominators) : g_(graph), loop_(loop), dominators_(dominators) {}

  void run() {
    for (Block* b : loop_.blocks) {
      if (b->cold) continue;
      for (Node* n : b->nodes)
        if ((reads(n) || writes(n)) && n->speculative) access(n);
    }
  }

 private:
  enum Way { Up, Down };

  void access(Node* n) {
    Node *array = outside(loop_, n->inputs[0]), *index = outside(loop_, n->inputs[1]);
    if (loop_.defines(array) || array->is_const() || !(n->known & 2) || (n->known & kInRange)) return;
    if (index->op != NodeOp::Phi || index->block != loop_.header || !index->small) return;
    Node* start = nullptr;
    Way way = Up;
    if (!counts(index, &start, &way)) return;
    Node* bound = nullptr;
    bool below = false;  // it stays below the bound, or may reach it
    if (!tested(index, n->block, way, &bound, &below)) return;
    bool raw = n->op == NodeOp::ArrayGetF || n->op == NodeOp::ArraySetF;
    rt::Kind kind = raw ? rt::Kind::FloatArray : rt::Kind::Array;
    auto key = std::tuple(array->id, index->id, bound ? bound->id : 0, below, way);
    auto [known, fresh] = checked_.try_emplace(key, false);
    if (fresh) known->second = way == Up ? check_up(array, kind, start, bound, below) : check_down(array, kind, start);
    if (!known->second) return;
    n->known |= 1 | kInRange;
  }

  // Whether a value goes in one direction, and from where.
  bool counts(const Node* phi, Node** start, Way* way) const {
    bool any = false;
    for (size_t i = 0; i < phi->inputs.size(); ++i) {
      if (phi->block->preds[i] == loop_.before) {
        *start = phi->inputs[i];
        continue;
      }
      const Node* next = strip(phi->inputs[i]);
      if (next == phi) continue;
      if ((next->op != NodeOp::Add && next->op != NodeOp::Sub) || strip(next->inputs[0]) != phi || !is_small_constant(next->inputs[1]))
        return false;
      // Beyond the small Ints it leaves.
      if (!next->speculative && !next->fits) return false;
      int64_t step = next->op == NodeOp::Add ? constant_of(next->inputs[1]) : -constant_of(next->inputs[1]);
      Way its = step > 0 ? Up : Down;
      if (step == 0 || (any && its != *way)) return false;
      *way = its;
      any = true;
    }
    return any && *start;
  }

  // Whether a test on the way to `b` keeps the value below something that the loop does not change, or from getting negative.
  bool tested(const Node* phi, const Block* b, Way way, Node** bound, bool* below) const {
    for (const Block* t : loop_.blocks) {
      const Node* end = t->end();
      if (end->op != NodeOp::Branch || end->known != 3 || t->succs[0] == t->succs[1]) continue;
      Node *left = outside(loop_, end->inputs[0]), *right = outside(loop_, end->inputs[1]);
      if ((left == phi) == (right == phi)) continue;
      for (unsigned s = 0; s < 2; ++s) {
        const Block* to = t->succs[s];
        if (to->preds.size() != 1 || !dominators_.dominates(to, b)) continue;
        auto c = static_cast<Condition>(end->imm);
        if (s == 1) c = negated(c);
        Node* other = left == phi ? right : left;
        if (left != phi) c = turned(c);
        if (loop_.defines(other)) continue;
        if (way == Up && (c == Condition::Less || c == Condition::LessEqual) && is_small_before(loop_, other)) {
          *bound = other;
          *below = c == Condition::Less;
          return true;
        }
        if (way == Down && is_small_constant(other) &&
            ((c == Condition::Greater && constant_of(other) >= -1) || (c == Condition::GreaterEqual && constant_of(other) >= 0)))
          return true;
      }
    }
    return false;
  }

  bool check_up(Node* array, rt::Kind kind, Node* start, Node* bound, bool below) {
    if (is_small_constant(start) && constant_of(start) < 0) return false;
    if (!is_small_constant(start)) check(start, Condition::GreaterEqual, small_int(g_, 0));
    Node* length = length_of(array, kind);
    // A bound that is the length of the array has nothing to be compared with.
    const Node* made = strip(bound);
    if (!(below && made->op == NodeOp::ArrayLen && strip(made->inputs[0]) == strip(array)))
      check(length, below ? Condition::GreaterEqual : Condition::Greater, bound);
    return true;
  }

  bool check_down(Node* array, rt::Kind kind, Node* start) {
    check(length_of(array, kind), Condition::Greater, start);
    return true;
  }

  Node* length_of(Node* array, rt::Kind kind) {
    Node*& length = lengths_[array->id];
    if (length) return length;
    Node* check = append(g_, loop_.before, NodeOp::CheckKind, {array});
    check->imm = static_cast<int64_t>(kind);
    check->state = loop_.anchor->state;
    check->reason = Reason::Moved;
    length = append(g_, loop_.before, NodeOp::ArrayLen, {array});
    length->home = g_.spill_slot();
    length->small = true;
    length->state = loop_.anchor->state;
    length->reason = Reason::Moved;
    return length;
  }

  void check(Node* a, Condition c, Node* b) {
    Node* n = append(g_, loop_.before, NodeOp::CheckOrder, {a, b});
    n->imm = static_cast<int64_t>(c);
    n->state = loop_.anchor->state;
    n->reason = Reason::Moved;
  }

  Graph& g_;
  const Loop& loop_;
  const Dominators& dominators_;
  std::map<std::tuple<uint32_t, uint32_t, uint32_t, bool, Way>, bool> checked_;
  std::map<uint32_t, Node*> lengths_;
};

}  // namespace

void find_bounds(Graph& graph) {
  if (!graph.speculate || !graph.move_checks) return;
  auto any = [](const Block* b) { return std::any_of(b->nodes.begin(), b->nodes.end(), [](const Node* n) { return reads(n) || writes(n); }); };
  if (std::none_of(graph.blocks.begin(), graph.blocks.end(), any)) return;
  Dominators dominators(graph);
  for (const Loop& loop : find_loops(graph)) Bounds(graph, loop, dominators).run();
}

}  // namespace eddy::jit
