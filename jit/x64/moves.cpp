// Moving values, and the ways out of the fast path.
#include "jit/x64/codegen.h"

namespace eddy::jit::x64 {

void Codegen::constant_to(const ax::Gp& to, int64_t bits) {
  if (bits == 0) a_.xor_(to.r32(), to.r32());
  else if (bits > 0 && bits <= UINT32_MAX) a_.mov(to.r32(), static_cast<uint32_t>(bits));
  else a_.mov(to, bits);
}

void Codegen::load_constant(int reg, const Node* n) {
  if (reg < kFirstXmm) return constant_to(gp(reg), n->imm);
  if (n->imm == 0) {
    a_.xorps(xmm(reg), xmm(reg));
  } else {
    a_.mov(ax::rax, n->imm);
    a_.movq(xmm(reg), ax::rax);
  }
}

void Codegen::load(int reg, const Node* n) {
  if (n->remade()) return load_constant(reg, n);
  if (reg < kFirstXmm) a_.mov(gp(reg), home_slot(n->home));
  else a_.movsd(xmm(reg), home_slot(n->home));
}

void Codegen::move(int to, int from) {
  if (to == from) return;
  if (to < kFirstXmm) a_.mov(gp(to), gp(from));
  else a_.movaps(xmm(to), xmm(from));
}

void Codegen::store_home(int home, int reg) {
  if (reg < kFirstXmm) a_.mov(home_slot(home), gp(reg));
  else a_.movsd(home_slot(home), xmm(reg));
}

void Codegen::store_constant(int home, int64_t bits) {
  if (fits(bits)) {
    a_.mov(home_slot(home), static_cast<int32_t>(bits));
  } else {
    a_.mov(ax::rax, bits);
    a_.mov(home_slot(home), ax::rax);
  }
}

void Codegen::value_to(const ax::Gp& to, Node* n) {
  if (n->remade()) return constant_to(to, n->imm);
  const Location& l = at(n);
  if (l.reg == kNone) a_.mov(to, home_slot(n->home));
  else if (l.reg < kFirstXmm) a_.mov(to, gp(l.reg));
  else a_.movq(to, xmm(l.reg));
}

asmjit::Label Codegen::leave_label(const Node* n) {
  asmjit::Label label = a_.newLabel();
  Saves saves = capture(n->state);
  int64_t told = reinterpret_cast<int64_t>(code_record_) | (n->op == NodeOp::Leave && n->imm);
  deferred_.push_back([this, label, saves, told] {
    a_.bind(label);
    write(saves, true);
    if (saves.state->base != 1) a_.lea(ax::rsp, ax::ptr(ax::rsp, (saves.state->base - 1) * 8));
    constant_to(ax::rsi, told);
    a_.jmp(stubs_.leave_in_place);
  });
  return label;
}

// In an inlined function the stack pointer is on its frame while it calls.
void Codegen::enter_base(const FrameState* s) {
  if (s->base) a_.lea(ax::rsp, ax::ptr(ax::rsp, s->base * 8));
}
void Codegen::leave_base(const FrameState* s) {
  if (s->base) a_.lea(ax::rsp, ax::ptr(ax::rsp, -s->base * 8));
}

void Codegen::metadata(const FrameState* s) {
  auto index = static_cast<uint32_t>(tier_.safepoints.size());
  tier_.safepoints.push_back({s->function, s->pc, s->destination});
  const uint8_t nop[] = {0x0f, 0x1f, 0x80};
  a_.embed(nop, 3);
  a_.embed(&index, 4);
}

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

void Codegen::slow_path(const Node* n, asmjit::Label from, std::function<void()> call, asmjit::Label back,
                        std::function<void()> then) {
  Saves saves = capture(n->state);
  std::vector<std::pair<int, Node*>> reload;
  for (int r = 0; r < kFirstXmm + kXmms; ++r) {
    Node* v = in_[r];
    if (!v || v == n) continue;
    bool kept = at(v).memory;
    for (const FrameState* s = n->state; s && !kept; s = s->parent)
      for (const FrameState::Entry& e : s->values) kept |= e.node == v;
    if (kept) reload.push_back({r, v});
    else if (!dead_after(v)) failure_ = "a value does not survive a slow path";
  }
  deferred_.push_back([=, this] {
    a_.bind(from);
    write(saves, false);
    call();
    for (auto& [reg, node] : reload) load(reg, node);
    if (then) then();
    else a_.jmp(back);
  });
}

// Arguments from wherever they are into the registers of the calling convention, the rest into the context.
void Codegen::arguments(const std::vector<Node*>& values, size_t first) {
  size_t count = values.size() - first;
  for (size_t i = kRegisterArgs; i < count; ++i) {
    value_to(ax::rax, values[first + i]);
    a_.mov(ax::qword_ptr(ax::r15, at::args + 8 * static_cast<int>(i)), ax::rax);
  }
  std::vector<Move> moves;
  std::vector<std::pair<int, Node*>> loads;
  for (size_t i = 0; i < std::min<size_t>(count, kRegisterArgs); ++i) {
    Node* v = values[first + i];
    int to = static_cast<int>(i);
    if (!v->remade() && at(v).reg != kNone) {
      if (at(v).reg != to) moves.push_back({to, at(v).reg});
    } else {
      loads.push_back({to, v});
    }
  }
  parallel_moves(moves);
  for (auto& [reg, node] : loads) load(reg, node);
}

void Codegen::to_context_args(const std::vector<Node*>& values, size_t first, unsigned at_index) {
  for (size_t i = first; i < values.size(); ++i) {
    ax::Mem slot = ax::qword_ptr(ax::r15, at::args + 8 * static_cast<int>(at_index + i - first));
    Node* v = values[i];
    if (v->remade() && fits(v->imm)) {
      a_.mov(slot, static_cast<int32_t>(v->imm));
    } else if (!v->remade() && at(v).reg != kNone && at(v).reg < kFirstXmm) {
      a_.mov(slot, gp(at(v).reg));
    } else {
      value_to(ax::rax, v);
      a_.mov(slot, ax::rax);
    }
  }
}

// After a call: no register holds anything, the result is in rax.
void Codegen::call_result(Node* n) {
  forget_registers(n);
  if (n->type == Type::None || dead_after(n)) return;
  int r = output(n);
  a_.mov(gp(r), ax::rax);
}

void Codegen::write_function(const FrameState* s) {
  constant_to(ax::rax, reinterpret_cast<int64_t>(static_cast<rt::Function*>(s->function)));
  a_.mov(home_slot(s->base), ax::rax);
}

}  // namespace eddy::jit::x64
