// Rules for this file:
//   1. C++ runs on the host stack only (ctx.host_sp), with rsp 16-aligned at the call.
//   2. Before C++ runs, alloc_ptr and the fiber's sp are in memory; afterwards both are read again.
//   3. r15 and r14 survive C++ calls (they are callee-saved there), nothing else is expected to.
#include "jit/x64/stubs.h"

#include <xbyak/xbyak.h>

#include "jit/x64/registers.h"
#include "runtime/fiber_pool.h"
#include "vm/control/control.h"

namespace eddy::jit::x64 {

namespace {

using rt::Value;
using rt::Word;

void fail(rt::Context* ctx) {
  ctx->args_live = 0;
  if (ctx->exiting) ctx->action = rt::Action::Stop;
  else vm::start_panic(ctx);
}

void finish(rt::Context* ctx, Word result) {
  ctx->result = Value{result};
  ctx->fiber->sp = ctx->fiber->base - 1;
  vm::finish_fiber(*ctx);
  ctx->action = rt::Action::Deliver;
}

Word restore(rt::Context* ctx, rt::Word* word) { return ctx->fibers->restore_watermark(ctx->fiber, word); }

class Generator : public StubCode, Xbyak::CodeGenerator {
 public:
  explicit Generator(void (*left)(rt::Context*, void*)) : Xbyak::CodeGenerator(4096) {
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
    call_c(reinterpret_cast<void*>(&finish));
    jmp(dispatch, T_NEAR);

    start(table.watermark);
    sub(rsp, 8);
    mov(rsi, rsp);
    mov(r12, rax);
    to_host();
    call_c(reinterpret_cast<void*>(&restore));
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
    call_c(reinterpret_cast<void*>(&fail));
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

    ready(Xbyak::CodeArray::PROTECT_RE);
  }

 private:
  void call_c(void* function) {
    mov(Xbyak::util::rax, reinterpret_cast<uint64_t>(function));
    call(Xbyak::util::rax);
  }
};

}  // namespace

std::unique_ptr<StubCode> make_stubs(void (*left)(rt::Context*, void*)) { return std::make_unique<Generator>(left); }

}  // namespace eddy::jit::x64
