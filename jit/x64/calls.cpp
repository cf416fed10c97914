// Calls, natives, effects.
#include "jit/build/switching.h"
#include "jit/runtime_calls.h"
#include "jit/x64/codegen.h"
#include "vm/control/pseudo.h"
#include "runtime/plants.h"

namespace eddy::jit::x64 {

// Applies input 0 to the others. In the registers of the calling convention it looks like a call of a function that
// takes its closure first; one that does not gets its arguments moved down, out of line.
void Codegen::closure_call(Node* n, bool tail) {
  auto count = static_cast<int>(n->inputs.size() - 1);
  if (!tail) save_inline(n->state);
  arguments(n->inputs, 0);
  if (tail) a_.add(ax::rsp, frame_bytes());
  else enter_base(n->state);
  asmjit::Label shift = a_.newLabel(), other = a_.newLabel(), ready = a_.newLabel(), done = a_.newLabel();
  ax::Gp closure = gp(0);
  a_.test(closure.r8(), 7);
  a_.jnz(other);
  a_.cmp(ax::byte_ptr(closure, 3), static_cast<int>(rt::Kind::Closure));
  a_.jne(other);
  a_.mov(ax::rdx, ax::qword_ptr(closure, offsetof(rt::Closure, function)));
  a_.cmp(ax::word_ptr(ax::rdx, at::values), count);
  a_.jne(other);
  a_.cmp(ax::byte_ptr(ax::rdx, at::takes_self), 0);
  a_.je(shift);
  a_.bind(ready);
  if (tail) {
    a_.jmp(ax::qword_ptr(ax::rdx, at::machine_entry));
  } else {
    a_.call(ax::qword_ptr(ax::rdx, at::machine_entry));
    metadata(n->state, n->type == Type::Float);
    a_.bind(done);
    leave_base(n->state);
  }
  const FrameState* state = n->state;
  deferred_.push_back([=, this] {
    a_.bind(shift);
    for (int i = 0; i < count; ++i) {
      auto context = [](int index) { return ax::qword_ptr(ax::r15, at::args + 8 * index); };
      int registers = static_cast<int>(kRegisterArgs);
      if (i + 1 < registers) {
        a_.mov(gp(i), gp(i + 1));
      } else {
        a_.mov(ax::rax, context(i + 1));
        if (i < registers) a_.mov(gp(i), ax::rax);
        else a_.mov(context(i), ax::rax);
      }
    }
    a_.jmp(ready);
    a_.bind(other);
    if (count <= 1) {
      // A resumption, perhaps.
      asmjit::Label no = a_.newLabel();
      a_.test(closure.r8(), 7);
      a_.jnz(no);
      a_.cmp(ax::byte_ptr(closure, 3), static_cast<int>(rt::Kind::Continuation));
      a_.jne(no);
      if (g_.count) {
        constant_to(ax::rax, reinterpret_cast<int64_t>(&g_.ctx->stats->resumes[static_cast<size_t>(rt::ResumeShape::Escaped)]));
        a_.inc(ax::qword_ptr(ax::rax));
      }
      if (count == 0) constant_to(gp(1), static_cast<int64_t>(rt::kUnit.bits));
      if (tail) {
        a_.jmp(stubs_.tail_resume_keep);
      } else {
        a_.call(stubs_.resume_keep);
        metadata(state);
        a_.jmp(done);
      }
      a_.bind(no);
    }
    for (int i = 0; i <= std::min(count, static_cast<int>(kRegisterArgs) - 1); ++i) a_.mov(argument_slot(static_cast<unsigned>(i)), gp(i));
    a_.mov(ax::esi, count);
    constant_to(ax::rax, reinterpret_cast<int64_t>(&calls::call_value));
    if (tail) {
      a_.jmp(stubs_.jump_action);
    } else {
      a_.call(stubs_.call_action);
      metadata(state);
      a_.jmp(done);
    }
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
      ax::Mem entry = ax::qword_ptr(ax::rdx, takes_raw(n) ? at::raw_entry : at::machine_entry);
      if (!self) constant_to(ax::rdx, reinterpret_cast<int64_t>(f));
      if (may_switch(*vm::loaded(f))) {
        asmjit::Label back = a_.newLabel();
        push_return(back);
        if (self) a_.jmp(start);
        else a_.jmp(entry);
        a_.bind(back);
      } else if (self) {
        a_.call(start);
      } else {
        a_.call(entry);
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

// As vm::lay_clause_frame; the node is in rax.
void Codegen::clause_enter(Node* n) {
  if (n->inputs.empty()) a_.mov(ax::rdx, ax::rax);  // making room may use rax
  else a_.mov(ax::rdx, gp(input(n->inputs[0])));
  int out = output(n), scratch = temporary();
  a_.mov(ax::rax, ax::rdx);
  lay_clause(static_cast<int>(n->imm), gp(out), gp(scratch), !n->inputs.empty() && is_named(n->inputs[0]));
}

// On the way out; the values are in their slots.
void Codegen::lay_clause_frame(const Saves::Clause& c) {
  if (c.reg == kNone) a_.mov(ax::rax, home_slot(c.home));
  else a_.mov(ax::rax, gp(c.reg));
  lay_clause(c.base, ax::rcx, ax::rbx, c.named);
}

// The rest of an unwind record in the frame whose slots start at home `slots`: its link, and in the fiber that it is the
// newest. Uses rax and rdx.
void Codegen::push_record(int slots, unsigned object, unsigned link, const ax::Gp& scratch) {
  ax::Mem word = home_slot(slots + static_cast<int>(link));
  a_.mov(ax::rdx, ax::qword_ptr(ax::r15, at::fiber));
  a_.mov(ax::eax, ax::dword_ptr(ax::rdx, at::fiber_records));
  // One store: what reads it back must not have to join two.
  a_.mov(scratch, static_cast<int64_t>(rt::RecordLink::pack(0, link, object)));
  a_.or_(ax::rax, scratch);
  a_.mov(word, ax::rax);
  a_.lea(ax::rax, word);
  a_.sub(ax::rax, ax::qword_ptr(ax::rdx, at::fiber_base));
  a_.neg(ax::rax);
  a_.shr(ax::rax, 3);
  a_.mov(ax::dword_ptr(ax::rdx, at::fiber_records), ax::eax);
}

// The handler is in rax; its environment comes to be in `out`.
void Codegen::lay_clause(int base, const ax::Gp& out, const ax::Gp& scratch, bool named) {
  using Frame = vm::ClauseFrame;
  int slots = base + static_cast<int>(rt::kFrameHeaderWords);
  auto slot = [&](int i) { return home_slot(slots + i); };
  a_.mov(slot(Frame::Object), ax::rax);
  if (named) a_.mov(out, ax::rax);
  else a_.mov(out, ax::qword_ptr(ax::rax, offsetof(rt::Node, outer)));
  a_.mov(ax::rdx, ax::qword_ptr(ax::r15, at::top));
  a_.mov(slot(Frame::Top), ax::rdx);
  a_.mov(ax::qword_ptr(ax::r15, at::top), out);
  a_.mov(out, ax::qword_ptr(ax::rax, offsetof(rt::Node, env)));
  a_.mov(slot(Frame::Result), static_cast<int32_t>(rt::kUnit.bits));
  constant_to(ax::rax, reinterpret_cast<int64_t>(static_cast<rt::Function*>(&vm::pseudo_functions.clause)));
  a_.mov(home_slot(base), ax::rax);
  push_record(slots, Frame::Object, Frame::Link, scratch);
  a_.mov(slot(Frame::Resume), 0);
  a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::tag));
  a_.mov(slot(Frame::Tag), ax::rax);
  fresh_tag();
}

void Codegen::fresh_tag() {
  a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::next_tag));
  a_.mov(ax::qword_ptr(ax::r15, at::tag), ax::rax);
  a_.inc(ax::rax);
  a_.mov(ax::qword_ptr(ax::r15, at::next_tag), ax::rax);
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
    a_.cmp(slot(Frame::Resume), static_cast<int32_t>(Frame::kAborts));
    a_.je(aborts);
    int below = static_cast<int>(n->imm) - 1;
    deferred_.push_back([this, aborts, value, below] {
      a_.bind(aborts);
      a_.mov(ax::rsi, gp(value));
      a_.lea(ax::rsp, home_slot(below));
      constant_to(ax::rax, reinterpret_cast<int64_t>(&calls::clause_aborts));
      a_.jmp(stubs_.jump_action);
    });
  }
  a_.mov(ax::rdx, ax::qword_ptr(ax::r15, at::fiber));
  a_.mov(ax::eax, ax::dword_ptr(ax::rsp, (slots + Frame::Link) * 8));
  a_.mov(ax::dword_ptr(ax::rdx, at::fiber_records), ax::eax);
  a_.mov(ax::rax, slot(Frame::Top));
  if (!PLANTED(jit_clause_keeps_top)) a_.mov(ax::qword_ptr(ax::r15, at::top), ax::rax);
  a_.mov(ax::rdx, slot(Frame::Tag));
  a_.cmp(ax::rdx, ax::qword_ptr(ax::r15, at::moved_at));
  a_.jb(moved);
  a_.mov(ax::qword_ptr(ax::r15, at::tag), ax::rdx);
  a_.bind(done);
  deferred_.push_back([this, moved, done] {
    a_.bind(moved);
    fresh_tag();
    a_.jmp(done);
  });
}

