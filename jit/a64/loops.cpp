// What loops are left with: checks in front of them, and polls.
#include "jit/a64/codegen.h"

namespace eddy::jit::a64 {

bool Codegen::emit_loop(Node* n) {
  switch (n->op) {
    case NodeOp::Top: {
      int out = output(n);
      a_.ldr(gp(out), context(at::top));
      return true;
    }
    case NodeOp::FindNode: {
      auto* cell = static_cast<vm::PerformCell*>(n->aux);
      auto offset = static_cast<int64_t>(cell->effect * sizeof(rt::EffectCell));
      aa::Gp out = gp(output(n));
      asmjit::Label no = leave_label(n), far = a_.newLabel(), found = a_.newLabel();
      a_.ldr(out, context(at::top));
      a_.branch_if_zero(out, no);
      a_.constant(aa::x17, n->imm);
      a_.ldr(aa::x16, field(out, at::node_site));
      a_.cmp(aa::x16, aa::x17);
      a_.branch_if(CondCode::kNE, far);
      a_.bind(found);
      // Not the nearest handler: what the effect's cell says, where it is right.
      deferred_.push_back([=, this] {
        a_.bind(far);
        a_.ldr(aa::x16, context(at::cells));
        if (offset > 500) a_.add_to(aa::x16, aa::x16, offset);
        a_.ldp(aa::x14, aa::x16, aa::ptr(aa::x16, static_cast<int32_t>(offset > 500 ? 0 : offset)));
        a_.ldr(aa::x15, context(at::tag));
        a_.cmp(aa::x14, aa::x15);
        a_.branch_if(CondCode::kNE, no);
        a_.mov(out, aa::x16);
        a_.ldr(aa::x16, field(out, at::node_site));
        a_.cmp(aa::x16, aa::x17);
        a_.branch_if(CondCode::kEQ, found);
        a_.b(no);
      });
      return true;
    }
    case NodeOp::FindNamed: {
      aa::Gp named = gp(input(n->inputs[0]));
      if (!n->known) {
        asmjit::Label no = leave_label(n);
        named_test(n, named, no);
        a_.branch_if(CondCode::kEQ, no);
      }
      a_.mov(gp(output(n)), named);
      return true;
    }
    case NodeOp::CheckFunction: {
      aa::Gp closure = gp(input(n->inputs[0]));
      asmjit::Label no = leave_label(n);
      function_test(n, closure, no);
      a_.branch_if(CondCode::kNE, no);
      return true;
    }
    case NodeOp::CheckDistinct: {
      int a = input(n->inputs[0]), b = input(n->inputs[1]);
      a_.cmp(gp(a), gp(b));
      a_.branch_if(CondCode::kEQ, leave_label(n));
      return true;
    }
    case NodeOp::Poll:
      a_.ldr(aa::x16, context(at::stack_limit));
      a_.cmp(aa::x20, aa::x16);
      a_.branch_if(CondCode::kLO, leave_label(n));
      return true;
    case NodeOp::StoreWord: {
      int a = input(n->inputs[0]);
      Node* value = n->inputs[1];
      if (value->is_const()) {
        store_word(field(gp(a), n->imm), value->imm);
      } else {
        int v = input(value);
        a_.str(gp(v), field(gp(a), n->imm));
      }
      return true;
    }
    default: return false;
  }
}

}  // namespace eddy::jit::a64
