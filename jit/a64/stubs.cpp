// Rules for this file:
//   1. C++ runs on the host's stack, which sp never leaves.
//   2. Before C++ runs, alloc_ptr and the fiber's sp are in memory; afterwards both are read again.
//   3. x19 to x21 survive C++ calls (they are callee-saved there), nothing else is expected to.
//   4. What is called stores x30 first; from then on x20 is on the return word.
#include "jit/a64/stubs.h"

#include "jit/a64/macros.h"
#include "jit/codegen/stub_calls.h"
#include "jit/runtime_calls.h"
#include "runtime/fiber_pool.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"

namespace eddy::jit::a64 {

namespace {

using namespace asmjit::a64;
using Label = asmjit::Label;

class Generator : public StubCode {
 public:
  Generator(asmjit::CodeHolder& code, Leaving left) : a_(&code) {
    dispatch_ = a_.newLabel();
    host_leave_ = a_.newLabel();
    leave_ = a_.newLabel();
    action_ = a_.newLabel();
    interp_return_ = a_.newLabel();
    entries(left);
    calls();
    perform();
    clause_end();
    resume(table.resume_keep, reinterpret_cast<void*>(&calls::resume_keep));
    resume(table.resume_last, reinterpret_cast<void*>(&calls::resume_last));
    a_.literals();
  }

  // The table holds offsets until the code has its place.
  void placed_at(uint8_t* address) {
    auto move = [&](auto& slot) {
      using T = std::remove_reference_t<decltype(slot)>;
      slot = reinterpret_cast<T>(address + reinterpret_cast<uintptr_t>(slot));
    };
    move(table.enter);
    table.for_each(move);
  }

 private:
  const Gp ctx = x19, stack = x20, alloc = x21;

  template <class T>
  void start(T& slot) {
    a_.align(asmjit::AlignMode::kCode, 16);
    slot = reinterpret_cast<T>(a_.offset());
  }
  Mem context(int offset, unsigned size = 8) { return a_.slot(ctx, offset, size); }
  Mem argument(unsigned i) { return context(at::args + 8 * static_cast<int>(i)); }
  static Gp argument_register(unsigned i) { return x(static_cast<uint32_t>(kAllocatable[i])); }

  void to_host() {  // from a fiber: its sp and the bump pointer are written down
    a_.str(alloc, context(at::alloc_ptr));
    a_.ldr(x0, context(at::fiber));
    a_.str(stack, ptr(x0, at::fiber_sp));
    a_.mov(x0, ctx);
  }
  void to_fiber() {
    a_.ldr(alloc, context(at::alloc_ptr));
    a_.ldr(x17, context(at::fiber));
    a_.ldr(stack, ptr(x17, at::fiber_sp));
  }
  void call_c(void* function) {
    a_.constant(x17, function);
    a_.blr(x17);
  }
  void set_action(rt::Action action) {
    a_.movz(w17, static_cast<uint32_t>(action));
    a_.strb(w17, context(at::action, 1));
  }

  void entries(Leaving left) {
    Label deliver = a_.newLabel(), by_entry = a_.newLabel(), go = a_.newLabel();
    constexpr int kSaved = 176;
    start(table.enter);
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

    start(table.interp_return);
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

    start(table.vm_exit);
    a_.str(x16, context(at::result));
    set_action(rt::Action::Stop);
    a_.sub(stack, stack, 8);
    a_.b(leave_);

    start(table.fiber_exit);
    table.finish_fiber = table.fiber_exit;
    a_.sub(stack, stack, 8);
    a_.mov(x1, x16);
    to_host();
    call_c(reinterpret_cast<void*>(&stub_calls::finish));
    a_.b(dispatch_);

    start(table.watermark);
    a_.sub(stack, stack, 8);
    a_.mov(x1, stack);
    a_.mov(x22, x16);
    to_host();
    call_c(reinterpret_cast<void*>(&stub_calls::restore));
    to_fiber();
    a_.mov(x16, x22);
    a_.add(stack, stack, 8);
    a_.br(x0);

    start(table.call_interpreter);
    a_.push_return();
    for (unsigned i = 0; i < kRegisterArgs; ++i) a_.str(argument_register(i), argument(i));
    a_.str(x17, context(at::callee));
    a_.ldrh(w16, a_.slot(x17, at::params, 2));
    a_.str(w16, context(at::args_live, 4));
    set_action(rt::Action::Call);
    a_.b(leave_);

    start(table.leave_in_place);
    a_.adr(x17, interp_return_);
    a_.str(x17, ptr(stack));
    set_action(rt::Action::Deliver);
    a_.movz(x17, static_cast<uint32_t>(rt::kUnit.bits));
    a_.str(x17, context(at::result));
    to_host();
    call_c(reinterpret_cast<void*>(left));
    a_.b(host_leave_);
  }

