// What counts in a loop stays within what the loop's test allows: the addition that goes on to the next round cannot
// overflow. Where that hangs on the bound or on where the loop starts, it is checked once in front.
#include <algorithm>

#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

constexpr int64_t kMax = rt::kSmallMax, kMin = rt::kSmallMin;
constexpr int64_t kMaxStep = 1000;

class Ranges {
 public:
  Ranges(Graph& graph, const Loop& loop) : g_(graph), loop_(loop) {}

  void run() {
    const std::vector<Block*>& preds = loop_.header->preds;
    way_in_ = static_cast<size_t>(std::find(preds.begin(), preds.end(), loop_.before) - preds.begin());
    find_tests();
    for (Node* phi : loop_.header->phis)
      if (phi->small && phi->type == Type::Tagged)
        for (size_t i = 0; i < preds.size(); ++i)
          if (i != way_in_) count(phi, i);
  }

 private:
  struct Test {
    Node *left, *right;
    Condition holds;      // where the loop goes on
    const Block* block;
  };

  // Those that every round passes before it does anything else that matters: from the start down to where ways part.
  void find_tests() {
    const Block* b = loop_.header;
    for (;;) {
      before_.push_back(b);
      const Node* end = b->end();
      const Block* next = b->succs[0];
      if (end->op == NodeOp::Branch && end->known == 3 && loop_.has(b->succs[0]) != loop_.has(b->succs[1])) {
        bool first = loop_.has(b->succs[0]);
        next = b->succs[first ? 0 : 1];
        auto c = static_cast<Condition>(end->imm);
        tests_.push_back({outside(loop_, end->inputs[0]), outside(loop_, end->inputs[1]), first ? c : negated(c), b});
      } else if (end->op != NodeOp::Jump) {
        return;
      }
      if (!loop_.has(next) || next->preds.size() != 1) return;
      b = next;
    }
  }

  // What the other ways round bring is the same, or goes as far in the same direction.
  bool all_step(const Node* phi, int64_t step) const {
    for (size_t i = 0; i < phi->inputs.size(); ++i) {
      if (i == way_in_) continue;
      const Node* next = strip(phi->inputs[i]);
      if (next == phi) continue;
      if ((next->op != NodeOp::Add && next->op != NodeOp::Sub) || strip(next->inputs[0]) != phi || !is_small_constant(next->inputs[1])) return false;
      if ((next->op == NodeOp::Add ? constant_of(next->inputs[1]) : -constant_of(next->inputs[1])) != step) return false;
    }
    return true;
  }

  void count(Node* phi, size_t way) {
    Node* next = strip(phi->inputs[way]);
    if (!loop_.defines(next) || next->fits || next->inputs.size() != 2 || next->known != 3) return;
    if (next->op != NodeOp::Add && next->op != NodeOp::Sub) return;
    Node *a = strip(next->inputs[0]), *b = next->inputs[1];
    if (a != phi || !is_small_constant(b)) return;
    int64_t step = next->op == NodeOp::Add ? constant_of(b) : -constant_of(b);
    if (phi->inputs.size() > 2 && !all_step(phi, step)) return;
    if (step == 0 || step > kMaxStep || step < -kMaxStep) return;
    auto stands = [&](const Block* x) { return std::find(before_.begin(), before_.end(), x); };
    for (const Test& t : tests_) {
      // The test may be one of what goes on: then it holds of all rounds but the first.
      if (t.left == next || t.right == next) {
        if (phi->inputs.size() > 2) continue;  // other ways round are not tested
        Node* bound = t.left == next ? t.right : t.left;
        if (!loop_.defines(bound) && is_small_before(loop_, bound) &&
            within_later(phi, bound, t.left == next ? t.holds : turned(t.holds), step))
          return settle(next);
        continue;
      }
      if (stands(next->block) != before_.end() && stands(next->block) <= stands(t.block)) continue;
      Node* bound = t.left == phi ? t.right : t.right == phi ? t.left : nullptr;
      if (!bound || loop_.defines(bound)) continue;
      if (!is_small_before(loop_, bound)) continue;
      if (within(phi, bound, t.left == phi ? t.holds : turned(t.holds), step)) {
        return settle(next);
      }
    }
  }

  static void settle(Node* next) {
    next->fits = true;
    next->state = nullptr;
  }

  // The same for phi + step being so related.
  bool within_later(Node* phi, Node* bound, Condition c, int64_t step) {
    Node* start = phi->inputs[way_in_];
    Condition up = step > 0 ? Condition::Less : Condition::Greater;
    Condition up_to = step > 0 ? Condition::LessEqual : Condition::GreaterEqual;
    if (c == Condition::NotEqual && (step == 1 || step == -1)) return check(start, up, bound);
    if (c != up && c != up_to) return false;
    // From there on it is at most the bound.
    return check(start, up_to, bound) &&
           check(bound, up_to, small_int(g_, step > 0 ? kMax - step : kMin - step));
  }

  // Whether phi + step is small, given that phi is so related to `bound`.
  bool within(Node* phi, Node* bound, Condition c, int64_t step) {
    Node* start = phi->inputs[way_in_];
    if (c == Condition::NotEqual && (step == 1 || step == -1)) {
      // It comes from the right side, so it does not get past.
      Condition side = step > 0 ? Condition::LessEqual : Condition::GreaterEqual;
      if (std::any_of(g_.bounds.begin(), g_.bounds.end(), [&](const Graph::Bound& b) { return b.phi == phi && b.condition == side && b.bound == bound; }))
        return true;
      if (!check(start, side, bound)) return false;
      g_.bounds.push_back({phi, side, bound});
      return true;
    }
    if (c == (step > 0 ? Condition::Less : Condition::Greater)) {
      if (step == 1 || step == -1) return true;
      return check(bound, step > 0 ? Condition::LessEqual : Condition::GreaterEqual,
                   small_int(g_, step > 0 ? kMax - step + 1 : kMin - step - 1));
    }
    if (c == (step > 0 ? Condition::LessEqual : Condition::GreaterEqual))
      return check(bound, c, small_int(g_, step > 0 ? kMax - step : kMin - step));
    return false;
  }

  bool check(Node* a, Condition c, Node* b) {
    if (a->is_const() && b->is_const()) {
      int64_t x = constant_of(a), y = constant_of(b);
      return c == Condition::Less ? x < y : c == Condition::LessEqual ? x <= y : c == Condition::Greater ? x > y : x >= y;
    }
    if (a->is_const()) {
      std::swap(a, b);
      c = turned(c);
    }
    if (!g_.move_checks) return false;
    Node* n = append(g_, loop_.before, NodeOp::CheckOrder, {a, b});
    n->imm = static_cast<int64_t>(c);
    n->state = loop_.anchor->state;
    n->reason = Reason::Moved;
    return true;
  }

  Graph& g_;
  const Loop& loop_;
  size_t way_in_ = 0;
  std::vector<const Block*> before_;
  std::vector<Test> tests_;
};

}  // namespace

void find_ranges(Graph& graph) {
  if (!graph.speculate) return;
  for (const Loop& loop : find_loops(graph)) Ranges(graph, loop).run();
}

}  // namespace eddy::jit
