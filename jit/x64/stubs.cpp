// Rules for this file:
//   1. C++ runs on the host stack only (ctx.host_sp), with rsp 16-aligned at the call.
//   2. Before C++ runs, alloc_ptr and the fiber's sp are in memory; afterwards both are read again.
//   3. r15 and r14 survive C++ calls (they are callee-saved there), nothing else is expected to.
#include "jit/x64/stubs.h"

#define XBYAK_NO_EXCEPTION
#if !defined(__x86_64__)
#define XBYAK64  // compiled on every host, so that it stays compilable
#endif
#include <xbyak/xbyak.h>

#include "jit/codegen/stub_calls.h"
#include "jit/runtime_calls.h"
#include "jit/x64/registers.h"
#include "runtime/fiber_pool.h"
#include "runtime/system_memory.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"

namespace eddy::jit::x64 {

namespace {

class Generator : public StubCode, public Xbyak::CodeGenerator {
 public:
  explicit Generator(void (*left)(rt::Context*, void*)) : Xbyak::CodeGenerator(8192, Xbyak::DontSetProtectRWE) {
    using namespace Xbyak::util;
    const Xbyak::Reg64 ctx = r15, alloc = r14;
    const Xbyak::Reg64 argument[] = {rdi, rsi, rcx, r8, r9, r10};
    Xbyak::Label dispatch, deliver, leave, host_leave, failed;

    auto to_host = [&] {  // from a fiber: its sp and the bump pointer are written down
      mov(ptr[ctx + at::alloc_ptr], alloc);
      mov(rdi, ptr[ctx + at::fiber]);
      mov(ptr[rdi + at::fiber_sp], rsp);
      mov(rsp, ptr[ctx + at::host_sp]);
      mov(rdi, ctx);
    };
    auto to_fiber = [&](const Xbyak::Reg64& scratch) {
      mov(alloc, ptr[ctx + at::alloc_ptr]);
      mov(scratch, ptr[ctx + at::fiber]);
      mov(rsp, ptr[scratch + at::fiber_sp]);
    };
    auto start = [&](auto& slot) {
      align(16);
      slot = reinterpret_cast<std::remove_reference_t<decltype(slot)>>(const_cast<uint8_t*>(getCurr()));
    };

    start(table.enter);
    push(rbx);
    push(rbp);
    push(r12);
    push(r13);
    push(r14);
    push(r15);
    sub(rsp, 8);
    mov(ctx, rdi);
    mov(ptr[ctx + at::host_sp], rsp);
    mov(r11, rsi);
    test(rsi, rsi);
    {
      Xbyak::Label by_entry;
      jnz(by_entry);
      // On the host stack: what ctx.action says.
      L(dispatch);
      cmp(byte[ctx + at::action], static_cast<int>(rt::Action::Call));
      ja(host_leave, T_NEAR);
      jb(deliver);
      mov(rdx, ptr[ctx + at::callee]);
      mov(r11, ptr[rdx + at::machine_entry]);
      L(by_entry);
      mov(rdx, ptr[ctx + at::callee]);
      to_fiber(rax);
      for (unsigned i = 0; i < kRegisterArgs; ++i) mov(argument[i], ptr[ctx + at::args + 8 * static_cast<int>(i)]);
      mov(dword[ctx + at::args_live], 0);
      jmp(r11);
    }
    L(deliver);
    to_fiber(rdx);
    mov(rax, ptr[ctx + at::result]);
    mov(qword[ctx + at::result], 0);
    ret();

    start(table.interp_return);
    mov(ptr[ctx + at::result], rax);
    mov(byte[ctx + at::action], static_cast<int>(rt::Action::Deliver));
    sub(rsp, 8);
    L(leave);
    mov(ptr[ctx + at::alloc_ptr], alloc);
    mov(rax, ptr[ctx + at::fiber]);
    mov(ptr[rax + at::fiber_sp], rsp);
    mov(rsp, ptr[ctx + at::host_sp]);
    L(host_leave);
    add(rsp, 8);
    pop(r15);
    pop(r14);
    pop(r13);
    pop(r12);
    pop(rbp);
    pop(rbx);
    ret();

    start(table.vm_exit);
    mov(ptr[ctx + at::result], rax);
    mov(byte[ctx + at::action], static_cast<int>(rt::Action::Stop));
    sub(rsp, 8);
    jmp(leave);

    start(table.fiber_exit);
    sub(rsp, 8);
    mov(rsi, rax);
    to_host();
    call_c(reinterpret_cast<void*>(&stub_calls::finish));
    jmp(dispatch, T_NEAR);

    start(table.watermark);
    sub(rsp, 8);
    mov(rsi, rsp);
    mov(r12, rax);
    to_host();
    call_c(reinterpret_cast<void*>(&stub_calls::restore));
    mov(rdx, rax);
    mov(rax, r12);
    to_fiber(r11);
    add(rsp, 8);
    jmp(rdx);

    start(table.call_interpreter);
    for (unsigned i = 0; i < kRegisterArgs; ++i) mov(ptr[ctx + at::args + 8 * static_cast<int>(i)], argument[i]);
    mov(ptr[ctx + at::callee], rdx);
    movzx(eax, word[rdx + at::params]);
    mov(ptr[ctx + at::args_live], eax);
    mov(byte[ctx + at::action], static_cast<int>(rt::Action::Call));
    jmp(leave, T_NEAR);

    start(table.leave_in_place);
    mov(rax, reinterpret_cast<uint64_t>(table.interp_return));
    mov(ptr[rsp], rax);
    mov(byte[ctx + at::action], static_cast<int>(rt::Action::Deliver));
    mov(qword[ctx + at::result], static_cast<int>(rt::kUnit.bits));
    to_host();
    call_c(reinterpret_cast<void*>(left));
    jmp(host_leave, T_NEAR);

    start(table.call_value);
    to_host();
    call(rax);
    test(rax, rax);
    jz(failed);
    to_fiber(rdx);
    ret();
    L(failed);
    mov(rdi, ctx);
    call_c(reinterpret_cast<void*>(&stub_calls::fail));
    jmp(dispatch, T_NEAR);

    start(table.call_action);
    table.jump_action = table.call_action;
    to_host();
    call(rax);
    jmp(dispatch, T_NEAR);

    start(table.call_plain);
    to_host();
    call(rax);
    to_fiber(rdx);
    ret();

    make_switches();
    ready(Xbyak::CodeArray::PROTECT_RE);
    code = getCode();
    size = getSize();
  }

