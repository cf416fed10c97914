// Emission for AArch64, through asmjit.
#pragma once
#include "jit/a64/macros.h"
#include "jit/codegen/codegen.h"

namespace eddy::jit::a64 {

// Of a CheckOrder: when it does not hold.
CondCode otherwise_of(const Node* check);

class Codegen : public CodegenBase {
 public:
  Codegen(const Graph& graph, asmjit::CodeHolder& holder, const Stubs& stubs, vm::Tier& tier, void* code_record,
          Reach reach, RegisterSet registers);

 private:
  // --- what the walk asks for (moves.cpp, codegen.cpp)
  Label new_label() override { return a_.newLabel(); }
  void bind(Label label) override { a_.bind(label); }
  size_t offset() const override { return a_.offset(); }
  size_t offset_of(Label label) const override { return static_cast<size_t>(a_.code()->labelOffset(label)); }
  void jump_to(Label label) override { a_.b(label); }
  void load_home(int reg, int home) override;
  void load_constant(int reg, int64_t bits) override;
  void move(int to, int from) override;
  void exchange(int a, int b) override;
  void store_home(int home, int reg) override;
  void store_constant(int home, int64_t bits) override { store_word(a_.slot(aa::x20, home * 8), bits); }
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
  void take_result(int reg) override { a_.mov(gp(reg), aa::x16); }
  bool emit_node(Node* n) override;
  bool emit_end(Node* n) override;
  void test_again(Node* n, const Test& test) override;
  void finish() override { a_.literals(); }

  // --- moves
  void value_to(const aa::Gp& to, Node* n);       // wherever it is
  void store_word(const aa::Mem& to, int64_t bits);
  aa::Mem home_slot(int home) { return a_.slot(aa::x20, home * 8); }
  aa::Mem field(const aa::Gp& object, int64_t offset, unsigned size = 8) { return a_.slot(object, offset, size); }
  aa::Mem context(int offset, unsigned size = 8) { return a_.slot(aa::x19, offset, size); }
  aa::Mem argument_slot(unsigned index) { return context(at::args + 8 * static_cast<int>(index)); }
  static aa::Gp gp(int reg) { return aa::x(static_cast<uint32_t>(kAllocatable[reg])); }
  static aa::Gp gp32(int reg) { return aa::w(static_cast<uint32_t>(kAllocatable[reg])); }
  static aa::Vec vec(int reg) { return aa::d(static_cast<uint32_t>(reg - kFirstFloat)); }

  // --- calls of stubs
  void call_stub(void* stub, const FrameState* s) override;
  void call_helper(void* stub, void* helper, const FrameState* s) override;
  void lay_waiting(const aa::Gp& frame);
  void enter_base(const FrameState* s);
  void leave_base(const FrameState* s);
  void write_function(const FrameState* s) override;
  void increment(int64_t address);                // a counter
  void pop_frame();                               // the return address is in x30 again

  // --- emission by topic
  bool emit_number(Node* n);
  bool emit_float(Node* n);
  bool emit_data(Node* n);
  bool emit_call(Node* n);
  bool emit_effect(Node* n);
  bool emit_loop(Node* n);
  void integer(Node* n);
  void count_on(Node* n);
  void divide_by(bool rest, int ra, int64_t k);
  void divide(Node* n, int ra, int rb, int64_t k, int out, asmjit::Label failure);
  void check_small(const aa::Gp& r, asmjit::Label otherwise) { a_.branch_if_clear(r, 0, otherwise); }
  void truth_of(CondCode cc, int out);            // the Bool
  void barrier(Node* n, int holder, Node* value, const std::function<void(const aa::Gp&)>& address_to);
  void allocate(Node* n, int out);
  void rebox(Node* n);
  void new_box(const aa::Gp& to, const aa::Vec& value, asmjit::Label no_room);
  void take_raw_arguments(asmjit::Label unfit);
  void return_float(Node* value);
  void object_check(const aa::Gp& v, rt::Kind kind, bool pointer, asmjit::Label no);
  void index_check(const aa::Gp& array, const Node* n, asmjit::Label no);
  void compare_words(Node* n, asmjit::Label slow);
  bool branch(CondCode cc);
  void closure_call(Node* n, bool tail);
  void perform(Node* n);
  void nearest_node(const vm::PerformCell* cell, const aa::Gp& node, asmjit::Label otherwise);
  void capture_for(vm::PerformCell* cell, asmjit::Label back);
  void abort_for(vm::PerformCell* cell, asmjit::Label back);
  void perform_resuming(vm::PerformCell* cell, asmjit::Label back);
  void room_on_owner(const aa::Gp& owner, const aa::Gp& cell, const aa::Gp& frame, asmjit::Label otherwise);
  void perform_by_stub(vm::PerformCell* cell, asmjit::Label back);
  void jump_with_return(asmjit::Label back, void* stub);
  void handle(Node* n);
  void clause_enter(Node* n);
  void lay_clause(int base, const aa::Gp& out, bool named);
  void push_record(int slots, unsigned object, unsigned link);
  void clause_leave(Node* n);
  void fresh_tag();
  void named_test(Node* n, const aa::Gp& named, asmjit::Label no);
  void function_test(Node* n, const aa::Gp& closure, asmjit::Label no);
  void con_test(const aa::Gp& v, uint16_t con, bool constant, bool pointer, asmjit::Label no);

  Assembler a_;
};

}  // namespace eddy::jit::a64