  void calls() {
    Label failed = a_.newLabel();
    start(table.call_value);
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
    call_c(reinterpret_cast<void*>(&stub_calls::fail));
    a_.b(dispatch_);

    start(table.call_action);
    table.jump_action = table.call_action;
    a_.push_return();
    a_.bind(action_);
    to_host();
    a_.blr(x16);
    a_.b(dispatch_);

    start(table.fiber_call);
    a_.push_return();
    a_.str(x0, argument(0));
    long_way(reinterpret_cast<void*>(&calls::fiber_call));

    // The node is in x6.
    start(table.abort_body);
    a_.ldr(x14, context(at::fiber));
    a_.ldr(stack, a_.slot(x14, at::fiber_base));
    a_.sub(stack, stack, 8);
    a_.ldr(x14, a_.slot(x6, at::node_outer));
    a_.str(x14, context(at::top));
    fresh_tag();
    a_.ldr(x0, a_.slot(x6, at::node_env));
    a_.ldr(x16, a_.slot(x17, at::machine_entry));
    a_.pop_return();
    a_.br(x16);

    start(table.call_plain);
    a_.push_return();
    to_host();
    a_.blr(x16);
    a_.mov(x16, x0);
    to_fiber();
    a_.pop_return();
    a_.ret(x30);
  }

  // Performing with a capture, and resuming, where nothing is unusual: the fiber below or on top becomes the
  // current one by a change of x20. Everything else goes the long way.
  void long_way(void* helper) {
    a_.constant(x16, helper);
    a_.b(action_);
  }
  void leave_fiber(const Gp& fiber, rt::FiberState state) {
    a_.str(stack, ptr(fiber, at::fiber_sp));
    a_.movz(w14, static_cast<uint32_t>(state));
    a_.strb(w14, a_.slot(fiber, at::fiber_state, 1));
    a_.ldr(x14, context(at::tag));
    a_.str(x14, a_.slot(fiber, at::fiber_tag));
  }
  // Leaves the tag alone.
  void enter_fiber(const Gp& fiber) {
    Label asked = a_.newLabel();
    a_.movz(w14, static_cast<uint32_t>(rt::FiberState::Running));
    a_.strb(w14, a_.slot(fiber, at::fiber_state, 1));
    a_.str(fiber, context(at::fiber));
    a_.ldr(x14, context(at::stack_limit));
    a_.cmn(x14, 1);
    a_.b_eq(asked);
    a_.ldr(x14, a_.slot(fiber, at::fiber_limit));
    a_.str(x14, context(at::stack_limit));
    a_.bind(asked);
    a_.ldr(stack, ptr(fiber, at::fiber_sp));
  }
  void fresh_tag() {
    a_.ldr(x14, context(at::next_tag));
    a_.str(x14, context(at::tag));
    a_.add(x14, x14, 1);
    a_.str(x14, context(at::next_tag));
  }
  void increment(const Gp& base, int offset) {
    a_.ldr(x14, a_.slot(base, offset));
    a_.add(x14, x14, 1);
    a_.str(x14, a_.slot(base, offset));
  }

  void perform() {
    // x1 the cell, x2 its clause, x3 the site, x4 the node, x5 its fiber, x6 that below, x7 the kind, x8 the
    // continuation, x9 the current fiber.
    Label other = a_.newLabel(), no_room = a_.newLabel(), moved = a_.newLabel(), ready = a_.newLabel(), found = a_.newLabel(),
          in_place = a_.newLabel();
    start(table.perform);
    a_.push_return();
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
    a_.ldr(x14, context(at::on_effect));
    a_.cbnz(x14, other);
    a_.cmp(w7, asmjit::Imm(static_cast<int>(rt::ClauseKind::Once)));
    a_.b_lo(in_place);
    a_.ldr(x5, a_.slot(x4, at::node_home));
    a_.ldr(x6, a_.slot(x5, at::fiber_parent));
    a_.ldrb(w14, a_.slot(x6, at::fiber_dirty, 1));
    a_.cbz(w14, other);
    a_.mov(x8, alloc);
    a_.add_to(alloc, alloc, static_cast<int64_t>(sizeof(rt::Continuation)));
    a_.ldr(x14, context(at::alloc_limit));
    a_.cmp(alloc, x14);
    a_.b_hi(no_room);
    increment(x1, at::cell_count);
    a_.ldr(x16, context(at::stats));
    increment(x16, at::captures);
    a_.constant(x14, static_cast<int64_t>(rt::make_header(rt::Kind::Continuation, 0)));
    a_.str(x14, ptr(x8));
    a_.ldr(x9, context(at::fiber));
    a_.str(x9, a_.slot(x8, at::k_top_fiber));
    a_.ldr(x14, context(at::top));
    a_.str(x14, a_.slot(x8, at::k_top));
    a_.str(x4, a_.slot(x8, at::k_node));
    a_.str(x5, a_.slot(x8, at::k_base_fiber));
    a_.ldr(x14, context(at::next_tag));
    a_.cmp(w7, asmjit::Imm(static_cast<int>(rt::ClauseKind::Multi)));
    a_.csel(x14, x14, xzr, CondCode::kEQ);
    a_.str(x14, a_.slot(x8, at::k_multi));
    a_.str(xzr, a_.slot(x8, at::k_resumed));
    a_.ldrh(w14, a_.slot(x1, at::cell_args, 2));
    a_.add_to(x17, ctx, at::args + 8);
    a_.str(x8, ptr(x17, x14, lsl(3)));
    leave_fiber(x9, rt::FiberState::Suspended);
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
    a_.ldr(x17, a_.slot(x16, at::fiber_base));
    a_.ldr(w14, a_.slot(x4, at::node_frame, 4));
    a_.lsl(x14, x14, 3);
    a_.sub(x17, x17, x14);
    a_.ldr(x14, a_.slot(x3, at::site_owner));
    a_.ldr(w14, a_.slot(x14, at::frame_size, 4));
    a_.add(x17, x17, x14, lsl(3));
    a_.sub(stack, x17, 8);
    a_.ldr(x14, a_.slot(x4, at::node_outer));
    a_.str(x14, context(at::top));
    a_.b(moved);
    a_.bind(no_room);
    a_.mov(alloc, x8);
    a_.bind(other);
    long_way(reinterpret_cast<void*>(&calls::perform));
  }

