// Performs that capture and resumptions, where the profile or the operand says what is met: the fiber below or on
// top becomes the current one by a change of rsp. What is unusual goes through the stubs.
//
// For the return predictor: neither a perform nor what a resumption goes on with counts as a call. So each
// return finds the address of the call that it belongs to: a clause's the resumption (or the call of the handled
// body) that led to the perform, a body's the last resumption.
#include "jit/x64/codegen.h"

#include "jit/build/switching.h"

namespace eddy::jit::x64 {

// Where a return address belongs, for a jump instead of a call.
void Codegen::push_return(asmjit::Label back) {
  a_.lea(ax::rax, ax::ptr(back));
  a_.push(ax::rax);
}

void Codegen::perform(Node* n) {
  auto* cell = static_cast<vm::PerformCell*>(n->aux);
  save_inline(n->state);
  auto count = static_cast<unsigned>(n->inputs.size());
  asmjit::Label back = a_.newLabel();
  // The continuation has to travel in a register too.
  const rt::Clause* clause = cell->clause;
  bool known = clause && cell->seen_sites == 1 && clause->params == cell->args && count + 2 <= kRegisterArgs && !g_.ctx->on_effect;
  if (known && (clause->kind >= rt::ClauseKind::Once || (clause->kind == rt::ClauseKind::Abort && cell->seen->returns))) {
    arguments(n->inputs, 0, 1);
    enter_base(n->state);
    if (clause->kind == rt::ClauseKind::Abort) abort_for(cell, back);
    else if (has_resuming_entry(*clause)) perform_resuming(cell, back);
    else capture_for(cell, back);
  } else {
    to_context_args(n->inputs, 0, 1);
    enter_base(n->state);
    constant_to(ax::rsi, reinterpret_cast<int64_t>(cell));
    push_return(back);
    a_.jmp(stubs_.perform);
  }
  a_.bind(back);
  metadata(n->state);
  leave_base(n->state);
  call_result(n);
}

// The nearest node, where it is of the site that the perform has met.
void Codegen::nearest_node(const vm::PerformCell* cell, const ax::Gp& node, asmjit::Label otherwise) {
  a_.mov(node, ax::qword_ptr(ax::r15, at::top));
  constant_to(ax::rdx, reinterpret_cast<int64_t>(cell->seen));
  a_.test(node, node);
  a_.jz(otherwise);
  a_.cmp(ax::rdx, ax::qword_ptr(node, at::node_site));
  a_.jne(otherwise);
}

// The operation's arguments are in registers 1 and on; env goes into 0, the continuation behind them.
void Codegen::capture_for(vm::PerformCell* cell, asmjit::Label back) {
  const rt::Clause* clause = cell->clause;
  asmjit::Label slow = a_.newLabel(), full = a_.newLabel(), moved = a_.newLabel(), ready = a_.newLabel();
  const ax::Gp node = ax::rbx, base = ax::r13, owner = ax::r12, fiber = ax::rdi, k = ax::rax, scratch = ax::rdx;
  auto context = [](int offset) { return ax::qword_ptr(ax::r15, offset); };
  nearest_node(cell, node, slow);
  a_.mov(base, ax::qword_ptr(node, at::node_home));
  a_.mov(owner, ax::qword_ptr(base, at::fiber_parent));
  a_.cmp(ax::byte_ptr(owner, at::fiber_dirty), 0);
  a_.je(slow);
  const bool multi = clause->kind == rt::ClauseKind::Multi;
  a_.mov(k, ax::r14);
  a_.add(ax::r14, static_cast<int32_t>(rt::Continuation::bytes(multi)));
  a_.cmp(ax::r14, context(at::alloc_limit));
  a_.ja(full);
  if (g_.count) {
    a_.mov(scratch, context(at::stats));
    a_.inc(ax::qword_ptr(scratch, at::captures));
    constant_to(scratch, reinterpret_cast<int64_t>(&cell->count));
    a_.inc(ax::qword_ptr(scratch));
  }
  constant_to(scratch, static_cast<int64_t>(rt::Continuation::header_of(multi)));
  a_.mov(ax::qword_ptr(k), scratch);
  a_.mov(fiber, context(at::fiber));
  a_.mov(ax::qword_ptr(k, at::k_top_fiber), fiber);
  a_.mov(ax::qword_ptr(k, at::k_top), node);
  a_.mov(ax::qword_ptr(k, at::k_node), node);
  if (multi) {
    a_.mov(scratch, context(at::next_tag));
    a_.mov(ax::qword_ptr(k, at::k_captured_at), scratch);
  }
  // Out of this fiber …
  a_.lea(scratch, ax::ptr(back));
  a_.push(scratch);
  a_.mov(ax::qword_ptr(fiber, at::fiber_sp), ax::rsp);
  a_.mov(scratch, context(at::tag));
  a_.mov(ax::qword_ptr(fiber, at::fiber_tag), scratch);
  a_.mov(scratch, ax::qword_ptr(node, at::node_outer));
  a_.mov(context(at::top), scratch);
  // … into the owner's.
  a_.mov(context(at::fiber), owner);
  a_.mov(scratch, ax::qword_ptr(owner, at::fiber_limit));
  a_.or_(scratch, context(at::safepoint_asked));
  a_.mov(context(at::stack_limit), scratch);
  a_.mov(ax::rsp, ax::qword_ptr(owner, at::fiber_sp));
  a_.mov(scratch, ax::qword_ptr(owner, at::fiber_tag));
  a_.cmp(scratch, context(at::moved_at));
  a_.jb(moved);
  a_.mov(context(at::tag), scratch);
  a_.bind(ready);
  a_.mov(gp(0), ax::qword_ptr(node, at::node_env));
  a_.mov(gp(clause->params + 1), k);
  constant_to(ax::rdx, reinterpret_cast<int64_t>(clause->function));
  a_.jmp(ax::qword_ptr(ax::rdx, at::machine_entry));
  deferred_.push_back([=, this] {
    a_.bind(moved);
    a_.mov(scratch, context(at::next_tag));
    a_.mov(context(at::tag), scratch);
    a_.inc(context(at::next_tag));
    a_.jmp(ready);
    a_.bind(full);
    a_.mov(ax::r14, k);
    a_.bind(slow);
    perform_by_stub(cell, back);
  });
}

// To a clause that resumes first: its frame is laid below (resuming_entry), and this one goes on.
void Codegen::perform_resuming(vm::PerformCell* cell, asmjit::Label back) {
  asmjit::Label slow = a_.newLabel();
  const ax::Gp node = ax::rbx, owner = ax::r12;
  nearest_node(cell, node, slow);
  a_.mov(owner, ax::qword_ptr(node, at::node_home));
  a_.mov(owner, ax::qword_ptr(owner, at::fiber_parent));
  a_.mov(gp(0), ax::qword_ptr(node, at::node_env));
  constant_to(ax::r13, reinterpret_cast<int64_t>(cell));
  push_return(back);
  constant_to(ax::rdx, reinterpret_cast<int64_t>(cell->clause->function));
  a_.jmp(ax::qword_ptr(ax::rdx, at::resuming_entry));
  deferred_.push_back([=, this] {
    a_.bind(slow);
    perform_by_stub(cell, back);
  });
}

// Whether the function's frame may be laid on the owner's fiber now, which it finds at `stack`; the capture is counted then.
void Codegen::room_on_owner(const ax::Gp& owner, const ax::Gp& cell, const ax::Gp& stack, asmjit::Label otherwise) {
  a_.cmp(ax::byte_ptr(owner, at::fiber_dirty), 0);
  a_.je(otherwise);
  a_.cmp(ax::qword_ptr(ax::r15, at::stack_limit), -1);
  a_.je(otherwise);
  a_.mov(stack, ax::qword_ptr(owner, at::fiber_sp));
  a_.lea(ax::rax, ax::ptr(stack, g_.lowest * 8 - frame_bytes()));
  a_.cmp(ax::rax, ax::qword_ptr(owner, at::fiber_limit));
  a_.jb(otherwise);
  if (!g_.count) return;
  a_.inc(ax::qword_ptr(cell, at::cell_count));
  constant_to(ax::rax, reinterpret_cast<int64_t>(&g_.ctx->stats->captures));
  a_.inc(ax::qword_ptr(ax::rax));
}

// The frame that waits for the first resumption, but for its return address and a continuation that is still to be made.
void Codegen::lay_waiting(const ax::Gp& stack) {
  auto store = [&](int home, int64_t bits) {
    if (fits(bits)) return void(a_.mov(waiting_slot(stack, home), static_cast<int32_t>(bits)));
    constant_to(ax::rax, bits);
    a_.mov(waiting_slot(stack, home), ax::rax);
  };
  if (frame_written_) store(0, reinterpret_cast<int64_t>(static_cast<rt::Function*>(g_.function)));
  for (const FrameState::Entry& e : first_resume_->state->values) {
    if (e.node->remade()) store(e.home, e.node->imm);
    else if (!is_continuation(e.node)) a_.mov(waiting_slot(stack, e.home), gp(static_cast<int>(e.node->imm)));
  }
}

// Jumped to with the owner's fiber in r12, the cell in r13, arguments as for a call, the performer's return word pushed.
void Codegen::resuming_entry() {
  asmjit::Label other = a_.newLabel();
  const ax::Gp owner = ax::r12, cell = ax::r13, stack = ax::rdx, scratch = ax::rax;
  a_.bind(resuming_);
  room_on_owner(owner, cell, stack, other);
  for (Node* n : g_.blocks[0]->nodes) {
    if (n == first_resume_) break;
    if (n->op == NodeOp::Tally) emit_node(n);
  }
  lay_waiting(stack);
  a_.lea(scratch, ax::ptr(resumed_));
  a_.mov(waiting_slot(stack, -1), scratch);
  a_.lea(scratch, waiting_slot(stack, -1));
  a_.mov(ax::qword_ptr(owner, at::fiber_sp), scratch);
  const Node* value = first_resume_->inputs[1];
  if (value->remade()) constant_to(scratch, value->imm);
  else a_.mov(scratch, gp(static_cast<int>(value->imm)));
  a_.pop(ax::rdx);
  a_.jmp(ax::rdx);
  a_.bind(other);
  a_.jmp(stubs_.perform_known);
}

// Jumped to as resuming_entry, with the handler's node in rbx. What is laid there is returned to as from a call, so that
// returning is what the processor expects.
size_t Codegen::forking_entry() {
  asmjit::Label other = a_.newLabel(), go = a_.newLabel();
  const ax::Gp owner = ax::r12, cell = ax::r13, stack = ax::rdx, scratch = ax::rax;
  const ax::Mem kept = ax::qword_ptr(ax::r15, at::result);
  const Node* value = first_resume_->inputs[1];
  a_.bind(resuming_);
  room_on_owner(owner, cell, stack, other);
  lay_waiting(stack);
  if (!value->remade()) a_.mov(kept, gp(static_cast<int>(value->imm)));
  a_.call(stubs_.fork);
  a_.test(ax::rax, ax::rax);
  a_.jz(other);
  a_.mov(stack, ax::qword_ptr(owner, at::fiber_sp));
  for (const FrameState::Entry& e : first_resume_->state->values)
    if (is_continuation(e.node)) a_.mov(waiting_slot(stack, e.home), ax::rax);
  a_.pop(ax::rcx);
  a_.call(go);
  size_t site = offset();
  metadata(first_resume_->state);
  a_.jmp(resumed_);
  a_.bind(go);
  a_.pop(waiting_slot(stack, -1));
  a_.lea(scratch, waiting_slot(stack, -1));
  a_.mov(ax::qword_ptr(owner, at::fiber_sp), scratch);
  if (value->remade()) constant_to(scratch, value->imm);
  else a_.mov(scratch, kept);
  a_.jmp(ax::rcx);
  a_.bind(other);
  a_.jmp(stubs_.perform_known);
  return site;
}

// Jumped to as resuming_entry, with the handler's node in rbx. As capture_for goes to the owner's fiber, but makes no continuation.
void Codegen::captured_entry() {
  asmjit::Label other = a_.newLabel(), moved = a_.newLabel(), ready = a_.newLabel();
  const ax::Gp node = ax::rbx, owner = ax::r12, cell = ax::r13, stack = ax::rdx, scratch = ax::rax;
  const ax::Gp fiber = gp(continuation()), top = gp(continuation() + 1), handler = gp(continuation() + 2);
  const int below = frame_bytes();
  auto context = [](int offset) { return ax::qword_ptr(ax::r15, offset); };
  bind(resuming_);
  room_on_owner(owner, cell, stack, other);
  a_.mov(fiber, context(at::fiber));
  a_.mov(ax::qword_ptr(fiber, at::fiber_sp), ax::rsp);
  a_.mov(scratch, context(at::tag));
  a_.mov(ax::qword_ptr(fiber, at::fiber_tag), scratch);
  a_.mov(top, node);
  a_.mov(handler, node);
  a_.mov(scratch, ax::qword_ptr(node, at::node_outer));
  a_.mov(context(at::top), scratch);
  a_.mov(context(at::fiber), owner);
  a_.mov(scratch, ax::qword_ptr(owner, at::fiber_limit));
  a_.mov(context(at::stack_limit), scratch);
  a_.lea(ax::rsp, ax::ptr(stack, -below));
  a_.mov(scratch, ax::qword_ptr(owner, at::fiber_tag));
  a_.cmp(scratch, context(at::moved_at));
  a_.jb(moved);
  a_.mov(context(at::tag), scratch);
  a_.bind(ready);
  jump_to(inside_);
  a_.bind(moved);
  fresh_tag();
  a_.jmp(ready);
  a_.bind(other);
  a_.jmp(stubs_.perform_known);
}

void Codegen::skip_resumed(Node* k, Label done) {
  asmjit::Label no = a_.newLabel();
  value_to(ax::rax, k);
  check_object(ax::rax, rt::Kind::Continuation, no);
  a_.cmp(ax::qword_ptr(ax::rax, at::k_top_fiber), 0);
  a_.je(done);
  a_.bind(no);
}

void Codegen::take_apart() {
  const ax::Gp k = gp(continuation());
  a_.mov(gp(continuation() + 2), ax::qword_ptr(k, at::k_node));
  a_.mov(gp(continuation() + 1), ax::qword_ptr(k, at::k_top));
  a_.mov(ax::rax, ax::qword_ptr(k, at::k_top_fiber));
  a_.mov(ax::qword_ptr(k, at::k_top_fiber), 0);
  a_.mov(k, ax::rax);
}

// The arguments are where capture_for has them.
void Codegen::perform_by_stub(vm::PerformCell* cell, asmjit::Label back) {
  for (unsigned i = 1; i <= cell->args; ++i) a_.mov(argument_slot(i), gp(static_cast<int>(i)));
  constant_to(ax::rsi, reinterpret_cast<int64_t>(cell));
  push_return(back);
  a_.jmp(stubs_.perform);
}

// To an abort clause that leaves nothing behind: it takes the place of the region's frame, or of its fiber.
void Codegen::abort_for(vm::PerformCell* cell, asmjit::Label back) {
  const rt::Function* owner = cell->seen->owner;
  asmjit::Label slow = a_.newLabel();
  const ax::Gp node = ax::rbx, fiber = ax::r12;
  auto context = [](int offset) { return ax::qword_ptr(ax::r15, offset); };
  nearest_node(cell, node, slow);
  a_.mov(fiber, ax::qword_ptr(node, at::node_home));
  a_.cmp(fiber, context(at::fiber));
  a_.jne(slow);
  a_.mov(ax::eax, ax::dword_ptr(fiber, at::fiber_records));
  a_.cmp(ax::eax, ax::dword_ptr(node, at::node_records));
  a_.jne(slow);
  if (g_.count) {
    constant_to(ax::rdx, reinterpret_cast<int64_t>(&cell->count));
    a_.inc(ax::qword_ptr(ax::rdx));
  }
  if (!owner->fiber_base) {
    a_.mov(ax::eax, ax::dword_ptr(node, at::node_frame));
    a_.mov(ax::rdx, ax::qword_ptr(fiber, at::fiber_base));
    a_.shl(ax::rax, 3);
    a_.sub(ax::rdx, ax::rax);
    a_.lea(ax::rsp, ax::ptr(ax::rdx, static_cast<int32_t>(owner->frame_size * 8 - 8)));
    a_.mov(ax::rax, ax::qword_ptr(node, at::node_outer));
    a_.mov(context(at::top), ax::rax);
    fresh_tag();
    a_.mov(gp(0), ax::qword_ptr(node, at::node_env));
  }
  constant_to(ax::rdx, reinterpret_cast<int64_t>(cell->clause->function));
  if (owner->fiber_base) a_.jmp(stubs_.abort_body);
  else a_.jmp(ax::qword_ptr(ax::rdx, at::machine_entry));
  deferred_.push_back([=, this] {
    a_.bind(slow);
    perform_by_stub(cell, back);
  });
}

}  // namespace eddy::jit::x64
