// The compiler's graph: blocks of nodes in static single assignment form, with frame states.
//
// The one rule everything leans on: every value that is no constant has a *home*, the frame slot of the bytecode
// register it was defined for, and it is used only while that register still holds it. So a value that must
// leave its machine register goes to its home, and whoever looks at the frame there (collector, unwinder, a copy
// of the fiber, the interpreter after leaving machine code) finds what the bytecode says is there.
//
// Homes count words from the unit's frame (its `function` word is 0). Frames of inlined functions lie below it,
// exactly where they would be had they been called.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "vm/liveness.h"
#include "vm/loaded.h"

namespace eddy::jit {

using rt::Value;
using rt::Word;

enum class NodeOp : uint8_t {
#define NODE(name, type, flags, doc) name,
#include "jit/ir/nodes.def"
#undef NODE
  Count
};

enum class Type : uint8_t { None, Tagged, Float };

struct NodeInfo {
  const char* name;
  Type type;
  bool leaves = false, slow = false, call = false, ends = false, effect = false, remade = false;
};
const NodeInfo& info_of(NodeOp op);
// Of Ints; the order is that of calls::IntOp.
constexpr bool arithmetic(NodeOp op) { return op >= NodeOp::Add && op <= NodeOp::BitLength; }

// The instruction that a node was made for, and through which calls its function was inlined.
struct Origin {
  vm::LoadedFunction* function = nullptr;
  const vm::Word* pc = nullptr;
  const Origin* caller = nullptr;
};

enum class Condition : uint8_t { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, NotLess, NotLessEqual, NotAbove };
// NotLess and NotLessEqual are of Floats; NotAbove compares tagged words that are small Ints as if they had no sign.
// Of Ints, which are always less, equal or greater: what holds where it does not; and b against a, from a against b.
Condition negated(Condition c);
Condition turned(Condition c);

enum class Rounding : uint8_t { Down, Up, ToZero, Nearest };  // halves away from zero

// What not every processor has an instruction for.
struct Features {
  bool rounds = false;           // FRound
  bool counts_bits = false;      // BitCount
  bool shifts_anywhere = false;  // by an amount in any register; otherwise it takes several instructions
};

struct Block;
struct Node;

// Why machine code is left, as the tiering is told.
enum class Reason : uint8_t {
  Numbers,  // an Int that is not small, an object of another sort
  Unseen,   // code that had never run
  Handler,  // another handler than the one seen
  Moved,    // a check that was moved out of its loop
  Order,    // what is compared is no Int
  Callee,   // another function than the only one that was called there
  Request,  // interrupts, fuel, the collector: nothing is wrong
  Depth,    // a recursion that is a loop, deeper than the stack that it would take
};

// Where everything is that the frame would hold at a bytecode position, innermost function first.
struct FrameState {
  vm::LoadedFunction* function = nullptr;
  const vm::Word* pc = nullptr;
  unsigned destination = 0;          // or rt::kInPlace
  int base = 0;                      // the home of the frame's first word
  const FrameState* parent = nullptr;  // the caller's, where it was inlined
  struct Entry {
    int home;
    Node* node;
    bool boxed = false;  // a double, for which an object is made where code leaves. Only where it can do nothing but leave
  };
  std::vector<Entry> values;
  Node* entered = nullptr;  // of a frame below an in-place clause that is laid only where code leaves: the handler
  int entered_object = -1;  // or where that is one of `objects`, which
  // Of loops whose fields live in registers: what memory has yet to be told. Of states where code leaves only.
  struct Pending { Node* object; int offset; Node* value; };
  std::vector<Pending> stores;
  // Objects that are not made unless code leaves: what they hold, and the slots they are wanted in, of this frame's callers
  // too. Of states where code leaves only, the innermost frame's. Handlers' nodes come first, outer ones before inner ones;
  // they are installed, too.
  struct Virtual {
    Word header = 0;
    void* first = nullptr;
    bool has_first = false;
    struct Field {
      Node* node = nullptr;
      int object = -1;     // or another one of them
      bool boxed = false;  // the node is a double, the field an object
    };
    std::vector<Field> fields;
    std::vector<int> homes;
    int handles_for = INT32_MIN;  // a node, whose environment is the one field: the home of the frame that installs it
    bool is_handler() const { return handles_for != INT32_MIN; }
  };
  std::vector<Virtual> objects;
  // The GUARD or HANDLE_NAMED whose record is made then, in the outermost frame, and which of the objects is its continuation
  // or handler.
  const vm::Word* guard = nullptr;
  int guarded = -1;
};

constexpr int kNoHome = INT32_MIN;
constexpr Word kTwice = 2;              // what Times starts with: twice one
constexpr int64_t kTooLarge = INT64_MIN;  // what it comes to, where that is more than twice a small Int
constexpr uint8_t kInRange = 0x08;      // of an array access: its index needs no check
constexpr uint8_t kAlwaysThere = 0x80;  // of a Load's `known`: its field exists, whatever was checked before

struct Node {
  NodeOp op = NodeOp::Const;
  Type type = Type::None;
  bool speculative = false;  // out of the fast path it leaves for the interpreter instead of calling the runtime
  bool small = false;        // the result is a small Int (Alloc: has a first word)
  bool fits = false;         // of an addition of a constant: it never leaves, and has no frame state
  uint8_t known = 0;         // bit i: input i is a small Int at this point
  Reason reason = Reason::Numbers;  // for leaving
  uint32_t id = 0;
  int home = kNoHome;
  int64_t imm = 0;
  void* aux = nullptr;
  Block* block = nullptr;
  FrameState* state = nullptr;
  const Origin* origin = nullptr;
  std::vector<Node*> inputs;
  uint32_t uses = 0;

