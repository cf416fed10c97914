// One pass over the blocks that allocates registers and emits code.
//
// A value is in a register, in its home slot, or both; leaving a register means one store to the home, and none
// if it is there already. Where paths meet, the first edge decides where values are and later ones move them.
#pragma once
#include <asmjit/x86.h>

#include <functional>

#include "jit/codegen/lifetimes.h"
#include "jit/x64/registers.h"
#include "jit/x64/stubs.h"
#include "vm/tier.h"

namespace eddy::jit::x64 {

namespace ax = asmjit::x86;

// What compiled code is told about its surroundings, and tells.
struct CodegenResult {
  size_t checked_entry = 0;  // offset: after the check for room
  size_t size = 0;
  unsigned stack_words = 0;  // room it needs
};

class Codegen {
 public:
  Codegen(const Graph& graph, asmjit::CodeHolder& holder, const Stubs& stubs, vm::Tier& tier, void* code_record);
  CodegenResult run();
  const std::string& failure() const { return failure_; }

 private:
  // Registers: 0 … kGprs-1, then kXmms of the other sort.
  static constexpr int kNone = -1;
  static constexpr int kFirstXmm = 16;
  struct Location {
    int reg = kNone;
    bool memory = false;
  };
  struct Entry {
    Node* node;
    int reg;
    bool memory;
  };
  struct BlockState {
    bool known = false;
    std::vector<Entry> values;
    asmjit::Label label;
  };
  // What must be written for a frame state to be in memory.
  struct Saves {
    struct Item { int home; int reg; int64_t constant; };
    std::vector<Item> items;
    const FrameState* state = nullptr;
  };
  struct Move {
    int to, from;  // registers
  };

  // --- allocation (allocate.cpp)
  void start_block(const Block* b);
  int take(bool xmm, int hint = kNone);
  int input(Node* n);                        // in a register, until the end of the node
  int output(Node* n, int hint = kNone);
  int temporary(bool xmm = false);
  void release_dead(const Node* n);
  void finish_node(const Node* n);
  void drop(int reg);
  void assign(Node* n, int reg);
  void spill(int reg);
  Location& at(const Node* n) { return where_[n->id]; }
  bool dead_after(const Node* n) const { return lifetimes_.dead_after(n, position_, block_); }
  void save_inline(const FrameState* s);
  Saves capture(const FrameState* s);
  void write(const Saves& saves, bool innermost);
  void forget_registers(const Node* n);
  struct EdgeCode {
    std::vector<Entry> stores;               // node: source; reg: its register; memory to `home`
    std::vector<int> store_homes;
    std::vector<Move> moves;
    std::vector<std::pair<int, Node*>> loads;
    bool empty() const { return stores.empty() && moves.empty() && loads.empty(); }
  };
  void define_entry(const Block* to, size_t pred);
  EdgeCode edge(const Block* to, unsigned successor);
  void emit_edge(const EdgeCode& code);
  void parallel_moves(std::vector<Move> moves);
  size_t pred_index(const Block* to, unsigned successor) const;

  // --- moves
  void load(int reg, const Node* n);         // from its home, or as a constant
  void load_constant(int reg, const Node* n);
  void move(int to, int from);
  void store_home(int home, int reg);
  void store_constant(int home, int64_t bits);
  void value_to(const ax::Gp& to, Node* n);  // wherever it is
  ax::Mem home_slot(int home) const { return ax::qword_ptr(ax::rsp, home * 8); }
  static ax::Gp gp(int reg) { return ax::gpq(static_cast<uint32_t>(kAllocatable[reg])); }
  static ax::Xmm xmm(int reg) { return ax::xmm(static_cast<uint32_t>(reg - kFirstXmm)); }
  void constant_to(const ax::Gp& to, int64_t bits);
  static bool fits(int64_t v) { return v == static_cast<int32_t>(v); }

  // --- ways out
  asmjit::Label leave_label(const Node* n);
  // Out of line: `call` with the frame written down, everything restored; returns to `back` or where `then` jumps.
  void slow_path(const Node* n, asmjit::Label from, std::function<void()> call, asmjit::Label back,
                 std::function<void()> then = nullptr);
  void call_stub(void* stub, const FrameState* s);
  void metadata(const FrameState* s);
  void call_helper(void* stub, void* helper, const FrameState* s);
  void enter_base(const FrameState* s);
  void leave_base(const FrameState* s);
  void arguments(const std::vector<Node*>& values, size_t first);
  void to_context_args(const std::vector<Node*>& values, size_t first, unsigned at);
  void call_result(Node* n);
  void write_function(const FrameState* s);

  // --- emission by topic
  void prologue();
  void emit(Node* n);
  bool emit_number(Node* n);
  bool emit_float(Node* n);
  bool emit_data(Node* n);
  bool emit_call(Node* n);
  bool emit_effect(Node* n);
  void emit_end(Node* n);
  void integer(Node* n);
  void divide(Node* n, int ra, int rb, int64_t k, int out, int divisor, asmjit::Label failure);
  void check_small(const ax::Gp& r, asmjit::Label otherwise) {
    a_.test(r.r8(), 1);
    a_.jz(otherwise);
  }
  asmjit::Label int_failure(Node* n, int out);
  void barrier(Node* n, int holder, Node* value, const std::function<void(const ax::Gp&)>& address_to);
  void allocate(Node* n, int out);
  void compare_words(Node* n, asmjit::Label slow);
  void branch(ax::CondCode cc);
  void branch_to(ax::CondCode cc, const Block* taken, unsigned taken_index, const Block* next, unsigned next_index);
  void closure_call(Node* n, bool tail);
  void clause_enter(Node* n);
  void clause_leave(Node* n);
  void fresh_tag();
  void jump(const Block* to, unsigned successor);
  asmjit::Label edge_label(const Block* to, unsigned successor);
  void con_test(Node* n, const ax::Gp& v, uint16_t con, bool constant, bool pointer, asmjit::Label no);

  const Graph& g_;
  ax::Assembler a_;
  const Stubs& stubs_;
  vm::Tier& tier_;
  void* code_record_;
  Lifetimes lifetimes_;
  std::vector<Location> where_;
  Node* in_[kFirstXmm + kXmms] = {};
  uint64_t locked_ = 0;
  std::vector<BlockState> states_;
  const Block* block_ = nullptr;
  size_t index_ = 0;                         // of the block
  uint32_t position_ = 0;
  std::vector<std::function<void()>> deferred_;
  std::string failure_;
  bool frame_written_ = false;
  asmjit::Label slow_back_, states_start_, checked_body_;
};

static_assert(offsetof(rt::Frame, function) == 0 && offsetof(rt::Frame, resume) == 8);

}  // namespace eddy::jit::x64
