// Performs that capture and resumptions, where the profile or the operand says what is met: the fiber below or on
// top becomes the current one by a change of x20. What is unusual goes through the stubs.
//
// For the return predictor: neither a perform nor what a resumption goes on with counts as a call. So each
// return finds the address of the call that it belongs to: a clause's the resumption (or the call of the handled
// body) that led to the perform, a body's the last resumption.
#include "jit/a64/codegen.h"

#include "jit/build/switching.h"

namespace eddy::jit::a64 {

// The address behind the jump, where a return address belongs.
void Codegen::jump_with_return(asmjit::Label back, void* stub) {
  a_.adr(aa::x30, back);
  a_.jump_to(stub);
}

void Codegen::perform(Node* n) {
  auto* cell = static_cast<vm::PerformCell*>(n->aux);
  save_inline(n->state);
  auto count = static_cast<unsigned>(n->inputs.size());
  asmjit::Label back = a_.newLabel();
  // The continuation has to travel in a register too.
  const rt::Clause* clause = cell->clause;
  bool known = clause && cell->seen_sites == 1 && clause->params == cell->args && count + 2 <= kRegisterArgs && !g_.ctx->on_effect &&
               a_.reach() != Reach::Far;
  if (known && (clause->kind >= rt::ClauseKind::Once || (clause->kind == rt::ClauseKind::Abort && cell->seen->returns))) {
    arguments(n->inputs, 0, 1);
    enter_base(n->state);
    if (clause->kind == rt::ClauseKind::Abort) abort_for(cell, back);
    else if (has_resuming_entry(*clause)) perform_resuming(cell, back);
    else capture_for(cell, back);
    a_.bind(back);
  } else {
    to_context_args(n->inputs, 0, 1);
    enter_base(n->state);
    a_.constant(aa::x1, cell);
    jump_with_return(back, stubs_.perform);
    a_.bind(back);
  }
  metadata(n->state);
  leave_base(n->state);
  call_result(n);
}

// The nearest node, where it is of the site that the perform has met.
void Codegen::nearest_node(const vm::PerformCell* cell, const aa::Gp& node, asmjit::Label otherwise) {
  a_.ldr(node, context(at::top));
  a_.branch_if_zero(node, otherwise);
  a_.constant(aa::x16, cell->seen);
  a_.ldr(aa::x17, field(node, at::node_site));
  a_.cmp(aa::x16, aa::x17);
  a_.branch_if(CondCode::kNE, otherwise);
}

// The operation's arguments are in registers 1 and on; env goes into 0, the continuation behind them.
void Codegen::capture_for(vm::PerformCell* cell, asmjit::Label back) {
  const rt::Clause* clause = cell->clause;
  asmjit::Label slow = a_.newLabel(), full = a_.newLabel(), moved = a_.newLabel(), ready = a_.newLabel();
  const aa::Gp node = aa::x6, base = aa::x7, owner = aa::x8, fiber = aa::x9, k = aa::x10, scratch = aa::x16;
  nearest_node(cell, node, slow);
  a_.ldr(base, field(node, at::node_home));
  a_.ldr(owner, field(base, at::fiber_parent));
  a_.ldrb(aa::w16, field(owner, at::fiber_dirty, 1));
  a_.branch_if_zero(aa::w16, slow);
  const bool multi = clause->kind == rt::ClauseKind::Multi;
  a_.mov(k, aa::x21);
  a_.add_to(aa::x21, aa::x21, static_cast<int64_t>(rt::Continuation::bytes(multi)));
  a_.ldr(scratch, context(at::alloc_limit));
  a_.cmp(aa::x21, scratch);
  a_.branch_if(CondCode::kHI, full);
  if (g_.count) {
    increment(reinterpret_cast<int64_t>(&g_.ctx->stats->captures));
    increment(reinterpret_cast<int64_t>(&cell->count));
  }
  a_.constant(scratch, static_cast<int64_t>(rt::Continuation::header_of(multi)));
  a_.str(scratch, aa::ptr(k));
  a_.ldr(fiber, context(at::fiber));
  a_.str(fiber, field(k, at::k_top_fiber));
  a_.str(node, field(k, at::k_top));
  a_.str(node, field(k, at::k_node));
  if (multi) {
    a_.ldr(scratch, context(at::next_tag));
    a_.str(scratch, field(k, at::k_captured_at));
  }
  // Out of this fiber …
  a_.adr(scratch, back);
  a_.str(scratch, aa::ptr_pre(aa::x20, -8));
  a_.str(aa::x20, field(fiber, at::fiber_sp));
  a_.ldr(scratch, context(at::tag));
  a_.str(scratch, field(fiber, at::fiber_tag));
  a_.ldr(scratch, field(node, at::node_outer));
  a_.str(scratch, context(at::top));
  // … into the owner's.
  a_.str(owner, context(at::fiber));
  a_.ldr(scratch, field(owner, at::fiber_limit));
  a_.ldr(aa::x17, context(at::safepoint_asked));
  a_.orr(scratch, scratch, aa::x17);
  a_.str(scratch, context(at::stack_limit));
  a_.ldr(aa::x20, field(owner, at::fiber_sp));
  a_.ldr(scratch, field(owner, at::fiber_tag));
  a_.ldr(aa::x17, context(at::moved_at));
  a_.cmp(scratch, aa::x17);
  a_.branch_if(CondCode::kLO, moved);
  a_.str(scratch, context(at::tag));
  a_.bind(ready);
  a_.ldr(gp(0), field(node, at::node_env));
  a_.mov(gp(static_cast<int>(clause->params + 1)), k);
  a_.constant(aa::x17, static_cast<const rt::Function*>(clause->function));
  a_.ldr(aa::x16, field(aa::x17, at::machine_entry));
  a_.pop_return();
  a_.br(aa::x16);
  deferred_.push_back([=, this] {
    a_.bind(moved);
    fresh_tag();
    a_.b(ready);
    a_.bind(full);
    a_.mov(aa::x21, k);
    a_.bind(slow);
    perform_by_stub(cell, back);
  });
}

// To a clause that resumes first: its frame is laid below (resuming_entry), and this one goes on.
void Codegen::perform_resuming(vm::PerformCell* cell, asmjit::Label back) {
  asmjit::Label slow = a_.newLabel();
  const aa::Gp node = aa::x6, owner = aa::x8;
  nearest_node(cell, node, slow);
  a_.ldr(owner, field(node, at::node_home));
  a_.ldr(owner, field(owner, at::fiber_parent));
  a_.ldr(gp(0), field(node, at::node_env));
  a_.constant(aa::x10, cell);
  a_.constant(aa::x17, static_cast<const rt::Function*>(cell->clause->function));
  a_.ldr(aa::x16, field(aa::x17, at::resuming_entry));
  a_.adr(aa::x30, back);
  a_.br(aa::x16);
  deferred_.push_back([=, this] {
    a_.bind(slow);
    perform_by_stub(cell, back);
  });
}

// Whether the function's frame may be laid on the owner's fiber now, which it finds at `frame`; the capture is counted then.
void Codegen::room_on_owner(const aa::Gp& owner, const aa::Gp& cell, const aa::Gp& frame, asmjit::Label otherwise) {
  const aa::Gp scratch = aa::x16;
  a_.ldrb(aa::w16, field(owner, at::fiber_dirty, 1));
  a_.branch_if_zero(aa::w16, otherwise);
  a_.ldr(scratch, context(at::stack_limit));
  a_.cmn(scratch, 1);
  a_.branch_if(CondCode::kEQ, otherwise);
  a_.ldr(frame, field(owner, at::fiber_sp));
  a_.add_to(scratch, frame, g_.lowest * 8 - frame_bytes());
  a_.ldr(aa::x7, field(owner, at::fiber_limit));
  a_.cmp(scratch, aa::x7);
  a_.branch_if(CondCode::kLO, otherwise);
  if (!g_.count) return;
  a_.ldr(scratch, field(cell, at::cell_count));
  a_.add(scratch, scratch, 1);
  a_.str(scratch, field(cell, at::cell_count));
  increment(reinterpret_cast<int64_t>(&g_.ctx->stats->captures));
  a_.ldr(frame, field(owner, at::fiber_sp));  // counting uses its register
}

// The frame that waits for the first resumption, but for its return address and a continuation that is still to be made.
void Codegen::lay_waiting(const aa::Gp& frame) {
  auto store = [&](int home, int64_t bits) {
    a_.constant(aa::x16, bits);
    a_.str(aa::x16, field(frame, home * 8));
  };
  if (frame_written_) store(0, reinterpret_cast<int64_t>(static_cast<rt::Function*>(g_.function)));
  for (const FrameState::Entry& e : first_resume_->state->values) {
    if (e.node->remade()) store(e.home, e.node->imm);
    else if (!is_continuation(e.node)) a_.str(gp(static_cast<int>(e.node->imm)), field(frame, e.home * 8));
  }
}

// Jumped to with the owner's fiber in x8, the cell in x10, arguments as for a call, the performer's return address in x30.
void Codegen::resuming_entry() {
  asmjit::Label other = a_.newLabel();
  const aa::Gp owner = aa::x8, cell = aa::x10, frame = aa::x17, scratch = aa::x16;
  bind(resuming_);
  if (a_.reach() == Reach::Far) return a_.jump_to(stubs_.perform_known);
  room_on_owner(owner, cell, frame, other);
  for (Node* n : g_.blocks[0]->nodes) {
    if (n == first_resume_) break;
    if (n->op == NodeOp::Tally) emit_node(n);
  }
  if (g_.count) a_.ldr(frame, field(owner, at::fiber_sp));  // counting uses its register
  a_.add_to(frame, frame, -frame_bytes());
  lay_waiting(frame);
  a_.adr(scratch, resumed_);
  a_.str(scratch, aa::ptr_pre(frame, -8));
  a_.str(frame, field(owner, at::fiber_sp));
  const Node* value = first_resume_->inputs[1];
  if (value->remade()) a_.constant(aa::x16, value->imm);
  else a_.mov(aa::x16, gp(static_cast<int>(value->imm)));
  a_.br(aa::x30);
  a_.bind(other);
  a_.jump_to(stubs_.perform_known);
}

// Jumped to as resuming_entry, with the handler's node in x6. What is laid there is returned to as from a call, so that
// returning is what the processor expects.
size_t Codegen::forking_entry() {
  asmjit::Label other = a_.newLabel(), go = a_.newLabel();
  const aa::Gp owner = aa::x8, cell = aa::x10, frame = aa::x17, back = aa::x9;
  const Node* value = first_resume_->inputs[1];
  bind(resuming_);
  if (a_.reach() == Reach::Far) {
    a_.jump_to(stubs_.perform_known);
    return 0;
  }
  room_on_owner(owner, cell, frame, other);
  a_.add_to(frame, frame, -frame_bytes());
  lay_waiting(frame);
  if (!value->remade()) a_.str(gp(static_cast<int>(value->imm)), context(at::result));
  a_.push_return();
  a_.call_to(stubs_.fork);
  a_.pop_return();
  a_.branch_if_zero(aa::x16, other);
  a_.ldr(frame, field(owner, at::fiber_sp));
  a_.add_to(frame, frame, -frame_bytes());
  for (const FrameState::Entry& e : first_resume_->state->values)
    if (is_continuation(e.node)) a_.str(aa::x16, field(frame, e.home * 8));
  a_.mov(back, aa::x30);
  a_.bl(go);
  size_t site = offset();
  metadata(first_resume_->state);
  a_.b(resumed_);
  a_.bind(go);
  a_.str(aa::x30, aa::ptr_pre(frame, -8));
  a_.str(frame, field(owner, at::fiber_sp));
  if (value->remade()) a_.constant(aa::x16, value->imm);
  else a_.ldr(aa::x16, context(at::result));
  a_.br(back);
  a_.bind(other);
  a_.jump_to(stubs_.perform_known);
  return site;
}

// Jumped to as resuming_entry, with the handler's node in x6. As capture_for goes to the owner's fiber, but makes no continuation.
void Codegen::captured_entry() {
  asmjit::Label other = a_.newLabel(), moved = a_.newLabel(), ready = a_.newLabel();
  const aa::Gp node = aa::x6, owner = aa::x8, cell = aa::x10, frame = aa::x17, scratch = aa::x16;
  const aa::Gp fiber = gp(continuation()), top = gp(continuation() + 1), handler = gp(continuation() + 2);
  bind(resuming_);
  if (a_.reach() == Reach::Far) return a_.jump_to(stubs_.perform_known);
  room_on_owner(owner, cell, frame, other);
  a_.ldr(fiber, context(at::fiber));
  a_.str(aa::x30, aa::ptr_pre(aa::x20, -8));
  a_.str(aa::x20, field(fiber, at::fiber_sp));
  a_.ldr(scratch, context(at::tag));
  a_.str(scratch, field(fiber, at::fiber_tag));
  a_.mov(top, node);
  a_.mov(handler, node);
  a_.ldr(scratch, field(node, at::node_outer));
  a_.str(scratch, context(at::top));
  a_.str(owner, context(at::fiber));
  a_.ldr(scratch, field(owner, at::fiber_limit));
  a_.str(scratch, context(at::stack_limit));
  a_.add_to(aa::x20, frame, -frame_bytes());
  a_.ldr(scratch, field(owner, at::fiber_tag));
  a_.ldr(aa::x17, context(at::moved_at));
  a_.cmp(scratch, aa::x17);
  a_.branch_if(CondCode::kLO, moved);
  a_.str(scratch, context(at::tag));
  a_.bind(ready);
  jump_to(inside_);
  a_.bind(moved);
  fresh_tag();
  a_.b(ready);
  a_.bind(other);
  a_.jump_to(stubs_.perform_known);
}

void Codegen::skip_resumed(Node* k, Label done) {
  asmjit::Label no = a_.newLabel();
  value_to(aa::x17, k);
  object_check(aa::x17, rt::Kind::Continuation, false, no);
  a_.ldr(aa::x16, field(aa::x17, at::k_top_fiber));
  a_.branch_if_zero(aa::x16, done);
  a_.bind(no);
}

void Codegen::take_apart() {
  const aa::Gp k = gp(continuation());
  a_.ldr(gp(continuation() + 2), field(k, at::k_node));
  a_.ldr(gp(continuation() + 1), field(k, at::k_top));
  a_.ldr(aa::x16, field(k, at::k_top_fiber));
  a_.str(aa::xzr, field(k, at::k_top_fiber));
  a_.mov(k, aa::x16);
}

// The arguments are where capture_for has them.
void Codegen::perform_by_stub(vm::PerformCell* cell, asmjit::Label back) {
  for (unsigned i = 1; i <= cell->args; ++i) a_.str(gp(static_cast<int>(i)), argument_slot(i));
  a_.constant(aa::x1, cell);
  jump_with_return(back, stubs_.perform);
}

// To an abort clause that leaves nothing behind: it takes the place of the region's frame, or of its fiber.
void Codegen::abort_for(vm::PerformCell* cell, asmjit::Label back) {
  const rt::Function* owner = cell->seen->owner;
  asmjit::Label slow = a_.newLabel();
  const aa::Gp node = aa::x6, fiber = aa::x7;
  nearest_node(cell, node, slow);
  a_.ldr(fiber, field(node, at::node_home));
  a_.ldr(aa::x16, context(at::fiber));
  a_.cmp(fiber, aa::x16);
  a_.branch_if(CondCode::kNE, slow);
  a_.ldr(aa::w16, field(fiber, at::fiber_records, 4));
  a_.ldr(aa::w17, field(node, at::node_records, 4));
  a_.cmp(aa::w16, aa::w17);
  a_.branch_if(CondCode::kNE, slow);
  if (g_.count) increment(reinterpret_cast<int64_t>(&cell->count));
  if (!owner->fiber_base) {
    a_.ldr(aa::w16, field(node, at::node_frame, 4));
    a_.ldr(aa::x17, field(fiber, at::fiber_base));
    a_.lsl(aa::x16, aa::x16, 3);
    a_.sub(aa::x17, aa::x17, aa::x16);
    a_.add_to(aa::x20, aa::x17, static_cast<int64_t>(owner->frame_size) * 8 - 8);
    a_.ldr(aa::x16, field(node, at::node_outer));
    a_.str(aa::x16, context(at::top));
    fresh_tag();
    a_.ldr(gp(0), field(node, at::node_env));
  }
  a_.constant(aa::x17, static_cast<const rt::Function*>(cell->clause->function));
  if (owner->fiber_base) {
    a_.jump_to(stubs_.abort_body);
  } else {
    a_.ldr(aa::x16, field(aa::x17, at::machine_entry));
    a_.pop_return();
    a_.br(aa::x16);
  }
  deferred_.push_back([=, this] {
    a_.bind(slow);
    perform_by_stub(cell, back);
  });
}

}  // namespace eddy::jit::a64
