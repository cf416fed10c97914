// Loops that only count and add are what they come to: how often they run is known in front, and so is every value behind
// them. Ints are exact, so it does not matter what the sums are in between; where what they come to is not small, code
// leaves as if the loop had not begun.
#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

constexpr int64_t kMaxFactor = 1 << 20;
// What would run for long is meant to, until somebody stops it.
constexpr int64_t kMaxRounds = int64_t{1} << 32;

// A sum of values, each so many times, and a constant.
struct Sum {
  struct Term { Node* value; int64_t times; };
  std::vector<Term> terms;
  int64_t constant = 0;

  int64_t times(const Node* value) const {
    for (const Term& t : terms)
      if (t.value == value) return t.times;
    return 0;
  }
  void add(Node* value, int64_t times) {
    for (Term& t : terms)
      if (t.value == value) {
        t.times += times;
        return;
      }
    terms.push_back({value, times});
  }
  bool moderate() const {
    return std::abs(constant) <= kMaxFactor &&
           std::all_of(terms.begin(), terms.end(), [](const Term& t) { return std::abs(t.times) <= kMaxFactor; });
  }
};

struct ById {
  bool operator()(const Node* a, const Node* b) const { return a->id < b->id; }
};

class ClosedForm {
 public:
  ClosedForm(Graph& graph, const Loop& loop) : g_(graph), loop_(loop) {}

  bool run() {
    if (!has_shape() || !counts() || !sums_up() || !is_apart()) return false;
    replace();
    return true;
  }

 private:
  // A test, a way out behind it, and a round that only counts and adds.
  bool has_shape() {
    Block* header = loop_.header;
    const Node* test = header->end();
    if (header->preds.size() != 2 || test->op != NodeOp::Branch || test->known != 3) return false;
    way_in_ = header->preds[0] == loop_.before ? 0 : 1;
    stays_ = loop_.has(header->succs[0]) ? 0 : 1;
    behind_ = header->succs[1 - stays_];
    if (!loop_.has(header->succs[stays_]) || loop_.has(behind_) || !only_copies(behind_)) return false;
    for (const Block* b : loop_.blocks) {
      if (b != header && (b->succs.size() != 1 || b->preds.size() != 1)) return false;
      for (const Node* n : b->nodes) {
        bool adds = (n->op == NodeOp::Add || n->op == NodeOp::Sub) && n->known == 3;
        bool passes = n->op == NodeOp::Copy || n->op == NodeOp::Poll || n->op == NodeOp::Jump;
        if (!adds && !passes && n != test) return false;
      }
    }
    return std::all_of(header->phis.begin(), header->phis.end(),
                       [](const Node* phi) { return phi->small && phi->type == Type::Tagged; });
  }

  bool varies(const Node* n) const { return loop_.defines(n); }

  // What a value is at the end of a round, by the values at its start.
  std::optional<Sum> sum_of(Node* n) const {
    struct Part { Node* node; int64_t times; };
    std::vector<Part> parts{{n, 1}};
    Sum sum;
    for (unsigned steps = 0; !parts.empty(); ++steps) {
      if (steps > 40) return std::nullopt;
      auto [node, times] = parts.back();
      parts.pop_back();
      node = outside(loop_, node);
      if (node->is_const()) {
        if (!is_small_constant(node) || std::abs(constant_of(node)) > kMaxFactor) return std::nullopt;
        sum.constant += times * constant_of(node);
      } else if (node->op == NodeOp::Phi || !varies(node)) {
        if (!is_small(node)) return std::nullopt;
        sum.add(node, times);
      } else {
        parts.push_back({node->inputs[0], times});
        parts.push_back({node->inputs[1], node->op == NodeOp::Add ? times : -times});
      }
    }
    return sum;
  }

