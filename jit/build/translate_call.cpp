// Calls, returns, natives; inlining.
#include <algorithm>

#include "jit/build/builder.h"

#include "runtime/natives/natives.h"
#include "vm/registers.h"

namespace eddy::jit {

using vm::a_of;
using vm::b_of;
using vm::c_of;
using vm::list_item;
using vm::Op;

namespace {
constexpr unsigned kMaxInlineDepth = 4;
constexpr unsigned kMaxInlinedInUnit = 600;  // words
constexpr size_t kMaxUnrolledWords = 32;     // of a function that is inlined into itself
constexpr unsigned kMaxUnrolled = 3;         // so many times, one below the other
constexpr size_t kMaxVersionWords = 150;     // of a function that is built once for each function it calls

// A frame that carries handlers that are there, or unwind records, is not inlined. `aborts`: a clause may give its region a
// value.
bool can_be_inlined(const vm::LoadedFunction& f, bool loops, bool aborts, bool handlers) {
  bool tail_calls = false, settles = false;
  for (const vm::Word* pc : vm::Instructions(f.linked)) {
    Op op = vm::op_of(*pc);
    tail_calls |= op == Op::TAIL_CALL || op == Op::TAIL_CLOSURE;
    settles |= op == Op::ABORT_NOW;
    bool handles = handlers && op == Op::HANDLE && !reinterpret_cast<const rt::Site*>(pc[1])->needs_fiber;
    if ((vm::opens_region(op) && !handles) || (op == Op::ABORT_RET && !aborts) || op == Op::TAIL_FIBER ||
        op == Op::TAIL_RESUME || op == Op::TAIL_RESUME_LAST || op == Op::SET_UP ||
        (!loops && (op == Op::LOOP || op == Op::LOOP_HOT)))
      return false;
  }
  // Behind ABORT_NOW a tail call, too, is for the region's value.
  return !settles || (aborts && !tail_calls);
}
}  // namespace

bool may_start_over(const vm::LoadedFunction& f) {
  for (const vm::Word* pc : vm::Instructions(f.linked)) {
    Op op = vm::op_of(*pc);
    if (op == Op::TAIL_CLOSURE) return true;
    if (op == Op::TAIL_CALL && reinterpret_cast<const rt::Function*>(pc[1]) == &f) return true;
  }
  return false;
}

// The functions met where a loop calls a parameter that stays the same, if they are few and worth inlining; and which
// parameter.
std::vector<rt::Function*> Builder::known_callees(const vm::LoadedFunction& f, unsigned* reg) const {
  if (!g_.speculate || f.linked.size() > kMaxVersionWords) return {};
  std::vector<bool> written(f.slots());
  bool loops = false;
  for (const vm::Word* pc : vm::Instructions(f.linked)) {
    Op op = vm::op_of(*pc);
    loops |= op == Op::LOOP || op == Op::LOOP_HOT;
    vm::visit_registers(pc, [](unsigned, char) {}, [&](unsigned r, char) { written[r] = true; });
  }
  if (!loops) return {};
  for (const vm::Word* pc : vm::Instructions(f.linked)) {
    if (vm::op_of(*pc) != Op::CALL_CLOSURE || c_of(*pc) >= f.params || written[c_of(*pc)]) continue;
    auto* cell = reinterpret_cast<vm::CallCell*>(pc[1]);
    if (!cell || cell->functions < 2 || cell->functions > 3) continue;
    std::vector<rt::Function*> met(cell->met, cell->met + cell->functions);
    std::erase_if(met, [&](rt::Function* g) { return g->arity() != b_of(*pc) || !may_inline(g, false); });
    *reg = c_of(*pc);
    if (!met.empty()) return met;
  }
  return {};
}

bool Builder::may_inline(rt::Function* function, bool clause, bool loops, bool aborts) const {
  // Each call takes fuel, in every tier the same.
  if (!options_.runs(Pass::Inline) || g_.ctx->fuel_limited || function->fiber_base) return false;
  auto* f = vm::loaded(function);
  if (frame_->depth >= kMaxInlineDepth || f->linked.empty()) return false;
  if (f->linked.size() > (clause ? 3 : 1) * kMaxInlineWords || inlined_words_ + f->linked.size() > kMaxInlinedInUnit) return false;
  unsigned recursion = 0;
  for (Frame* frame = frame_; frame; frame = frame->parent) recursion += frame->f == f;
  if (recursion > (f->linked.size() <= kMaxUnrolledWords ? kMaxUnrolled : 0)) return false;
  bool handlers = g_.inline_handlers && g_.speculate && !g_.ctx->on_effect && !g_.apart->count(f);
  return can_be_inlined(*f, loops, aborts, handlers);
}

// The same for a call with these arguments.
bool Builder::may_inline_for(rt::Function* f, const std::vector<Node*>& args) {
  // What asks a handler of this unit: with both in one piece the handler need not be there.
  bool asks = asks_own_handler(*vm::loaded(f));
  // A loop that is given a closure made here: the closure need not be made then, nor what it captures.
  bool closure = std::any_of(args.begin(), args.end(), [&](Node* a) { return strip(a)->op == NodeOp::Alloc && facts(a).function; });
  return may_inline(f, asks, closure || asks);
}

// Translates `f` here, its frame below the word at `below`; control goes on in cur_ (null where it never does) with
// the result, whose home is `result_home`.
Node* Builder::inline_call(vm::LoadedFunction* f, int below, const FrameState* caller, int result_home, const std::vector<Node*>& args,
                           const Around& around, bool raw_result) {
  inlined_words_ += static_cast<unsigned>(f->linked.size());
  Frame inner;
  inner.f = f;
  inner.parent = frame_;
  inner.base = below - static_cast<int>(f->frame_words());
  inner.depth = frame_->depth + 1;
  inner.self_loop = f->params <= 6 && may_start_over(*f);
  inner.live = liveness(f);
  inner.caller = caller;
  inner.called_by = origin();
  inner.result_home = result_home;
  inner.raw_result = raw_result;
  inner.around = around;
  inner.env.assign(f->slots(), nullptr);
  g_.lowest = std::min(g_.lowest, inner.base);
  Frame* outer = frame_;
  frame_ = &inner;
  for (size_t i = 0; i < args.size(); ++i) {
    // A double is taken from here by the UNBOX that the function starts with.
    if (args[i]->type == Type::Float) inner.env[i] = args[i];
    else set(static_cast<unsigned>(i), args[i]);
  }
  frame_ = outer;
  if (!run(inner, 0)) return nullptr;
  cur_ = nullptr;
  if (inner.returns.empty()) return nullptr;
  join(inner.returns, result_home);
  return joined_;
}

// Several ways to a value come together; cur_ goes on, the value is joined_.
void Builder::join(std::vector<Frame::Return>& ways, int result_home) {
  Block* next = g_.block();
  g_.blocks.push_back(next);
  facts_ = ways[0].facts;
  joined_ = ways[0].value;
  if (ways.size() > 1) {
    joined_ = g_.node(NodeOp::Phi);
    joined_->home = result_home;
    joined_->type = ways[0].value->type;
    joined_->block = next;
    joined_->small = joined_->type == Type::Tagged;
    next->phis.push_back(joined_);
  }
  for (Frame::Return& way : ways) {
    cur_ = way.from;
    if (!way.ended) add(NodeOp::Jump);
    way.from->succs.push_back(nullptr);
    connect(way.from, 0, next);
    std::erase_if(facts_, [&](auto& entry) {
      auto other = way.facts.find(entry.first);
      return other == way.facts.end() || !(other->second == entry.second);
    });
    if (ways.size() == 1) continue;
    joined_->inputs.push_back(way.value);
    Node* value = strip(way.value);
    auto known = way.facts.find(value->id);
    joined_->small &= value->small || (value->is_const() && (value->imm & 1)) || (known != way.facts.end() && known->second.small);
  }
  cur_ = next;
}

void Builder::call(unsigned destination, rt::Function* f, std::vector<Node*> args) {
  FrameState* s = after(destination);
  if (may_inline_for(f, args)) {
    unsigned raw = 0;
    find_raw(*vm::loaded(f));
    bool as_double = vm::loaded(f)->raw_result && unboxes_next(pc_, destination, &raw);
    unsigned to = as_double ? raw : destination;
    Node* result = inline_call(vm::loaded(f), frame_->base, s, home(to), args, {frame_, frame_->open.size()}, as_double);
    if (!cur_) return;
    frame_->env[to] = result;
    if (as_double) unboxed(destination);
    return;
  }
  Node* n = define_result(destination, NodeOp::Call);
  n->inputs = std::move(args);
  n->aux = f;
  n->state = s;
}

// The current function is done, with `value`.
void Builder::give_back(Node* value) {
  if (!frame_->parent) {
    add(NodeOp::Return, {value});
    return end_block();
  }
  if (frame_->accumulator) value = with_total(value);
  if (!value->remade() && value->home != frame_->result_home) {
    Node* copy = add(NodeOp::Copy, {value});
    copy->home = frame_->result_home;
    copy->type = value->type;
    value = copy;
  }
  add(NodeOp::Jump);
  frame_->returns.push_back({cur_, value, facts_, true});
  end_block();
}

// Where the call at `pc` is known to be of one function, or has only ever met one that is worth inlining.
rt::Function* Builder::known_callee(const vm::Word* pc, Node* target, unsigned count) {
  auto callable = [count](rt::Function* f) { return f && f->arity() == count && !f->fiber_base; };
  if (rt::Function* f = facts(target).function) return callable(f) ? f : nullptr;
  auto* cell = reinterpret_cast<vm::CallCell*>(pc[1]);
  if (!g_.speculate || !g_.one_callee || frame_->restart || !cell || cell->functions != 1) return nullptr;
  rt::Function* f = cell->seen;
  return callable(f) && may_inline(f, false) ? f : nullptr;
}

// Leaves where it is another.
rt::Function* Builder::expect_callee(Node* target, unsigned count) {
  rt::Function* f = known_callee(pc_, target, count);
  if (!f || facts(target).function) return f;
  Node* check = add(NodeOp::CheckFunction, {target});
  check->aux = f;
  check->state = here();
  check->reason = Reason::Callee;
  Facts& known = fact(target);
  known.function = f;
  known.pointer = true;
  known.kind = static_cast<int>(rt::Kind::Closure);
  return f;
}

void Builder::tail_call(rt::Function* f, std::vector<Node*> args) {
  if (frame_->accumulator) return go_round(nullptr, std::move(args));
  // A call of itself through a value is no loop that the shape knows of.
  if (f == frame_->f && frame_->self_loop && frame_->places[0].shape.loop) {
    add(NodeOp::Safepoint)->state = here();
    for (size_t i = 0; i < args.size(); ++i) set(static_cast<unsigned>(i), args[i]);
    add(NodeOp::Jump);
    edge(0);
    return end_block();
  }
  if (!frame_->parent) {
    Node* n = add(NodeOp::TailCall);
    n->inputs = std::move(args);
    n->aux = f;
    return end_block();
  }
  if (inline_tail_call(f, args)) return;
  Node* n = call_for_caller(NodeOp::Call);
  n->inputs = std::move(args);
  n->aux = f;
  give_back(n);
}

// In an inlined function: what it calls at its end takes its frame's place.
bool Builder::inline_tail_call(rt::Function* f, std::vector<Node*>& args) {
  bool doubles = std::any_of(args.begin(), args.end(), [](const Node* a) { return a->type == Type::Float; });
  if (frame_->raw_result || frame_->restart || doubles || !may_inline_for(f, args)) return false;
  out_of_the_way(args, f);
  int below = frame_->base + static_cast<int>(frame_->f->frame_words());
  Node* value = inline_call(vm::loaded(f), below, frame_->caller, frame_->result_home, args, frame_->around);
  if (cur_) give_back(value);
  return true;
}

// Arguments of a function that is inlined, with its frame where those are that end here.
void Builder::out_of_the_way(std::vector<Node*>& args, const rt::Function* f) {
  int slot = frame_->base - static_cast<int>(f->frame_words()) - 1;
  for (Node*& arg : args) {
    if (arg->remade()) continue;
    arg = add(NodeOp::Copy, {arg});
    arg->home = --slot;
  }
  g_.lowest = std::min(g_.lowest, slot);
}

// In an inlined function: a tail call takes its frame's place, so it is its caller's call.
Node* Builder::call_for_caller(NodeOp op) {
  Node* n = add(op);
  if (frame_->raw_result) n->type = Type::Float;
  n->state = const_cast<FrameState*>(frame_->caller);
  n->home = frame_->result_home;
  return n;
}

bool Builder::translate_call(Op op) {
  const vm::Word w = *pc_;
  switch (op) {
    case Op::CALL:
    case Op::CALL_0:
    case Op::CALL_1:
    case Op::CALL_2:
    case Op::CALL_3:
    case Op::CALL_4: {
      auto* f = reinterpret_cast<rt::Function*>(pc_[1]);
      if (frame_->accumulator) {
        std::optional<LastStep> step = last_step(pc_);
        go_round(&*step, list_nodes(pc_ + 2, b_of(w)));
        return true;
      }
      call(a_of(w), f, list_nodes(pc_ + 2, b_of(w)));
      return true;
    }
    case Op::TAIL_CALL:
      tail_call(reinterpret_cast<rt::Function*>(pc_[1]), list_nodes(pc_ + 2, b_of(w)));
      return true;
    case Op::CALL_CLOSURE:
    case Op::TAIL_CLOSURE: {
      Node* target = use(c_of(w));
      unsigned count = b_of(w);
      std::vector<Node*> args = list_nodes(pc_ + 2, count);
      rt::Function* f = expect_callee(target, count);
      bool tail = op == Op::TAIL_CLOSURE;
      if (f) {
        if (f->takes_self) args.insert(args.begin(), target);
        if (tail) tail_call(f, std::move(args));
        else call(a_of(w), f, std::move(args));
        return true;
      }
      for (const Node* a : args)
        if (a->type == Type::Float) fail("a function that takes objects only");
      args.insert(args.begin(), target);
      if (!tail) {
        FrameState* s = after(a_of(w));
        Node* n = define_result(a_of(w), NodeOp::CallClosure);
        n->inputs = std::move(args);
        n->state = s;
      } else if (!frame_->parent) {
        add(NodeOp::TailClosure)->inputs = std::move(args);
        end_block();
      } else {
        Node* n = call_for_caller(NodeOp::CallClosure);
        n->inputs = std::move(args);
        give_back(n);
      }
      return true;
    }
    case Op::NATIVE: {
      std::vector<Node*> args = list_nodes(pc_ + 1, b_of(w));
      if (!args.empty() && args[0]->type == Type::Float) {
        float_native(rt::natives()[c_of(w)], args);
        return true;
      }
      if (plain_native(rt::natives()[c_of(w)], args)) return true;
      FrameState* s = here();
      Node* n = define(a_of(w), NodeOp::Native);
      n->inputs = std::move(args);
      n->aux = const_cast<rt::Native*>(&rt::natives()[c_of(w)]);
      n->state = s;
      return true;
    }
    case Op::RET: give_back(use(a_of(w))); return true;
    case Op::RET_UNIT: give_back(constant(rt::kUnit.bits)); return true;
    case Op::PANIC: leave(Reason::Request); return true;
    default: return false;
  }
}

}  // namespace eddy::jit
