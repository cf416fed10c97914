// From bytecode to the graph, inlining on the way.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "jit/build/blocks.h"
#include "jit/build/regions.h"
#include "jit/ir/ir.h"
#include "jit/options.h"
#include "vm/liveness.h"

namespace eddy::rt {
struct Native;
}

namespace eddy::jit {

// What is known of a value on a path. Values never change, so a fact holds wherever its check dominates.
struct Facts {
  bool small = false;                // a small Int
  bool pointer = false;              // a heap object
  uint16_t con = 0;                  // made by this constructor
  int kind = -1;                     // an object of this rt::Kind
  rt::Function* function = nullptr;  // a closure of it
  bool operator==(const Facts&) const = default;
};
using FactMap = std::map<uint32_t, Facts>;

constexpr size_t kMaxInlineWords = 48;  // of one function
// Whether all that such an instruction does is to write registers.
bool changes_nothing(vm::Op op);
// Whether a tail call of the function itself may go back to its start other than by LOOP.
bool may_start_over(const vm::LoadedFunction& f);

class Builder {
 public:
  Builder(Graph& graph, const Options& options) : g_(graph), options_(options) {}
  // False where graph.failure says why not.
  bool build();

 private:
  struct Edge {
    Block* from;
    unsigned slot;                     // which of its successors
    std::vector<Node*> env;
    FactMap facts;
  };
  struct Place {                       // a bytecode block being built
    BlockShape shape;
    Block* block = nullptr;            // once it is started
    std::vector<Edge> incoming;
    std::vector<Node*> phi_of;         // loops: by register, the phi or null
    std::vector<Node*> at_entry;       // loops: env at the start
    bool passed = false;               // nothing more can lead here
  };
  // A walk over the handlers of an operation (chain.cpp): where it goes on with the next one.
  struct Chain {
    Block* header = nullptr;
    std::vector<Node*> phis;           // the node, and the operation's arguments
  };
  // A recursion that is a loop (accumulate.cpp).
  struct Accumulator {
    Block* header = nullptr;           // its first phis: what it has come to, and the room that frames would have left
    NodeOp op = NodeOp::Add;           // or Mul
    int spare = 0;                     // the highest of as many homes as there are parameters
  };
  struct LastStep {
    NodeOp op = NodeOp::Add;
    const vm::Word* pc = nullptr;
    std::optional<unsigned> reg;       // what is added or multiplied; none: the constant
    int64_t constant = 0;
  };
  struct Frame;
  // A handler that the unit itself has installed.
  struct Own {
    Frame* frame = nullptr;            // which installed it
    size_t region = 0;                 // which of those open there
    rt::Site* site = nullptr;
    std::vector<Node*> nodes;          // it, and those that an abort to it leaves as well
    bool passes_records = false;       // an abort would have more to leave behind
    const vm::Word* pc() const { return frame->open[region]; }
  };
  // What a function that is inlined finds around it: the first so many regions of a frame of the unit.
  struct Around {
    Frame* frame = nullptr;            // null: something else
    size_t regions = 0;
    const Own* answers = nullptr;      // of a clause: whose it is
  };
  // A function being translated: the unit's own, or an inlined one.
  struct Frame {
    vm::LoadedFunction* f = nullptr;
    Frame* parent = nullptr;
    int base = 0;
    unsigned depth = 0;
    bool self_loop = false;
    vm::Liveness* live = nullptr;
    std::vector<Node*> env;            // by register
    std::map<uint32_t, Place> places;
    const FrameState* caller = nullptr;  // the return position, for an inlined one
    const Origin* called_by = nullptr;
    int result_home = kNoHome;
    bool raw_result = false;           // that of a raw register
    const vm::Word* raw_call = nullptr;  // a call that gets its Floats without objects: none are made from here to there
    const FrameState* restart = nullptr;  // nothing in here has an effect: what leaves starts over there
    Chain* chain = nullptr;
    Accumulator* accumulator = nullptr;
    Around around;
    Regions regions;
    OpenRegions open;                  // at the instruction being translated
    struct Return { Block* from; Node* value; FactMap facts; bool ended = false; };
    std::vector<Return> returns;
  };

  // --- builder.cpp: blocks, environments, states
  bool run(Frame& frame, uint32_t entry);
  void build_versions(Frame& frame, uint32_t entry);
  void start_block(Frame& frame, Place& place);
  void before_loop(Frame& frame, Place& place);
  void merge(Frame& frame, Place& place);
  void edge(uint32_t target);
  void connect(Block* from, unsigned slot, Block* to);
  void translate_block(uint32_t start);
  void end_block() { cur_ = nullptr; }
  vm::Liveness* liveness(vm::LoadedFunction* f);
  FrameState* state(const vm::Word* pc, unsigned destination);
  FrameState* here() { return state(pc_, rt::kInPlace); }
  FrameState* after(unsigned destination) { return state(pc_ + vm::length_of(*pc_), destination); }
  bool still_there(Node* node);
  Node* use(unsigned reg);
  void set(unsigned reg, Node* node);
  int home(unsigned reg) const { return frame_->base + 2 + static_cast<int>(reg); }
  bool fail(const std::string& why);

  // --- nodes
  const Origin* origin();
  Node* add(NodeOp op, std::initializer_list<Node*> inputs = {});
  Node* define(unsigned reg, NodeOp op, std::initializer_list<Node*> inputs = {});
  // For --stats: counts, whenever control comes here.
  void count(const uint64_t& counter) {
    if (g_.count) add(NodeOp::Tally)->imm = reinterpret_cast<int64_t>(&counter);
  }
  Node* constant(Word bits);
  Facts facts(Node* n) const;
  Facts& fact(Node* n);
  Node* strip(Node* n) const {
    while (n->op == NodeOp::Copy) n = n->inputs[0];
    return n;
  }
  bool is_small(Node* n) const { return facts(n).small; }