  // What the test looks at goes up or down by one, and what it is compared with stays.
  bool counts() {
    const Node* test = loop_.header->end();
    Node *left = outside(loop_, test->inputs[0]), *right = outside(loop_, test->inputs[1]);
    auto goes_on = static_cast<Condition>(test->imm);
    if (stays_ == 1) goes_on = negated(goes_on);
    if (varies(right)) {
      std::swap(left, right);
      goes_on = turned(goes_on);
    }
    if (varies(right)) return false;
    bound_ = right;
    std::optional<Sum> seen = counts_on(left);
    if (!seen) return false;
    counter_ = seen->terms[0].value;
    ahead_ = seen->constant;
    Node* next = outside(loop_, counter_->inputs[1 - way_in_]);
    std::optional<Sum> sum = counts_on(next);
    if (!sum || sum->terms[0].value != counter_ || std::abs(sum->constant) != 1) return false;
    step_ = sum->constant;
    inclusive_ = goes_on == (step_ > 0 ? Condition::LessEqual : Condition::GreaterEqual);
    // Where it is only told to differ, `ranges` has made sure that it comes from the right side.
    return inclusive_ || goes_on == (step_ > 0 ? Condition::Less : Condition::Greater) || (goes_on == Condition::NotEqual && next->fits);
  }

  // A value that goes round, and a constant.
  std::optional<Sum> counts_on(Node* n) const {
    std::optional<Sum> sum = sum_of(n);
    if (!sum || sum->terms.size() != 1 || sum->terms[0].times != 1) return std::nullopt;
    const Node* value = sum->terms[0].value;
    return value->op == NodeOp::Phi && value->block == loop_.header && sum->moderate() ? sum : std::nullopt;
  }

  // All other values grow by what does not depend on them, or are made anew of the counter, or of one that grows.
  bool sums_up() {
    for (Node* phi : loop_.header->phis) {
      std::optional<Sum> sum = sum_of(phi->inputs[1 - way_in_]);
      if (!sum || !sum->moderate() || (sum->times(phi) != 0 && sum->times(phi) != 1)) return false;
      for (const Sum::Term& t : sum->terms) {
        if (t.value == phi || t.value == counter_ || !varies(t.value)) continue;
        if (sum->times(phi) != 0 || t.times != 1 || !follows_.try_emplace(phi, t.value).second) return false;
      }
      grows_[phi] = std::move(*sum);
    }
    return std::all_of(follows_.begin(), follows_.end(), [&](const auto& pair) { return grows_[pair.second].times(pair.second) == 1; });
  }

  // Behind it, values of the loop are wanted by the way out alone, which copies them.
  bool is_apart() {
    auto inside = [&](const Node* n) { return n && loop_.defines(n); };
    for (const Block* b : g_.blocks) {
      if (loop_.has(b)) continue;
      for (auto* list : {&b->phis, &b->nodes})
        for (const Node* n : *list) {
          for (Node* i : n->inputs) {
            if (!inside(i)) continue;
            if (b != behind_ || i->block != loop_.header || !sum_of(i)) return false;
            if (std::find(wanted_.begin(), wanted_.end(), i) == wanted_.end()) wanted_.push_back(i);
          }
          if (any_value(n->state, inside)) return false;
        }
    }
    return true;
  }

  // --- the graph without the loop: its test, once, and a block for what it comes to
  void replace() {
    Block* header = loop_.header;
    sum_ = g_.block();
    Node* jump = g_.node(NodeOp::Jump);
    jump->block = sum_;
    sum_->nodes = {jump};
    sum_->preds = {header};
    sum_->succs = {behind_};
    Node* start = counter_->inputs[way_in_];
    Node* end = made(NodeOp::Sub, bound_, small_int(g_, ahead_));
    if (inclusive_) end = made(NodeOp::Add, end, small_int(g_, step_));
    Node* rounds = step_ > 0 ? made(NodeOp::Sub, end, start) : made(NodeOp::Sub, start, end);
    Node* limit = append(g_, sum_, NodeOp::CheckOrder, {rounds, small_int(g_, kMaxRounds)});
    limit->imm = static_cast<int64_t>(Condition::LessEqual);
    leaves(limit);
    for (Node* phi : header->phis)
      if (!follows_.count(phi)) last_[phi] = last_value(phi, start, end, rounds);
    for (auto [phi, followed] : follows_) last_[phi] = last_value_behind(phi, followed, end);
    std::unordered_map<Node*, Node*> met;
    for (Node* n : wanted_) {
      Node* last = append(g_, sum_, NodeOp::Copy, {value_of(*sum_of(n))});
      last->type = Type::Tagged;
      last->small = true;
      last->home = n->home;
      Node* both = g_.node(NodeOp::Phi);
      both->type = Type::Tagged;
      both->small = true;
      both->home = n->home;
      both->block = behind_;
      both->inputs = {n, last};
      behind_->phis.push_back(both);
      met[n] = both;
    }
    for (Node* n : behind_->nodes)
      for (Node*& i : n->inputs)
        if (auto found = met.find(i); found != met.end()) i = found->second;
    header->succs[stays_] = sum_;
    behind_->preds.push_back(sum_);
    header->loop = false;
    header->preds = {loop_.before};
    for (Node* phi : header->phis) phi->inputs = {phi->inputs[way_in_]};
    std::erase_if(g_.blocks, [&](const Block* b) { return b != header && loop_.has(b); });
    g_.blocks.insert(std::find(g_.blocks.begin(), g_.blocks.end(), header) + 1, sum_);
  }

