// Recursion whose last step is one sum or one product, as in
//
//   fn sum(xs) { match xs { [] => 0  [y, ..ys] => y + sum(ys) } }
//
// A loop that adds or multiplies on its way down has no way back, and needs no frame but one. Ints have no limits, so what they
// come to does not depend on the order. Nothing else in such functions has an effect. So whatever is unusual, down to a
// recursion for which the stack would not do, leaves at the start of the function, and what has been done is done again there.
//
// A perform may end them if its handler was seen and aborts: nobody comes back to the frames that are missing then.
#include <algorithm>

#include "jit/build/builder.h"
#include "runtime/plants.h"
#include "vm/registers.h"

namespace eddy::jit {

using vm::a_of;
using vm::b_of;
using vm::c_of;
using vm::ci_of;
using vm::Op;

namespace {
bool is_call(Op op) { return op >= Op::CALL && op <= Op::CALL_4; }

bool calls(const vm::LoadedFunction& f, const vm::Word* pc) {
  return reinterpret_cast<const rt::Function*>(pc[1]) == &f;
}

// Whether `reg` is given back from here on, unchanged.
bool returns(const vm::Word* pc, unsigned reg) {
  for (;;) {
    switch (vm::op_of(*pc)) {
      case Op::RET: return a_of(*pc) == reg;
      case Op::MOVE:
        if (b_of(*pc) != reg) return false;
        reg = a_of(*pc);
        pc += vm::length_of(*pc);
        break;
      case Op::JMP: {
        int64_t to = 0;
        vm::visit_jumps(pc, [&](int64_t offset) { to = offset; });
        if (to <= 0) return false;
        pc += to;
        break;
      }
      default: return false;
    }
  }
}

bool aborts(const vm::Word* pc) {
  const auto* cell = reinterpret_cast<const vm::PerformCell*>(pc[1]);
  return cell->seen && cell->seen_sites == 1 && cell->clause && cell->clause->kind == rt::ClauseKind::Abort;
}
}  // namespace

// What is done to the result of the call at `pc` before it is given back.
std::optional<Builder::LastStep> Builder::last_step(const vm::Word* pc) {
  unsigned result = a_of(*pc);
  pc += vm::length_of(*pc);
  LastStep step;
  step.pc = pc;
  unsigned b = b_of(*pc), c = c_of(*pc);
  switch (vm::op_of(*pc)) {
    case Op::ADD:
    case Op::MUL:
      if ((b == result) == (c == result)) return {};
      step.op = vm::op_of(*pc) == Op::ADD ? NodeOp::Add : NodeOp::Mul;
      step.reg = b == result ? c : b;
      break;
    case Op::ADD_I:
    case Op::SUB_I:
    case Op::MUL_I:
      if (b != result) return {};
      step.op = vm::op_of(*pc) == Op::MUL_I ? NodeOp::Mul : NodeOp::Add;
      step.constant = vm::op_of(*pc) == Op::SUB_I ? -ci_of(*pc) : ci_of(*pc);
      break;
    default: return {};
  }
  if (!returns(pc + vm::length_of(*pc), a_of(*pc))) return {};
  return step;
}

// Sum or product, where the unit's function is such a recursion.
std::optional<NodeOp> Builder::accumulates() const {
  const vm::LoadedFunction& f = *g_.function;
  if (!options_.runs(Pass::Accumulate) || !g_.accumulate || !g_.speculate || g_.osr || g_.count || g_.ctx->fuel_limited || g_.ctx->on_effect ||
      f.fiber_base || f.raw)
    return {};
  std::optional<NodeOp> found;
  for (const vm::Word* pc : vm::Instructions(f.linked)) {
    Op op = vm::op_of(*pc);
    if (op == Op::RET || changes_nothing(op)) continue;
    if (op == Op::TAIL_CALL && calls(f, pc)) continue;
    if (op == Op::PERFORM && aborts(pc) && returns(pc + vm::length_of(*pc), a_of(*pc))) continue;
    if (!is_call(op) || !calls(f, pc)) return {};
    std::optional<LastStep> step = last_step(pc);
    if (!step || (found && *found != step->op)) return {};
    found = step->op;
  }
  return found;
}

// The unit's frame keeps the arguments that it was called with; the loop's own values lie below it.
void Builder::accumulate(Frame& frame, NodeOp op) {
  vm::LoadedFunction* f = frame.f;
  Accumulator loop;
  loop.op = op;
  Frame inner;
  inner.f = f;
  inner.parent = &frame;
  inner.depth = 1;
  inner.live = frame.live;
  inner.accumulator = &loop;
  inner.restart = here();
  inner.env.assign(f->slots(), nullptr);
  // A word each for the two below and for arguments on their way to each other's places.
  loop.spare = frame.base - 4;
  inner.base = loop.spare - f->params - static_cast<int>(f->frame_words());
  inner.result_home = frame.base - 2;
  g_.lowest = std::min(g_.lowest, inner.base);
  Node* room = add(NodeOp::StackRoom);
  room->home = frame.base - 3;
  room->small = true;
  std::vector<Node*> first{constant(op == NodeOp::Add ? rt::small_int(0).bits : kTwice), room};
  for (unsigned i = 0; i < f->params; ++i) {
    Node* copy = add(NodeOp::Copy, {frame.env[i]});
    copy->home = inner.base + 2 + static_cast<int>(i);
    first.push_back(copy);
  }
  add(NodeOp::Anchor)->state = here();
  add(NodeOp::Jump);
  loop.header = g_.block();
  loop.header->loop = true;
  g_.blocks.push_back(loop.header);
  cur_->succs.push_back(nullptr);
  connect(cur_, 0, loop.header);
  for (size_t i = 0; i < first.size(); ++i) {
    Node* phi = g_.node(NodeOp::Phi);
    phi->home = i < 2 ? frame.base - 2 - static_cast<int>(i) : first[i]->home;
    phi->block = loop.header;
    phi->inputs = {first[i]};
    loop.header->phis.push_back(phi);
    if (i >= 2) inner.env[i - 2] = phi;
  }
  cur_ = loop.header;
  if (!run(inner, 0)) return;
  if (inner.returns.empty()) return;  // it ends where it is dropped
  join(inner.returns, inner.result_home);
  give_back(joined_);
}

// One step of the recursion: its share is taken into account here, what is left is another round.
void Builder::go_round(const LastStep* step, std::vector<Node*> args) {
  Accumulator& loop = *frame_->accumulator;
  Node *total = loop.header->phis[0], *room = loop.header->phis[1];
  const vm::Word* call = pc_;
  if (step) {
    pc_ = step->pc;
    Node* share = step->reg ? use(*step->reg) : constant(rt::small_int(step->constant).bits);
    bool small = is_small(share);
    if (loop.op == NodeOp::Mul && !small) {
      Node* check = add(NodeOp::GuardSmall, {share});
      check->state = here();
    }
    Node* sum = add(loop.op == NodeOp::Add ? NodeOp::Add : NodeOp::Times, {total, share});
    sum->home = total->home;
    if (loop.op == NodeOp::Add) {
      sum->state = here();
      sum->known = static_cast<uint8_t>(1 | small << 1);
      sum->small = true;
    }
    total = sum;
    pc_ = call;
  }
  Node* left = add(NodeOp::Sub, {room, constant(rt::small_int(static_cast<int64_t>(frame_->f->frame_words() * sizeof(Word) / 2)).bits)});
  left->home = room->home;
  left->known = 3;
  left->small = left->fits = true;
  Node* check = add(NodeOp::CheckOrder, {left, constant(rt::small_int(0).bits)});
  check->imm = static_cast<int64_t>(Condition::Greater);
  check->reason = Reason::Depth;
  check->state = here();
  Node* poll = add(NodeOp::Poll);
  poll->reason = Reason::Request;
  poll->state = here();
  for (size_t i = 0; i < args.size(); ++i) {
    bool in_the_way = !args[i]->remade() && args[i]->home != home(static_cast<unsigned>(i)) && args[i]->home < home(frame_->f->params) &&
                      args[i]->home >= home(0);
    if (!in_the_way) continue;
    args[i] = add(NodeOp::Copy, {args[i]});
    args[i]->home = loop.spare - static_cast<int>(i);
  }
  std::vector<Node*> next{total, left};
  for (size_t i = 0; i < args.size(); ++i) {
    set(static_cast<unsigned>(i), args[i]);
    next.push_back(frame_->env[i]);
  }
  add(NodeOp::Jump);
  cur_->succs.push_back(nullptr);
  connect(cur_, 0, loop.header);
  for (size_t i = 0; i < next.size(); ++i) loop.header->phis[i]->inputs.push_back(next[i]);
  end_block();
}

// The innermost call's value, with what all those around it would have made of it.
Node* Builder::with_total(Node* value) {
  Accumulator& loop = *frame_->accumulator;
  Node* total = loop.header->phis[0];
  auto made = [&](Node* n) {
    n->home = frame_->result_home;
    n->state = here();
    n->small = true;
    return n;
  };
  if (loop.op == NodeOp::Mul) total = made(add(NodeOp::TimesDone, {total}));
  Node* result = made(add(loop.op, {total, value}));
  result->known = static_cast<uint8_t>(1 | is_small(value) << 1);
  return result;
}

// To the handler that was seen, as if the unit's frame had performed: the others, which are not there, would be dropped.
void Builder::abort_from_loop() {
  auto* cell = reinterpret_cast<vm::PerformCell*>(pc_[1]);
  std::vector<Node*> args = list_nodes(pc_ + 2, b_of(*pc_));
  if (!PLANTED(jit_abort_unasked)) {
    Node* found = add(NodeOp::FindNode);
    found->home = home(a_of(*pc_));
    found->aux = cell;
    found->imm = reinterpret_cast<int64_t>(cell->seen);
    found->reason = Reason::Handler;
    found->state = here();
  }
  Frame* inner = std::exchange(frame_, frame_->parent);
  Node* n = add(NodeOp::Perform);
  n->inputs = std::move(args);
  n->aux = cell;
  n->home = home(a_of(*pc_));
  n->state = after(a_of(*pc_));
  add(NodeOp::Return, {n});
  frame_ = inner;
  end_block();
}

}  // namespace eddy::jit