  // --- translation, by topic
  void translate(const vm::Word* pc);
  bool translate_number(vm::Op op);
  bool translate_compare(vm::Op op);
  bool translate_data(vm::Op op);
  bool translate_call(vm::Op op);
  bool translate_effect(vm::Op op);
  void unary(NodeOp op, Node* a);
  void binary(NodeOp op, Node* a, Node* b);
  void branch(NodeOp op, std::initializer_list<Node*> inputs, int64_t imm, uint32_t taken, uint32_t next,
              FactMap* taken_facts = nullptr, FactMap* next_facts = nullptr);
  void branch_con(unsigned reg, uint16_t con, uint32_t is, uint32_t is_not);
  void compare_branch(Condition condition, Node* a, Node* b, bool ints);
  void check_con(Node* n, uint16_t con);
  void check_kind(Node* n, rt::Kind kind);
  void allocate(rt::Kind kind, unsigned count, uint16_t con, void* first_word, bool has_word, const vm::Word* list,
                unsigned items);
  void leave(Reason reason = Reason::Numbers);
  void call(unsigned destination, rt::Function* f, std::vector<Node*> args);
  rt::Function* known_callee(const vm::Word* pc, Node* target, unsigned count);
  rt::Function* expect_callee(Node* target, unsigned count);
  void tail_call(rt::Function* f, std::vector<Node*> args);
  Node* call_for_caller(NodeOp op);
  bool inline_tail_call(rt::Function* f, std::vector<Node*>& args);
  void out_of_the_way(std::vector<Node*>& args, const rt::Function* f);
  // --- raw.cpp
  void find_raw(vm::LoadedFunction& f);
  bool passes_raw() const { return g_.speculate && options_.runs(Pass::Raw); }
  bool boxes_for_call();
  bool unboxes_next(const vm::Word* pc, unsigned destination, unsigned* raw);
  Node* define_result(unsigned destination, NodeOp op);
  void unboxed(unsigned destination);
  bool returns_raw();
  void give_back(Node* value);
  bool may_inline(rt::Function* f, bool clause, bool loops = false, bool aborts = false) const;
  bool may_inline_for(rt::Function* f, const std::vector<Node*>& args);
  std::vector<rt::Function*> known_callees(const vm::LoadedFunction& f, unsigned* reg) const;
  Node* inline_call(vm::LoadedFunction* f, int below, const FrameState* caller, int result_home, const std::vector<Node*>& args,
                    const Around& around, bool raw_result = false);
  void join(std::vector<Frame::Return>& ways, int result_home);
  using Seen = std::vector<std::pair<rt::Site*, const rt::Clause*>>;
  bool inline_perform(unsigned destination);
  bool inline_named(unsigned destination);
  static Seen seen_in_place(const vm::PerformCell& cell);
  bool in_clause() const;
  void perform_by_site(vm::PerformCell* cell, const Seen& seen, unsigned destination, const std::vector<Node*>& args, Node* named);
  Node* find_named(vm::PerformCell* cell, const rt::Site* site, Node* named, FrameState* state);
  void handle_named();
  void guard();
  bool walk_handlers(vm::PerformCell* cell, const Seen& seen,
                     unsigned destination, const std::vector<Node*>& args);
  void ask_on(const std::vector<Node*>& args);
  Node* perform_in_place(vm::PerformCell* cell, const rt::Clause* clause, unsigned destination, FrameState* s,
                         const std::vector<Node*>& args, Node* found, const Own* own = nullptr);
  // --- natives.cpp
  Node* in_place(NodeOp op, const std::vector<Node*>& args);
  void float_native(const rt::Native& native, const std::vector<Node*>& args);
  bool plain_native(const rt::Native& native, const std::vector<Node*>& args);
  // --- accumulate.cpp
  static std::optional<LastStep> last_step(const vm::Word* pc);
  std::optional<NodeOp> accumulates() const;
  void accumulate(Frame& frame, NodeOp op);
  void go_round(const LastStep* step, std::vector<Node*> args);
  Node* with_total(Node* value);
  void abort_from_loop();
  // --- own_handlers.cpp
  bool own_handler(uint32_t effect, Own& own);
  bool asks_own_handler(const vm::LoadedFunction& f);
  bool perform_own(vm::PerformCell* cell, unsigned destination, const std::vector<Node*>& args);
  bool may_jump_to_target(const Own& own) const;
  void abort_with_clause(const Own& own, vm::PerformCell* cell, const rt::Clause* clause, std::vector<Node*> args);
  void abort_with_value(const Own& own, Node* value);
  void go_on_at_target(const Own& own, Node* value);
  std::vector<Node*> list_nodes(const vm::Word* list, unsigned count, unsigned from = 0);

  Graph& g_;
  const Options& options_;
  Frame* frame_ = nullptr;
  Block* cur_ = nullptr;
  const vm::Word* pc_ = nullptr;
  const vm::Word* done_ = nullptr;     // an instruction that was translated with the one before
  FactMap facts_;
  Node* joined_ = nullptr;
  const Origin* origin_ = nullptr;
  unsigned inlined_words_ = 0;
  std::unordered_map<Word, Node*> constants_;
};

}  // namespace eddy::jit
