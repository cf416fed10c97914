// Branches on what is known. Where ways come together only for a branch to ask about the value that each has brought, a way
// that knows the answer goes straight to where it leads. Of constants: numbers and Bools that come out of what was inlined need
// not be looked at. Of what has just been made: each of these places has what one constructor made, of which perhaps only
// the fields are wanted (objects.cpp), so `Some` and `None`, `Ok` and `Err` need not be made to be told apart.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "jit/passes/dominators.h"
#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

constexpr unsigned kMaxTimes = 12;

// Which constructor made it, or 0.
uint16_t constructor_of(const Node* n) {
  if (n->is_const()) {
    rt::Value v{static_cast<Word>(n->imm)};
    return v.is_imm(rt::Imm::Con) ? v.imm_con() : 0;
  }
  if (n->op != NodeOp::Alloc) return 0;
  const auto* header = reinterpret_cast<const rt::Object*>(&n->imm);
  return header->kind() == rt::Kind::Con ? header->con() : 0;
}

bool holds(Condition c, int64_t a, int64_t b) {
  switch (c) {
    case Condition::Equal: return a == b;
    case Condition::NotEqual: return a != b;
    case Condition::Less: return a < b;
    case Condition::LessEqual: return a <= b;
    case Condition::Greater: return a > b;
    default: return a >= b;
  }
}

// Which way such a branch takes for this value; -1: nobody knows.
int outcome(const Node* branch, const Node* value) {
  value = strip(value);
  switch (branch->op) {
    case NodeOp::BranchCon: {
      uint16_t con = constructor_of(value);
      return con == 0 ? -1 : con != static_cast<uint16_t>(branch->imm);
    }
    case NodeOp::BranchTrue: return value->is_const() ? static_cast<Word>(value->imm) != rt::kTrue.bits : -1;
    case NodeOp::Branch: {
      const Node* with = branch->inputs[1];
      auto condition = static_cast<Condition>(branch->imm);
      if (!value->is_const() || !with->is_const() || !(value->imm & with->imm & 1) || condition > Condition::GreaterEqual) return -1;
      return !holds(condition, value->imm, with->imm);
    }
    default: return -1;
  }
}

// A branch that asks about a phi of its block, perhaps.
bool may_ask(const Node* end) { return end->op == NodeOp::BranchCon || end->op == NodeOp::BranchTrue || end->op == NodeOp::Branch; }

class Straight {
 public:
  Straight(Graph& graph, Block* block) : g_(graph), b_(block) {}

  bool run() {
    if (!suits()) return false;
    // Each outcome has a place for itself.
    for (Block* to : std::vector<Block*>(b_->succs))
      if (to->preds.size() != 1 || !to->phis.empty() || to->loop) split(g_, b_, to);
    Dominators dominators(g_);
    if (!local(dominators)) return false;
    for (unsigned side : {0u, 1u}) lead(side, dominators);
    leave_block();
    return true;
  }

 private:
  // Phis, copies and a branch; some ways know its outcome.
  bool suits() {
    const Node* end = b_->end();
    if (!may_ask(end) || b_->loop || b_->phis.empty() || b_->succs[0] == b_->succs[1]) return false;
    if (!std::all_of(b_->nodes.begin(), b_->nodes.end() - 1, [](const Node* n) { return n->op == NodeOp::Copy; })) return false;
    const Node* asked = strip(end->inputs[0]);
    if (asked->op != NodeOp::Phi || asked->block != b_) return false;
    bool known = false;
    for (size_t i = 0; i < b_->preds.size(); ++i) {
      const Block* p = b_->preds[i];
      // Where a way leads here twice, nothing says which of them is meant.
      bool twice = std::count(p->succs.begin(), p->succs.end(), b_) != 1;
      side_.push_back(twice ? -1 : outcome(end, asked->inputs[i]));
      known |= side_.back() >= 0;
    }
    return known;
  }

  bool defines(const Node* n) const { return n->block == b_ && n->type != Type::None && !n->remade(); }

  // Whether what stands here is wanted only where one of the outcomes is known.
  bool local(const Dominators& d) const {
    auto behind = [&](const Block* at) { return at == b_ || d.dominates(b_->succs[0], at) || d.dominates(b_->succs[1], at); };
    for (const Block* at : g_.blocks) {
      for (const Node* phi : at->phis)
        for (size_t i = 0; i < phi->inputs.size(); ++i)
          if (defines(phi->inputs[i]) && !behind(at->preds[i])) return false;
      if (behind(at)) continue;
      for (const Node* n : at->nodes) {
        if (std::any_of(n->inputs.begin(), n->inputs.end(), [&](const Node* i) { return defines(i); })) return false;
        if (any_value(n->state, [&](const Node* v) { return defines(v); })) return false;
      }
    }
    return true;
  }

