// Where values are.
#include <algorithm>

#include "jit/x64/codegen.h"

namespace eddy::jit::x64 {

void Codegen::assign(Node* n, int reg) {
  in_[reg] = n;
  at(n).reg = reg;
}

void Codegen::drop(int reg) {
  if (in_[reg]) at(in_[reg]).reg = kNone;
  in_[reg] = nullptr;
}

void Codegen::spill(int reg) {
  Node* n = in_[reg];
  if (!at(n).memory) {
    if (n->home == kNoHome) failure_ = "a value without a home";
    else store_home(n->home, reg);
    at(n).memory = true;
  }
  drop(reg);
}

int Codegen::take(bool xmm, int hint) {
  int first = xmm ? kFirstXmm : 0, count = xmm ? kXmms : kGprs;
  auto is_free = [&](int r) { return !in_[r] && !(locked_ >> r & 1); };
  if (hint != kNone && (hint >= kFirstXmm) == xmm && is_free(hint)) return hint;
  for (int i = 0; i < count; ++i) {
    // From the end, so that the first registers stay free for arguments.
    int r = first + count - 1 - i;
    if (is_free(r)) return r;
  }
  int best = kNone;
  uint32_t furthest = 0;
  for (int r = first; r < first + count; ++r) {
    if (locked_ >> r & 1) continue;
    uint32_t next = lifetimes_.next_use(in_[r], position_);
    if (best == kNone || next > furthest) {
      best = r;
      furthest = next;
    }
  }
  if (best == kNone) {
    failure_ = "no register left";
    return first;
  }
  spill(best);
  return best;
}

int Codegen::temporary(bool xmm) {
  int r = take(xmm);
  locked_ |= uint64_t{1} << r;
  return r;
}

int Codegen::input(Node* n) {
  int r;
  if (n->remade()) {
    r = temporary(n->op == NodeOp::ConstFloat);
    load_constant(r, n);
    return r;
  }
  Location& l = at(n);
  if (l.reg == kNone) {
    r = take(n->type == Type::Float);
    if (!l.memory) failure_ = "a value is nowhere";
    load(r, n);
    assign(n, r);
  }
  r = l.reg;
  locked_ |= uint64_t{1} << r;
  return r;
}

// A register for the result. Without `hint` any.
int Codegen::output(Node* n, int hint) {
  int r = take(n->type == Type::Float, hint);
  locked_ |= uint64_t{1} << r;
  assign(n, r);
  at(n).memory = false;
  return r;
}

// Gives up the inputs that nobody needs after this node, so that its result may take their place.
void Codegen::release_dead(const Node* n) {
  for (Node* i : n->inputs) {
    if (i->remade() || at(i).reg == kNone || !dead_after(i)) continue;
    int r = at(i).reg;
    drop(r);
    locked_ &= ~(uint64_t{1} << r);
  }
}

void Codegen::finish_node(const Node* n) {
  locked_ = 0;
  auto check = [&](Node* v) {
    if (!v->remade() && at(v).reg != kNone && dead_after(v)) drop(at(v).reg);
  };
  for (Node* i : n->inputs) check(i);
  for (const FrameState* s = n->state; s; s = s->parent)
    for (const FrameState::Entry& e : s->values) check(e.node);
  if (n->type != Type::None && !n->remade()) check(const_cast<Node*>(n));
}

Codegen::Saves Codegen::capture(const FrameState* state) {
  Saves saves;
  saves.state = state;
  for (const FrameState* s = state; s; s = s->parent)
    for (const FrameState::Entry& e : s->values) {
      if (e.node->remade()) {
        saves.items.push_back({e.home, kNone, e.node->imm});
      } else if (!at(e.node).memory) {
        if (at(e.node).reg == kNone) failure_ = "a frame state's value is nowhere";
        saves.items.push_back({e.home, at(e.node).reg, 0});
      }
    }
  return saves;
}

// The frames as others see them. `innermost`: with that frame's own header too (else a safepoint describes it).
void Codegen::write(const Saves& saves, bool innermost) {
  for (const Saves::Item& i : saves.items) {
    if (i.reg == kNone) store_constant(i.home, i.constant);
    else store_home(i.home, i.reg);
  }
  for (const FrameState* s = saves.state; s; s = s->parent) {
    if (s == saves.state && !innermost) continue;
    constant_to(ax::rax, reinterpret_cast<int64_t>(static_cast<rt::Function*>(s->function)));
    a_.mov(home_slot(s->base), ax::rax);
    constant_to(ax::rax, static_cast<int64_t>(rt::pack_resume(s->pc, s->destination)));
    a_.mov(home_slot(s->base + 1), ax::rax);
    if (s == saves.state) continue;  // who goes on there writes the word below
    constant_to(ax::rax, reinterpret_cast<int64_t>(stubs_.interp_return));
    a_.mov(home_slot(s->base - 1), ax::rax);
  }
}

// Before a call: everything that lives across it is in its slot.
void Codegen::save_inline(const FrameState* state) {
  Saves saves = capture(state);
  for (const FrameState* s = state; s; s = s->parent)
    for (const FrameState::Entry& e : s->values)
      if (!e.node->remade()) at(e.node).memory = true;
  write(saves, false);
}

void Codegen::forget_registers(const Node* n) {
  for (int r = 0; r < kFirstXmm + kXmms; ++r) {
    if (!in_[r]) continue;
    if (!dead_after(in_[r]) && !at(in_[r]).memory && in_[r] != n) failure_ = "a value does not survive a call";
    drop(r);
  }
  locked_ = 0;
}

// --- edges
size_t Codegen::pred_index(const Block* to, unsigned) const {
  return static_cast<size_t>(std::find(to->preds.begin(), to->preds.end(), block_) - to->preds.begin());
}

void Codegen::define_entry(const Block* to, size_t pred) {
  BlockState& state = states_[to->id];
  state.known = true;
  uint64_t used = 0;
  for (Node* n : lifetimes_.entering(to)) {
    Location l = at(n);
    if (l.reg == kNone && !l.memory) failure_ = "a value is lost on an edge";
    if (l.reg != kNone) used |= uint64_t{1} << l.reg;
    state.values.push_back({n, l.reg, l.memory});
  }
  // Phis: in the place of what they stand for.
  std::vector<Node*> rest;
  for (Node* phi : to->phis) {
    Node* from = phi->inputs[pred];
    if (!from->remade() && at(from).reg != kNone && !(used >> at(from).reg & 1)) {
      used |= uint64_t{1} << at(from).reg;
      state.values.push_back({phi, at(from).reg, false});
    } else {
      rest.push_back(phi);
    }
  }
  for (Node* phi : rest) {
    bool xmm = phi->type == Type::Float;
    int first = xmm ? kFirstXmm : 0, count = xmm ? kXmms : kGprs;
    int reg = kNone;
    Node* from = phi->inputs[pred];
    bool wanted = from->remade() || to->loop || at(from).reg != kNone;
    for (int i = count - 1; i >= 0 && reg == kNone && wanted; --i)
      if (!(used >> (first + i) & 1)) reg = first + i;
    if (reg != kNone) used |= uint64_t{1} << reg;
    state.values.push_back({phi, reg, reg == kNone});
  }
}

Codegen::EdgeCode Codegen::edge(const Block* to, unsigned successor) {
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
    if (l.reg == kNone) code.loads.push_back({e.reg, from});
    else if (l.reg != e.reg) code.moves.push_back({e.reg, l.reg});
  }
  return code;
}

