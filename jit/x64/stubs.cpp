// The ways in and out of machine code.
#include "jit/codegen/stub_calls.h"
#include "jit/x64/generator.h"
#include "runtime/system_memory.h"

namespace eddy::jit::x64 {

using namespace Xbyak::util;

Generator::Generator(const StubOptions& options)
    : Xbyak::CodeGenerator(8192, Xbyak::DontSetProtectRWE), observed_(options.observed) {
  make_entries(options.left);
  make_fiber_exit();
  make_abort_body();
  make_perform();
  make_clause_end();
  make_resume(false);
  make_resume(true);
  make_resume_taken();
  make_fiber_call();
  ready(Xbyak::CodeArray::PROTECT_RE);
  code = getCode();
  size = getSize();
}

void Generator::call_c(void* function) {
  mov(rax, reinterpret_cast<uint64_t>(function));
  call(rax);
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

void Generator::make_entries(void (*left)(rt::Context*, void*)) {
  Label deliver, failed;

  start(table.enter);
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

  start(table.interp_return);
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

  start(table.vm_exit);
  mov(context(at::result), rax);
  mov(byte[ctx + at::action], static_cast<int>(rt::Action::Stop));
  sub(rsp, 8);
  jmp(leave_, T_NEAR);

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
  for (unsigned i = 0; i < kRegisterArgs; ++i) mov(context(at::args + 8 * static_cast<int>(i)), argument[i]);
  mov(context(at::callee), rdx);
  movzx(eax, word[rdx + at::params]);
  mov(context(at::args_live), eax);
  mov(byte[ctx + at::action], static_cast<int>(rt::Action::Call));
  jmp(leave_, T_NEAR);

  for (void** stub : {&table.box_arguments, &table.box_and_interpret}) {
    start(*stub);
    for (unsigned i = 0; i < kRegisterArgs; ++i) mov(context(at::args + 8 * static_cast<int>(i)), argument[i]);
    mov(context(at::callee), rdx);
    mov(rsi, rdx);
    to_host();
    call_c(reinterpret_cast<void*>(&stub_calls::box_arguments));
    to_fiber(rax);
    mov(rdx, context(at::callee));
    for (unsigned i = 0; i < kRegisterArgs; ++i) mov(argument[i], context(at::args + 8 * static_cast<int>(i)));
    if (stub == &table.box_arguments) jmp(ptr[rdx + at::machine_entry]);
    else jmp(reinterpret_cast<const void*>(table.call_interpreter));
  }

  start(table.leave_in_place);
  mov(rax, reinterpret_cast<uint64_t>(table.interp_return));
  mov(ptr[rsp], rax);
  mov(byte[ctx + at::action], static_cast<int>(rt::Action::Deliver));
  mov(qword[ctx + at::result], static_cast<int>(rt::kUnit.bits));
  to_host();
  call_c(reinterpret_cast<void*>(left));
  jmp(host_leave_, T_NEAR);

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
  jmp(dispatch_, T_NEAR);

  start(table.call_action);
  table.jump_action = table.call_action;
  to_host();
  call(rax);
  jmp(dispatch_, T_NEAR);

  start(table.call_plain);
  to_host();
  call(rax);
  to_fiber(rdx);
  ret();
}

std::unique_ptr<StubCode> make_stubs(const StubOptions& options) {
  Xbyak::ClearError();
  auto stubs = std::make_unique<Generator>(options);
  // Those that functions return to take no Float without its object: what stands there says otherwise by chance.
  const Stubs& t = stubs->table;
  for (void* stub : {t.interp_return, t.clause_end, t.fiber_exit, t.vm_exit, t.watermark})
    if (static_cast<const uint8_t*>(stub)[2] == kAnyResult) return nullptr;
  // From here on it is executable, and no longer writable.
  if (rt::memory::refused() || Xbyak::GetError() != Xbyak::ERR_NONE || !stubs->setProtectModeRE(false)) return nullptr;
  return stubs;
}

}  // namespace eddy::jit::x64