  // Behind an in-place clause: as the instruction CLAUSE_END. It is a return address, so a safepoint follows.
  void clause_end() {
    using Frame = vm::ClauseFrame;
    auto slot = [&](int i, unsigned size = 8) { return a_.slot(stack, 8 * (static_cast<int>(rt::kFrameHeaderWords) + i), size); };
    Label moved = a_.newLabel(), ready = a_.newLabel(), aborts = a_.newLabel();
    start(table.clause_end);
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
    long_way(reinterpret_cast<void*>(&calls::clause_aborts));
  }

  template <class T>
  void resume(T& slot, void* helper) {
    const Gp k = x0, value = x1, fiber = x2, node = x3, current = x4, tag = x5, top = x6;
    Label other = a_.newLabel(), moved = a_.newLabel(), ready = a_.newLabel();
    start(slot);
    a_.push_return();
    a_.tst(k, 7);
    a_.b_ne(other);
    a_.ldrb(w14, ptr(k, 3));
    a_.cmp(w14, asmjit::Imm(static_cast<int>(rt::Kind::Continuation)));
    a_.b_ne(other);
    a_.ldr(fiber, a_.slot(k, at::k_top_fiber));
    a_.cbz(fiber, other);
    a_.ldr(x14, a_.slot(k, at::k_multi));
    a_.cbnz(x14, other);
    a_.ldr(x14, context(at::on_effect));
    a_.cbnz(x14, other);
    a_.ldr(current, context(at::fiber));
    // A fiber whose last frame is gone is not kept below another.
    a_.add(x14, stack, 8);
    a_.ldr(x16, a_.slot(current, at::fiber_base));
    a_.cmp(x14, x16);
    a_.b_eq(other);
    a_.ldrb(w14, a_.slot(fiber, at::fiber_dirty, 1));
    a_.cbz(w14, other);
    a_.ldr(node, a_.slot(k, at::k_node));
    a_.ldr(tag, a_.slot(fiber, at::fiber_tag));
    a_.ldr(top, context(at::top));
    a_.ldr(x14, a_.slot(node, at::node_outer));
    a_.cmp(top, x14);
    a_.b_ne(moved);
    a_.ldr(x14, context(at::moved_at));
    a_.cmp(tag, x14);
    a_.b_lo(moved);
    leave_fiber(current, rt::FiberState::Waiting);
    a_.str(tag, context(at::tag));
    a_.bind(ready);
    a_.ldr(x14, a_.slot(k, at::k_base_fiber));
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
    leave_fiber(current, rt::FiberState::Waiting);
    a_.str(top, a_.slot(node, at::node_outer));
    a_.ldr(x14, context(at::next_tag));
    a_.str(x14, context(at::moved_at));
    fresh_tag();
    a_.b(ready);
    a_.bind(other);
    a_.str(k, argument(0));
    a_.str(value, argument(1));
    long_way(helper);
  }

  Assembler a_;
  Label dispatch_, host_leave_, leave_, action_, interp_return_;
};

}  // namespace

std::unique_ptr<StubCode> make_stubs(CodeMemory& memory, Leaving left) {
  asmjit::CodeHolder code;
  code.init(asmjit::Environment(asmjit::Arch::kAArch64));
  auto stubs = std::make_unique<Generator>(code, left);
  code.flatten();
  code.resolveUnresolvedLinks();
  CodeMemory::Place place = memory.take(code.codeSize());
  if (!place.writable || code.relocateToBase(reinterpret_cast<uint64_t>(place.address)) != asmjit::kErrorOk ||
      code.copyFlattenedData(place.writable, code.codeSize()) != asmjit::kErrorOk ||
      !memory.ready(place, code.codeSize()))
    return nullptr;
  stubs->placed_at(place.address);
  stubs->code = place.address;
  stubs->size = code.codeSize();
  return stubs;
}

}  // namespace eddy::jit::a64
