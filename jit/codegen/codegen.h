// One pass over the blocks that allocates registers and emits code: the part that is the same for every
// instruction set. What differs is behind the virtual functions; `x64/` and `a64/` mirror each other file by
// file.
//
// A value is in a register, in its home slot, or both; leaving a register means one store to the home, and
// none if it is there already. Where paths meet, the first edge decides where values are and later ones move
// them.
#pragma once
#include <deque>
#include <functional>

#include "jit/codegen/label.h"
#include "jit/codegen/lifetimes.h"
#include "jit/codegen/stubs.h"
#include "jit/runtime_calls.h"
#include "vm/tier.h"

namespace eddy::jit {

// What compiled code is told about its surroundings, and tells.
struct CodegenResult {
  size_t checked_entry = 0;  // offset: after the check for room
  size_t raw_entry = 0;      // offset: where Floats of Function::raw_params come in registers, or 0
  size_t resuming_entry = 0; // offset: of the entry for performers, or 0
  size_t forked_site = 0;    // offset: of what frames that it lays go on with, if they do elsewhere, or 0
  // Offsets: where the call returns to in front of the middle that this starts at, and of what stands there for that call;
  // or 0.
  size_t returned_entry = 0, returned_site = 0;
  size_t common = 0;         // of what is not rare: slow paths and ways out follow
  size_t size = 0;           // of the instructions; constants may follow
  unsigned stack_words = 0;  // room it needs
  // What objects are made of where code leaves. They live as long as the code.
  std::vector<std::unique_ptr<calls::Materials>> materials;
  // Where the code of which instruction starts; kept where the graph asks for it.
  struct Position {
    size_t offset;
    const Origin* origin;
  };
  std::vector<Position> positions;
};

// How many registers there are to allocate, and how many arguments travel in the first of them.
struct RegisterSet {
  int words, floats;
  unsigned arguments;
};

class CodegenBase {
 public:
  // Registers: 0 … words-1, then `floats` of the other sort.
  static constexpr int kNone = -1;
  static constexpr int kFirstFloat = 32;
  static constexpr int kRegisters = 64;

  CodegenBase(const Graph& graph, const Stubs& stubs, vm::Tier& tier, void* code_record,
              RegisterSet registers);
  virtual ~CodegenBase() = default;
  CodegenResult run();
  const std::string& failure() const { return failure_; }

 protected:
  struct Location {
    int reg = kNone;
    bool memory = false;
  };
  struct Entry {
    Node* node;
    int reg;
    bool memory;
  };
  // A loop's test that stands alone in its header. It is made again where the loop goes round, in place of a jump to it.
  struct Test {
    Label on;      // behind the test
    Label out;     // where it went
    Label other;   // of BranchCon: where it goes if the value is no object
    int leaves = 0;  // under this condition
  };
  struct BlockState {
    bool known = false;
    std::vector<Entry> values;
    Label label;
    Test test;
  };
  // What must be written for a frame state to be in memory.
  struct Saves {
    struct Item {
      int home;
      int reg;
      int64_t constant;
      int from = kNoHome;  // or where it is, in no register
    };
    // A field of an object whose value is only in a register yet.
    struct Field {
      int object_reg, object_home, offset, reg, home;
      int64_t constant;
    };
    // A frame below an in-place clause that has not been laid yet.
    struct Clause {
      int base, reg, home;  // of the handler
      bool named;
    };
    std::vector<Item> items;
    std::vector<Item> boxes;  // doubles whose slots get objects
    std::vector<Field> fields;
    std::vector<Clause> clauses;
    std::vector<Item> parts;  // of objects that are made then: their fields, in a row
    const calls::Materials* materials = nullptr;
    const FrameState* state = nullptr;
  };
  struct Move {
    int to, from;  // registers
  };
  struct EdgeCode {
    std::vector<Entry> stores;  // node: source; reg: its register; memory to `home`
    std::vector<int> store_homes;
    std::vector<Move> moves;
    std::vector<std::pair<int, Node*>> loads;
    bool empty() const { return stores.empty() && moves.empty() && loads.empty(); }
  };

  // Code that stands out of the way, behind the rest. It belongs to the instruction that asked for it.
  class Deferred {
   public:
    explicit Deferred(const Origin* const& current) : current_(current) {}
    void push_back(std::function<void()> emit) { items_.push_back({current_, std::move(emit)}); }

   private:
    friend class CodegenBase;
    const Origin* const& current_;
    std::deque<std::pair<const Origin*, std::function<void()>>> items_;  // what is emitted may add to it
  };

