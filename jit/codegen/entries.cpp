// How a function's calls of itself get past checks of its arguments that they are known to pass, and Floats past objects.
#include <algorithm>

#include "jit/codegen/codegen.h"

namespace eddy::jit {

namespace {

constexpr int64_t kComparable = 4096;  // without a register, everywhere

const Node* strip(const Node* n) {
  while (n->op == NodeOp::Copy && !n->small) n = n->inputs[0];
  return n;
}
bool is_small(const Node* n) { return n->is_const() ? n->imm & 1 : strip(n)->small && strip(n)->op != NodeOp::Alloc; }

}  // namespace

// Those at the very start, of arguments that come in registers.
void CodegenBase::find_early_checks() {
  const Graph& g = g_;
  bool calls_itself = false;
  for (const Block* b : g.blocks)
    for (const Node* n : b->nodes) calls_itself |= n->op == NodeOp::Call && n->aux == static_cast<rt::Function*>(g.function);
  if (!calls_itself || frame_written_ || g.function->params > registers_.arguments) return;
  for (const Node* n : g.blocks[0]->nodes) {
    if (n->op == NodeOp::Param) continue;
    bool small = n->op == NodeOp::GuardSmall;
    bool order = n->op == NodeOp::CheckOrder && n->inputs[1]->is_const() && n->inputs[1]->imm >= 0 && n->inputs[1]->imm < kComparable;
    if ((!small && !order) || n->inputs[0]->op != NodeOp::Param) return;
    early_.push_back({n, Label()});
  }
}

bool CodegenBase::passes_early_checks(const Node* call) const {
  if (early_.empty() || call->aux != static_cast<rt::Function*>(g_.function)) return false;
  return std::all_of(early_.begin(), early_.end(), [&](const EarlyCheck& check) {
    const Node* value = call->inputs[static_cast<size_t>(check.node->inputs[0]->imm)];
    if (check.node->op == NodeOp::GuardSmall) return is_small(value);
    while (value->op == NodeOp::Copy) value = value->inputs[0];
    return std::any_of(g_.bounds.begin(), g_.bounds.end(), [&](const Graph::Bound& b) {
      return b.phi == value && b.condition == static_cast<Condition>(check.node->imm) && b.bound->is_const() &&
             b.bound->imm == check.node->inputs[1]->imm;
    });
  });
}

// Whether Floats among its arguments are given in registers.
bool CodegenBase::takes_raw(const Node* call) {
  return std::any_of(call->inputs.begin(), call->inputs.end(), [](const Node* n) { return n->type == Type::Float; });
}

// Of the function that is compiled, for a call of itself.
Label CodegenBase::own_entry(const Node* call) const {
  if (g_.raw_params && !takes_raw(call)) return start_;
  return passes_early_checks(call) ? inner_start_ : raw_start_;
}

// The frame as it is before the first instruction.
void CodegenBase::store_parameters() {
  constexpr int kSlots = static_cast<int>(rt::kFrameHeaderWords);
  for (unsigned i = 0; i < g_.function->params; ++i) {
    if (i < registers_.arguments) store_home(kSlots + static_cast<int>(i), static_cast<int>(i));
    else load_argument(kSlots + static_cast<int>(i), i);
  }
  store_constant(0, reinterpret_cast<int64_t>(static_cast<rt::Function*>(g_.function)));
  store_constant(1, static_cast<int64_t>(rt::pack_resume(g_.function->linked.data(), rt::kInPlace)));
  leave(0, reinterpret_cast<int64_t>(code_record_) | static_cast<int64_t>(Reason::Numbers));
}

}  // namespace eddy::jit
