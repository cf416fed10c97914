// Performing with a capture, and resuming, where nothing is unusual: the fiber below or on top becomes the current one by
// a change of x20. Everything else goes the long way.
#include "jit/a64/generator.h"
#include "vm/control/pseudo.h"

namespace eddy::jit::a64 {

using namespace asmjit::a64;

void Generator::long_way(StubCall helper) {
  load_address(x16, helper);
  a_.b(action_);
}

void Generator::leave_fiber(const Gp& fiber) {
  a_.str(stack, ptr(fiber, at::fiber_sp));
  a_.ldr(x14, context(at::tag));
  a_.str(x14, a_.slot(fiber, at::fiber_tag));
}

void Generator::enter_fiber(const Gp& fiber) {
  make_current(fiber);
  a_.ldr(stack, ptr(fiber, at::fiber_sp));
}

void Generator::make_current(const Gp& fiber) {
  a_.str(fiber, context(at::fiber));
  a_.ldr(x14, a_.slot(fiber, at::fiber_limit));
  a_.ldr(x13, context(at::safepoint_asked));
  a_.orr(x14, x14, x13);
  a_.str(x14, context(at::stack_limit));
}

void Generator::fresh_tag() {
  a_.ldr(x14, context(at::next_tag));
  a_.str(x14, context(at::tag));
  a_.add(x14, x14, 1);
  a_.str(x14, context(at::next_tag));
}

void Generator::increment(const Gp& base, int offset) {
  a_.ldr(x14, a_.slot(base, offset));
  a_.add(x14, x14, 1);
  a_.str(x14, a_.slot(base, offset));
}

void Generator::make_perform() {
  start(table_.perform_known);
  for (unsigned i = 1; i < kRegisterArgs; ++i) a_.str(argument_register(i), argument(i));
  a_.mov(x1, x10);
  // x1 the cell, x2 its clause, x3 the site, x4 the node, x5 its fiber, x6 that below, x7 the kind, x8 the
  // continuation, x9 the current fiber.
  Label other = a_.newLabel(), no_room = a_.newLabel(), moved = a_.newLabel(), ready = a_.newLabel(), found = a_.newLabel(),
        in_place = a_.newLabel(), base = a_.newLabel();
  start(table_.perform);
  a_.push_return();
  if (watch_ == Watch::Effects) return long_way(StubCall::Perform);
  a_.ldr(x3, a_.slot(x1, at::cell_seen));
  a_.ldr(x2, a_.slot(x1, at::cell_clause));
  // The nearest node, or what the effect's cell says.
  a_.ldr(x4, context(at::top));
  a_.cbz(x4, other);
  a_.ldr(x14, a_.slot(x4, at::node_site));
  a_.cmp(x3, x14);
  a_.b_eq(found);
  a_.ldr(w16, a_.slot(x1, at::cell_effect, 4));
  a_.ldr(x17, context(at::cells));
  a_.add(x16, x17, x16, lsl(4));
  a_.ldp(x14, x4, ptr(x16));
  a_.ldr(x17, context(at::tag));
  a_.cmp(x14, x17);
  a_.b_ne(other);
  a_.ldr(x14, a_.slot(x4, at::node_site));
  a_.cmp(x3, x14);
  a_.b_ne(other);
  a_.bind(found);
  a_.ldrb(w7, a_.slot(x2, at::clause_kind, 1));
  a_.cmp(w7, asmjit::Imm(static_cast<int>(rt::ClauseKind::Once)));
  a_.b_lo(in_place);
  a_.ldr(x5, a_.slot(x4, at::node_home));
  a_.ldr(x6, a_.slot(x5, at::fiber_parent));
  a_.ldrb(w14, a_.slot(x6, at::fiber_dirty, 1));
  a_.cbz(w14, other);
  a_.mov(x8, alloc);
  a_.add_to(alloc, alloc, static_cast<int64_t>(rt::Continuation::bytes(true)));
  a_.ldr(x14, context(at::alloc_limit));
  a_.cmp(alloc, x14);
  a_.b_hi(no_room);
  increment(x1, at::cell_count);
  a_.ldr(x16, context(at::stats));
  increment(x16, at::captures);
  // One that is resumed once leaves its last word unused.
  a_.constant(x14, static_cast<int64_t>(rt::Continuation::header_of(false)));
  a_.constant(x9, static_cast<int64_t>(rt::Continuation::header_of(true)));
  a_.cmp(w7, asmjit::Imm(static_cast<int>(rt::ClauseKind::Multi)));
  a_.csel(x14, x9, x14, CondCode::kEQ);
  a_.str(x14, ptr(x8));
  a_.ldr(x9, context(at::fiber));
  a_.str(x9, a_.slot(x8, at::k_top_fiber));
  a_.ldr(x14, context(at::top));
  a_.str(x14, a_.slot(x8, at::k_top));
  a_.str(x4, a_.slot(x8, at::k_node));
  a_.ldr(x14, context(at::next_tag));
  a_.str(x14, a_.slot(x8, at::k_captured_at));
  a_.ldrh(w14, a_.slot(x1, at::cell_args, 2));
  a_.add_to(x17, ctx, at::args + 8);
  a_.str(x8, ptr(x17, x14, lsl(3)));
  leave_fiber(x9);
  a_.ldr(x14, a_.slot(x4, at::node_outer));
  a_.str(x14, context(at::top));
  enter_fiber(x6);
  a_.ldr(x14, a_.slot(x6, at::fiber_tag));
  a_.ldr(x16, context(at::moved_at));
  a_.cmp(x14, x16);
  a_.b_lo(moved);
  a_.str(x14, context(at::tag));
  a_.bind(ready);
  a_.ldr(x17, a_.slot(x2, at::clause_function));
  a_.ldr(x0, a_.slot(x4, at::node_env));
  for (unsigned i = 1; i < kRegisterArgs; ++i) a_.ldr(argument_register(i), argument(i));
  a_.ldr(x16, a_.slot(x17, at::machine_entry));
  a_.pop_return();
  a_.br(x16);
  a_.bind(moved);
  fresh_tag();
  a_.b(ready);
  // An abort with nothing to do on its way: the clause takes the place of the region's frame.
  a_.bind(in_place);
  a_.cmp(w7, asmjit::Imm(static_cast<int>(rt::ClauseKind::Abort)));
  a_.b_ne(other);
  a_.ldrb(w14, a_.slot(x3, at::site_returns, 1));
  a_.cbz(w14, other);
  a_.ldr(x16, a_.slot(x4, at::node_home));
  a_.ldr(x17, context(at::fiber));
  a_.cmp(x16, x17);
  a_.b_ne(other);
  a_.ldr(w14, a_.slot(x16, at::fiber_records, 4));
  a_.ldr(w17, a_.slot(x4, at::node_records, 4));
  a_.cmp(w14, w17);
  a_.b_ne(other);
  increment(x1, at::cell_count);
  a_.ldr(w14, a_.slot(x4, at::node_frame, 4));
  a_.ldr(x17, a_.slot(x3, at::site_owner));
  a_.ldrb(w8, a_.slot(x17, at::function_fiber_base, 1));
  a_.cbnz(w8, base);
  a_.ldr(w17, a_.slot(x17, at::frame_size, 4));
  a_.sub(x14, x14, x17);
  a_.ldr(x17, a_.slot(x16, at::fiber_base));
  a_.sub(x17, x17, x14, lsl(3));
  a_.sub(stack, x17, 8);
  a_.ldr(x14, a_.slot(x4, at::node_outer));
  a_.str(x14, context(at::top));
  a_.b(moved);
  a_.bind(base);
  a_.ldr(x17, a_.slot(x2, at::clause_function));
  a_.mov(x6, x4);
  for (unsigned i = 1; i < kRegisterArgs; ++i) a_.ldr(argument_register(i), argument(i));
  a_.b(abort_body_);
  a_.bind(no_room);
  a_.mov(alloc, x8);
  a_.bind(other);
  long_way(StubCall::Perform);
}

// Behind an in-place clause: as the instruction CLAUSE_END. It is a return address, so a safepoint follows.
void Generator::make_clause_end() {
  using Frame = vm::ClauseFrame;
  auto slot = [&](int i, unsigned size = 8) { return a_.slot(stack, 8 * (static_cast<int>(rt::kFrameHeaderWords) + i), size); };
  Label moved = a_.newLabel(), ready = a_.newLabel(), aborts = a_.newLabel();
  start(table_.clause_end);
  uint32_t word = safepoint_word(0);
  a_.embed(&word, sizeof word);
  a_.ldr(x14, slot(Frame::Resume));
  a_.compare(x14, static_cast<int64_t>(Frame::kAborts));
  a_.b_eq(aborts);
  a_.ldr(x17, context(at::fiber));
  a_.ldr(w14, slot(Frame::Link, 4));
  a_.str(w14, a_.slot(x17, at::fiber_records, 4));
  a_.ldr(x14, slot(Frame::Top));
  a_.str(x14, context(at::top));
  a_.ldr(x14, slot(Frame::Tag));
  a_.ldr(x17, context(at::moved_at));
  a_.cmp(x14, x17);
  a_.b_lo(moved);
  a_.str(x14, context(at::tag));
  a_.bind(ready);
  a_.add_to(stack, stack, static_cast<int64_t>(Frame::kWords - 1) * 8);
  a_.pop_return();
  a_.ret(x30);
  a_.bind(moved);
  fresh_tag();
  a_.b(ready);
  a_.bind(aborts);
  a_.sub(stack, stack, 8);
  a_.mov(x1, x16);
  long_way(StubCall::ClauseAborts);
}

void Generator::make_resume(bool last) {
  const Gp k = x0, value = x1, fiber = x2, node = x3, current = x4, tag = x5, top = x6;
  Label other = a_.newLabel(), moved = a_.newLabel(), ready = a_.newLabel(), multi = a_.newLabel(), moves = a_.newLabel(), go = a_.newLabel(), slept = a_.newLabel(),
        awake = a_.newLabel();
  start(last ? table_.tail_resume_last : table_.tail_resume_keep);
  a_.push_return();
  // A fiber whose last frame is gone is not kept below another.
  a_.ldr(current, context(at::fiber));
  a_.add(x14, stack, 8);
  a_.ldr(x16, a_.slot(current, at::fiber_base));
  a_.cmp(x14, x16);
  a_.b_eq(other);
  a_.b(go);
  start(last ? table_.resume_last : table_.resume_keep);
  a_.push_return();
  a_.bind(go);
  if (watch_ == Watch::Effects) a_.b(other);
  a_.tst(k, 7);
  a_.b_ne(other);
  a_.ldrb(w14, ptr(k, 3));
  a_.cmp(w14, asmjit::Imm(static_cast<int>(rt::Kind::Continuation)));
  a_.b_ne(other);
  a_.ldr(fiber, a_.slot(k, at::k_top_fiber));
  a_.cbz(fiber, other);
  a_.ldr(current, context(at::fiber));
  a_.ldr(w14, a_.slot(k, at::count, 4));
  a_.cbnz(w14, multi);
  a_.bind(moves);
  a_.ldrb(w14, a_.slot(fiber, at::fiber_dirty, 1));
  a_.cbz(w14, slept);
  a_.bind(awake);
  a_.ldr(node, a_.slot(k, at::k_node));
  a_.ldr(tag, a_.slot(fiber, at::fiber_tag));
  a_.ldr(top, context(at::top));
  a_.ldr(x14, a_.slot(node, at::node_outer));
  a_.cmp(top, x14);
  a_.b_ne(moved);
  a_.ldr(x14, context(at::moved_at));
  a_.cmp(tag, x14);
  a_.b_lo(moved);
  leave_fiber(current);
  a_.str(tag, context(at::tag));
  a_.bind(ready);
  a_.ldr(x14, a_.slot(node, at::node_home));
  a_.str(current, a_.slot(x14, at::fiber_parent));
  a_.str(xzr, a_.slot(k, at::k_top_fiber));
  a_.ldr(x14, a_.slot(k, at::k_top));
  a_.str(x14, context(at::top));
  a_.mov(x16, value);
  enter_fiber(fiber);
  // No return: the performer's jump was no call (capture.cpp).
  a_.pop_return();
  a_.br(x30);
  // Into another context: what the caches know of it is void.
  a_.bind(moved);
  a_.ldr(w14, ptr(node));
  a_.and_(w14, w14, asmjit::Imm(rt::kHeaderOld | rt::kHeaderRemembered));
  a_.cmp(w14, asmjit::Imm(rt::kHeaderOld));
  a_.b_eq(other);
  leave_fiber(current);
  a_.str(top, a_.slot(node, at::node_outer));
  a_.ldr(x14, context(at::next_tag));
  a_.str(x14, context(at::moved_at));
  fresh_tag();
  a_.b(ready);
  a_.bind(slept);
  a_.mov(x22, k);
  a_.mov(x23, value);
  a_.mov(x24, fiber);
  a_.mov(x25, current);
  a_.mov(x1, fiber);
  to_host();
  call_c(StubCall::FiberRan);
  to_fiber();
  a_.mov(k, x22);
  a_.mov(value, x23);
  a_.mov(fiber, x24);
  a_.mov(current, x25);
  a_.b(awake);
  a_.bind(multi);
  // The last resumption moves it, unless a copy of the frame that gives it up here may still hold it.
  if (last) {
    a_.ldr(x14, a_.slot(k, at::k_captured_at));
    a_.ldr(x16, a_.slot(current, at::fiber_copied));
    a_.cmp(x14, x16);
    a_.b_hi(moves);
  }
  resume_copy(other);
  a_.bind(other);
  a_.str(k, argument(0));
  a_.str(value, argument(1));
  long_way(last ? StubCall::ResumeLast : StubCall::ResumeKeep);
}

// What was captured by who resumes it now, a moment ago: it is where it was, and so is its context.
void Generator::make_resume_taken() {
  const Gp fiber = x0, top = x1, value = x2, current = x4;  // and the handler in x3
  Label other = a_.newLabel(), go = a_.newLabel(), slept = a_.newLabel(), awake = a_.newLabel();
  start(table_.tail_taken);
  a_.push_return();
  // A fiber whose last frame is gone is not kept below another.
  a_.ldr(current, context(at::fiber));
  a_.add(x14, stack, 8);
  a_.ldr(x16, a_.slot(current, at::fiber_base));
  a_.cmp(x14, x16);
  a_.b_eq(other);
  a_.b(go);
  start(table_.resume_taken);
  a_.push_return();
  a_.bind(go);
  a_.ldrb(w14, a_.slot(fiber, at::fiber_dirty, 1));
  a_.cbz(w14, slept);
  a_.bind(awake);
  a_.ldr(current, context(at::fiber));
  leave_fiber(current);
  a_.ldr(x14, a_.slot(fiber, at::fiber_tag));
  a_.str(x14, context(at::tag));
  a_.str(top, context(at::top));
  a_.mov(x16, value);
  enter_fiber(fiber);
  a_.pop_return();
  a_.br(x30);
  a_.bind(slept);
  a_.mov(x22, fiber);
  a_.mov(x23, top);
  a_.mov(x24, value);
  a_.mov(x1, fiber);
  to_host();
  call_c(StubCall::FiberRan);
  to_fiber();
  a_.mov(fiber, x22);
  a_.mov(top, x23);
  a_.mov(value, x24);
  a_.b(awake);
  a_.bind(other);
  a_.mov(x22, value);
  a_.mov(x2, top);
  a_.mov(x1, fiber);
  to_host();
  call_c(StubCall::Remake);
  a_.mov(x23, x0);
  to_fiber();
  a_.str(x23, argument(0));
  a_.str(x22, argument(1));
  long_way(StubCall::ResumeLast);
}

}  // namespace eddy::jit::a64
