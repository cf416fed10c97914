// Nodes that are a call of the runtime and nothing else. What an instruction set says of them is how arguments are
// passed.
#include "jit/codegen/codegen.h"
#include "jit/runtime_calls.h"

namespace eddy::jit {

namespace {
template <class F>
void* address_of(F* function) { return reinterpret_cast<void*>(function); }

static_assert(static_cast<int>(NodeOp::BitLength) - static_cast<int>(NodeOp::Add) == static_cast<int>(calls::IntOp::BitLength));
calls::IntOp runtime_op(NodeOp op) {
  return static_cast<calls::IntOp>(static_cast<int>(op) - static_cast<int>(NodeOp::Add));
}
}  // namespace

bool CodegenBase::emit_runtime_call(Node* n) {
  auto through = [&](void* stub, void* helper) {
    call_helper(stub, helper, n->state);
    call_result(n);
    return true;
  };
  auto stub = [&](void* stub) {
    save_inline(n->state);
    arguments(n->inputs, 0);
    call_stub(stub, n->state);
    call_result(n);
    return true;
  };
  auto in_context = [&] {
    save_inline(n->state);
    to_context_args(n->inputs, 0, 0);
  };
  switch (n->op) {
    case NodeOp::Native:
      in_context();
      set_live_arguments(static_cast<unsigned>(n->inputs.size()));
      pass_context_args(1);
      call_helper(stubs_.call_value, address_of(static_cast<const rt::Native*>(n->aux)->function), n->state);
      set_live_arguments(0);
      call_result(n);
      return true;
    case NodeOp::MakeArray:
      in_context();
      pass_constant(1, static_cast<int64_t>(n->inputs.size()));
      return through(stubs_.call_value, address_of(&calls::make_array));
    case NodeOp::PerformNamed:
      in_context();
      pass_constant(1, reinterpret_cast<int64_t>(n->aux));
      return through(stubs_.call_action, address_of(&calls::perform_named));
    case NodeOp::Resume: return stub(n->imm ? stubs_.resume_last : stubs_.resume_keep);
    case NodeOp::ResumeTaken: return stub(stubs_.resume_taken);
    case NodeOp::FiberCall: return stub(stubs_.fiber_call);
    case NodeOp::Drop:
    case NodeOp::DropUnused: {
      save_inline(n->state);
      // Most have been resumed.
      Label done = new_label();
      skip_resumed(n->inputs[0], done);
      to_context_args(n->inputs, 0, 0);
      call_helper(stubs_.call_action, address_of(n->op == NodeOp::Drop ? &calls::drop : &calls::drop_unused), n->state);
      bind(done);
      call_result(n);
      return true;
    }
    case NodeOp::AbortNow:
      save_inline(n->state);
      write_function(n->state);
      return through(stubs_.call_plain, address_of(&calls::abort_now));
    case NodeOp::Record:
      save_inline(n->state);
      if (!n->inputs.empty()) pass_value(2, n->inputs[0]);
      pass_constant(1, reinterpret_cast<int64_t>(n->aux));
      return through(stubs_.call_value, address_of(&calls::record));
    default: return false;
  }
}

void CodegenBase::call_with_operands(const Node* n, void* helper) {
  unsigned index = 0;
  for (Node* operand : n->inputs) pass_slot(++index, operand);
  call_helper(stubs_.call_value, helper, n->state);
}

void CodegenBase::call_compare(const Node* n) {
  pass_constant(3, n->imm);
  call_with_operands(n, address_of(&calls::compare));
}

Label CodegenBase::int_failure(const Node* n, int out, Label* back) {
  if (n->speculative) return leave_label(n);
  return result_of(n, address_of(calls::int_function(runtime_op(n->op))), out, back);
}

Label CodegenBase::result_of(const Node* n, void* helper, int out, Label* back) {
  Label from = new_label();
  *back = new_label();
  slow_path(n, from, [this, n, helper, out] {
    call_with_operands(n, helper);
    take_result(out);
  }, *back);
  return from;
}

}  // namespace eddy::jit
