// Moving values, and how the ways out look here.
#include "jit/a64/codegen.h"
#include "jit/runtime_calls.h"

namespace eddy::jit::a64 {

void Codegen::load_constant(int reg, int64_t bits) {
  if (reg < kFirstFloat) return a_.constant(gp(reg), bits);
  if (bits == 0) {
    a_.fmov(vec(reg), aa::xzr);
  } else {
    a_.constant(aa::x16, bits);
    a_.fmov(vec(reg), aa::x16);
  }
}

void Codegen::load_home(int reg, int home) {
  if (reg < kFirstFloat) a_.ldr(gp(reg), home_slot(home));
  else a_.ldr(vec(reg), home_slot(home));
}

void Codegen::move(int to, int from) {
  if (to == from) return;
  if (to < kFirstFloat) a_.mov(gp(to), gp(from));
  else a_.fmov(vec(to), vec(from));
}

void Codegen::exchange(int a, int b) {
  if (a >= kFirstFloat) {
    a_.fmov(aa::d31, vec(a));
    a_.fmov(vec(a), vec(b));
    a_.fmov(vec(b), aa::d31);
  } else {
    a_.mov(aa::x16, gp(a));
    a_.mov(gp(a), gp(b));
    a_.mov(gp(b), aa::x16);
  }
}

void Codegen::store_home(int home, int reg) {
  if (reg < kFirstFloat) a_.str(gp(reg), home_slot(home));
  else a_.str(vec(reg), home_slot(home));
}

void Codegen::copy_home(int to, int from) {
  a_.ldr(aa::x16, home_slot(from));
  a_.str(aa::x16, home_slot(to));
}

void Codegen::store_field(const Saves::Field& f) {
  aa::Gp object = aa::x14;
  if (f.object_reg == kNone) a_.ldr(object, home_slot(f.object_home));
  else object = gp(f.object_reg);
  if (f.reg == kNone && f.home == kNoHome) return store_word(field(object, f.offset), f.constant);
  if (f.reg == kNone) {
    a_.ldr(aa::x16, home_slot(f.home));
    a_.str(aa::x16, field(object, f.offset));
  } else if (f.reg < kFirstFloat) {
    a_.str(gp(f.reg), field(object, f.offset));
  } else {
    a_.str(vec(f.reg), field(object, f.offset));
  }
}

void Codegen::box_homes(const FrameState* s, const std::vector<Saves::Item>& homes) {
  enter_base(s);
  for (const Saves::Item& i : homes) {
    a_.ldr(aa::d0, home_slot(i.home - s->base));
    a_.constant(aa::x16, reinterpret_cast<void*>(&calls::old_float));
    a_.call_to(stubs_.call_plain);
    a_.str(aa::x16, home_slot(i.home - s->base));
  }
  leave_base(s);
}

void Codegen::materialise(const FrameState* s, int row, const calls::Materials* materials) {
  a_.add_to(aa::x1, aa::x20, row * 8);
  enter_base(s);
  a_.constant(aa::x2, materials);
  a_.constant(aa::x16, reinterpret_cast<void*>(&calls::materialise));
  a_.call_to(stubs_.call_plain);
  leave_base(s);
}

// The address may use x15.
void Codegen::store_word(const aa::Mem& to, int64_t bits) {
  if (bits == 0) {
    a_.str(aa::xzr, to);
  } else {
    a_.constant(aa::x16, bits);
    a_.str(aa::x16, to);
  }
}

void Codegen::value_to(const aa::Gp& to, Node* n) {
  if (n->remade()) return a_.constant(to, n->imm);
  const Location& l = at(n);
  if (l.reg == kNone) a_.ldr(to, home_slot(n->home));
  else if (l.reg < kFirstFloat) a_.mov(to, gp(l.reg));
  else a_.fmov(to, vec(l.reg));
}

void Codegen::pass_constant(unsigned index, int64_t bits) { a_.constant(aa::x(index), bits); }
void Codegen::pass_value(unsigned index, Node* n) { value_to(aa::x(index), n); }

void Codegen::pass_slot(unsigned index, Node* n) {
  if (n->remade()) a_.constant(aa::x(index), n->imm);
  else a_.ldr(aa::x(index), home_slot(n->home));
}

void Codegen::pass_context_args(unsigned index) { a_.add_to(aa::x(index), aa::x19, at::args); }

void Codegen::set_live_arguments(unsigned count) {
  if (count) a_.constant(aa::x16, static_cast<int64_t>(count));
  a_.str(count ? aa::w16 : aa::wzr, context(at::args_live, 4));
}

void Codegen::store_argument(unsigned index, Node* n) {
  if (n->remade()) return store_word(argument_slot(index), n->imm);
  int reg = at(n).reg;
  if (reg == kNone) {
    a_.ldr(aa::x16, home_slot(n->home));
    a_.str(aa::x16, argument_slot(index));
  } else if (reg < kFirstFloat) {
    a_.str(gp(reg), argument_slot(index));
  } else {
    a_.str(vec(reg), argument_slot(index));
  }
}

void Codegen::load_argument(int home, unsigned index) {
  a_.ldr(aa::x16, argument_slot(index));
  a_.str(aa::x16, home_slot(home));
}

void Codegen::leave(int base, int64_t told) {
  if (base != 1) a_.add_to(aa::x20, aa::x20, (base - 1) * 8);
  a_.constant(aa::x1, told);
  a_.jump_to(stubs_.leave_in_place);
}

// In an inlined function the stack pointer is on its frame while it calls.
void Codegen::enter_base(const FrameState* s) {
  if (s->base) a_.add_to(aa::x20, aa::x20, s->base * 8);
}
void Codegen::leave_base(const FrameState* s) {
  if (s->base) a_.add_to(aa::x20, aa::x20, -s->base * 8);
}

void Codegen::safepoint_index(uint32_t index, bool raw) {
  if (index >= kMaxSafepoints) failure_ = "too many safepoints";
  uint32_t word = raw ? any_result(safepoint_word(index)) : safepoint_word(index);
  a_.embed(&word, sizeof word);
}

void Codegen::call_stub(void* stub, const FrameState* s) {
  enter_base(s);
  a_.call_to(stub);
  metadata(s);
  leave_base(s);
}

void Codegen::call_helper(void* stub, void* helper, const FrameState* s) {
  a_.constant(aa::x16, helper);
  call_stub(stub, s);
}

void Codegen::write_function(const FrameState* s) {
  store_constant(s->base, reinterpret_cast<int64_t>(static_cast<rt::Function*>(s->function)));
}

void Codegen::increment(int64_t address) {
  a_.constant(aa::x16, address);
  a_.ldr(aa::x17, aa::ptr(aa::x16));
  a_.add(aa::x17, aa::x17, 1);
  a_.str(aa::x17, aa::ptr(aa::x16));
}

void Codegen::pop_frame() {
  a_.ldr(aa::x30, a_.slot(aa::x20, frame_bytes()));
  a_.add_to(aa::x20, aa::x20, frame_bytes() + 8);
}

}  // namespace eddy::jit::a64
