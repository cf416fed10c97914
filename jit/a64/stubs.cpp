// The ways in and out of machine code.
#include "jit/a64/generator.h"

namespace eddy::jit::a64 {

using namespace asmjit::a64;

Generator::Generator(asmjit::CodeHolder& code, Watch watch) : a_(&code), watch_(watch) {
  for (Label* label : {&dispatch_, &host_leave_, &leave_, &action_, &interp_return_, &fiber_exit_, &abort_body_, &calls_})
    *label = a_.newLabel();
  make_entries();
  make_calls();
  make_perform();
  make_clause_end();
  make_resume(false);
  make_resume(true);
  make_resume_taken();
  make_fiber_exit();
  make_fiber_call();
  make_abort_body();
  make_fork();
  a_.literals();
  a_.align(asmjit::AlignMode::kData, 8);
  a_.bind(calls_);
}

void Generator::to_host() {
  a_.str(alloc, context(at::alloc_ptr));
  a_.ldr(x0, context(at::fiber));
  a_.str(stack, ptr(x0, at::fiber_sp));
  a_.mov(x0, ctx);
}

void Generator::to_fiber() {
  a_.ldr(alloc, context(at::alloc_ptr));
  a_.ldr(x17, context(at::fiber));
  a_.ldr(stack, ptr(x17, at::fiber_sp));
}

void Generator::load_address(const Gp& to, StubCall function) { a_.ldr(to, ptr(calls_, 8 * static_cast<int>(function))); }

void Generator::call_c(StubCall function) {
  load_address(x17, function);
  a_.blr(x17);
}

void Generator::set_action(rt::Action action) {
  a_.movz(w17, static_cast<uint32_t>(action));
  a_.strb(w17, context(at::action, 1));
}

void Generator::make_entries() {
  Label deliver = a_.newLabel(), by_entry = a_.newLabel(), go = a_.newLabel();
  constexpr int kSaved = 176;
  start(table_.enter);
  a_.stp(x29, x30, ptr_pre(sp, -kSaved));
  a_.mov(x29, sp);
  for (uint32_t i = 0; i < 5; ++i) a_.stp(x(19 + 2 * i), x(20 + 2 * i), ptr(sp, static_cast<int32_t>(16 + 16 * i)));
  for (uint32_t i = 0; i < 4; ++i) a_.stp(d(8 + 2 * i), d(9 + 2 * i), ptr(sp, static_cast<int32_t>(96 + 16 * i)));
  a_.mov(ctx, x0);
  a_.mov(x16, x1);
  a_.mov(x17, sp);
  a_.str(x17, context(at::host_sp));
  a_.cbnz(x1, by_entry);
  // What ctx.action says.
  a_.bind(dispatch_);
  a_.ldrb(w17, context(at::action, 1));
  a_.cmp(w17, asmjit::Imm(static_cast<int>(rt::Action::Call)));
  a_.b_hi(host_leave_);
  a_.b_lo(deliver);
  a_.ldr(x17, context(at::callee));
  a_.ldr(x16, a_.slot(x17, at::machine_entry));
  a_.b(go);
  a_.bind(by_entry);
  a_.ldr(x17, context(at::callee));
  a_.bind(go);
  a_.ldr(alloc, context(at::alloc_ptr));
  a_.ldr(x14, context(at::fiber));
  a_.ldr(stack, ptr(x14, at::fiber_sp));
  for (unsigned i = 0; i < kRegisterArgs; ++i) a_.ldr(argument_register(i), argument(i));
  a_.str(wzr, context(at::args_live, 4));
  a_.pop_return();
  a_.br(x16);
  a_.bind(deliver);
  to_fiber();
  a_.ldr(x16, context(at::result));
  a_.str(xzr, context(at::result));
  a_.pop_return();
  a_.br(x30);

  start(table_.interp_return);
  a_.bind(interp_return_);
  a_.str(x16, context(at::result));
  set_action(rt::Action::Deliver);
  a_.sub(stack, stack, 8);
  a_.bind(leave_);
  a_.str(alloc, context(at::alloc_ptr));
  a_.ldr(x17, context(at::fiber));
  a_.str(stack, ptr(x17, at::fiber_sp));
  a_.bind(host_leave_);
  for (uint32_t i = 0; i < 5; ++i) a_.ldp(x(19 + 2 * i), x(20 + 2 * i), ptr(sp, static_cast<int32_t>(16 + 16 * i)));
  for (uint32_t i = 0; i < 4; ++i) a_.ldp(d(8 + 2 * i), d(9 + 2 * i), ptr(sp, static_cast<int32_t>(96 + 16 * i)));
  a_.ldp(x29, x30, ptr_post(sp, kSaved));
  a_.ret(x30);

  start(table_.vm_exit);
  a_.str(x16, context(at::result));
  set_action(rt::Action::Stop);
  a_.sub(stack, stack, 8);
  a_.b(leave_);

  start(table_.watermark);
  a_.sub(stack, stack, 8);
  a_.mov(x1, stack);
  a_.mov(x22, x16);
  to_host();
  call_c(StubCall::Restore);
  to_fiber();
  a_.mov(x16, x22);
  a_.add(stack, stack, 8);
  a_.br(x0);

  asmjit::Label interpret = a_.newLabel();
  start(table_.call_interpreter);
  a_.bind(interpret);
  a_.push_return();
  for (unsigned i = 0; i < kRegisterArgs; ++i) a_.str(argument_register(i), argument(i));
  a_.str(x17, context(at::callee));
  a_.ldrh(w16, a_.slot(x17, at::params, 2));
  a_.str(w16, context(at::args_live, 4));
  set_action(rt::Action::Call);
  a_.b(leave_);

  for (void** stub : {&table_.box_arguments, &table_.box_and_interpret}) {
    start(*stub);
    a_.push_return();
    for (unsigned i = 0; i < kRegisterArgs; ++i) a_.str(argument_register(i), argument(i));
    a_.str(x17, context(at::callee));
    a_.mov(x1, x17);
    to_host();
    call_c(StubCall::BoxArguments);
    to_fiber();
    a_.ldr(x17, context(at::callee));
    for (unsigned i = 0; i < kRegisterArgs; ++i) a_.ldr(argument_register(i), argument(i));
    a_.pop_return();
    if (stub == &table_.box_and_interpret) {
      a_.b(interpret);
      continue;
    }
    a_.ldr(x16, a_.slot(x17, at::machine_entry));
    a_.br(x16);
  }

  start(table_.leave_in_place);
  a_.adr(x17, interp_return_);
  a_.str(x17, ptr(stack));
  set_action(rt::Action::Deliver);
  a_.movz(x17, static_cast<uint32_t>(rt::kUnit.bits));
  a_.str(x17, context(at::result));
  to_host();
  call_c(StubCall::Left);
  a_.b(host_leave_);
}

void Generator::make_calls() {
  Label failed = a_.newLabel();
  start(table_.call_value);
  a_.push_return();
  to_host();
  a_.blr(x16);
  a_.cbz(x0, failed);
  a_.mov(x16, x0);
  to_fiber();
  a_.pop_return();
  a_.ret(x30);
  a_.bind(failed);
  a_.mov(x0, ctx);
  call_c(StubCall::Fail);
  a_.b(dispatch_);

  start(table_.call_action);
  table_.jump_action = table_.call_action;
  a_.push_return();
  a_.bind(action_);
  to_host();
  a_.blr(x16);
  a_.b(dispatch_);

  start(table_.call_plain);
  a_.push_return();
  to_host();
  a_.blr(x16);
  a_.mov(x16, x0);
  to_fiber();
  a_.pop_return();
  a_.ret(x30);
}

AssembledStubs assemble_stubs(Watch watch) {
  asmjit::CodeHolder code;
  code.init(asmjit::Environment(asmjit::Arch::kAArch64));
  Generator generator(code, watch);
  bool good = code.flatten() == asmjit::kErrorOk && code.resolveUnresolvedLinks() == asmjit::kErrorOk && !code.hasRelocEntries();
  const asmjit::CodeBuffer& text = code.textSection()->buffer();
  const Stubs& table = generator.table();
  AssembledStubs stubs(text.data(), text.size(), table);
  if (!good || code.hasUnresolvedLinks()) stubs.failure = "the assembler fails";
  // They take no Float without its object, whatever else stands where a safepoint would say so.
  for (void* stub : table.returned_to())
    if (!(stubs.code[reinterpret_cast<uintptr_t>(stub)] >> kTaggedResultBit & 1)) stubs.failure = "one that functions return to takes raw Floats";
  return stubs;
}

}  // namespace eddy::jit::a64