 private:
  // Performing with a capture, and resuming, where nothing is unusual: the fiber below or on top becomes the
  // current one by a change of rsp. Everything else goes the long way.
  void make_switches() {
    using namespace Xbyak::util;
    const Xbyak::Reg64 ctx = r15, alloc = r14;
    const Xbyak::Reg64 argument[] = {rdi, rsi, rcx, r8, r9, r10};
    auto long_way = [&](void* helper) {
      mov(rax, reinterpret_cast<uint64_t>(helper));
      jmp(table.call_action);
    };
    auto leave_fiber = [&](const Xbyak::Reg64& fiber, rt::FiberState state, const Xbyak::Reg64& scratch) {
      mov(ptr[fiber + at::fiber_sp], rsp);
      mov(byte[fiber + at::fiber_state], static_cast<int>(state));
      mov(scratch, ptr[ctx + at::tag]);
      mov(ptr[fiber + at::fiber_tag], scratch);
    };
    // Leaves the tag alone.
    auto enter_fiber = [&](const Xbyak::Reg64& fiber, const Xbyak::Reg64& scratch) {
      Xbyak::Label asked;
      mov(byte[fiber + at::fiber_state], static_cast<int>(rt::FiberState::Running));
      mov(ptr[ctx + at::fiber], fiber);
      cmp(qword[ctx + at::stack_limit], -1);
      je(asked);
      mov(scratch, ptr[fiber + at::fiber_limit]);
      mov(ptr[ctx + at::stack_limit], scratch);
      L(asked);
      mov(rsp, ptr[fiber + at::fiber_sp]);
    };
    auto fresh_tag = [&](const Xbyak::Reg64& scratch) {
      mov(scratch, ptr[ctx + at::next_tag]);
      mov(ptr[ctx + at::tag], scratch);
      inc(qword[ctx + at::next_tag]);
    };

    align(16);
    table.perform = const_cast<uint8_t*>(getCurr());
    {
      Xbyak::Label other, no_room, moved, ready, found, in_place;
      mov(rdi, ptr[rsi + at::cell_seen]);
      mov(rcx, ptr[rsi + at::cell_clause]);
      // The nearest node, or what the effect's cell says.
      mov(rbx, ptr[ctx + at::top]);
      test(rbx, rbx);
      jz(other, T_NEAR);
      cmp(rdi, ptr[rbx + at::node_site]);
      je(found);
      mov(eax, dword[rsi + at::cell_effect]);
      shl(rax, 4);
      add(rax, ptr[ctx + at::cells]);
      mov(rdx, ptr[rax]);
      cmp(rdx, ptr[ctx + at::tag]);
      jne(other, T_NEAR);
      mov(rbx, ptr[rax + 8]);
      cmp(rdi, ptr[rbx + at::node_site]);
      jne(other, T_NEAR);
      L(found);
      movzx(r8d, byte[rcx + at::clause_kind]);
      cmp(qword[ctx + at::on_effect], 0);
      jne(other, T_NEAR);
      cmp(r8d, static_cast<int>(rt::ClauseKind::Once));
      jb(in_place, T_NEAR);
      mov(r13, ptr[rbx + at::node_home]);
      mov(r12, ptr[r13 + at::fiber_parent]);
      cmp(byte[r12 + at::fiber_dirty], 0);
      je(other, T_NEAR);
      mov(rax, alloc);
      add(alloc, static_cast<int>(sizeof(rt::Continuation)));
      cmp(alloc, ptr[ctx + at::alloc_limit]);
      ja(no_room, T_NEAR);
      inc(qword[rsi + at::cell_count]);
      mov(rdx, ptr[ctx + at::stats]);
      inc(qword[rdx + at::captures]);
      mov(rdx, rt::make_header(rt::Kind::Continuation, 0));
      mov(ptr[rax], rdx);
      mov(rdi, ptr[ctx + at::fiber]);
      mov(ptr[rax + at::k_top_fiber], rdi);
      mov(rdx, ptr[ctx + at::top]);
      mov(ptr[rax + at::k_top], rdx);
      mov(ptr[rax + at::k_node], rbx);
      mov(ptr[rax + at::k_base_fiber], r13);
      xor_(edx, edx);
      cmp(r8d, static_cast<int>(rt::ClauseKind::Multi));
      cmove(rdx, ptr[ctx + at::next_tag]);
      mov(ptr[rax + at::k_multi], rdx);
      mov(qword[rax + at::k_resumed], 0);
      movzx(edx, word[rsi + at::cell_args]);
      mov(ptr[ctx + rdx * 8 + at::args + 8], rax);
      leave_fiber(rdi, rt::FiberState::Suspended, rdx);
      mov(rdx, ptr[rbx + at::node_outer]);
      mov(ptr[ctx + at::top], rdx);
      enter_fiber(r12, rdx);
      mov(rdx, ptr[r12 + at::fiber_tag]);
      cmp(rdx, ptr[ctx + at::moved_at]);
      jb(moved);
      mov(ptr[ctx + at::tag], rdx);
      L(ready);
      mov(rdx, ptr[rcx + at::clause_function]);
      mov(rdi, ptr[rbx + at::node_env]);
      for (unsigned i = 1; i < kRegisterArgs; ++i) mov(argument[i], ptr[ctx + at::args + 8 * static_cast<int>(i)]);
      jmp(ptr[rdx + at::machine_entry]);
      L(moved);
      fresh_tag(rdx);
      jmp(ready);
      // An abort with nothing to do on its way: the clause takes the place of the region's frame.
      L(in_place);
      cmp(r8d, static_cast<int>(rt::ClauseKind::Abort));
      jne(other);
      cmp(byte[rdi + at::site_returns], 0);
      je(other);
      mov(rdx, ptr[rbx + at::node_home]);
      cmp(rdx, ptr[ctx + at::fiber]);
      jne(other);
      mov(eax, dword[rdx + at::fiber_records]);
      cmp(eax, dword[rbx + at::node_records]);
      jne(other);
      inc(qword[rsi + at::cell_count]);
      mov(rdx, ptr[rdx + at::fiber_base]);
      mov(eax, dword[rbx + at::node_frame]);
      shl(rax, 3);
      sub(rdx, rax);
      mov(rax, ptr[rdi + at::site_owner]);
      mov(eax, dword[rax + at::frame_size]);
      lea(rsp, ptr[rdx + rax * 8 - 8]);
      mov(rdx, ptr[rbx + at::node_outer]);
      mov(ptr[ctx + at::top], rdx);
      jmp(moved);
      L(no_room);
      mov(alloc, rax);
      L(other);
      long_way(reinterpret_cast<void*>(&calls::perform));
    }

    // Behind an in-place clause: as the instruction CLAUSE_END. It is a return address, so a safepoint follows.
    align(16);
    table.clause_end = const_cast<uint8_t*>(getCurr());
    {
      using Frame = vm::ClauseFrame;
      auto slot = [&](int i) { return ptr[rsp + 8 * (static_cast<int>(rt::kFrameHeaderWords) + i)]; };
      Xbyak::Label moved, ready;
      Xbyak::Label aborts;
      for (int byte_of : {0x0f, 0x1f, 0x80, 0, 0, 0, 0}) db(byte_of);
      cmp(qword[rsp + 8 * (static_cast<int>(rt::kFrameHeaderWords) + Frame::Resume)], static_cast<int>(Frame::kAborts));
      je(aborts);
      mov(rdx, ptr[ctx + at::fiber]);
      mov(ecx, slot(Frame::Link));
      mov(ptr[rdx + at::fiber_records], ecx);
      mov(rcx, slot(Frame::Top));
      mov(ptr[ctx + at::top], rcx);
      mov(rcx, slot(Frame::Tag));
      cmp(rcx, ptr[ctx + at::moved_at]);
      jb(moved);
      mov(ptr[ctx + at::tag], rcx);
      L(ready);
      add(rsp, static_cast<int>(Frame::kWords - 1) * 8);
      ret();
      L(moved);
      fresh_tag(rcx);
      jmp(ready);
      L(aborts);
      sub(rsp, 8);
      mov(rsi, rax);
      long_way(reinterpret_cast<void*>(&calls::clause_aborts));
    }

    auto resume = [&](bool last) {
      const Xbyak::Reg64 k = rdi, value = rsi, fiber = r8, current = r9, node = rcx, top = r10, tag = r11, scratch = rdx;
      Xbyak::Label other, moved, ready;
      test(dil, 7);
      jnz(other, T_NEAR);
      cmp(byte[k + 3], static_cast<int>(rt::Kind::Continuation));
      jne(other, T_NEAR);
      mov(fiber, ptr[k + at::k_top_fiber]);
      test(fiber, fiber);
      jz(other, T_NEAR);
      cmp(qword[k + at::k_multi], 0);
      jne(other, T_NEAR);
      cmp(qword[ctx + at::on_effect], 0);
      jne(other, T_NEAR);
      mov(current, ptr[ctx + at::fiber]);
      // A fiber whose last frame is gone is not kept below another.
      lea(scratch, ptr[rsp + 8]);
      cmp(scratch, ptr[current + at::fiber_base]);
      je(other, T_NEAR);
      cmp(byte[fiber + at::fiber_dirty], 0);
      je(other, T_NEAR);
      mov(node, ptr[k + at::k_node]);
      mov(tag, ptr[fiber + at::fiber_tag]);
      mov(top, ptr[ctx + at::top]);
      cmp(top, ptr[node + at::node_outer]);
      jne(moved, T_NEAR);
      cmp(tag, ptr[ctx + at::moved_at]);
      jb(moved, T_NEAR);
      leave_fiber(current, rt::FiberState::Waiting, scratch);
      mov(ptr[ctx + at::tag], tag);
      L(ready);
      mov(scratch, ptr[k + at::k_base_fiber]);
      mov(ptr[scratch + at::fiber_parent], current);
      mov(qword[k + at::k_top_fiber], 0);
      mov(scratch, ptr[k + at::k_top]);
      mov(ptr[ctx + at::top], scratch);
      mov(rax, value);
      enter_fiber(fiber, scratch);
      // No return: the performer's jump was no call (capture.cpp).
      pop(scratch);
      jmp(scratch);
      // Into another context: what the caches know of it is void.
      L(moved);
      mov(edx, dword[node]);
      and_(edx, static_cast<int>(rt::kHeaderOld | rt::kHeaderRemembered));
      cmp(edx, static_cast<int>(rt::kHeaderOld));
      je(other);
      leave_fiber(current, rt::FiberState::Waiting, scratch);
      mov(ptr[node + at::node_outer], top);
      fresh_tag(scratch);
      mov(ptr[ctx + at::moved_at], scratch);
      jmp(ready);
      L(other);
      mov(ptr[ctx + at::args], k);
      mov(ptr[ctx + at::args + 8], value);
      long_way(last ? reinterpret_cast<void*>(&calls::resume_last) : reinterpret_cast<void*>(&calls::resume_keep));
    };
    align(16);
    table.resume_keep = const_cast<uint8_t*>(getCurr());
    resume(false);
    align(16);
    table.resume_last = const_cast<uint8_t*>(getCurr());
    resume(true);
  }

  void call_c(void* function) {
    mov(Xbyak::util::rax, reinterpret_cast<uint64_t>(function));
    call(Xbyak::util::rax);
  }
};

}  // namespace

std::unique_ptr<StubCode> make_stubs(void (*left)(rt::Context*, void*)) {
  Xbyak::ClearError();
  auto stubs = std::make_unique<Generator>(left);
  // From here on it is executable, and no longer writable.
  if (rt::memory::refused() || Xbyak::GetError() != Xbyak::ERR_NONE || !stubs->setProtectModeRE(false)) return nullptr;
  return stubs;
}

}  // namespace eddy::jit::x64
