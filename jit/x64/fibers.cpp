// Fibers started, finished and copied in place, while the pool has one that serves and nothing is unusual
// (FiberSupply). As vm/control/resume.cpp and runtime/fiber_pool.cpp do it.
#include "jit/x64/generator.h"
#include "runtime/plants.h"

namespace eddy::jit::x64 {

using namespace Xbyak::util;

namespace {
constexpr int kSlackBytes = static_cast<int>(rt::kStackSlackWords * sizeof(rt::Word));
}

void Generator::find_fiber(const Reg64& fiber, const Reg64& base, const Reg64& bytes, const Reg64& scratch, const Label& other) {
  mov(fiber, context(at::supply_free));
  test(fiber, fiber);
  jz(other, T_NEAR);
  // Young, and with a block.
  static_assert(rt::kKeptClass < rt::kNoBlock);
  cmp(word[fiber + at::fiber_old_class], static_cast<int>(rt::kKeptClass));
  ja(other, T_NEAR);
  mov(base, ptr[fiber + at::fiber_base]);
  mov(scratch, base);
  sub(scratch, ptr[fiber + at::fiber_limit]);
  cmp(scratch, bytes);
  jb(other, T_NEAR);
}

// It is young, and a young one is dirty: the heap's verifier looks.
void Generator::take_fiber(const Reg64& fiber, const Reg64& scratch) {
  if (watch_ != Watch::Nothing) {
    mov(scratch, context(at::supply_made));
    inc(scratch);
    mov(context(at::supply_made), scratch);
    mov(dword[fiber + at::fiber_id], scratch.cvt32());
  }
  mov(scratch, ptr[fiber + at::fiber_parent]);
  sub(scratch, static_cast<int>(rt::Fiber::kFree));
  mov(context(at::supply_free), scratch);
}

void Generator::no_records_or_watermarks(const Reg64& fiber, const Label& other) {
  static_assert(at::fiber_watermarks == at::fiber_records + 4);
  cmp(qword[fiber + at::fiber_records], 0);
  jne(other, T_NEAR);
}

// What finish_fiber does, but for the tag.
void Generator::give_fiber_back(const Reg64& fiber, const Reg64& parent, const Reg64& scratch, const Label& other) {
  mov(parent, ptr[fiber + at::fiber_parent]);
  cmp(byte[fiber + at::fiber_size_class], static_cast<int>(rt::kKeptClass));
  ja(other, T_NEAR);
  no_records_or_watermarks(fiber, other);
  cmp(byte[parent + at::fiber_dirty], 0);
  je(other, T_NEAR);
  mov(scratch, context(at::supply_free));
  add(scratch, static_cast<int>(rt::Fiber::kFree));
  mov(ptr[fiber + at::fiber_parent], scratch);
  mov(context(at::supply_free), fiber);
  enter_fiber(parent, scratch);
}

// Called with a fiber's body, a closure, in the first argument.
void Generator::make_fiber_call() {
  start(table_.fiber_call);
  const Reg64 body = rdi, function = rdx, fiber = r8, base = rbx, current = r9, bytes = rax, scratch = rcx;
  Label other;
  test(dil, 7);
  jnz(other, T_NEAR);
  cmp(byte[body + 3], static_cast<int>(rt::Kind::Closure));
  jne(other, T_NEAR);
  mov(function, ptr[body + at::closure_function]);
  cmp(byte[function + at::function_fiber_base], 0);
  je(other, T_NEAR);
  mov(current, context(at::fiber));
  // A fiber whose last frame is gone is not kept below another.
  lea(scratch, ptr[rsp + 8]);
  cmp(scratch, ptr[current + at::fiber_base]);
  je(other, T_NEAR);
  mov(bytes.cvt32(), dword[function + at::frame_size]);
  shl(bytes, 3);
  find_fiber(fiber, base, bytes, scratch, other);
  take_fiber(fiber, scratch);
  leave_fiber(current, scratch);
  mov(ptr[fiber + at::fiber_parent], current);
  mov(qword[fiber + at::fiber_copied], 0);
  sub(base, 8);
  lea(scratch, ptr[rip + fiber_exit_]);
  mov(ptr[base], scratch);
  mov(rsp, base);
  make_current(fiber, scratch);
  if (!PLANTED(jit_fiber_same_tag)) fresh_tag(scratch);
  jmp(ptr[function + at::machine_entry]);
  L(other);
  mov(context(at::args), body);
  long_way(StubCall::FiberCall);
}

// The body has finished. Its first frame ends with a jump, so that its caller's return is the next one that the
// predictor expects; what returns here had taken that frame's place, and so uses up what was expected.
void Generator::make_fiber_exit() {
  const Reg64 fiber = rdi, parent = rsi, scratch = rcx;
  Label other;
  for (bool returned : {true, false}) {
    Label moved, ready;
    start(returned ? table_.fiber_exit : table_.finish_fiber);
    if (returned) L(fiber_exit_);
    mov(fiber, context(at::fiber));
    give_fiber_back(fiber, parent, scratch, other);
    mov(scratch, ptr[parent + at::fiber_tag]);
    cmp(scratch, context(at::moved_at));
    if (!PLANTED(jit_exit_keeps_tag)) jb(moved);
    mov(context(at::tag), scratch);
    L(ready);
    if (returned) {
      pop(scratch);
      jmp(scratch);
    } else {
      ret();
    }
    L(moved);
    fresh_tag(scratch);
    jmp(ready);
  }
  L(other);
  mov(rsi, rax);
  to_host();
  call_c(StubCall::Finish);
  jmp(dispatch_, T_NEAR);
}

// Nothing is left of the fiber, so it ends first: what the clause returns goes to its parent. The node is in rbx.
void Generator::make_abort_body() {
  start(table_.abort_body);
  L(abort_body_);
  const Reg64 node = rbx, function = rdx, fiber = r12, parent = r13, scratch = rax;
  Label stay, landed;
  mov(fiber, context(at::fiber));
  give_fiber_back(fiber, parent, scratch, stay);
  L(landed);
  mov(scratch, ptr[node + at::node_outer]);
  mov(context(at::top), scratch);
  if (!PLANTED(jit_abort_keeps_tag)) fresh_tag(scratch);
  mov(argument[0], ptr[node + at::node_env]);
  jmp(ptr[function + at::machine_entry]);
  L(stay);
  mov(rsp, ptr[fiber + at::fiber_base]);
  sub(rsp, 8);
  jmp(landed);
}

void Generator::add_room(const Reg64& bytes) {
  add(bytes, kSlackBytes);
  if (!PLANTED(room_lost)) add(bytes, context(at::supply_room));
}

// From the oldest on. The last step may take some words too many: both stacks have slack there.
void Generator::copy_frames(const Reg64& from, const Reg64& to, const Reg64& bytes, const Reg64& left) {
  Label more;
  mov(left, bytes);
  L(more);
  for (int i = 0; i < 4; ++i) movups(Xbyak::Xmm(i), ptr[from + left - 16 * (i + 1)]);
  for (int i = 0; i < 4; ++i) movups(ptr[to + left - 16 * (i + 1)], Xbyak::Xmm(i));
  sub(left, 64);
  if (PLANTED(jit_copy_short)) cmp(left, 64);
  jg(more);
}

// All but `outer`. It goes to the place in its frame that the original's has.
void Generator::make_twin(const Reg64& twin, const Reg64& node, const Reg64& home, const Reg64& base, const Reg64& slot,
                          const Reg64& scratch) {
  mov(scratch, rt::make_header(rt::Kind::Node, 0));
  mov(ptr[twin], scratch);
  static_assert(at::node_env == at::node_site + 8);
  movups(xmm0, ptr[node + at::node_site]);
  movups(ptr[twin + at::node_site], xmm0);
  mov(scratch, ptr[node + at::node_site]);
  movzx(slot.cvt32(), word[scratch + at::site_node_slot]);
  mov(ptr[twin + at::node_home], home);
  static_assert(at::node_records == at::node_frame + 4);
  mov(scratch, ptr[node + at::node_frame]);
  mov(ptr[twin + at::node_frame], scratch);
  static_assert(rt::kNull.bits == 0);
  xorps(xmm0, xmm0);
  movups(ptr[twin + at::node_previous], xmm0);
  mov(scratch.cvt32(), scratch.cvt32());
  sub(slot, scratch);
  if (!PLANTED(jit_copy_shares_node)) mov(ptr[base + slot * 8 + static_cast<int>(rt::kFrameHeaderWords * 8)], twin);
}

// Resumes a copy, where the continuation is one fiber with nothing but its handler. In the registers of make_resume.
void Generator::resume_copy(const Label& other) {
  const Reg64 k = rdi, value = rsi, source = r8, current = r9, node = rcx, twin = r10, copy = r11, base = rbx, bytes = rax,
              used = rbp, from = r12, left = r13, to = rax, scratch = rdx;
  mov(node, ptr[k + at::k_node]);
  cmp(source, ptr[node + at::node_home]);
  jne(other, T_NEAR);
  cmp(node, ptr[k + at::k_top]);
  jne(other, T_NEAR);
  no_records_or_watermarks(source, other);
  mov(used, ptr[source + at::fiber_base]);
  mov(from, ptr[source + at::fiber_sp]);
  sub(used, from);
  mov(bytes, used);
  add_room(bytes);
  find_fiber(copy, base, bytes, scratch, other);
  lea(scratch, ptr[alloc + static_cast<int>(sizeof(rt::Node))]);
  cmp(scratch, context(at::alloc_limit));
  ja(other, T_NEAR);
  mov(twin, alloc);
  mov(alloc, scratch);
  take_fiber(copy, scratch);
  count_copy(used, scratch);
  or_(byte[k], static_cast<int>(rt::kHeaderResumed));
  mov(to, base);
  sub(to, used);
  copy_frames(from, to, used, left);
  make_twin(twin, node, copy, base, left, scratch);
  mov(scratch, context(at::top));
  mov(ptr[twin + at::node_outer], scratch);
  // On top of who resumes it.
  leave_fiber(current, scratch);
  mov(ptr[copy + at::fiber_parent], current);
  mov(context(at::top), twin);
  fresh_tag(scratch);
  stamp_copied(source, copy, scratch);
  mov(rsp, to);
  mov(rax, value);
  make_current(copy, scratch);
  pop(scratch);
  jmp(scratch);
}

void Generator::count_copy(const Reg64& bytes, const Reg64& scratch) {
  if (watch_ == Watch::Nothing) return;
  inc(qword[ctx + at::supply_copied]);
  add(context(at::supply_bytes_copied), bytes);
  mov(scratch, context(at::stats));
  inc(qword[scratch + at::resumed_copies]);
}

void Generator::stamp_copied(const Reg64& source, const Reg64& copy, const Reg64& tag) {
  if (PLANTED(jit_copy_unstamped)) return;
  mov(ptr[source + at::fiber_copied], tag);
  mov(ptr[copy + at::fiber_copied], tag);
}

// What capturing and then resuming a copy comes to: the performer goes on, and the copy is what the continuation waits with.
void Generator::make_fork() {
  start(table_.fork);
  const Reg64 node = rbx, source = rbp, copy = r11, base = rdi, scratch = rdx, bytes = rax, k = rax, twin = r10, used = rcx,
              from = r8, to = rsi, left = r9;
  const int continuation = static_cast<int>(rt::Continuation::bytes(true));
  Label other;
  mov(source, context(at::fiber));
  cmp(source, ptr[node + at::node_home]);
  jne(other, T_NEAR);
  no_records_or_watermarks(source, other);
  mov(bytes, ptr[source + at::fiber_base]);
  sub(bytes, rsp);
  sub(bytes, 8);  // the return address
  add_room(bytes);
  find_fiber(copy, base, bytes, scratch, other);
  lea(scratch, ptr[alloc + continuation + static_cast<int>(sizeof(rt::Node))]);
  cmp(scratch, context(at::alloc_limit));
  ja(other, T_NEAR);
  mov(k, alloc);
  lea(twin, ptr[alloc + continuation]);
  mov(alloc, scratch);
  take_fiber(copy, scratch);
  lea(from, ptr[rsp + 8]);
  mov(used, ptr[source + at::fiber_base]);
  sub(used, from);
  count_copy(used, scratch);
  mov(to, base);
  sub(to, used);
  copy_frames(from, to, used, left);
  make_twin(twin, node, copy, base, left, scratch);
  mov(scratch, ptr[node + at::node_outer]);
  mov(ptr[twin + at::node_outer], scratch);
  mov(scratch, static_cast<int64_t>(rt::Continuation::header_of(true) | rt::kHeaderResumed));
  mov(ptr[k], scratch);
  mov(ptr[k + at::k_top_fiber], copy);
  mov(ptr[k + at::k_top], twin);
  mov(ptr[k + at::k_node], twin);
  mov(scratch, context(at::next_tag));
  inc(qword[ctx + at::next_tag]);
  mov(ptr[k + at::k_captured_at], scratch);
  stamp_copied(source, copy, scratch);
  if (PLANTED(jit_fork_keeps_tag)) mov(scratch, context(at::tag));
  mov(ptr[copy + at::fiber_sp], to);
  mov(ptr[copy + at::fiber_tag], scratch);
  mov(scratch, ptr[source + at::fiber_parent]);
  mov(ptr[copy + at::fiber_parent], scratch);
  ret();
  L(other);
  xor_(k.cvt32(), k.cvt32());
  ret();
}

}  // namespace eddy::jit::x64
