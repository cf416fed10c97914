// What other instruction sets have as one instruction: any displacement, any constant, branches of any reach.
#pragma once
#include <asmjit/core.h>
#include <asmjit/arm/a64assembler.h>

#include "jit/a64/registers.h"
#include "jit/codegen/label.h"

namespace eddy::jit {
template <>
inline constexpr bool is_native_label<asmjit::Label> = true;
}  // namespace eddy::jit

namespace eddy::jit::a64 {

namespace aa = asmjit::a64;
using asmjit::arm::CondCode;

// How far away branches may have to go. A function that turns out larger is emitted again with a longer one.
enum class Reach : uint8_t {
  Near,    // everything is within ±32 KiB: tests of single bits reach
  Middle,  // within ±1 MiB: conditional branches reach
  Far,     // conditional branches skip over an unconditional one
};
constexpr size_t kNearBytes = 32 << 10, kMiddleBytes = 1 << 20;
constexpr size_t kMaxBytes = 64 << 20;

// Told of each instruction as it is meant, for tests that compare with what a disassembler reads. Null: nobody listens.
extern asmjit::Logger* listener;

class Assembler : public aa::Assembler {
 public:
  explicit Assembler(asmjit::CodeHolder* holder, Reach reach = Reach::Near) : aa::Assembler(holder), reach_(reach) {
    if (!listener) return;
    listener->log("start\n");
    setLogger(listener);
  }

  Reach reach() const { return reach_; }
  // Constants that take three instructions or more are read from behind the code: emits them.
  void literals();

  void constant(const aa::Gp& to, int64_t bits);
  void constant(const aa::Gp& to, const void* address) { constant(to, reinterpret_cast<int64_t>(address)); }
  void add_to(const aa::Gp& to, const aa::Gp& from, int64_t bytes);
  // A slot of `size` bytes; far ones go through x15.
  aa::Mem slot(const aa::Gp& base, int64_t offset, unsigned size = 8);
  void compare(const aa::Gp& r, int64_t bits);  // constants that fit no instruction go through x15
  static bool comparable(int64_t bits) { return bits > -4096 && bits < 4096; }

  void branch_if(CondCode cc, asmjit::Label to);
  void branch_if_zero(const aa::Gp& r, asmjit::Label to);
  void branch_if_not_zero(const aa::Gp& r, asmjit::Label to);
  void branch_if_clear(const aa::Gp& r, unsigned bit, asmjit::Label to);
  // Pointers have the low three bits clear.
  void branch_if_no_pointer(const aa::Gp& r, asmjit::Label to);
  static CondCode negate(CondCode cc) { return asmjit::arm::negateCond(cc); }
  // To code at a fixed address, within ±128 MiB (CodeMemory sees to it).
  void call_to(void* code) { bl(asmjit::Imm(reinterpret_cast<uint64_t>(code))); }
  void jump_to(void* code) { b(asmjit::Imm(reinterpret_cast<uint64_t>(code))); }

  void push_return() { str(aa::x30, aa::ptr_pre(aa::x20, -8)); }
  void pop_return() { ldr(aa::x30, aa::ptr_post(aa::x20, 8)); }

 private:
  struct Literal {
    int64_t bits;
    asmjit::Label label;
  };
  Reach reach_;
  std::vector<Literal> literals_;
};

}  // namespace eddy::jit::a64
