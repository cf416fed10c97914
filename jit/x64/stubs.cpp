// The ways in and out of machine code.
#include "jit/x64/generator.h"

namespace eddy::jit::x64 {

using namespace Xbyak::util;

Generator::Generator(Watch watch) : Xbyak::CodeGenerator(8192, Xbyak::DontSetProtectRWE), watch_(watch) {
  make_entries();
  make_fiber_exit();
  make_abort_body();
  make_fork();
  make_perform();
  make_clause_end();
  make_resume(false);
  make_resume(true);
  make_resume_taken();
  make_fiber_call();
  align(8);
  L(calls_);
}

void Generator::to_host() {
  mov(context(at::alloc_ptr), alloc);
  mov(rdi, context(at::fiber));
  mov(ptr[rdi + at::fiber_sp], rsp);
  mov(rsp, context(at::host_sp));
  mov(rdi, ctx);
}

void Generator::to_fiber(const Reg64& scratch) {
  mov(alloc, context(at::alloc_ptr));
  mov(scratch, context(at::fiber));
  mov(rsp, ptr[scratch + at::fiber_sp]);
}

void Generator::make_entries() {
  Label deliver, failed;

  start(table_.enter);
  push(rbx);
  push(rbp);
  push(r12);
  push(r13);
  push(r14);
  push(r15);
  sub(rsp, 8);
  mov(ctx, rdi);
  mov(context(at::host_sp), rsp);
  mov(r11, rsi);
  test(rsi, rsi);
  {
    Label by_entry;
    jnz(by_entry);
    // On the host stack: what ctx.action says.
    L(dispatch_);
    cmp(byte[ctx + at::action], static_cast<int>(rt::Action::Call));
    ja(host_leave_, T_NEAR);
    jb(deliver);
    mov(rdx, context(at::callee));
    mov(r11, ptr[rdx + at::machine_entry]);
    L(by_entry);
    mov(rdx, context(at::callee));
    to_fiber(rax);
    for (unsigned i = 0; i < kRegisterArgs; ++i) mov(argument[i], context(at::args + 8 * static_cast<int>(i)));
    mov(dword[ctx + at::args_live], 0);
    jmp(r11);
  }
  L(deliver);
  to_fiber(rdx);
  mov(rax, context(at::result));
  mov(qword[ctx + at::result], 0);
  ret();

  start(table_.interp_return);
  L(interp_return_);
  mov(context(at::result), rax);
  mov(byte[ctx + at::action], static_cast<int>(rt::Action::Deliver));
  sub(rsp, 8);
  L(leave_);
  mov(context(at::alloc_ptr), alloc);
  mov(rax, context(at::fiber));
  mov(ptr[rax + at::fiber_sp], rsp);
  mov(rsp, context(at::host_sp));
  L(host_leave_);
  add(rsp, 8);
  pop(r15);
  pop(r14);
  pop(r13);
  pop(r12);
  pop(rbp);
  pop(rbx);
  ret();

  start(table_.vm_exit);
  mov(context(at::result), rax);
  mov(byte[ctx + at::action], static_cast<int>(rt::Action::Stop));
  sub(rsp, 8);
  jmp(leave_, T_NEAR);

  start(table_.watermark);
  sub(rsp, 8);
  mov(rsi, rsp);
  mov(r12, rax);
  to_host();
  call_c(StubCall::Restore);
  mov(rdx, rax);
  mov(rax, r12);
  to_fiber(r11);
  add(rsp, 8);
  jmp(rdx);

  start(table_.call_interpreter);
  L(interpret_);
  for (unsigned i = 0; i < kRegisterArgs; ++i) mov(context(at::args + 8 * static_cast<int>(i)), argument[i]);
  mov(context(at::callee), rdx);
  movzx(eax, word[rdx + at::params]);
  mov(context(at::args_live), eax);
  mov(byte[ctx + at::action], static_cast<int>(rt::Action::Call));
  jmp(leave_, T_NEAR);

  for (void** stub : {&table_.box_arguments, &table_.box_and_interpret}) {
    start(*stub);
    for (unsigned i = 0; i < kRegisterArgs; ++i) mov(context(at::args + 8 * static_cast<int>(i)), argument[i]);
    mov(context(at::callee), rdx);
    mov(rsi, rdx);
    to_host();
    call_c(StubCall::BoxArguments);
    to_fiber(rax);
    mov(rdx, context(at::callee));
    for (unsigned i = 0; i < kRegisterArgs; ++i) mov(argument[i], context(at::args + 8 * static_cast<int>(i)));
    if (stub == &table_.box_arguments) jmp(ptr[rdx + at::machine_entry]);
    else jmp(interpret_);
  }

  start(table_.leave_in_place);
  lea(rax, ptr[rip + interp_return_]);
  mov(ptr[rsp], rax);
  mov(byte[ctx + at::action], static_cast<int>(rt::Action::Deliver));
  mov(qword[ctx + at::result], static_cast<int>(rt::kUnit.bits));
  to_host();
  call_c(StubCall::Left);
  jmp(host_leave_, T_NEAR);

  start(table_.call_value);
  to_host();
  call(rax);
  test(rax, rax);
  jz(failed);
  to_fiber(rdx);
  ret();
  L(failed);
  mov(rdi, ctx);
  call_c(StubCall::Fail);
  jmp(dispatch_, T_NEAR);

  start(table_.call_action);
  table_.jump_action = table_.call_action;
  L(action_);
  to_host();
  call(rax);
  jmp(dispatch_, T_NEAR);

  start(table_.call_plain);
  to_host();
  call(rax);
  to_fiber(rdx);
  ret();
}

AssembledStubs Generator::assembled() {
  AssembledStubs stubs(getCode(), getSize(), table_);
  if (hasUndefinedLabel() || Xbyak::GetError() != Xbyak::ERR_NONE) stubs.failure = "the assembler fails";
  // They take no Float without its object, whatever else stands where a safepoint would say so.
  for (void* stub : table_.returned_to())
    if (stubs.code[reinterpret_cast<uintptr_t>(stub) + 2] == kAnyResult) stubs.failure = "one that functions return to takes raw Floats";
  return stubs;
}

AssembledStubs assemble_stubs(Watch watch) {
  Xbyak::ClearError();
  return Generator(watch).assembled();
}

}  // namespace eddy::jit::x64