// As the instruction HANDLE.
void Codegen::handle(Node* n) {
  auto* site = static_cast<rt::Site*>(n->aux);
  constexpr int kBytes = sizeof(rt::Node);
  if (n->imm) failure_ = "an inlined function with a handler";
  int env = input(n->inputs[0]), out = output(n);
  const ax::Gp node = gp(out);
  asmjit::Label slow = a_.newLabel(), back = a_.newLabel();
  slow_path(n, slow, [=, this] {
    a_.sub(ax::r14, kBytes);
    a_.mov(ax::rsi, gp(env));
    constant_to(ax::rdx, reinterpret_cast<int64_t>(site));
    call_helper(stubs_.call_value, reinterpret_cast<void*>(&calls::handle), n->state);
    a_.mov(gp(out), ax::rax);
  }, back);
  a_.mov(node, ax::r14);
  a_.add(ax::r14, kBytes);
  a_.cmp(ax::r14, ax::qword_ptr(ax::r15, at::alloc_limit));
  a_.ja(slow);
  auto field = [&](int offset) { return ax::qword_ptr(node, offset); };
  constant_to(ax::rax, static_cast<int64_t>(rt::make_header(rt::Kind::Node, 0)));
  a_.mov(field(0), ax::rax);
  constant_to(ax::rax, reinterpret_cast<int64_t>(site));
  a_.mov(field(at::node_site), ax::rax);
  a_.mov(field(at::node_env), gp(env));
  a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::top));
  a_.mov(field(at::node_outer), ax::rax);
  a_.mov(ax::qword_ptr(ax::r15, at::top), node);
  a_.mov(ax::rdx, ax::qword_ptr(ax::r15, at::fiber));
  a_.mov(field(at::node_home), ax::rdx);
  a_.mov(ax::eax, ax::dword_ptr(ax::rdx, at::fiber_records));
  a_.mov(ax::dword_ptr(node, at::node_records), ax::eax);
  a_.mov(ax::rax, ax::qword_ptr(ax::rdx, at::fiber_base));
  a_.sub(ax::rax, ax::rsp);
  a_.shr(ax::rax, 3);
  a_.mov(ax::dword_ptr(node, at::node_frame), ax::eax);
  a_.mov(ax::rdx, ax::qword_ptr(ax::r15, at::cells));
  auto cell = [&](size_t i) { return static_cast<int>(site->effects[i] * sizeof(rt::EffectCell)); };
  if (site->effects.empty()) {
    a_.mov(field(at::node_previous), 0);
    a_.mov(field(at::node_previous + 8), static_cast<int32_t>(rt::kNull.bits));
  } else {
    a_.movups(ax::xmm15, ax::xmmword_ptr(ax::rdx, cell(0)));
    a_.movups(ax::xmmword_ptr(node, at::node_previous), ax::xmm15);
  }
  a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::tag));
  for (size_t i = 0; i < site->effects.size(); ++i) {
    a_.mov(ax::qword_ptr(ax::rdx, cell(i)), ax::rax);
    a_.mov(ax::qword_ptr(ax::rdx, cell(i) + 8), node);
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
      a_.cmp(ax::byte_ptr(gp(node), 3), static_cast<int>(rt::Kind::Node));
      a_.jne(no);
      a_.mov(ax::rax, ax::qword_ptr(gp(node), offsetof(rt::Node, outer)));
      a_.mov(ax::qword_ptr(ax::r15, at::top), ax::rax);
      if (!site->effects.empty()) {
        int offset = static_cast<int>(site->effects[0] * sizeof(rt::EffectCell));
        a_.mov(ax::rdx, ax::qword_ptr(ax::r15, at::cells));
        a_.movups(ax::xmm15, ax::xmmword_ptr(gp(node), offsetof(rt::Node, previous)));
        if (!PLANTED(jit_handle_end_keeps_cell)) a_.movups(ax::xmmword_ptr(ax::rdx, offset), ax::xmm15);
        for (size_t i = 1; i < site->effects.size(); ++i)
          a_.mov(ax::qword_ptr(ax::rdx, static_cast<int>(site->effects[i] * sizeof(rt::EffectCell))), 0);
      }
      return true;
    }
    case NodeOp::HandleAbort: {
      int node = input(n->inputs[0]);
      a_.mov(ax::rax, ax::qword_ptr(gp(node), offsetof(rt::Node, outer)));
      a_.mov(ax::qword_ptr(ax::r15, at::top), ax::rax);
      a_.mov(ax::rdx, ax::qword_ptr(ax::r15, at::fiber));
      a_.mov(ax::eax, ax::dword_ptr(gp(node), at::node_records));
      a_.mov(ax::dword_ptr(ax::rdx, at::fiber_records), ax::eax);
      fresh_tag();
      return true;
    }
    case NodeOp::CellEnv: {
      int out = output(n);
      a_.mov(gp(out), ax::qword_ptr(ax::rax, offsetof(rt::Node, env)));
      return true;
    }
    case NodeOp::ClauseEnter: clause_enter(n); return true;
    case NodeOp::ClauseLeave: clause_leave(n); return true;
    case NodeOp::PushNamed: {
      auto* pc = static_cast<const vm::Word*>(n->aux);
      int slots = static_cast<int>(rt::kFrameHeaderWords), object = static_cast<int>(vm::a_of(*pc));
      int named = input(n->inputs[0]), scratch = temporary();
      a_.mov(home_slot(slots + object), gp(named));
      a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::top));
      a_.mov(home_slot(slots + object + 1), ax::rax);
      push_record(slots, vm::a_of(*pc), vm::b_of(*pc), gp(scratch));
      store_constant(slots + static_cast<int>(vm::b_of(*pc)) + 1, static_cast<int64_t>(reinterpret_cast<rt::Site*>(pc[1])->resume));
      return true;
    }
    case NodeOp::PushGuard: {
      auto* pc = static_cast<const vm::Word*>(n->aux);
      int slots = static_cast<int>(rt::kFrameHeaderWords), object = static_cast<int>(vm::a_of(*pc)), link = static_cast<int>(vm::b_of(*pc));
      if (n->inputs[0]->remade()) store_constant(slots + object, n->inputs[0]->imm);
      else store_home(slots + object, input(n->inputs[0]));
      int scratch = temporary();
      a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::top));
      a_.mov(home_slot(slots + object + 1), ax::rax);
      push_record(slots, vm::a_of(*pc), vm::b_of(*pc), gp(scratch));
      store_constant(slots + link + 1, static_cast<int64_t>(rt::pack_resume(pc, rt::kUnwinding)));
      return true;
    }
    case NodeOp::PopGuard: {
      int link = static_cast<int>(rt::kFrameHeaderWords + vm::b_of(*static_cast<const vm::Word*>(n->aux)));
      a_.mov(ax::rdx, ax::qword_ptr(ax::r15, at::fiber));
      a_.mov(ax::eax, ax::dword_ptr(ax::rsp, link * 8));
      a_.mov(ax::dword_ptr(ax::rdx, at::fiber_records), ax::eax);
      return true;
    }
    case NodeOp::PopNamed: {
      int named = input(n->inputs[0]);
      asmjit::Label no = leave_label(n);
      a_.cmp(ax::byte_ptr(gp(named), 3), static_cast<int>(rt::Kind::Named));
      a_.jne(no);
      a_.dec(ax::qword_ptr(gp(named), at::named_live));
      a_.mov(ax::rdx, ax::qword_ptr(ax::r15, at::fiber));
      int link = static_cast<int>(rt::kFrameHeaderWords + vm::b_of(*static_cast<const vm::Word*>(n->aux)));
      a_.mov(ax::eax, ax::dword_ptr(ax::rsp, link * 8));
      a_.mov(ax::dword_ptr(ax::rdx, at::fiber_records), ax::eax);
      return true;
    }
    case NodeOp::Safepoint: {
      asmjit::Label slow = a_.newLabel(), back = a_.newLabel();
      a_.cmp(ax::rsp, ax::qword_ptr(ax::r15, at::stack_limit));
      a_.jb(slow);
      slow_path(n, slow, [this, n] {
        call_helper(stubs_.call_action, reinterpret_cast<void*>(&calls::safepoint), n->state);
      }, back);
      a_.bind(back);
      return true;
    }
    default: return false;
  }
}

}  // namespace eddy::jit::x64
