#include "jit/a64/macros.h"

#include <asmjit/arm/a64utils.h>

namespace eddy::jit::a64 {

asmjit::Logger* listener = nullptr;

namespace {
// Sixteen-bit pieces that differ from what a fresh register holds.
int pieces(uint64_t bits) {
  int count = 0;
  for (int i = 0; i < 4; ++i) count += (bits >> (16 * i) & 0xffff) != 0;
  return count;
}
}  // namespace

void Assembler::constant(const aa::Gp& to, int64_t value) {
  auto bits = static_cast<uint64_t>(value);
  bool inverted = pieces(~bits) < pieces(bits);
  uint64_t target = inverted ? ~bits : bits;
  int count = pieces(target);
  if (count > 1 && aa::Utils::isLogicalImm(bits, 64)) {
    orr(to, aa::xzr, asmjit::Imm(bits));
    return;
  }
  if (count > 2 && reach_ != Reach::Far) {
    for (const Literal& l : literals_)
      if (l.bits == value) return void(ldr(to, aa::ptr(l.label)));
    literals_.push_back({value, newLabel()});
    ldr(to, aa::ptr(literals_.back().label));
    return;
  }
  if (count == 0) return void(inverted ? movn(to, 0) : movz(to, 0));
  bool first = true;
  for (uint32_t i = 0; i < 64; i += 16) {
    auto piece = static_cast<uint32_t>(target >> i & 0xffff);
    if (piece == 0) continue;
    auto raw = static_cast<uint32_t>(bits >> i & 0xffff);
    if (!first) movk(to, raw, i);
    else if (inverted) movn(to, piece, i);
    else movz(to, piece, i);
    first = false;
  }
}

void Assembler::literals() {
  if (literals_.empty()) return;
  align(asmjit::AlignMode::kData, 8);
  for (const Literal& l : literals_) {
    bind(l.label);
    embed(&l.bits, 8);
  }
  literals_.clear();
}

void Assembler::add_to(const aa::Gp& to, const aa::Gp& from, int64_t bytes) {
  auto size = static_cast<uint64_t>(bytes < 0 ? -bytes : bytes);
  if (size >> 24) {
    constant(aa::x15, bytes);
    add(to, from, aa::x15);
    return;
  }
  uint64_t high = size & ~uint64_t{0xfff}, low = size & 0xfff;
  aa::Gp source = from;
  auto step = [&](uint64_t by) {
    bytes < 0 ? sub(to, source, asmjit::Imm(by)) : add(to, source, asmjit::Imm(by));
    source = to;
  };
  if (high) step(high);
  if (low) step(low);
  if (size == 0 && to.id() != from.id()) mov(to, from);
}

aa::Mem Assembler::slot(const aa::Gp& base, int64_t offset, unsigned size) {
  bool scaled = offset >= 0 && offset % size == 0 && offset / size < 4096;
  if (scaled || (offset >= -256 && offset < 256)) return aa::ptr(base, static_cast<int32_t>(offset));
  // The rest is a multiple of the size, if the offset is.
  int64_t low = offset & 0xfff;
  add_to(aa::x15, base, offset - low);
  return slot(aa::x15, low, size);
}

void Assembler::compare(const aa::Gp& r, int64_t bits) {
  if (bits >= 0 && bits < 4096) {
    cmp(r, asmjit::Imm(bits));
  } else if (bits < 0 && bits > -4096) {
    cmn(r, asmjit::Imm(-bits));
  } else {
    constant(aa::x15, bits);
    cmp(r, r.isGpX() ? aa::Gp(aa::x15) : aa::Gp(aa::w15));
  }
}

void Assembler::branch_if(CondCode cc, asmjit::Label to) {
  if (reach_ != Reach::Far) return void(b(cc, to));
  asmjit::Label over = newLabel();
  b(negate(cc), over);
  b(to);
  bind(over);
}

void Assembler::branch_if_zero(const aa::Gp& r, asmjit::Label to) {
  if (reach_ != Reach::Far) return void(cbz(r, to));
  asmjit::Label over = newLabel();
  cbnz(r, over);
  b(to);
  bind(over);
}

void Assembler::branch_if_not_zero(const aa::Gp& r, asmjit::Label to) {
  if (reach_ != Reach::Far) return void(cbnz(r, to));
  asmjit::Label over = newLabel();
  cbz(r, over);
  b(to);
  bind(over);
}

void Assembler::branch_if_clear(const aa::Gp& r, unsigned bit, asmjit::Label to) {
  if (reach_ == Reach::Near) return void(tbz(r, bit, to));
  if (reach_ == Reach::Middle) {
    tst(r, asmjit::Imm(uint64_t{1} << bit));
    b(CondCode::kEQ, to);
    return;
  }
  asmjit::Label over = newLabel();
  tbnz(r, bit, over);
  b(to);
  bind(over);
}

void Assembler::branch_if_no_pointer(const aa::Gp& r, asmjit::Label to) {
  tst(r, asmjit::Imm(7));
  branch_if(CondCode::kNE, to);
}

}  // namespace eddy::jit::a64