  bool is_const() const { return op == NodeOp::Const; }
  bool remade() const { return op == NodeOp::Const || op == NodeOp::ConstFloat; }
  // Writes a record or a node into the frame, by which it is found.
  bool marks_frame() const { return op == NodeOp::Handle || op == NodeOp::Record || op == NodeOp::PushNamed || op == NodeOp::PushGuard; }
};

// What a frame state needs: values in slots, and what memory is to be told.
template <class F>
void each_value(const FrameState* s, F f) {
  for (const FrameState::Entry& e : s->values) f(e.node);
  if (s->entered) f(s->entered);
  for (const FrameState::Pending& p : s->stores) {
    f(p.object);
    f(p.value);
  }
  for (const FrameState::Virtual& v : s->objects)
    for (const FrameState::Virtual::Field& field : v.fields)
      if (field.node) f(field.node);
}

// Whether such a test holds of a value that the state names, or one around it.
template <class Test>
bool any_value(const FrameState* s, Test test) {
  bool found = false;
  for (; s && !found; s = s->parent) each_value(s, [&](const Node* v) { found |= test(v); });
  return found;
}

// Of the handler whose clause runs in place: a named one is its own context (docs/handlers.md).
inline bool is_named(const Node* handler) {
  // Behind a loop it is a copy of what the loop found.
  for (unsigned i = 0; i < 16 && (handler->op == NodeOp::Copy || handler->op == NodeOp::Phi); ++i) handler = handler->inputs[0];
  return handler->op == NodeOp::FindNamed;
}

struct Block {
  uint32_t id = 0;
  bool loop = false;                 // something jumps back here
  bool cold = false;
  std::vector<Node*> phis;
  std::vector<Node*> nodes;          // the last one ends the block
  std::vector<Block*> preds, succs;  // phis' inputs are in the order of preds
  Node* end() const { return nodes.back(); }
};

struct Graph {
  rt::Context* ctx = nullptr;
  vm::LoadedFunction* function = nullptr;
  const vm::Word* osr = nullptr;     // where it enters in the middle, with everything in its slot; null: at the start
  unsigned osr_result = rt::kInPlace;  // where that is behind a call: the slot that takes what it gave
  bool positions = false;            // somebody wants to know which code stands for what
  bool count = false;                // count performs and resumes, for --stats
  Features (*features)() = nullptr;  // of the processor that this is for: asked only when it matters
  std::deque<Node> node_store;
  std::deque<Block> block_store;
  std::deque<FrameState> state_store;
  std::deque<Origin> origin_store;
  std::vector<Block*> blocks;        // in the order they are emitted; every forward edge goes on in it
  struct Bound {
    Node* phi;
    Condition condition;
    Node* bound;
  };
  std::vector<Bound> bounds;         // what holds of phis in every round of their loops
  // What stands in front of the frame where the function calls itself: a test of a parameter, and what is given back.
  struct Quick {
    Condition condition = Condition::Equal;
    bool returns = true;             // where it holds; or where it does not
    const Node* param = nullptr;
    const Node* bound = nullptr;     // a small constant
    const Node* result = nullptr;    // a parameter or a constant; null: nothing does
  };
  static constexpr unsigned kQuickParams = 4;
  Quick quick;
  int lowest = 0;                    // the home of the lowest word of an inlined frame, or of a spill slot
  int spills_below = kNoHome;        // homes below this one are no frame's
  unsigned raw_params = 0;           // bit i: argument i comes without its object, at the raw entry
  bool fields_known = false;         // fields of objects that are not made are values
  int staging = kNoHome;             // the lowest of `staging_words` homes where fields of objects are put for the runtime to make them
  int staging_words = 0;
  Word spent = 0;                    // a continuation that has been resumed, old: a constant
  bool speculate = true;
  bool one_handler = true;           // leave where a perform finds another handler than the one it has always met
  bool move_checks = true;           // out of loops
  bool one_callee = true;            // leave where a call meets another function than the one it has always met
  bool compare_ints = true;          // leave where what is ordered is no Int
  bool accumulate = true;            // recursions that end by adding or multiplying are loops
  bool accumulates = false;          // this is one
  bool inline_handlers = false;      // functions with handlers, in the hope that these vanish
  std::set<vm::LoadedFunction*>* apart = nullptr;  // not those
  std::string failure;               // why it cannot be compiled
  // Of the functions that take part, raw registers too: kept from one compilation to the next.
  std::unordered_map<vm::LoadedFunction*, std::unique_ptr<vm::Liveness>>* livenesses = nullptr;

  Node* node(NodeOp op);
  Block* block();
  FrameState* state();
  // Makes room for what the runtime makes objects of where code leaves with such a state; once all are known, the room itself.
  void stage(const FrameState* state);
  void place_stage();
  // A home for a value that lives where no call and no collection can happen.
  int spill_slot();
  bool is_spill(int home) const { return home < spills_below && home != kNoHome; }
};

std::string print(const Graph& graph);
// An empty string, or what is wrong.
std::string verify(const Graph& graph);

}  // namespace eddy::jit