void Codegen::emit_edge(const EdgeCode& code) {
  for (size_t i = 0; i < code.stores.size(); ++i) {
    if (code.stores[i].reg == kNone) store_constant(code.store_homes[i], code.stores[i].node->imm);
    else store_home(code.store_homes[i], code.stores[i].reg);
  }
  parallel_moves(code.moves);
  for (auto& [reg, node] : code.loads) load(reg, node);
}

void Codegen::parallel_moves(std::vector<Move> moves) {
  while (!moves.empty()) {
    bool progress = false;
    for (size_t i = 0; i < moves.size(); ++i) {
      bool blocked = std::any_of(moves.begin(), moves.end(), [&](const Move& m) { return m.from == moves[i].to; });
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
    if (m.to >= kFirstXmm) {
      a_.movaps(ax::xmm15, xmm(m.to));
      a_.movaps(xmm(m.to), xmm(m.from));
      a_.movaps(xmm(m.from), ax::xmm15);
    } else {
      a_.xchg(gp(m.to), gp(m.from));
    }
    for (Move& other : moves) {
      if (other.from == m.to) other.from = m.from;
      else if (other.from == m.from) other.from = m.to;
    }
    std::erase_if(moves, [](const Move& move) { return move.to == move.from; });
  }
}

void Codegen::start_block(const Block* b) {
  for (int r = 0; r < kFirstXmm + kXmms; ++r) in_[r] = nullptr;
  std::fill(where_.begin(), where_.end(), Location{});
  BlockState& state = states_[b->id];
  for (const Entry& e : state.values) {
    at(e.node).memory = e.memory;
    if (e.reg != kNone) assign(e.node, e.reg);
  }
  a_.bind(state.label);
}

}  // namespace eddy::jit::x64
