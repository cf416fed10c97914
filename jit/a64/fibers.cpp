// Fibers started, finished and copied in place, while the pool has one that serves and nothing is unusual
// (FiberSupply). As vm/control/resume.cpp and runtime/fiber_pool.cpp do it.
#include "jit/a64/generator.h"
#include "runtime/plants.h"

namespace eddy::jit::a64 {

using namespace asmjit::a64;

namespace {
constexpr int kSlackBytes = static_cast<int>(rt::kStackSlackWords * sizeof(rt::Word));
}

void Generator::find_fiber(const Gp& fiber, const Gp& base, const Gp& bytes, Label other) {
  a_.ldr(fiber, context(at::supply_free));
  a_.cbz(fiber, other);
  // Young, and with a block.
  a_.ldrh(w14, a_.slot(fiber, at::fiber_old_class, 2));
  a_.cmp(w14, asmjit::Imm(static_cast<int>(rt::kKeptClass)));
  a_.b_hi(other);
  a_.ldr(base, a_.slot(fiber, at::fiber_base));
  a_.ldr(x14, a_.slot(fiber, at::fiber_limit));
  a_.sub(x14, base, x14);
  a_.cmp(x14, bytes);
  a_.b_lo(other);
}

void Generator::take_fiber(const Gp& fiber) {
  if (watch_ != Watch::Nothing) {
    increment(ctx, at::supply_made);
    a_.ldr(x14, context(at::supply_made));
    a_.str(w14, a_.slot(fiber, at::fiber_id, 4));
  }
  a_.ldr(x14, a_.slot(fiber, at::fiber_parent));
  a_.sub(x14, x14, rt::Fiber::kFree);
  a_.str(x14, context(at::supply_free));
}

void Generator::no_records_or_watermarks(const Gp& fiber, Label other) {
  static_assert(at::fiber_watermarks == at::fiber_records + 4);
  a_.ldr(x14, a_.slot(fiber, at::fiber_records));
  a_.cbnz(x14, other);
}

// What finish_fiber does, but for the tag.
void Generator::give_fiber_back(const Gp& fiber, const Gp& parent, Label other) {
  a_.ldr(parent, a_.slot(fiber, at::fiber_parent));
  a_.ldrb(w14, a_.slot(fiber, at::fiber_size_class, 1));
  a_.cmp(w14, asmjit::Imm(static_cast<int>(rt::kKeptClass)));
  a_.b_hi(other);
  no_records_or_watermarks(fiber, other);
  a_.ldrb(w14, a_.slot(parent, at::fiber_dirty, 1));
  a_.cbz(w14, other);
  a_.ldr(x14, context(at::supply_free));
  a_.add(x14, x14, rt::Fiber::kFree);
  a_.str(x14, a_.slot(fiber, at::fiber_parent));
  a_.str(fiber, context(at::supply_free));
  enter_fiber(parent);
}

// Called with a fiber's body, a closure, in the first argument.
void Generator::make_fiber_call() {
  start(table_.fiber_call);
  const Gp body = x0, fiber = x2, base = x3, current = x4, bytes = x5, function = x17;
  Label other = a_.newLabel();
  a_.push_return();
  a_.tst(body, 7);
  a_.b_ne(other);
  a_.ldrb(w14, ptr(body, 3));
  a_.cmp(w14, asmjit::Imm(static_cast<int>(rt::Kind::Closure)));
  a_.b_ne(other);
  a_.ldr(function, a_.slot(body, at::closure_function));
  a_.ldrb(w14, a_.slot(function, at::function_fiber_base, 1));
  a_.cbz(w14, other);
  a_.ldr(current, context(at::fiber));
  // A fiber whose last frame is gone is not kept below another.
  a_.add(x14, stack, 8);
  a_.ldr(x13, a_.slot(current, at::fiber_base));
  a_.cmp(x14, x13);
  a_.b_eq(other);
  a_.ldr(w5, a_.slot(function, at::frame_size, 4));
  a_.lsl(bytes, bytes, 3);
  find_fiber(fiber, base, bytes, other);
  take_fiber(fiber);
  leave_fiber(current);
  a_.str(current, a_.slot(fiber, at::fiber_parent));
  a_.str(xzr, a_.slot(fiber, at::fiber_copied));
  a_.adr(x14, fiber_exit_);
  a_.str(x14, ptr_pre(base, -8));
  a_.mov(stack, base);
  make_current(fiber);
  fresh_tag();
  a_.ldr(x16, a_.slot(function, at::machine_entry));
  a_.pop_return();
  a_.br(x16);
  a_.bind(other);
  a_.str(body, argument(0));
  long_way(StubCall::FiberCall);
}

// The body has finished. Its first frame ends with a jump, so that its caller's return is the next one that the
// predictor expects; what returns here had taken that frame's place, and so uses up what was expected.
void Generator::make_fiber_exit() {
  const Gp fiber = x0, parent = x1;
  Label other = a_.newLabel();
  for (bool returned : {true, false}) {
    Label moved = a_.newLabel(), ready = a_.newLabel();
    start(returned ? table_.fiber_exit : table_.finish_fiber);
    if (returned) {
      a_.bind(fiber_exit_);
      a_.nop();  // takes objects only (kTaggedResultBit)
    }
    a_.ldr(fiber, context(at::fiber));
    give_fiber_back(fiber, parent, other);
    a_.ldr(x14, a_.slot(parent, at::fiber_tag));
    a_.ldr(x13, context(at::moved_at));
    a_.cmp(x14, x13);
    a_.b_lo(moved);
    a_.str(x14, context(at::tag));
    a_.bind(ready);
    a_.pop_return();
    if (returned) a_.br(x30);
    else a_.ret(x30);
    a_.bind(moved);
    fresh_tag();
    a_.b(ready);
  }
  a_.bind(other);
  a_.sub(stack, stack, 8);
  a_.mov(x1, x16);
  to_host();
  call_c(StubCall::Finish);
  a_.b(dispatch_);
}

// Nothing is left of the fiber, so it ends first: what the clause returns goes to its parent. The node is in x6.
void Generator::make_abort_body() {
  const Gp node = x6, fiber = x7, parent = x8, function = x17;
  Label stay = a_.newLabel(), landed = a_.newLabel();
  start(table_.abort_body);
  a_.bind(abort_body_);
  a_.ldr(fiber, context(at::fiber));
  give_fiber_back(fiber, parent, stay);
  a_.bind(landed);
  a_.ldr(x14, a_.slot(node, at::node_outer));
  a_.str(x14, context(at::top));
  fresh_tag();
  a_.ldr(x0, a_.slot(node, at::node_env));
  a_.ldr(x16, a_.slot(function, at::machine_entry));
  a_.pop_return();
  a_.br(x16);
  a_.bind(stay);
  a_.ldr(stack, a_.slot(fiber, at::fiber_base));
  a_.sub(stack, stack, 8);
  a_.b(landed);
}

void Generator::add_room(const Gp& bytes) {
  a_.add_to(bytes, bytes, kSlackBytes);
  if (PLANTED(room_lost)) return;
  a_.ldr(x14, context(at::supply_room));
  a_.add(bytes, bytes, x14);
}

// From the oldest on: `from` and `to` are the bases. The last step may take some words too many: both stacks have slack there.
void Generator::copy_frames(const Gp& from, const Gp& to, const Gp& bytes) {
  Label more = a_.newLabel();
  a_.bind(more);
  a_.ldp(x13, x14, ptr(from, -16));
  a_.ldp(x24, x25, ptr_pre(from, -32));
  a_.stp(x13, x14, ptr(to, -16));
  a_.stp(x24, x25, ptr_pre(to, -32));
  a_.subs(bytes, bytes, 32);
  a_.b_hi(more);
}

// All but `outer`. It goes to the place in its frame that the original's has.
void Generator::make_twin(const Gp& twin, const Gp& node, const Gp& home, const Gp& base) {
  a_.constant(x14, static_cast<int64_t>(rt::make_header(rt::Kind::Node, 0)));
  a_.str(x14, ptr(twin));
  a_.str(home, a_.slot(twin, at::node_home));
  static_assert(at::node_records == at::node_frame + 4);
  a_.ldr(x14, a_.slot(node, at::node_frame));
  a_.str(x14, a_.slot(twin, at::node_frame));
  static_assert(rt::kNull.bits == 0);
  a_.stp(xzr, xzr, ptr(twin, at::node_previous));
  a_.ldr(x14, a_.slot(node, at::node_env));
  a_.str(x14, a_.slot(twin, at::node_env));
  a_.ldr(x14, a_.slot(node, at::node_site));
  a_.str(x14, a_.slot(twin, at::node_site));
  a_.ldrh(w14, a_.slot(x14, at::site_node_slot, 2));
  a_.ldr(w13, a_.slot(node, at::node_frame, 4));
  a_.sub(x14, x14, x13);
  a_.add(x14, base, x14, lsl(3));
  a_.str(twin, a_.slot(x14, static_cast<int>(rt::kFrameHeaderWords * 8)));
}

// Resumes a copy, where the continuation is one fiber with nothing but its handler. In the registers of make_resume.
void Generator::resume_copy(Label other) {
  const Gp k = x0, value = x1, source = x2, node = x3, current = x4, twin = x7, copy = x8, base = x9, bytes = x10, used = x11,
           from = x12, left = x22, to = x23;
  a_.ldr(node, a_.slot(k, at::k_node));
  a_.ldr(x14, a_.slot(node, at::node_home));
  a_.cmp(source, x14);
  a_.b_ne(other);
  a_.ldr(x14, a_.slot(k, at::k_top));
  a_.cmp(node, x14);
  a_.b_ne(other);
  no_records_or_watermarks(source, other);
  a_.ldr(from, a_.slot(source, at::fiber_base));
  a_.ldr(x14, a_.slot(source, at::fiber_sp));
  a_.sub(used, from, x14);
  a_.mov(bytes, used);
  add_room(bytes);
  find_fiber(copy, base, bytes, other);
  a_.add_to(to, alloc, static_cast<int64_t>(sizeof(rt::Node)));
  a_.ldr(x14, context(at::alloc_limit));
  a_.cmp(to, x14);
  a_.b_hi(other);
  a_.mov(twin, alloc);
  a_.mov(alloc, to);
  take_fiber(copy);
  count_copy(used);
  a_.ldrb(w14, ptr(k));
  a_.orr(w14, w14, asmjit::Imm(rt::kHeaderResumed));
  a_.strb(w14, ptr(k));
  a_.mov(to, base);
  a_.mov(left, used);
  copy_frames(from, to, left);
  make_twin(twin, node, copy, base);
  a_.ldr(x14, context(at::top));
  a_.str(x14, a_.slot(twin, at::node_outer));
  // On top of who resumes it.
  leave_fiber(current);
  a_.str(current, a_.slot(copy, at::fiber_parent));
  a_.str(twin, context(at::top));
  a_.ldr(x13, context(at::next_tag));
  fresh_tag();
  stamp_copied(source, copy, x13);
  a_.sub(stack, base, used);
  a_.mov(x16, value);
  make_current(copy);
  a_.pop_return();
  a_.br(x30);
}

void Generator::count_copy(const Gp& bytes) {
  if (watch_ == Watch::Nothing) return;
  increment(ctx, at::supply_copied);
  a_.ldr(x14, context(at::supply_bytes_copied));
  a_.add(x14, x14, bytes);
  a_.str(x14, context(at::supply_bytes_copied));
  a_.ldr(x13, context(at::stats));
  increment(x13, at::resumed_copies);
}

void Generator::stamp_copied(const Gp& source, const Gp& copy, const Gp& tag) {
  a_.str(tag, a_.slot(source, at::fiber_copied));
  a_.str(tag, a_.slot(copy, at::fiber_copied));
}

// What capturing and then resuming a copy comes to: the performer goes on, and the copy is what the continuation waits with.
void Generator::make_fork() {
  const Gp node = x6, source = x0, copy = x7, base = x9, bytes = x25, twin = x26, k = x16, used = x11, from = x12, left = x22,
           to = x23;
  constexpr int64_t kContinuation = rt::Continuation::bytes(true);
  Label other = a_.newLabel();
  start(table_.fork);
  a_.ldr(source, context(at::fiber));
  a_.ldr(x14, a_.slot(node, at::node_home));
  a_.cmp(source, x14);
  a_.b_ne(other);
  no_records_or_watermarks(source, other);
  a_.ldr(from, a_.slot(source, at::fiber_base));
  a_.sub(used, from, stack);
  a_.mov(bytes, used);
  add_room(bytes);
  find_fiber(copy, base, bytes, other);
  a_.add_to(to, alloc, kContinuation + static_cast<int64_t>(sizeof(rt::Node)));
  a_.ldr(x14, context(at::alloc_limit));
  a_.cmp(to, x14);
  a_.b_hi(other);
  a_.mov(k, alloc);
  a_.add_to(twin, alloc, kContinuation);
  a_.mov(alloc, to);
  take_fiber(copy);
  count_copy(used);
  a_.mov(to, base);
  a_.mov(left, used);
  copy_frames(from, to, left);
  make_twin(twin, node, copy, base);
  a_.ldr(x14, a_.slot(node, at::node_outer));
  a_.str(x14, a_.slot(twin, at::node_outer));
  a_.constant(x14, static_cast<int64_t>(rt::Continuation::header_of(true) | rt::kHeaderResumed));
  a_.str(x14, ptr(k));
  a_.str(copy, a_.slot(k, at::k_top_fiber));
  a_.str(twin, a_.slot(k, at::k_top));
  a_.str(twin, a_.slot(k, at::k_node));
  a_.ldr(x13, context(at::next_tag));
  a_.add(x14, x13, 1);
  a_.str(x14, context(at::next_tag));
  a_.str(x13, a_.slot(k, at::k_captured_at));
  stamp_copied(source, copy, x13);
  a_.sub(x14, base, used);
  a_.str(x14, a_.slot(copy, at::fiber_sp));
  a_.str(x13, a_.slot(copy, at::fiber_tag));
  a_.ldr(x14, a_.slot(source, at::fiber_parent));
  a_.str(x14, a_.slot(copy, at::fiber_parent));
  a_.ret(x30);
  a_.bind(other);
  a_.movz(k, 0);
  a_.ret(x30);
}

}  // namespace eddy::jit::a64