  // The ways that know of this outcome go there; it has what stands here for itself.
  void lead(unsigned side, const Dominators& d) {
    if (std::find(side_.begin(), side_.end(), static_cast<int>(side)) == side_.end()) return;
    Block* to = b_->succs[side];
    bool others = std::find(side_.begin(), side_.end(), -1) != side_.end();
    std::unordered_map<const Node*, Node*> own;
    std::vector<Node*> phis, copies;
    to->preds.clear();
    if (others) to->preds.push_back(b_);
    for (size_t i = 0; i < side_.size(); ++i)
      if (side_[i] == static_cast<int>(side)) to->preds.push_back(b_->preds[i]);
    for (Node* phi : b_->phis) {
      Node* n = g_.node(NodeOp::Phi);
      n->type = phi->type;
      n->home = phi->home;
      n->small = phi->small;
      n->block = to;
      if (others) n->inputs.push_back(phi);
      for (size_t i = 0; i < side_.size(); ++i)
        if (side_[i] == static_cast<int>(side)) n->inputs.push_back(phi->inputs[i]);
      phis.push_back(n);
      own[phi] = n;
    }
    auto owned = [&](Node* n) {
      auto found = own.find(n);
      return found == own.end() ? n : found->second;
    };
    for (Node* copy : b_->nodes) {
      if (copy->op != NodeOp::Copy) continue;
      Node* n = g_.node(NodeOp::Copy);
      n->type = copy->type;
      n->home = copy->home;
      n->small = copy->small;
      n->origin = copy->origin;
      n->block = to;
      n->inputs = {owned(copy->inputs[0])};
      copies.push_back(n);
      own[copy] = n;
    }
    to->phis = std::move(phis);
    for (Block* at : g_.blocks) {
      for (Node* phi : at->phis)
        for (size_t i = 0; i < phi->inputs.size(); ++i)
          if (d.dominates(to, at->preds[i])) phi->inputs[i] = owned(phi->inputs[i]);
      if (!d.dominates(to, at)) continue;
      for (Node* n : at->nodes) {
        for (Node*& i : n->inputs) i = owned(i);
        if (any_value(n->state, [&](const Node* v) { return own.count(v) != 0; })) n->state = with_values(g_, n->state, owned);
      }
    }
    to->nodes.insert(to->nodes.begin(), copies.begin(), copies.end());
    for (size_t i = 0; i < side_.size(); ++i)
      if (side_[i] == static_cast<int>(side)) *std::find(b_->preds[i]->succs.begin(), b_->preds[i]->succs.end(), b_) = to;
  }

  // What is left are the ways that know nothing.
  void leave_block() {
    std::vector<Block*> preds;
    for (size_t i = 0; i < side_.size(); ++i)
      if (side_[i] < 0) preds.push_back(b_->preds[i]);
    for (Node* phi : b_->phis) {
      std::vector<Node*> inputs;
      for (size_t i = 0; i < side_.size(); ++i)
        if (side_[i] < 0) inputs.push_back(phi->inputs[i]);
      phi->inputs = std::move(inputs);
    }
    b_->preds = std::move(preds);
    if (!b_->preds.empty()) return;
    // An outcome that no way has goes with it, and the loops behind it.
    std::vector<char> reached(g_.block_store.size());
    std::vector<Block*> work{g_.blocks[0]};
    reached[g_.blocks[0]->id] = 1;
    while (!work.empty()) {
      Block* at = work.back();
      work.pop_back();
      for (Block* s : at->succs)
        if (!std::exchange(reached[s->id], 1)) work.push_back(s);
    }
    for (Block* s : g_.blocks) {
      if (!reached[s->id]) continue;
      for (size_t i = s->preds.size(); i-- > 0;) {
        if (reached[s->preds[i]->id]) continue;
        s->preds.erase(s->preds.begin() + static_cast<std::ptrdiff_t>(i));
        for (Node* phi : s->phis) phi->inputs.erase(phi->inputs.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    std::erase_if(g_.blocks, [&](const Block* at) { return !reached[at->id]; });
  }

  Graph& g_;
  Block* b_;
  std::vector<int> side_;  // by way: the outcome that it knows of, or -1
};

}  // namespace

void go_straight(Graph& graph) {
  auto meets = [](const Block* b) { return !b->loop && !b->phis.empty(); };
  if (!graph.speculate || std::none_of(graph.blocks.begin(), graph.blocks.end(), meets)) return;
  merge_blocks(graph);
  unsigned times = 0;
  for (bool changed = true; changed && times < kMaxTimes;) {
    changed = false;
    for (Block* b : std::vector<Block*>(graph.blocks))
      if (Straight(graph, b).run()) {
        ++times;
        changed = true;
        break;
      }
  }
  if (!times) return;
  // What went with an outcome may have been the way back in a loop.
  std::vector<char> behind(graph.block_store.size());
  for (Block* b : graph.blocks) {
    behind[b->id] = 1;
    if (b->loop) b->loop = std::any_of(b->preds.begin(), b->preds.end(), [&](const Block* p) { return p == b || !behind[p->id]; });
  }
  simplify_phis(graph);
  merge_blocks(graph);
}

}  // namespace eddy::jit
