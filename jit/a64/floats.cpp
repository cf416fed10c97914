// Floats to functions and back: in registers, or out of their objects.
#include "jit/a64/codegen.h"
#include "jit/runtime_calls.h"

namespace eddy::jit::a64 {

// At the uniform entry: goes to `unfit` with all arguments as they were.
void Codegen::take_raw_arguments(asmjit::Label unfit) {
  for (int i = 0; i < static_cast<int>(kRegisterArgs); ++i) {
    if (!(g_.raw_params >> i & 1)) continue;
    object_check(gp(i), rt::Kind::Float, false, unfit);
    a_.ldr(vec(kFirstFloat + i), field(gp(i), offsetof(rt::FloatBox, value)));
  }
}

void Codegen::take_float(int reg, const FrameState* in_place, int slot) {
  asmjit::Label object = a_.newLabel(), done = a_.newLabel();
  a_.branch_if_not_zero(aa::x16, object);
  move(reg, kFirstFloat);
  a_.bind(done);
  deferred_.push_back([=, this] {
    asmjit::Label other = a_.newLabel();
    a_.bind(object);
    a_.mov(aa::x14, aa::x16);
    object_check(aa::x14, rt::Kind::Float, false, other);
    a_.ldr(vec(reg), field(aa::x14, offsetof(rt::FloatBox, value)));
    a_.b(done);
    a_.bind(other);
    a_.str(aa::x14, home_slot(slot));
    Saves saves;
    saves.state = in_place;
    write(saves, true);
    leave(in_place->base, reinterpret_cast<int64_t>(code_record_) | static_cast<int64_t>(Reason::Numbers));
  });
}

// Who takes no double gets an object: the no-op at the return address says so.
void Codegen::return_float(Node* value) {
  if (value->remade()) load_constant(kFirstFloat, value->imm);
  else if (at(value).reg == kNone) load_home(kFirstFloat, value->home);
  else move(kFirstFloat, at(value).reg);
  bool jumps = returns_by_jump();
  asmjit::Label box = a_.newLabel(), raw = a_.newLabel();
  auto go = [this, jumps] {
    if (jumps) a_.br(aa::x30);
    else a_.ret(aa::x30);
  };
  pop_frame();
  a_.ldrb(aa::w17, aa::ptr(aa::x30));
  a_.branch_if_clear(aa::x17, kTaggedResultBit, raw);
  a_.b(box);
  a_.bind(raw);
  a_.movz(aa::x16, 0);
  go();
  deferred_.push_back([=, this] {
    asmjit::Label full = a_.newLabel();
    a_.bind(box);
    new_box(aa::x14, aa::d0, full);
    a_.mov(aa::x16, aa::x14);
    go();
    a_.bind(full);
    a_.constant(aa::x16, reinterpret_cast<void*>(&calls::old_float));
    a_.jump_to(stubs_.call_plain);  // and back to the caller
  });
}

}  // namespace eddy::jit::a64