  // --- what an instruction set provides
  virtual Label new_label() = 0;
  virtual void bind(Label label) = 0;
  virtual size_t offset() const = 0;  // of what comes next
  virtual size_t offset_of(Label label) const = 0;
  virtual void jump_to(Label label) = 0;
  virtual void load_home(int reg, int home) = 0;
  virtual void load_constant(int reg, int64_t bits) = 0;
  virtual void move(int to, int from) = 0;
  virtual void exchange(int a, int b) = 0;  // registers of one sort
  virtual void store_home(int home, int reg) = 0;
  virtual void store_constant(int home, int64_t bits) = 0;
  virtual void copy_home(int, int) { failure_ = "no code for a value that is in no frame"; }  // to, from
  virtual void store_field(const Saves::Field&) { failure_ = "no code for a field that memory is told of late"; }
  virtual void lay_clause_frame(const Saves::Clause&) { failure_ = "no code for a clause without a frame"; }
  // Doubles in slots of the frames of a state, to objects.
  virtual void box_homes(const FrameState* state, const std::vector<Saves::Item>& homes) = 0;
  virtual void materialise(const FrameState* state, int row, const calls::Materials* materials) = 0;
  virtual void store_argument(unsigned index, Node* n) = 0;  // to ctx.args, from wherever it is
  virtual void load_argument(int home, unsigned index) = 0;  // from ctx.args
  // Calls of the runtime: argument `index` of the helper, 0 being the context.
  virtual void pass_constant(unsigned index, int64_t bits) = 0;
  virtual void pass_value(unsigned index, Node* n) = 0;  // from wherever it is
  virtual void pass_slot(unsigned index, Node* n) = 0;   // from its slot, where no register is known to hold it
  virtual void pass_context_args(unsigned index) = 0;    // where ctx.args is
  virtual void set_live_arguments(unsigned count) = 0;   // of ctx.args
  virtual void call_stub(void* stub, const FrameState* s) = 0;
  virtual void call_helper(void* stub, void* helper, const FrameState* s) = 0;
  virtual void skip_resumed(Node* k, Label done) = 0;    // goes there where it is a continuation that has been resumed
  virtual void write_function(const FrameState* s) = 0;
  virtual void entry() = 0;                                  // of a function: early checks, the frame, and room for it
  virtual void early_check(const Node* check, Label otherwise) = 0;
  virtual void quick_test(Label returns) = 0;        // of Graph::quick, with the parameters where the caller put them
  virtual void leave(int base, int64_t told) = 0;    // to the interpreter: the frame at `base` is written
  virtual void resuming_entry() = 0;                 // see first_resume_
  virtual size_t forking_entry() = 0;                // see forks_; CodegenResult::forked_site
  virtual void captured_entry() = 0;                 // see apart_
  virtual void take_apart() = 0;                     // the continuation, in its argument's register: to that one and two more
  virtual void safepoint_index(uint32_t index, bool raw) = 0;  // behind a call; `raw`: a Float may come back in a register
  virtual void take_result(int reg) = 0;             // from the result register
  // The double that a call has given, or what is in the object that it has. Of anything else it leaves: `in_place` says
  // where, and that slot gets what was given.
  virtual void take_float(int reg, const FrameState* in_place, int slot) = 0;
  virtual bool emit_node(Node* n) = 0;               // false: no code for it
  virtual bool emit_end(Node* n) = 0;
  virtual void test_again(Node* n, const Test& test) = 0;  // goes on to the next instruction where it leaves
  virtual void finish() {}                           // behind all code: constants

  // --- allocation (allocate.cpp)
  void start_block(const Block* b);
  void as_at_start(const Block* b);
  int take(bool floating, int hint = kNone);
  int input(Node* n);  // in a register, until the end of the node
  int output(Node* n, int hint = kNone);
  int temporary(bool floating = false);
  void release_dead(const Node* n);
  void finish_node(const Node* n);
  void drop(int reg);
  void assign(Node* n, int reg);
  void spill(int reg);
  Location& at(const Node* n) { return where_[n->id]; }
  bool dead_after(const Node* n) const { return lifetimes_.dead_after(n, position_, block_); }
  void load(int reg, const Node* n);  // from its home, or as a constant
  void forget_registers(const Node* n);

  // --- edges (edges.cpp)
  void define_entry(const Block* to, size_t pred);
  int round_register(const Node* phi, size_t pred) const;
  EdgeCode edge(const Block* to, unsigned successor);
  void emit_edge(const EdgeCode& code);
  void parallel_moves(std::vector<Move> moves);
  size_t pred_index(const Block* to, unsigned successor) const;
  void jump(const Block* to, unsigned successor);
  void remember_test(Label out, int leaves);
  Label edge_label(const Block* to, unsigned successor);
  const Block* next_block() const { return index_ + 1 < g_.blocks.size() ? g_.blocks[index_ + 1] : nullptr; }

