// What loops are left with: checks in front of them, and polls.
#include "jit/x64/codegen.h"

namespace eddy::jit::x64 {

bool Codegen::emit_loop(Node* n) {
  switch (n->op) {
    case NodeOp::Top: {
      ax::Gp out = gp(output(n));
      a_.mov(out, ax::qword_ptr(ax::r15, at::top));
      return true;
    }
    case NodeOp::FindNode: {
      auto* cell = static_cast<vm::PerformCell*>(n->aux);
      int offset = static_cast<int>(cell->effect * sizeof(rt::EffectCell));
      ax::Gp out = gp(output(n));
      asmjit::Label no = leave_label(n), far = a_.newLabel(), found = a_.newLabel();
      a_.mov(out, ax::qword_ptr(ax::r15, at::top));
      a_.test(out, out);
      a_.jz(no);
      constant_to(ax::rdx, n->imm);
      a_.cmp(ax::qword_ptr(out, at::node_site), ax::rdx);
      a_.jne(far);
      a_.bind(found);
      // Not the nearest handler: what the effect's cell says, where it is right.
      deferred_.push_back([=, this] {
        a_.bind(far);
        a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::cells));
        a_.mov(ax::rdx, ax::qword_ptr(ax::rax, offset));
        a_.cmp(ax::rdx, ax::qword_ptr(ax::r15, at::tag));
        a_.jne(no);
        a_.mov(out, ax::qword_ptr(ax::rax, offset + 8));
        constant_to(ax::rdx, n->imm);
        a_.cmp(ax::qword_ptr(out, at::node_site), ax::rdx);
        a_.je(found);
        a_.jmp(no);
      });
      return true;
    }
    case NodeOp::FindNamed: {
      ax::Gp named = gp(input(n->inputs[0]));
      if (!n->known) {
        asmjit::Label no = leave_label(n);
        named_test(n, named, no);
        a_.je(no);
      }
      a_.mov(gp(output(n)), named);
      return true;
    }
    case NodeOp::CheckFunction: {
      ax::Gp closure = gp(input(n->inputs[0]));
      asmjit::Label no = leave_label(n);
      function_test(n, closure, no);
      a_.jne(no);
      return true;
    }
    case NodeOp::CheckDistinct: {
      int a = input(n->inputs[0]), b = input(n->inputs[1]);
      a_.cmp(gp(a), gp(b));
      a_.je(leave_label(n));
      return true;
    }
    case NodeOp::Poll: {
      a_.cmp(ax::rsp, ax::qword_ptr(ax::r15, at::stack_limit));
      a_.jb(leave_label(n));
      return true;
    }
    case NodeOp::StoreWord: {
      int a = input(n->inputs[0]);
      Node* value = n->inputs[1];
      ax::Mem field = ax::qword_ptr(gp(a), static_cast<int>(n->imm));
      if (value->is_const() && fits(value->imm))
        a_.mov(field, static_cast<int32_t>(value->imm));
      else
        a_.mov(field, gp(input(value)));
      return true;
    }
    default:
      return false;
  }
}

}  // namespace eddy::jit::x64
