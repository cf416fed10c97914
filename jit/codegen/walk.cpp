// The walk over the blocks.
#include "jit/build/switching.h"
#include "jit/codegen/codegen.h"
#include "runtime/plants.h"

namespace eddy::jit {

CodegenBase::CodegenBase(const Graph& graph, const Stubs& stubs, vm::Tier& tier, void* code_record,
                         RegisterSet registers)
    : g_(graph),
      stubs_(stubs),
      tier_(tier),
      code_record_(code_record),
      registers_(registers),
      lifetimes_(graph),
      where_(graph.node_store.size()),
      hints_(graph.node_store.size(), kNone),
      states_(graph.block_store.size()) {}

CodegenResult CodegenBase::run() {
  CodegenResult result;
  for (const Block* b : g_.blocks) {
    states_[b->id].label = new_label();
    for (const Node* n : b->nodes) {
      frame_written_ |= n->marks_frame();
      late_headers_ &= n->op != NodeOp::ClauseEnter;
    }
  }
  // Those with records are found through them, not by who walks over the frames.
  late_headers_ &= !frame_written_;
  find_first_resume();
  for (const Node* n : g_.blocks[0]->nodes) apart_ |= n->op == NodeOp::Captured;
  result.stack_words = g_.function->frame_words() + static_cast<unsigned>(-g_.lowest);
  for (index_ = 0; index_ < g_.blocks.size() && failure_.empty(); ++index_) {
    block_ = g_.blocks[index_];
    position_ = 0;
    start_block(block_);
    find_hints();
    if (index_ == 0) {
      if (!g_.osr) {
        find_early_checks();
        entry();
      }
      parameters();
    }
    for (Node* n : block_->nodes) {
      position_ = lifetimes_.position(n);
      belongs_to(result, n->origin);
      bool known = true;
      if (info_of(n->op).ends) {
        if (n->op == NodeOp::Jump)
          jump(block_->succs[0], 0);
        else
          known = emit_end(n);
      } else {
        emit(n);
        finish_node(n);
      }
      if (!known) failure_ = std::string("no code for ") + info_of(n->op).name;
      if (!failure_.empty()) return result;
    }
  }
  if (first_resume_) {
    if (forks_) result.forked_site = forking_entry();
    else resuming_entry();
  }
  if (apart_) captured_entry();
  if (g_.osr_result < rt::kUnwinding) returned_entry(result);
  result.common = offset();
  auto& deferred = deferred_.items_;
  for (size_t i = 0; i < deferred.size(); ++i) {
    belongs_to(result, deferred[i].first);
    deferred[i].second();
  }
  result.size = offset();
  result.materials = std::move(materials_);
  finish();
  if (first_resume_ || apart_) result.resuming_entry = offset_of(resuming_);
  if (checked_.valid()) result.checked_entry = offset_of(checked_);
  if (g_.raw_params) result.raw_entry = offset_of(raw_start_);
  return result;
}

void CodegenBase::find_first_resume() {
  forks_ = forks(*g_.function);
  // What a fork does is not counted.
  if (g_.osr || !(forks_ ? !g_.count : resumes_first(*g_.function))) return;
  for (const Node* n : g_.blocks[0]->nodes) {
    if (n->op == NodeOp::Param || (n->op == NodeOp::Tally && !forks_)) continue;
    auto simple = [this](const Node* v) {
      return v->remade() || (v->op == NodeOp::Param && v->type == Type::Tagged && static_cast<uint64_t>(v->imm) < registers_.arguments);
    };
    if (n->op != NodeOp::Resume || n->state->parent || !simple(n->inputs[1])) return;
    for (const FrameState::Entry& e : n->state->values)
      if (!simple(e.node)) return;
    first_resume_ = n;
    resuming_ = new_label();
    resumed_ = new_label();
    return;
  }
}

// For frames of the interpreter that wait for the call in front of the middle where this starts: they look the same.
void CodegenBase::returned_entry(CodegenResult& result) {
  FrameState waits;
  waits.function = g_.function;
  waits.pc = g_.osr;
  waits.destination = g_.osr_result;
  result.returned_site = offset();
  metadata(&waits);  // a debugger looks in front of where a frame goes on
  result.returned_entry = offset();
  metadata(&waits);
  take_result(0);
  if (!PLANTED(jit_wait_without_result)) store_home(static_cast<int>(rt::kFrameHeaderWords + g_.osr_result), 0);
  jump_to(states_[g_.blocks[0]->id].label);
}

void CodegenBase::belongs_to(CodegenResult& result, const Origin* origin) {
  if (origin) origin_ = origin;
  if (!g_.positions || !origin_) return;
  if (!result.positions.empty() && result.positions.back().origin == origin_) return;
  if (!result.positions.empty() && result.positions.back().offset == offset()) result.positions.pop_back();
  result.positions.push_back({offset(), origin_});
}

void CodegenBase::parameters() {
  if (apart_) {
    resuming_ = new_label();
    inside_ = new_label();
    take_apart();
    bind(inside_);
  }
  if (frame_written_) store_constant(0, reinterpret_cast<int64_t>(static_cast<rt::Function*>(g_.function)));
  for (Node* n : block_->nodes) {
    if (n->op == NodeOp::Slot) at(n).memory = true;
    if (n->op == NodeOp::Captured && n->uses) assign(n, continuation() + static_cast<int>(n->imm));
    if (n->op != NodeOp::Param || n->uses == 0) continue;
    if (n->imm < registers_.arguments) {
      assign(n, static_cast<int>(n->imm) + (n->type == Type::Float ? kFirstFloat : 0));
    } else {
      load_argument(n->home, static_cast<unsigned>(n->imm));
      at(n).memory = true;
    }
  }
}

// Where values that go to phis behind this block are expected, if that is settled.
void CodegenBase::find_hints() {
  for (const Node* n : hinted_) hints_[n->id] = kNone;
  hinted_.clear();
  if (block_->succs.size() != 1) return;
  const Block* to = block_->succs[0];
  if (!states_[to->id].known) return;
  size_t pred = pred_index(to, 0);
  for (const Entry& e : states_[to->id].values) {
    if (e.reg == kNone || e.node->op != NodeOp::Phi || e.node->block != to) continue;
    for (const Node* n = e.node->inputs[pred]; !n->remade() && hints_[n->id] == kNone; n = n->inputs[0]) {
      hints_[n->id] = static_cast<int8_t>(e.reg);
      hinted_.push_back(n);
      if (n->op != NodeOp::Copy || n->block != block_) break;
    }
  }
}

void CodegenBase::emit(Node* n) {
  switch (n->op) {
    case NodeOp::Param:
    case NodeOp::Captured:
      return;
    case NodeOp::Slot:
      at(n).memory = true;
      return;
    case NodeOp::Copy: {
      Node* from = n->inputs[0];
      if (!from->remade() && at(from).reg == kNone && from->type == Type::Tagged && dead_after(from)) {
        int r = output(n);
        load(r, from);
        return;
      }
      int r = input(from);
      int8_t wanted = hints_[n->id];
      release_dead(n);
      if (wanted != kNone && wanted == r && in_[r] == from && at(from).memory) drop(r);
      move(output(n, wanted == kNone || in_[wanted] ? r : wanted), r);
      return;
    }
    default:
      for (EarlyCheck& check : early_)
        if (check.node == n) {
          check.leaves = leave_label(n);
          return;
        }
      if (!emit_node(n)) failure_ = std::string("no code for ") + info_of(n->op).name;
  }
}

}  // namespace eddy::jit
