// From block to block: who decides where values are, and how they get there.
#include <algorithm>
#include <utility>

#include "jit/codegen/codegen.h"
#include "runtime/plants.h"

namespace eddy::jit {

size_t CodegenBase::pred_index(const Block* to, unsigned) const {
  return static_cast<size_t>(std::find(to->preds.begin(), to->preds.end(), block_) - to->preds.begin());
}

namespace {
// Copies have the same bits.
const Node* original(const Node* n) {
  while (n->op == NodeOp::Copy) n = n->inputs[0];
  return n;
}
}  // namespace

// Where what a phi becomes on other ways than `pred` has been since the loop around them began.
int CodegenBase::round_register(const Node* phi, size_t pred) const {
  for (size_t i = 0; i < phi->inputs.size(); ++i) {
    if (i == pred) continue;
    const Node* n = phi->inputs[i];
    for (int steps = 0; steps < 4 && n != phi && !n->inputs.empty(); ++steps, n = n->inputs[0]) {
      if (n->op != NodeOp::Phi || !n->block->loop || n->type != phi->type) continue;
      for (const Entry& e : states_[n->block->id].values)
        if (e.node == n) return e.reg;
    }
  }
  return kNone;
}

void CodegenBase::define_entry(const Block* to, size_t pred) {
  BlockState& state = states_[to->id];
  state.known = true;
  uint64_t used = 0;
  for (Node* n : lifetimes_.entering(to)) {
    Location l = at(n);
    if (l.reg == kNone && !l.memory) failure_ = "a value is lost on an edge";
    if (l.reg != kNone) used |= uint64_t{1} << l.reg;
    state.values.push_back({n, l.reg, l.memory});
  }
  // Phis: in the place of what they stand for. First those that can stay where they are on other ways.
  std::vector<Node*> rest = to->phis;
  for (bool stay : {true, false})
    std::erase_if(rest, [&](Node* phi) {
      Node* from = phi->inputs[pred];
      int reg = stay ? round_register(phi, pred) : from->remade() ? kNone : at(from).reg;
      if (reg == kNone || used >> reg & 1 || !in_[reg] || original(in_[reg]) != original(from)) return false;
      used |= uint64_t{1} << reg;
      state.values.push_back({phi, reg, false});
      return true;
    });
  for (Node* phi : rest) {
    bool floating = phi->type == Type::Float;
    int first = floating ? kFirstFloat : 0, count = floating ? registers_.floats : registers_.words;
    int reg = kNone;
    Node* from = phi->inputs[pred];
    bool wanted = from->remade() || to->loop || at(from).reg != kNone;
    int round = round_register(phi, pred);
    if (wanted && round != kNone && !(used >> round & 1)) reg = round;
    for (int i = count - 1; i >= 0 && reg == kNone && wanted; --i)
      if (!(used >> (first + i) & 1)) reg = first + i;
    if (reg != kNone) used |= uint64_t{1} << reg;
    state.values.push_back({phi, reg, reg == kNone});
  }
}

CodegenBase::EdgeCode CodegenBase::edge(const Block* to, unsigned successor) {
  size_t pred = pred_index(to, successor);
  BlockState& state = states_[to->id];
  if (!state.known) define_entry(to, pred);
  EdgeCode code;
  for (const Entry& e : state.values) {
    Node* from = e.node->op == NodeOp::Phi && e.node->block == to ? e.node->inputs[pred] : e.node;
    bool remade = from->remade();
    Location l = remade ? Location{} : at(from);
    if (!remade && l.reg == kNone && !l.memory) failure_ = "a value is lost on an edge";
    if (e.memory && !l.memory) {
      code.stores.push_back({from, l.reg, true});
      code.store_homes.push_back(e.node->home);
    }
    if (e.reg == kNone) continue;
    if (l.reg == kNone)
      code.loads.push_back({e.reg, from});
    else if (l.reg != e.reg && !(in_[e.reg] && original(in_[e.reg]) == original(from)))
      code.moves.push_back({e.reg, l.reg});
  }
  return code;
}

void CodegenBase::emit_edge(const EdgeCode& code) {
  for (size_t i = 0; i < code.stores.size(); ++i) {
    if (code.stores[i].reg == kNone)
      store_constant(code.store_homes[i], code.stores[i].node->imm);
    else if (!PLANTED(jit_edge_store_lost))
      store_home(code.store_homes[i], code.stores[i].reg);
  }
  parallel_moves(code.moves);
  for (auto& [reg, node] : code.loads) load(reg, node);
}

void CodegenBase::parallel_moves(std::vector<Move> moves) {
  while (!moves.empty()) {
    bool progress = false;
    for (size_t i = 0; i < moves.size(); ++i) {
      bool blocked =
          std::any_of(moves.begin(), moves.end(), [&](const Move& m) { return m.from == moves[i].to; });
      if (blocked) continue;
      move(moves[i].to, moves[i].from);
      moves.erase(moves.begin() + static_cast<std::ptrdiff_t>(i));
      progress = true;
      break;
    }
    if (progress) continue;
    // A cycle: exchange two, and what was to be read from either is now in the other.
    Move m = moves.back();
    moves.pop_back();
    if (PLANTED(jit_cycle))
      move(m.to, m.from);
    else
      exchange(m.to, m.from);
    for (Move& other : moves) {
      if (other.from == m.to)
        other.from = m.from;
      else if (other.from == m.from)
        other.from = m.to;
    }
    std::erase_if(moves, [](const Move& move) { return move.to == move.from; });
  }
}

Label CodegenBase::edge_label(const Block* to, unsigned successor) {
  EdgeCode code = edge(to, successor);
  if (code.empty()) return states_[to->id].label;
  Label label = new_label();
  deferred_.push_back([this, label, code, to] {
    bind(label);
    emit_edge(code);
    jump_to(states_[to->id].label);
  });
  return label;
}

void CodegenBase::jump(const Block* to, unsigned successor) {
  emit_edge(edge(to, successor));
  if (next_block() == to) return;
  const Test& test = states_[to->id].test;
  if (!test.on.valid()) return jump_to(states_[to->id].label);
  // The last thing of this block, so its own state is not needed any more.
  as_at_start(to);
  const Block* from = std::exchange(block_, to);
  locked_ = 0;
  position_ = lifetimes_.position(to->end());
  test_again(to->end(), test);
  block_ = from;
  if (!next_block() || states_[next_block()->id].label != test.out) jump_to(test.out);
}

namespace {
constexpr int64_t kComparable = 4096;  // without a register, everywhere
}

// The test of the block at hand has been made; behind it control goes on.
void CodegenBase::remember_test(Label out, int leaves) {
  const Node* n = block_->end();
  bool tests = n->op == NodeOp::Branch || n->op == NodeOp::BranchTrue || n->op == NodeOp::BranchCon;
  if (!block_->loop || block_->nodes.size() != 1 || !tests) return;
  // Where it had to fetch an operand, more than its flags has changed.
  for (const Node* i : n->inputs) {
    if (i->is_const() && i != n->inputs[0] && i->imm >= 0 && i->imm < kComparable) continue;
    auto has_register = [&](const Entry& e) { return e.node == i && e.reg != kNone; };
    if (std::none_of(states_[block_->id].values.begin(), states_[block_->id].values.end(), has_register)) return;
  }
  Test& test = states_[block_->id].test;
  test.out = out;
  test.leaves = leaves;
  bind(test.on = new_label());
}

}  // namespace eddy::jit
