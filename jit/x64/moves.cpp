// Moving values, and how the ways out look here.
#include "jit/runtime_calls.h"
#include "jit/x64/codegen.h"

namespace eddy::jit::x64 {

void Codegen::constant_to(const ax::Gp& to, int64_t bits) {
  if (bits == 0)
    a_.xor_(to.r32(), to.r32());
  else if (bits > 0 && bits <= UINT32_MAX)
    a_.mov(to.r32(), static_cast<uint32_t>(bits));
  else
    a_.mov(to, bits);
}

void Codegen::load_constant(int reg, int64_t bits) {
  if (reg < kFirstFloat) return constant_to(gp(reg), bits);
  if (bits == 0) {
    a_.xorps(xmm(reg), xmm(reg));
  } else {
    a_.mov(ax::rax, bits);
    a_.movq(xmm(reg), ax::rax);
  }
}

void Codegen::load_home(int reg, int home) {
  if (reg < kFirstFloat)
    a_.mov(gp(reg), home_slot(home));
  else
    a_.movsd(xmm(reg), home_slot(home));
}

void Codegen::move(int to, int from) {
  if (to == from) return;
  if (to < kFirstFloat)
    a_.mov(gp(to), gp(from));
  else
    a_.movaps(xmm(to), xmm(from));
}

void Codegen::exchange(int a, int b) {
  if (a >= kFirstFloat) {
    a_.movaps(ax::xmm15, xmm(a));
    a_.movaps(xmm(a), xmm(b));
    a_.movaps(xmm(b), ax::xmm15);
  } else {
    a_.xchg(gp(a), gp(b));
  }
}

void Codegen::store_home(int home, int reg) {
  if (reg < kFirstFloat)
    a_.mov(home_slot(home), gp(reg));
  else
    a_.movsd(home_slot(home), xmm(reg));
}

void Codegen::store_constant(int home, int64_t bits) {
  if (fits(bits)) {
    a_.mov(home_slot(home), static_cast<int32_t>(bits));
  } else {
    a_.mov(ax::rax, bits);
    a_.mov(home_slot(home), ax::rax);
  }
}

void Codegen::copy_home(int to, int from) {
  a_.mov(ax::rax, home_slot(from));
  a_.mov(home_slot(to), ax::rax);
}

void Codegen::store_field(const Saves::Field& f) {
  ax::Gp object = ax::rdx;
  if (f.object_reg == kNone)
    a_.mov(object, home_slot(f.object_home));
  else
    object = gp(f.object_reg);
  ax::Mem field = ax::qword_ptr(object, f.offset);
  if (f.reg != kNone) {
    a_.mov(field, gp(f.reg));
  } else if (f.home == kNoHome && fits(f.constant)) {
    a_.mov(field, static_cast<int32_t>(f.constant));
  } else {
    if (f.home == kNoHome)
      a_.mov(ax::rax, f.constant);
    else
      a_.mov(ax::rax, home_slot(f.home));
    a_.mov(field, ax::rax);
  }
}

void Codegen::box_homes(const FrameState* s, const std::vector<Saves::Item>& homes) {
  enter_base(s);
  for (const Saves::Item& i : homes) {
    ax::Mem slot = ax::qword_ptr(ax::rsp, (i.home - s->base) * 8);
    a_.movsd(ax::xmm0, slot);
    constant_to(ax::rax, reinterpret_cast<int64_t>(&calls::old_float));
    a_.call(stubs_.call_plain);
    a_.mov(slot, ax::rax);
  }
  leave_base(s);
}

void Codegen::materialise(const FrameState* s, int row, const calls::Materials* materials) {
  a_.lea(ax::rsi, ax::qword_ptr(ax::rsp, row * 8));
  enter_base(s);
  constant_to(ax::rdx, reinterpret_cast<int64_t>(materials));
  constant_to(ax::rax, reinterpret_cast<int64_t>(&calls::materialise));
  a_.call(stubs_.call_plain);
  leave_base(s);
}

void Codegen::value_to(const ax::Gp& to, Node* n) {
  if (n->remade()) return constant_to(to, n->imm);
  const Location& l = at(n);
  if (l.reg == kNone)
    a_.mov(to, home_slot(n->home));
  else if (l.reg < kFirstFloat)
    a_.mov(to, gp(l.reg));
  else
    a_.movq(to, xmm(l.reg));
}

void Codegen::store_argument(unsigned index, Node* v) {
  ax::Mem slot = argument_slot(index);
  if (v->remade() && fits(v->imm)) {
    a_.mov(slot, static_cast<int32_t>(v->imm));
  } else if (!v->remade() && at(v).reg != kNone && at(v).reg < kFirstFloat) {
    a_.mov(slot, gp(at(v).reg));
  } else {
    value_to(ax::rax, v);
    a_.mov(slot, ax::rax);
  }
}

void Codegen::load_argument(int home, unsigned index) {
  a_.mov(ax::rax, argument_slot(index));
  a_.mov(home_slot(home), ax::rax);
}

void Codegen::leave(int base, int64_t told) {
  if (base != 1) a_.lea(ax::rsp, ax::ptr(ax::rsp, (base - 1) * 8));
  constant_to(ax::rsi, told);
  a_.jmp(stubs_.leave_in_place);
}

// In an inlined function the stack pointer is on its frame while it calls.
void Codegen::enter_base(const FrameState* s) {
  if (s->base) a_.lea(ax::rsp, ax::ptr(ax::rsp, s->base * 8));
}
void Codegen::leave_base(const FrameState* s) {
  if (s->base) a_.lea(ax::rsp, ax::ptr(ax::rsp, -s->base * 8));
}

void Codegen::safepoint_index(uint32_t index, bool raw) {
  const uint8_t nop[] = {0x0f, 0x1f, raw ? kAnyResult : kTaggedResult};
  a_.embed(nop, 3);
  a_.embed(&index, 4);
}

namespace {
const ax::Gp kHelperArgs[] = {ax::rdi, ax::rsi, ax::rdx, ax::rcx};
}

void Codegen::pass_constant(unsigned index, int64_t bits) { constant_to(kHelperArgs[index], bits); }
void Codegen::pass_value(unsigned index, Node* n) { value_to(kHelperArgs[index], n); }

void Codegen::pass_slot(unsigned index, Node* n) {
  if (n->remade()) constant_to(kHelperArgs[index], n->imm);
  else a_.mov(kHelperArgs[index], home_slot(n->home));
}

void Codegen::pass_context_args(unsigned index) { a_.lea(kHelperArgs[index], argument_slot(0)); }
void Codegen::set_live_arguments(unsigned count) { a_.mov(ax::dword_ptr(ax::r15, at::args_live), count); }

void Codegen::call_stub(void* stub, const FrameState* s) {
  enter_base(s);
  a_.call(stub);
  metadata(s);
  leave_base(s);
}

void Codegen::call_helper(void* stub, void* helper, const FrameState* s) {
  constant_to(ax::rax, reinterpret_cast<int64_t>(helper));
  call_stub(stub, s);
}

void Codegen::write_function(const FrameState* s) {
  constant_to(ax::rax, reinterpret_cast<int64_t>(static_cast<rt::Function*>(s->function)));
  a_.mov(home_slot(s->base), ax::rax);
}

}  // namespace eddy::jit::x64
