// Floats to functions and back: in registers, or out of their objects.
#include "jit/runtime_calls.h"
#include "jit/x64/codegen.h"

namespace eddy::jit::x64 {

// At the uniform entry: goes to `unfit` with all arguments as they were.
void Codegen::take_raw_arguments(asmjit::Label unfit) {
  for (int i = 0; i < static_cast<int>(kRegisterArgs); ++i) {
    if (!(g_.raw_params >> i & 1)) continue;
    check_object(gp(i), rt::Kind::Float, unfit);
    a_.movsd(xmm(kFirstFloat + i), ax::qword_ptr(gp(i), offsetof(rt::FloatBox, value)));
  }
}

void Codegen::take_float(int reg, const FrameState* in_place, int slot) {
  asmjit::Label object = a_.newLabel(), done = a_.newLabel();
  a_.test(ax::rax, ax::rax);
  a_.jnz(object);
  move(reg, kFirstFloat);
  a_.bind(done);
  deferred_.push_back([=, this] {
    asmjit::Label other = a_.newLabel();
    a_.bind(object);
    check_object(ax::rax, rt::Kind::Float, other);
    a_.movsd(xmm(reg), ax::qword_ptr(ax::rax, offsetof(rt::FloatBox, value)));
    a_.jmp(done);
    a_.bind(other);
    a_.mov(home_slot(slot), ax::rax);
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
  asmjit::Label box = a_.newLabel();
  a_.add(ax::rsp, frame_bytes());
  a_.mov(ax::rdx, ax::qword_ptr(ax::rsp));
  a_.cmp(ax::byte_ptr(ax::rdx, 2), kAnyResult);
  a_.jne(box);
  auto go = [this, jumps] {
    if (jumps) {
      a_.pop(ax::rdx);
      a_.jmp(ax::rdx);
    } else {
      a_.ret();
    }
  };
  a_.xor_(ax::eax, ax::eax);
  go();
  deferred_.push_back([=, this] {
    asmjit::Label full = a_.newLabel();
    a_.bind(box);
    new_box(ax::rdx, ax::xmm0, full);
    a_.mov(ax::rax, ax::rdx);
    go();
    a_.bind(full);
    constant_to(ax::rax, reinterpret_cast<int64_t>(&calls::old_float));
    a_.jmp(stubs_.call_plain);  // and back to the caller
  });
}

}  // namespace eddy::jit::x64