  // --- ways out of the fast path (paths.cpp)
  Saves capture(const FrameState* s);
  void gather(const FrameState* s, Saves& saves);
  void write(const Saves& saves, bool innermost);
  void save_inline(const FrameState* s);
  Label leave_label(const Node* n);
  // Out of line: `call` with the frame written down, everything restored; returns to `back` or where `then`
  // jumps.
  void slow_path(const Node* n, Label from, std::function<void()> call, Label back,
                 std::function<void()> then = nullptr);
  void metadata(const FrameState* s, bool raw = false);
  void arguments(const std::vector<Node*>& values, size_t first, size_t at_index = 0);
  void to_context_args(const std::vector<Node*>& values, size_t first, unsigned at);
  void call_result(Node* n);
  static bool takes_raw(const Node* call);
  Label own_entry(const Node* call) const;
  void store_parameters();

  // --- calls of the runtime (runtime_nodes.cpp)
  bool emit_runtime_call(Node* n);
  void call_with_operands(const Node* n, void* helper);  // in a slow path
  void call_compare(const Node* n);                      // the same, of two words
  // Where an operation goes that small Ints do not cover. A slow path comes to `back`, if it is one, with the result in
  // `out`.
  Label int_failure(const Node* n, int out, Label* back);
  // Where `helper` gives the result of a node instead; behind that control is at `back`.
  Label result_of(const Node* n, void* helper, int out, Label* back);
  // Of small Ints: whether that may be none.
  static bool may_overflow(NodeOp op) {
    return op != NodeOp::And && op != NodeOp::Or && op != NodeOp::Xor && op != NodeOp::BitCount && op != NodeOp::BitLength;
  }

  // --- entries (entries.cpp)
  void find_early_checks();
  bool passes_early_checks(const Node* call) const;

  // --- the walk (walk.cpp)
  void parameters();
  void emit(Node* n);
  void find_hints();
  void find_first_resume();
  void returned_entry(CodegenResult& result);
  void belongs_to(CodegenResult& result, const Origin* origin);
  int frame_bytes() const { return static_cast<int>(g_.function->frame_words() - 1) * 8; }

  const Graph& g_;
  const Stubs& stubs_;
  vm::Tier& tier_;
  void* code_record_;
  const RegisterSet registers_;
  Lifetimes lifetimes_;
  std::vector<Location> where_;
  std::vector<int8_t> hints_;         // by node: the register that a phi behind this block wants it in
  std::vector<const Node*> hinted_;
  Node* in_[kRegisters] = {};
  uint64_t locked_ = 0;
  std::vector<BlockState> states_;
  const Block* block_ = nullptr;
  size_t index_ = 0;  // of the block
  uint32_t position_ = 0;
  const Origin* origin_ = nullptr;  // of what is being emitted
  Deferred deferred_{origin_};
  std::string failure_;
  std::vector<std::unique_ptr<calls::Materials>> materials_;
  bool frame_written_ = false;  // its first word names the function from the start
  bool late_headers_ = true;    // of inlined functions' callers: written by who looks at them
  Label checked_;               // the entry behind the check for room
  // Checks of arguments that stand in front of the frame, so that the function's calls of itself with arguments that are
  // known to pass enter behind them; and where code leaves for each.
  struct EarlyCheck {
    const Node* node;
    Label leaves;
  };
  std::vector<EarlyCheck> early_;
  Label start_, raw_start_, inner_start_;   // the entry, the one for Floats in registers, the one behind the early checks
  std::deque<FrameState> in_place_;         // of calls that gave no Float
  // A clause that resumes before it does anything else has a second entry for performers: there its frame is laid on
  // its owner's fiber as it is while that resumption runs, and the performer goes on at once. No fiber is left and
  // nothing is captured.
  const Node* first_resume_ = nullptr;
  Label resuming_, resumed_;    // that entry; behind the resumption
  bool behind_first_ = false;   // `resumed_` is bound
  // Where it is not the last resumption, that entry leaves a copy of the performer behind, too.
  bool forks_ = false;
  // How a return finds the call that it belongs to (docs/jit.md, "Return prediction").
  bool returns_by_jump() const { return g_.function->switches || (first_resume_ && !forks_); }
  // One that takes its continuation apart has a second entry, too, for performers that have made none.
  bool apart_ = false;
  Label inside_;                // behind the taking apart
  bool is_continuation(const Node* n) const { return n->op == NodeOp::Param && n->imm == continuation(); }
  int continuation() const { return static_cast<int>(g_.function->params) - 1; }  // its register
};

}  // namespace eddy::jit
