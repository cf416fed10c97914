// Emission for x86-64, through asmjit.
#pragma once
#include <asmjit/x86.h>

#include "jit/codegen/codegen.h"
#include "jit/x64/registers.h"

namespace eddy::jit {
template <>
inline constexpr bool is_native_label<asmjit::Label> = true;
}  // namespace eddy::jit

namespace eddy::jit::x64 {

namespace ax = asmjit::x86;

// Of a CheckOrder: when it does not hold.
ax::CondCode otherwise_of(const Node* check);

class Codegen : public CodegenBase {
 public:
  Codegen(const Graph& graph, asmjit::CodeHolder& holder, const Stubs& stubs, vm::Tier& tier,
          void* code_record,
          RegisterSet registers);

 private:
  // --- what the walk asks for (moves.cpp, codegen.cpp)
  Label new_label() override { return a_.newLabel(); }
  void bind(Label label) override { a_.bind(label); }
  size_t offset() const override { return a_.offset(); }
  size_t offset_of(Label label) const override { return static_cast<size_t>(a_.code()->labelOffset(label)); }
  void jump_to(Label label) override { a_.jmp(label); }
  void load_home(int reg, int home) override;
  void load_constant(int reg, int64_t bits) override;
  void move(int to, int from) override;
  void exchange(int a, int b) override;
  void store_home(int home, int reg) override;
  void store_constant(int home, int64_t bits) override;
  void copy_home(int to, int from) override;
  void store_field(const Saves::Field& field) override;
  void lay_clause_frame(const Saves::Clause& clause) override;
  void box_homes(const FrameState* state, const std::vector<Saves::Item>& homes) override;
  void materialise(const FrameState* state, int row, const calls::Materials* materials) override;
  void store_argument(unsigned index, Node* n) override;
  void load_argument(int home, unsigned index) override;
  void pass_constant(unsigned index, int64_t bits) override;
  void pass_value(unsigned index, Node* n) override;
  void pass_slot(unsigned index, Node* n) override;
  void pass_context_args(unsigned index) override;
  void set_live_arguments(unsigned count) override;
  void entry() override;
  void early_check(const Node* check, Label otherwise) override;
  void quick_test(Label returns) override;
  void leave(int base, int64_t told) override;
  void resuming_entry() override;
  size_t forking_entry() override;
  void captured_entry() override;
  void skip_resumed(Node* k, Label done) override;
  void take_apart() override;
  void safepoint_index(uint32_t index, bool raw) override;
  void take_float(int reg, const FrameState* in_place, int slot) override;
  void take_result(int reg) override { a_.mov(gp(reg), ax::rax); }
  bool emit_node(Node* n) override;
  bool emit_end(Node* n) override;
  void test_again(Node* n, const Test& test) override;

  // --- moves
  void value_to(const ax::Gp& to, Node* n);  // wherever it is
  void constant_to(const ax::Gp& to, int64_t bits);
  ax::Mem home_slot(int home) const { return ax::qword_ptr(ax::rsp, home * 8); }
  static ax::Mem argument_slot(unsigned index) {
    return ax::qword_ptr(ax::r15, at::args + 8 * static_cast<int>(index));
  }
  static ax::Gp gp(int reg) { return ax::gpq(static_cast<uint32_t>(kAllocatable[reg])); }
  static ax::Xmm xmm(int reg) { return ax::xmm(static_cast<uint32_t>(reg - kFirstFloat)); }
  static bool fits(int64_t v) { return v == static_cast<int32_t>(v); }

  // --- calls of stubs
  void call_stub(void* stub, const FrameState* s) override;
  void push_return(asmjit::Label back);
  void lay_waiting(const ax::Gp& stack);
  ax::Mem waiting_slot(const ax::Gp& stack, int home) const { return ax::qword_ptr(stack, home * 8 - frame_bytes()); }
  void call_helper(void* stub, void* helper, const FrameState* s) override;
  void enter_base(const FrameState* s);
  void leave_base(const FrameState* s);
  void write_function(const FrameState* s) override;

  // --- emission by topic
  bool emit_number(Node* n);
  bool emit_float(Node* n);
  bool emit_data(Node* n);
  bool emit_call(Node* n);
  bool emit_effect(Node* n);
  bool emit_loop(Node* n);
  void integer(Node* n);
  void count_on(Node* n);
  void shift_left(int a, int by, int out, asmjit::Label failure);
  void shift_right(int a, int by, int out, asmjit::Label failure);
  template <class F>
  void shift_by_cl(int by, F shift);
  void round(Rounding how, const ax::Xmm& a, const ax::Xmm& out);
  void divide_by(bool rest, int ra, int64_t k, int out, const ax::Gp& number);
  void divide(Node* n, int ra, int rb, int64_t k, int out, int divisor, asmjit::Label failure);
  void check_small(const ax::Gp& r, asmjit::Label otherwise) {
    a_.test(r.r8(), 1);
    a_.jz(otherwise);
  }
  void check_object(const ax::Gp& r, rt::Kind kind, asmjit::Label otherwise) {
    a_.test(r.r8(), 7);
    a_.jnz(otherwise);
    a_.cmp(ax::byte_ptr(r, 3), static_cast<int>(kind));
    a_.jne(otherwise);
  }
  void barrier(Node* n, int holder, Node* value, const std::function<void(const ax::Gp&)>& address_to);
  void allocate(Node* n, int out);
  void rebox(Node* n);
  void new_box(const ax::Gp& to, const ax::Xmm& value, asmjit::Label no_room);
  void take_raw_arguments(asmjit::Label unfit);
  void return_float(Node* value);
  void compare_words(Node* n, asmjit::Label slow);
  bool branch(ax::CondCode cc);
  void closure_call(Node* n, bool tail);
  void perform(Node* n);
  void nearest_node(const vm::PerformCell* cell, const ax::Gp& node, asmjit::Label otherwise);
  void capture_for(vm::PerformCell* cell, asmjit::Label back);
  void abort_for(vm::PerformCell* cell, asmjit::Label back);
  void perform_resuming(vm::PerformCell* cell, asmjit::Label back);
  void room_on_owner(const ax::Gp& owner, const ax::Gp& cell, const ax::Gp& stack, asmjit::Label otherwise);
  void perform_by_stub(vm::PerformCell* cell, asmjit::Label back);
  void handle(Node* n);
  void clause_enter(Node* n);
  void lay_clause(int base, const ax::Gp& out, const ax::Gp& scratch, bool named);
  void push_record(int slots, unsigned object, unsigned link, const ax::Gp& scratch);
  void clause_leave(Node* n);
  void fresh_tag();
  void named_test(Node* n, const ax::Gp& named, asmjit::Label no);
  void function_test(Node* n, const ax::Gp& closure, asmjit::Label no);
  void con_test(Node* n, const ax::Gp& v, uint16_t con, bool constant, bool pointer, asmjit::Label no);

  ax::Assembler a_;
};

}  // namespace eddy::jit::x64
