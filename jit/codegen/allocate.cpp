// Where values are.
#include "jit/codegen/codegen.h"

namespace eddy::jit {

void CodegenBase::assign(Node* n, int reg) {
  in_[reg] = n;
  at(n).reg = reg;
}

void CodegenBase::drop(int reg) {
  if (in_[reg]) at(in_[reg]).reg = kNone;
  in_[reg] = nullptr;
}

void CodegenBase::spill(int reg) {
  Node* n = in_[reg];
  if (!at(n).memory) {
    if (n->home == kNoHome)
      failure_ = "a value without a home";
    else
      store_home(n->home, reg);
    at(n).memory = true;
  }
  drop(reg);
}

int CodegenBase::take(bool floating, int hint) {
  int first = floating ? kFirstFloat : 0, count = floating ? registers_.floats : registers_.words;
  auto is_free = [&](int r) { return !in_[r] && !(locked_ >> r & 1); };
  if (hint != kNone && (hint >= kFirstFloat) == floating && is_free(hint)) return hint;
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

int CodegenBase::temporary(bool floating) {
  int r = take(floating);
  locked_ |= uint64_t{1} << r;
  return r;
}

int CodegenBase::input(Node* n) {
  int r;
  if (n->remade()) {
    r = temporary(n->op == NodeOp::ConstFloat);
    load_constant(r, n->imm);
    return r;
  }
  Location& l = at(n);
  if (l.reg == kNone) {
    r = take(n->type == Type::Float, hints_[n->id]);
    if (!l.memory) failure_ = "a value is nowhere";
    load(r, n);
    assign(n, r);
  }
  r = l.reg;
  locked_ |= uint64_t{1} << r;
  return r;
}

// A register for the result. Without `hint` any.
int CodegenBase::output(Node* n, int hint) {
  int r = take(n->type == Type::Float, hint == kNone ? hints_[n->id] : hint);
  locked_ |= uint64_t{1} << r;
  assign(n, r);
  at(n).memory = false;
  return r;
}

// Gives up the inputs that nobody needs after this node, so that its result may take their place.
void CodegenBase::release_dead(const Node* n) {
  for (Node* i : n->inputs) {
    if (i->remade() || at(i).reg == kNone || !dead_after(i)) continue;
    int r = at(i).reg;
    drop(r);
    locked_ &= ~(uint64_t{1} << r);
  }
}

void CodegenBase::finish_node(const Node* n) {
  locked_ = 0;
  auto check = [&](Node* v) {
    if (!v->remade() && at(v).reg != kNone && dead_after(v)) drop(at(v).reg);
  };
  for (Node* i : n->inputs) check(i);
  for (const FrameState* s = n->state; s; s = s->parent)
    each_value(s, check);
  if (n->type != Type::None && !n->remade()) check(const_cast<Node*>(n));
}

void CodegenBase::load(int reg, const Node* n) {
  if (n->remade())
    load_constant(reg, n->imm);
  else
    load_home(reg, n->home);
}

void CodegenBase::forget_registers(const Node* n) {
  for (int r = 0; r < kRegisters; ++r) {
    if (!in_[r]) continue;
    if (!dead_after(in_[r]) && !at(in_[r]).memory && in_[r] != n)
      failure_ = "a value does not survive a call";
    drop(r);
  }
  locked_ = 0;
}

void CodegenBase::start_block(const Block* b) {
  as_at_start(b);
  bind(states_[b->id].label);
}

// Where values are when control comes to a block.
void CodegenBase::as_at_start(const Block* b) {
  for (int r = 0; r < kRegisters; ++r) in_[r] = nullptr;
  std::fill(where_.begin(), where_.end(), Location{});
  for (const Entry& e : states_[b->id].values) {
    at(e.node).memory = e.memory;
    if (e.reg != kNone) assign(e.node, e.reg);
  }
}

}  // namespace eddy::jit
