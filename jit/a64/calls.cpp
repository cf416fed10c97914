// Calls, natives, effects.
#include "jit/a64/codegen.h"
#include "jit/build/switching.h"
#include "jit/runtime_calls.h"
#include "vm/control/pseudo.h"

namespace eddy::jit::a64 {

// Applies input 0 to the others. In the registers of the calling convention it looks like a call of a function that
// takes its closure first; one that does not gets its arguments moved down, out of line.
void Codegen::closure_call(Node* n, bool tail) {
  auto count = static_cast<int>(n->inputs.size() - 1);
  if (!tail) save_inline(n->state);
  arguments(n->inputs, 0);
  if (tail) pop_frame();
  else enter_base(n->state);
  asmjit::Label shift = a_.newLabel(), other = a_.newLabel(), ready = a_.newLabel(), done = a_.newLabel();
  aa::Gp closure = gp(0);
  a_.branch_if_no_pointer(closure, other);
  a_.ldrb(aa::w16, aa::ptr(closure, 3));
  a_.cmp(aa::w16, asmjit::Imm(static_cast<int>(rt::Kind::Closure)));
  a_.branch_if(CondCode::kNE, other);
  a_.ldr(aa::x17, field(closure, offsetof(rt::Closure, function)));
  a_.ldrh(aa::w16, field(aa::x17, at::values, 2));
  a_.compare(aa::w16, count);
  a_.branch_if(CondCode::kNE, other);
  a_.ldrb(aa::w16, field(aa::x17, at::takes_self, 1));
  a_.branch_if_zero(aa::w16, shift);
  a_.bind(ready);
  a_.ldr(aa::x16, field(aa::x17, at::machine_entry));
  if (tail) {
    a_.br(aa::x16);
  } else {
    a_.blr(aa::x16);
    metadata(n->state, n->type == Type::Float);
    a_.bind(done);
    leave_base(n->state);
  }
  const FrameState* state = n->state;
  deferred_.push_back([=, this] {
    a_.bind(shift);
    for (int i = 0; i < count; ++i) {
      int registers = static_cast<int>(kRegisterArgs);
      if (i + 1 < registers) {
        a_.mov(gp(i), gp(i + 1));
      } else {
        a_.ldr(aa::x16, argument_slot(static_cast<unsigned>(i + 1)));
        if (i < registers) a_.mov(gp(i), aa::x16);
        else a_.str(aa::x16, argument_slot(static_cast<unsigned>(i)));
      }
    }
    a_.b(ready);
    a_.bind(other);
    auto go = [&](void* stub) {
      if (tail) {
        a_.jump_to(stub);
      } else {
        a_.call_to(stub);
        metadata(state);
        a_.b(done);
      }
    };
    if (count <= 1) {
      // A resumption, perhaps.
      asmjit::Label no = a_.newLabel();
      a_.branch_if_no_pointer(closure, no);
      a_.ldrb(aa::w16, aa::ptr(closure, 3));
      a_.cmp(aa::w16, asmjit::Imm(static_cast<int>(rt::Kind::Continuation)));
      a_.branch_if(CondCode::kNE, no);
      if (count == 0) a_.constant(gp(1), static_cast<int64_t>(rt::kUnit.bits));
      go(tail ? stubs_.tail_resume_keep : stubs_.resume_keep);
      a_.bind(no);
    }
    for (int i = 0; i <= std::min(count, static_cast<int>(kRegisterArgs) - 1); ++i)
      a_.str(gp(i), argument_slot(static_cast<unsigned>(i)));
    a_.constant(aa::x1, count);
    a_.constant(aa::x16, reinterpret_cast<void*>(&calls::call_value));
    go(tail ? stubs_.jump_action : stubs_.call_action);
  });
}

bool Codegen::emit_call(Node* n) {
  switch (n->op) {
    case NodeOp::Call: {
      auto* f = static_cast<rt::Function*>(n->aux);
      save_inline(n->state);
      arguments(n->inputs, 0);
      enter_base(n->state);
      bool self = f == g_.function && !g_.osr;
      asmjit::Label start = own_entry(n);
      if (!self) {
        a_.constant(aa::x17, f);
        a_.ldr(aa::x16, field(aa::x17, takes_raw(n) ? at::raw_entry : at::machine_entry));
      }
      if (may_switch(*vm::loaded(f))) {
        asmjit::Label back = a_.newLabel();
        a_.adr(aa::x30, back);
        if (self) a_.b(start);
        else a_.br(aa::x16);
        a_.bind(back);
      } else if (self) {
        a_.bl(start);
      } else {
        a_.blr(aa::x16);
      }
      metadata(n->state, n->type == Type::Float);
      leave_base(n->state);
      call_result(n);
      return true;
    }
    case NodeOp::CallClosure:
      closure_call(n, false);
      call_result(n);
      return true;
    default: return false;
  }
}

// As vm::lay_clause_frame; the node is the input, or in x16.
void Codegen::clause_enter(Node* n) {
  if (n->inputs.empty()) a_.mov(aa::x17, aa::x16);  // making room may use x16
  else a_.mov(aa::x17, gp(input(n->inputs[0])));
  int out = output(n);
  lay_clause(static_cast<int>(n->imm), gp(out), !n->inputs.empty() && is_named(n->inputs[0]));
}

// On the way out; the values are in their slots.
void Codegen::lay_clause_frame(const Saves::Clause& c) {
  if (c.reg == kNone) a_.ldr(aa::x17, home_slot(c.home));
  else a_.mov(aa::x17, gp(c.reg));
  lay_clause(c.base, aa::x14, c.named);
}

// The rest of an unwind record in the frame whose slots start at home `slots`: its link, and in the fiber that it is the
// newest. Uses x14, x16 and x17.
void Codegen::push_record(int slots, unsigned object, unsigned link) {
  int home = slots + static_cast<int>(link);
  a_.ldr(aa::x17, context(at::fiber));
  a_.ldr(aa::w16, field(aa::x17, at::fiber_records, 4));
  a_.constant(aa::x14, static_cast<int64_t>(rt::RecordLink::pack(0, link, object)));
  a_.orr(aa::x16, aa::x16, aa::x14);
  a_.str(aa::x16, home_slot(home));
  a_.add_to(aa::x16, aa::x20, home * 8);
  a_.ldr(aa::x14, field(aa::x17, at::fiber_base));
  a_.sub(aa::x16, aa::x14, aa::x16);
  a_.lsr(aa::x16, aa::x16, 3);
  a_.str(aa::w16, field(aa::x17, at::fiber_records, 4));
}

// The handler is in x17; its environment comes to be in `out`.
void Codegen::lay_clause(int base, const aa::Gp& out, bool named) {
  using Frame = vm::ClauseFrame;
  int slots = base + static_cast<int>(rt::kFrameHeaderWords);
  auto slot = [&](int i) { return home_slot(slots + i); };
  a_.str(aa::x17, slot(Frame::Object));
  a_.ldr(aa::x14, context(at::top));
  a_.str(aa::x14, slot(Frame::Top));
  if (!named) a_.ldr(aa::x16, field(aa::x17, at::node_outer));
  a_.str(named ? aa::x17 : aa::x16, context(at::top));
  a_.ldr(out, field(aa::x17, at::node_env));
  store_word(slot(Frame::Result), static_cast<int64_t>(rt::kUnit.bits));
  store_word(home_slot(base), reinterpret_cast<int64_t>(static_cast<rt::Function*>(&vm::pseudo_functions.clause)));
  push_record(slots, Frame::Object, Frame::Link);
  a_.str(aa::xzr, slot(Frame::Resume));
  a_.ldr(aa::x16, context(at::tag));
  a_.str(aa::x16, slot(Frame::Tag));
  fresh_tag();
}

void Codegen::fresh_tag() {
  a_.ldr(aa::x16, context(at::next_tag));
  a_.str(aa::x16, context(at::tag));
  a_.add(aa::x16, aa::x16, 1);
  a_.str(aa::x16, context(at::next_tag));
}

// As the instruction CLAUSE_END.
void Codegen::clause_leave(Node* n) {
  using Frame = vm::ClauseFrame;
  int slots = static_cast<int>(n->imm) + static_cast<int>(rt::kFrameHeaderWords);
  auto slot = [&](int i) { return home_slot(slots + i); };
  asmjit::Label moved = a_.newLabel(), done = a_.newLabel();
  if (!n->inputs.empty()) {
    // The clause may have settled on dropping the body. The frames are still written down as for its call.
    int value = input(n->inputs[0]);
    asmjit::Label aborts = a_.newLabel();
    a_.ldr(aa::x16, slot(Frame::Resume));
    a_.compare(aa::x16, static_cast<int64_t>(Frame::kAborts));
    a_.branch_if(CondCode::kEQ, aborts);
    int below = static_cast<int>(n->imm) - 1;
    deferred_.push_back([this, aborts, value, below] {
      a_.bind(aborts);
      a_.mov(aa::x1, gp(value));
      a_.add_to(aa::x20, aa::x20, below * 8);
      a_.pop_return();
      a_.constant(aa::x16, reinterpret_cast<void*>(&calls::clause_aborts));
      a_.jump_to(stubs_.jump_action);
    });
  }
  a_.ldr(aa::x17, context(at::fiber));
  a_.ldr(aa::w16, a_.slot(aa::x20, (slots + Frame::Link) * 8, 4));
  a_.str(aa::w16, field(aa::x17, at::fiber_records, 4));
  a_.ldr(aa::x16, slot(Frame::Top));
  a_.str(aa::x16, context(at::top));
  a_.ldr(aa::x17, slot(Frame::Tag));
  a_.ldr(aa::x14, context(at::moved_at));
  a_.cmp(aa::x17, aa::x14);
  a_.branch_if(CondCode::kLO, moved);
  a_.str(aa::x17, context(at::tag));
  a_.bind(done);
  deferred_.push_back([this, moved, done] {
    a_.bind(moved);
    fresh_tag();
    a_.b(done);
  });
}

// As the instruction HANDLE.
void Codegen::handle(Node* n) {
  auto* site = static_cast<rt::Site*>(n->aux);
  constexpr int kBytes = sizeof(rt::Node);
  if (n->imm) failure_ = "an inlined function with a handler";
  int env = input(n->inputs[0]), out = output(n);
  const aa::Gp node = gp(out);
  asmjit::Label slow = a_.newLabel(), back = a_.newLabel();
  slow_path(n, slow, [=, this] {
    a_.add_to(aa::x21, aa::x21, -kBytes);
    a_.mov(aa::x1, gp(env));
    a_.constant(aa::x2, static_cast<const rt::Site*>(site));
    call_helper(stubs_.call_value, reinterpret_cast<void*>(&calls::handle), n->state);
    a_.mov(gp(out), aa::x16);
  }, back);
  a_.mov(node, aa::x21);
  a_.add_to(aa::x21, aa::x21, kBytes);
  a_.ldr(aa::x16, context(at::alloc_limit));
  a_.cmp(aa::x21, aa::x16);
  a_.branch_if(CondCode::kHI, slow);
  a_.constant(aa::x16, static_cast<int64_t>(rt::make_header(rt::Kind::Node, 0)));
  a_.str(aa::x16, aa::ptr(node));
  a_.constant(aa::x16, static_cast<const rt::Site*>(site));
  a_.str(aa::x16, field(node, at::node_site));
  a_.str(gp(env), field(node, at::node_env));
  a_.ldr(aa::x16, context(at::top));
  a_.str(aa::x16, field(node, at::node_outer));
  a_.str(node, context(at::top));
  a_.ldr(aa::x17, context(at::fiber));
  a_.str(aa::x17, field(node, at::node_home));
  a_.ldr(aa::w16, field(aa::x17, at::fiber_records, 4));
  a_.str(aa::w16, field(node, at::node_records, 4));
  a_.ldr(aa::x16, field(aa::x17, at::fiber_base));
  a_.sub(aa::x16, aa::x16, aa::x20);
  a_.lsr(aa::x16, aa::x16, 3);
  a_.str(aa::w16, field(node, at::node_frame, 4));
  a_.ldr(aa::x17, context(at::cells));
  auto cell = [&](size_t i) { return static_cast<int>(site->effects[i] * sizeof(rt::EffectCell)); };
  if (site->effects.empty()) {
    store_word(field(node, at::node_previous), 0);
    store_word(field(node, at::node_previous + 8), static_cast<int64_t>(rt::kNull.bits));
  } else {
    for (int word : {0, 8}) {
      a_.ldr(aa::x16, a_.slot(aa::x17, cell(0) + word));
      a_.str(aa::x16, field(node, at::node_previous + word));
    }
  }
  a_.ldr(aa::x16, context(at::tag));
  for (size_t i = 0; i < site->effects.size(); ++i) {
    a_.str(aa::x16, a_.slot(aa::x17, cell(i)));
    a_.str(node, a_.slot(aa::x17, cell(i) + 8));
  }
  a_.bind(back);
}

bool Codegen::emit_effect(Node* n) {
  switch (n->op) {
    case NodeOp::Perform: perform(n); return true;
    case NodeOp::Handle: handle(n); return true;
    case NodeOp::HandleEnd: {
      auto* site = static_cast<rt::Site*>(n->aux);
      int node = input(n->inputs[0]);
      asmjit::Label no = leave_label(n);
      a_.ldrb(aa::w16, aa::ptr(gp(node), 3));
      a_.cmp(aa::w16, asmjit::Imm(static_cast<int>(rt::Kind::Node)));
      a_.branch_if(CondCode::kNE, no);
      a_.ldr(aa::x16, field(gp(node), at::node_outer));
      a_.str(aa::x16, context(at::top));
      if (!site->effects.empty()) {
        auto offset = static_cast<int64_t>(site->effects[0] * sizeof(rt::EffectCell));
        a_.ldr(aa::x17, context(at::cells));
        if (offset > 500) a_.add_to(aa::x17, aa::x17, offset);
        a_.ldp(aa::x14, aa::x16, aa::ptr(gp(node), offsetof(rt::Node, previous)));
        a_.stp(aa::x14, aa::x16, aa::ptr(aa::x17, static_cast<int32_t>(offset > 500 ? 0 : offset)));
        if (site->effects.size() > 1) a_.ldr(aa::x17, context(at::cells));
        for (size_t i = 1; i < site->effects.size(); ++i)
          a_.str(aa::xzr, a_.slot(aa::x17, static_cast<int>(site->effects[i] * sizeof(rt::EffectCell))));
      }
      return true;
    }
    case NodeOp::HandleAbort: {
      int node = input(n->inputs[0]);
      a_.ldr(aa::x16, field(gp(node), at::node_outer));
      a_.str(aa::x16, context(at::top));
      a_.ldr(aa::x17, context(at::fiber));
      a_.ldr(aa::w16, field(gp(node), at::node_records, 4));
      a_.str(aa::w16, field(aa::x17, at::fiber_records, 4));
      fresh_tag();
      return true;
    }
    case NodeOp::CellEnv: {
      int out = output(n);
      a_.ldr(gp(out), field(aa::x16, at::node_env));
      return true;
    }
    case NodeOp::ClauseEnter: clause_enter(n); return true;
    case NodeOp::ClauseLeave: clause_leave(n); return true;
    case NodeOp::PushNamed: {
      auto* pc = static_cast<const vm::Word*>(n->aux);
      int slots = static_cast<int>(rt::kFrameHeaderWords), object = static_cast<int>(vm::a_of(*pc));
      int named = input(n->inputs[0]);
      a_.str(gp(named), home_slot(slots + object));
      a_.ldr(aa::x16, context(at::top));
      a_.str(aa::x16, home_slot(slots + object + 1));
      push_record(slots, vm::a_of(*pc), vm::b_of(*pc));
      store_constant(slots + static_cast<int>(vm::b_of(*pc)) + 1, static_cast<int64_t>(reinterpret_cast<rt::Site*>(pc[1])->resume));
      return true;
    }
    case NodeOp::PushGuard: {
      auto* pc = static_cast<const vm::Word*>(n->aux);
      int slots = static_cast<int>(rt::kFrameHeaderWords), object = static_cast<int>(vm::a_of(*pc)), link = static_cast<int>(vm::b_of(*pc));
      if (n->inputs[0]->remade()) store_constant(slots + object, n->inputs[0]->imm);
      else store_home(slots + object, input(n->inputs[0]));
      a_.ldr(aa::x16, context(at::top));
      a_.str(aa::x16, home_slot(slots + object + 1));
      push_record(slots, vm::a_of(*pc), vm::b_of(*pc));
      store_constant(slots + link + 1, static_cast<int64_t>(rt::pack_resume(pc, rt::kUnwinding)));
      return true;
    }
    case NodeOp::PopGuard: {
      int link = static_cast<int>(rt::kFrameHeaderWords + vm::b_of(*static_cast<const vm::Word*>(n->aux)));
      a_.ldr(aa::x17, context(at::fiber));
      a_.ldr(aa::w16, a_.slot(aa::x20, link * 8, 4));
      a_.str(aa::w16, field(aa::x17, at::fiber_records, 4));
      return true;
    }
    case NodeOp::PopNamed: {
      aa::Gp named = gp(input(n->inputs[0]));
      asmjit::Label no = leave_label(n);
      object_check(named, rt::Kind::Named, true, no);
      a_.ldr(aa::x16, field(named, at::named_live));
      a_.sub(aa::x16, aa::x16, 1);
      a_.str(aa::x16, field(named, at::named_live));
      a_.ldr(aa::x17, context(at::fiber));
      int link = static_cast<int>(rt::kFrameHeaderWords + vm::b_of(*static_cast<const vm::Word*>(n->aux)));
      a_.ldr(aa::w16, a_.slot(aa::x20, link * 8, 4));
      a_.str(aa::w16, field(aa::x17, at::fiber_records, 4));
      return true;
    }
    case NodeOp::Safepoint: {
      asmjit::Label slow = a_.newLabel(), back = a_.newLabel();
      a_.ldr(aa::x16, context(at::stack_limit));
      a_.cmp(aa::x20, aa::x16);
      a_.branch_if(CondCode::kLO, slow);
      slow_path(n, slow, [this, n] {
        call_helper(stubs_.call_action, reinterpret_cast<void*>(&calls::safepoint), n->state);
      }, back);
      a_.bind(back);
      return true;
    }
    default: return false;
  }
}

}  // namespace eddy::jit::a64