  // What grows does so, in round number i, by what its sum says with start + i * step for the counter.
  Node* last_value(Node* phi, Node* start, Node* end, Node* rounds) {
    if (phi == counter_) return end;
    Sum sum = grows_[phi];
    if (sum.times(phi) == 0) return value_of(sum, made(NodeOp::Sub, end, small_int(g_, step_)));
    sum.add(phi, -1);
    Node* all = made(NodeOp::Mul, rounds, value_of(sum, start));
    if (int64_t slope = sum.times(counter_) * step_) {
      // 0 + 1 + … rounds - 1, which is a whole number.
      Node* pairs = made(NodeOp::Mul, rounds, made(NodeOp::Sub, rounds, small_int(g_, 1)));
      all = plus(all, multiple(made(NodeOp::Shr, pairs, small_int(g_, 1)), slope));
    }
    return plus(phi->inputs[way_in_], all);
  }

  // What it follows has grown once more by then, in the last round.
  Node* last_value_behind(const Node* phi, Node* followed, Node* end) {
    Sum sum = grows_[phi];
    for (const Sum::Term& t : grows_[followed].terms) sum.add(t.value, -t.times);
    sum.constant -= grows_[followed].constant;
    return plus(value_of(sum, made(NodeOp::Sub, end, small_int(g_, step_))), last_[followed]);
  }

  // Of a sum while the counter is at `count`; or behind the last round.
  Node* value_of(const Sum& sum, Node* count = nullptr) {
    Node* value = small_int(g_, sum.constant);
    for (const Sum::Term& t : sum.terms) {
      if (t.times == 0) continue;
      Node* term = !varies(t.value) ? t.value : count ? count : last_[t.value];
      value = plus(value, multiple(term, t.times));
    }
    return value;
  }

  Node* multiple(Node* n, int64_t times) { return times == 1 ? n : made(NodeOp::Mul, n, small_int(g_, times)); }
  Node* plus(Node* a, Node* b) { return is_zero(a) ? b : made(NodeOp::Add, a, b); }
  static bool is_zero(const Node* n) { return is_small_constant(n) && constant_of(n) == 0; }

  Node* made(NodeOp op, Node* a, Node* b) {
    if (a->is_const() && op != NodeOp::Sub) std::swap(a, b);
    if (op != NodeOp::Mul && is_zero(b)) return a;
    Node* n = append(g_, sum_, op, {a, b});
    n->type = Type::Tagged;
    n->small = true;
    n->known = 3;
    n->home = g_.spill_slot();
    leaves(n);
    return n;
  }

  void leaves(Node* n) {
    n->state = loop_.anchor->state;
    n->reason = Reason::Moved;
  }

  Graph& g_;
  const Loop& loop_;
  size_t way_in_ = 0, stays_ = 0;
  Block *behind_ = nullptr, *sum_ = nullptr;
  Node *counter_ = nullptr, *bound_ = nullptr;
  int64_t step_ = 0, ahead_ = 0;  // a round further; what the test sees of the counter
  bool inclusive_ = false;
  std::unordered_map<const Node*, Sum> grows_;
  std::vector<Node*> wanted_;  // behind the loop
  std::map<Node*, Node*, ById> follows_;
  std::unordered_map<const Node*, Node*> last_;
};

}  // namespace

void find_closed_forms(Graph& graph) {
  // Every round takes fuel.
  if (!graph.speculate || !graph.move_checks || graph.ctx->fuel_limited) return;
  for (bool more = true; more;) {
    more = false;
    for (const Loop& loop : find_loops(graph))
      if (polls(loop) && ClosedForm(graph, loop).run()) {
        more = true;
        break;
      }
  }
}

}  // namespace eddy::jit
