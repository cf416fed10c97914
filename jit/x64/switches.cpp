// Performing with a capture, and resuming, where nothing is unusual: the fiber below or on top becomes the
// current one by a change of rsp. Everything else goes the long way.
#include "jit/x64/generator.h"
#include "runtime/plants.h"
#include "vm/control/pseudo.h"

namespace eddy::jit::x64 {

using namespace Xbyak::util;

void Generator::long_way(StubCall helper) {
  mov(rax, address_of(helper));
  jmp(action_);
}

void Generator::leave_fiber(const Reg64& fiber, const Reg64& scratch) {
  mov(ptr[fiber + at::fiber_sp], rsp);
  mov(scratch, context(at::tag));
  mov(ptr[fiber + at::fiber_tag], scratch);
}

void Generator::enter_fiber(const Reg64& fiber, const Reg64& scratch) {
  make_current(fiber, scratch);
  mov(rsp, ptr[fiber + at::fiber_sp]);
}

void Generator::make_current(const Reg64& fiber, const Reg64& scratch) {
  mov(context(at::fiber), fiber);
  mov(scratch, ptr[fiber + at::fiber_limit]);
  or_(scratch, context(at::safepoint_asked));
  mov(context(at::stack_limit), scratch);
}

void Generator::fresh_tag(const Reg64& scratch) {
  mov(scratch, context(at::next_tag));
  mov(context(at::tag), scratch);
  inc(qword[ctx + at::next_tag]);
}

void Generator::make_perform() {
  start(table_.perform_known);
  for (unsigned i = 1; i < kRegisterArgs; ++i) mov(context(at::args + 8 * static_cast<int>(i)), argument[i]);
  mov(rsi, r13);
  start(table_.perform);
  if (watch_ == Watch::Effects) return long_way(StubCall::Perform);
  Label other, no_room, moved, ready, found, in_place, base;
  mov(rdi, ptr[rsi + at::cell_seen]);
  mov(rcx, ptr[rsi + at::cell_clause]);
  // The nearest node, or what the effect's cell says.
  mov(rbx, context(at::top));
  test(rbx, rbx);
  jz(other, T_NEAR);
  cmp(rdi, ptr[rbx + at::node_site]);
  je(found);
  mov(eax, dword[rsi + at::cell_effect]);
  shl(rax, 4);
  add(rax, context(at::cells));
  mov(rdx, ptr[rax]);
  cmp(rdx, context(at::tag));
  jne(other, T_NEAR);
  mov(rbx, ptr[rax + 8]);
  cmp(rdi, ptr[rbx + at::node_site]);
  jne(other, T_NEAR);
  L(found);
  movzx(r8d, byte[rcx + at::clause_kind]);
  cmp(r8d, static_cast<int>(rt::ClauseKind::Once));
  jb(in_place, T_NEAR);
  mov(r13, ptr[rbx + at::node_home]);
  mov(r12, ptr[r13 + at::fiber_parent]);
  cmp(byte[r12 + at::fiber_dirty], 0);
  je(other, T_NEAR);
  mov(rax, alloc);
  add(alloc, static_cast<int>(rt::Continuation::bytes(true)));
  cmp(alloc, context(at::alloc_limit));
  ja(no_room, T_NEAR);
  inc(qword[rsi + at::cell_count]);
  mov(rdx, context(at::stats));
  inc(qword[rdx + at::captures]);
  // One that is resumed once leaves its last word unused.
  mov(rdx, rt::Continuation::header_of(false));
  mov(rdi, rt::Continuation::header_of(true));
  cmp(r8d, static_cast<int>(rt::ClauseKind::Multi));
  cmove(rdx, rdi);
  mov(ptr[rax], rdx);
  mov(rdx, context(at::next_tag));
  mov(ptr[rax + at::k_captured_at], rdx);
  mov(rdi, context(at::fiber));
  mov(ptr[rax + at::k_top_fiber], rdi);
  mov(rdx, context(at::top));
  mov(ptr[rax + at::k_top], rdx);
  mov(ptr[rax + at::k_node], rbx);
  movzx(edx, word[rsi + at::cell_args]);
  mov(ptr[ctx + rdx * 8 + at::args + 8], rax);
  leave_fiber(rdi, rdx);
  mov(rdx, ptr[rbx + at::node_outer]);
  mov(context(at::top), rdx);
  enter_fiber(r12, rdx);
  mov(rdx, ptr[r12 + at::fiber_tag]);
  cmp(rdx, context(at::moved_at));
  jb(moved);
  mov(context(at::tag), rdx);
  L(ready);
  mov(rdx, ptr[rcx + at::clause_function]);
  mov(rdi, ptr[rbx + at::node_env]);
  for (unsigned i = 1; i < kRegisterArgs; ++i) mov(argument[i], context(at::args + 8 * static_cast<int>(i)));
  jmp(ptr[rdx + at::machine_entry]);
  L(moved);
  fresh_tag(rdx);
  jmp(ready);
  // An abort with nothing to do on its way: the clause takes the place of the region's frame.
  L(in_place);
  cmp(r8d, static_cast<int>(rt::ClauseKind::Abort));
  jne(other, T_NEAR);
  cmp(byte[rdi + at::site_returns], 0);
  je(other, T_NEAR);
  mov(rdx, ptr[rbx + at::node_home]);
  cmp(rdx, context(at::fiber));
  jne(other, T_NEAR);
  mov(eax, dword[rdx + at::fiber_records]);
  cmp(eax, dword[rbx + at::node_records]);
  jne(other, T_NEAR);
  inc(qword[rsi + at::cell_count]);
  mov(eax, dword[rbx + at::node_frame]);
  mov(r8, ptr[rdi + at::site_owner]);
  mov(r9d, dword[r8 + at::frame_size]);
  cmp(byte[r8 + at::function_fiber_base], 0);
  jne(base);
  sub(rax, r9);
  shl(rax, 3);
  mov(rdx, ptr[rdx + at::fiber_base]);
  sub(rdx, rax);
  lea(rsp, ptr[rdx - 8]);
  mov(rdx, ptr[rbx + at::node_outer]);
  mov(context(at::top), rdx);
  jmp(moved, T_NEAR);
  L(base);
  mov(rdx, ptr[rcx + at::clause_function]);
  for (unsigned i = 1; i < kRegisterArgs; ++i) mov(argument[i], context(at::args + 8 * static_cast<int>(i)));
  jmp(abort_body_);
  L(no_room);
  mov(alloc, rax);
  L(other);
  long_way(StubCall::Perform);
}

// Behind an in-place clause: as the instruction CLAUSE_END. It is a return address, so a safepoint follows.
void Generator::make_clause_end() {
  start(table_.clause_end);
  using Frame = vm::ClauseFrame;
  auto slot = [&](int i) { return ptr[rsp + 8 * (static_cast<int>(rt::kFrameHeaderWords) + i)]; };
  Label moved, ready;
  Label aborts;
  for (int byte_of : {0x0f, 0x1f, 0x80, 0, 0, 0, 0}) db(byte_of);
  cmp(qword[rsp + 8 * (static_cast<int>(rt::kFrameHeaderWords) + Frame::Resume)], static_cast<int>(Frame::kAborts));
  je(aborts);
  mov(rdx, context(at::fiber));
  mov(ecx, slot(Frame::Link));
  mov(ptr[rdx + at::fiber_records], ecx);
  mov(rcx, slot(Frame::Top));
  mov(context(at::top), rcx);
  mov(rcx, slot(Frame::Tag));
  cmp(rcx, context(at::moved_at));
  jb(moved);
  mov(context(at::tag), rcx);
  L(ready);
  add(rsp, static_cast<int>(Frame::kWords - 1) * 8);
  ret();
  L(moved);
  fresh_tag(rcx);
  jmp(ready);
  L(aborts);
  sub(rsp, 8);
  mov(rsi, rax);
  long_way(StubCall::ClauseAborts);
}

void Generator::make_resume(bool last) {
  const Reg64 k = rdi, value = rsi, fiber = r8, current = r9, node = rcx, top = r10, tag = r11, scratch = rdx;
  Label other, moved, ready, multi, moves, slept, awake;
  start(last ? table_.tail_resume_last : table_.tail_resume_keep);
  // A fiber whose last frame is gone is not kept below another.
  mov(current, context(at::fiber));
  lea(scratch, ptr[rsp + 8]);
  cmp(scratch, ptr[current + at::fiber_base]);
  je(other, T_NEAR);
  start(last ? table_.resume_last : table_.resume_keep);
  if (watch_ == Watch::Effects) jmp(other, T_NEAR);
  test(dil, 7);
  jnz(other, T_NEAR);
  cmp(byte[k + 3], static_cast<int>(rt::Kind::Continuation));
  jne(other, T_NEAR);
  mov(fiber, ptr[k + at::k_top_fiber]);
  test(fiber, fiber);
  jz(other, T_NEAR);
  mov(current, context(at::fiber));
  cmp(dword[k + at::count], 0);
  jne(multi, T_NEAR);
  L(moves);
  cmp(byte[fiber + at::fiber_dirty], 0);
  je(slept, T_NEAR);
  L(awake);
  mov(node, ptr[k + at::k_node]);
  mov(tag, ptr[fiber + at::fiber_tag]);
  mov(top, context(at::top));
  cmp(top, ptr[node + at::node_outer]);
  jne(moved, T_NEAR);
  cmp(tag, context(at::moved_at));
  jb(moved, T_NEAR);
  leave_fiber(current, scratch);
  mov(context(at::tag), tag);
  L(ready);
  mov(scratch, ptr[node + at::node_home]);
  if (!PLANTED(jit_resume_keeps_parent)) mov(ptr[scratch + at::fiber_parent], current);
  mov(qword[k + at::k_top_fiber], 0);
  mov(scratch, ptr[k + at::k_top]);
  mov(context(at::top), scratch);
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
  je(other, T_NEAR);
  leave_fiber(current, scratch);
  if (!PLANTED(jit_move_keeps_outer)) mov(ptr[node + at::node_outer], top);
  fresh_tag(scratch);
  if (!PLANTED(jit_move_unseen)) mov(context(at::moved_at), scratch);
  jmp(ready);
  L(slept);
  mov(rbx, k);
  mov(rbp, value);
  mov(r12, fiber);
  mov(r13, current);
  mov(rsi, fiber);
  to_host();
  call_c(StubCall::FiberRan);
  to_fiber(scratch);
  mov(k, rbx);
  mov(value, rbp);
  mov(fiber, r12);
  mov(current, r13);
  jmp(awake, T_NEAR);
  L(multi);
  // The last resumption moves it, unless a copy of the frame that gives it up here may still hold it.
  if (last) {
    mov(scratch, ptr[k + at::k_captured_at]);
    cmp(scratch, ptr[current + at::fiber_copied]);
    ja(moves, T_NEAR);
  }
  resume_copy(other);
  L(other);
  mov(context(at::args), k);
  mov(context(at::args + 8), value);
  long_way(last ? StubCall::ResumeLast : StubCall::ResumeKeep);
}

// What was captured by who resumes it now, a moment ago: it is where it was, and so is its context.
void Generator::make_resume_taken() {
  const Reg64 fiber = rdi, top = rsi, value = rcx, handler = r8, current = r9, scratch = rdx;
  Label other, slept, awake;
  start(table_.tail_taken);
  // A fiber whose last frame is gone is not kept below another.
  mov(current, context(at::fiber));
  lea(scratch, ptr[rsp + 8]);
  cmp(scratch, ptr[current + at::fiber_base]);
  je(other, T_NEAR);
  start(table_.resume_taken);
  cmp(byte[fiber + at::fiber_dirty], 0);
  je(slept, T_NEAR);
  L(awake);
  mov(current, context(at::fiber));
  leave_fiber(current, scratch);
  mov(scratch, ptr[fiber + at::fiber_tag]);
  mov(context(at::tag), scratch);
  mov(context(at::top), top);
  mov(rax, value);
  enter_fiber(fiber, scratch);
  pop(scratch);
  jmp(scratch);
  L(slept);
  mov(rbx, fiber);
  mov(rbp, top);
  mov(r12, value);
  mov(rsi, fiber);
  to_host();
  call_c(StubCall::FiberRan);
  to_fiber(scratch);
  mov(fiber, rbx);
  mov(top, rbp);
  mov(value, r12);
  jmp(awake, T_NEAR);
  L(other);
  mov(r12, value);
  mov(rdx, top);
  mov(rsi, fiber);
  mov(rcx, handler);
  to_host();
  call_c(StubCall::Remake);
  mov(scratch, rax);
  to_fiber(rax);
  mov(context(at::args), scratch);
  mov(context(at::args + 8), r12);
  long_way(StubCall::ResumeLast);
}

}  // namespace eddy::jit::x64
