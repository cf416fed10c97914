// Handlers, performing, resuming, unwind records.
#include "jit/build/builder.h"
#include "jit/build/switching.h"

#include "runtime/statistics.h"
#include "vm/control/pseudo.h"

namespace eddy::jit {

using vm::a_of;
using vm::b_of;
using vm::c_of;
using vm::Op;

// The handlers seen that have a clause which runs in place; none where there are too many.
Builder::Seen Builder::seen_in_place(const vm::PerformCell& cell) {
  Seen seen;
  if (cell.seen_sites > std::size(cell.others)) return seen;
  for (unsigned i = 0; i < cell.seen_sites; ++i) {
    const rt::Clause* clause = cell.others[i]->find(cell.effect, cell.operation);
    if (clause && clause->in_place && clause->params == cell.args) seen.push_back({cell.others[i], clause});
  }
  return seen;
}

// Where the profile knows one handler whose clause runs in place: the clause, called or inlined here. A clause that
// performs or calls has the handler's context, which a frame between it and the performer keeps apart.
bool Builder::inline_perform(unsigned destination) {
  auto* cell = reinterpret_cast<vm::PerformCell*>(pc_[1]);
  if (!options_.runs(Pass::Handlers) || g_.ctx->on_effect) return false;
  if (frame_->chain) {
    ask_on(list_nodes(pc_ + 2, b_of(*pc_)));
    return true;
  }
  if (!cell->seen && cell->count == 0 && options_.tier == TierMode::Auto && g_.speculate && !has_captured(*frame_->f)) {
    // It never came here: not worth code until it does.
    leave(Reason::Unseen);
    return true;
  }
  unsigned count = b_of(*pc_);
  std::vector<Node*> args = list_nodes(pc_ + 2, count);
  if (perform_own(cell, destination, args)) return true;
  // The sites seen, most of them in the order they were met.
  Seen seen = seen_in_place(*cell);
  if (seen.empty()) return false;
  if (seen.size() == cell->seen_sites && walk_handlers(cell, seen, destination, args)) return true;
  FrameState* s = after(destination);
  if (cell->seen_sites == 1 && g_.speculate && g_.one_handler) {
    auto [site, clause] = seen[0];
    Node* node = add(NodeOp::FindNode);
    node->aux = cell;
    node->imm = reinterpret_cast<int64_t>(site);
    node->reason = Reason::Handler;
    node->state = here();
    Node* value = perform_in_place(cell, clause, destination, s, args, node);
    if (cur_) frame_->env[destination] = value;
    return true;
  }
  perform_by_site(cell, seen, destination, args, nullptr);
  return true;
}

// Whether a clause is being inlined that runs above a frame of its own.
bool Builder::in_clause() const {
  for (const Frame* f = frame_; f; f = f->parent)
    if (f->caller && f->caller->function == &vm::pseudo_functions.clause) return true;
  return false;
}

// Tests one site after the other; what is none of them is a perform. `named`: whom it asks, where that is a named handler.
void Builder::perform_by_site(vm::PerformCell* cell, const Seen& seen, unsigned destination, const std::vector<Node*>& args,
                              Node* named) {
  FrameState *before_it = here(), *s = after(destination);
  const FactMap before = facts_;
  const std::vector<Node*> env = frame_->env;
  std::vector<Frame::Return> results;
  for (auto [site, clause] : seen) {
    Node* test = named ? add(NodeOp::BranchNamed, {named}) : add(NodeOp::BranchCell);
    test->aux = cell;
    test->imm = reinterpret_cast<int64_t>(site);
    Block *from = cur_, *hit = g_.block(), *miss = g_.block();
    from->succs.resize(2);
    connect(from, 0, hit);
    connect(from, 1, miss);
    g_.blocks.push_back(hit);
    cur_ = hit;
    Node* found = named ? find_named(cell, site, named, before_it) : nullptr;
    if (found) found->known = 1;
    Node* value = perform_in_place(cell, clause, destination, s, args, found);
    if (!g_.failure.empty()) return;
    if (cur_) results.push_back({cur_, value, facts_});
    g_.blocks.push_back(miss);
    cur_ = miss;
    frame_->env = env;
    facts_ = before;
  }
  cur_->cold = true;
  // Within a clause that has a frame below it for nothing but this: without, it needs none.
  if (!results.empty() && seen.size() == cell->seen_sites && g_.speculate && g_.one_handler && in_clause()) {
    leave(Reason::Handler);
    join(results, home(destination));
    frame_->env[destination] = joined_;
    return;
  }
  Node* n = define(destination, named ? NodeOp::PerformNamed : NodeOp::Perform);
  n->inputs = args;
  if (named) n->inputs.insert(n->inputs.begin(), named);
  n->aux = cell;
  n->state = s;
  if (results.empty()) return;
  results.push_back({cur_, n, facts_});
  join(results, home(destination));
  frame_->env[destination] = joined_;
}

Node* Builder::find_named(vm::PerformCell* cell, const rt::Site* site, Node* named, FrameState* state) {
  Node* found = add(NodeOp::FindNamed, {named});
  found->aux = cell;
  found->imm = reinterpret_cast<int64_t>(site);
  found->reason = Reason::Handler;
  found->state = state;
  return found;
}

// The clause, for the handler `found`, or what a BranchCell has just found. Its value, where it comes back (cur_ is
// set).
Node* Builder::perform_in_place(vm::PerformCell* cell, const rt::Clause* clause, unsigned destination, FrameState* s,
                                const std::vector<Node*>& args, Node* found, const Own* own) {
  rt::Function* f = clause->function;
  bool plain = clause->plain;
  // What calls the clause: the performer's frame, or the one in between.
  int base = frame_->base;
  FrameState* caller = s;
  int result_home = home(destination);
  if (!plain) {
    base -= static_cast<int>(vm::ClauseFrame::kWords);
    caller = g_.state();
    caller->function = &vm::pseudo_functions.clause;
    caller->pc = vm::pseudo_functions.clause.code;
    caller->destination = vm::ClauseFrame::Result;
    caller->base = base;
    caller->parent = s;
    result_home = base + 2 + static_cast<int>(vm::ClauseFrame::Result);
  }
  Node* environment = add(!plain ? NodeOp::ClauseEnter : found ? NodeOp::Load : NodeOp::CellEnv);
  environment->aux = cell;
  environment->imm = base;
  environment->home = base - static_cast<int>(f->frame_words()) + 2;
  g_.lowest = std::min(g_.lowest, environment->home);
  if (found) {
    environment->inputs = {found};
    found->home = plain ? environment->home : base + 2 + static_cast<int>(vm::ClauseFrame::Object);
    if (plain) {
      environment->imm = offsetof(rt::Node, env);
      environment->known = kAlwaysThere;
    }
  }
  std::vector<Node*> clause_args = args;
  clause_args.insert(clause_args.begin(), environment);
  count(cell->inlined);
  count(g_.ctx->stats->performs[static_cast<size_t>(clause->kind)]);
  if (found && found->op == NodeOp::FindNamed) count(g_.ctx->stats->named_performs);
  Node* value = nullptr;
  if (may_inline(f, true, false, own && may_jump_to_target(*own))) {
    Around around;
    if (own) around = {own->frame, own->region, own};
    value = inline_call(vm::loaded(f), base, caller, result_home, clause_args, around);
    if (!cur_) return nullptr;
  } else {
    value = add(NodeOp::Call);
    value->inputs = std::move(clause_args);
    value->aux = f;
    value->state = caller;
    value->home = result_home;
  }
  if (!plain) {
    Node* left = add(NodeOp::ClauseLeave);
    left->imm = base;
    if (value->op == NodeOp::Call && value->aux == f && clause->kind == rt::ClauseKind::TailOrAbort) left->inputs = {value};
  }
  if (!value->remade() && value->home != home(destination)) {
    Node* copy = add(NodeOp::Copy, {value});
    copy->home = home(destination);
    value = copy;
  }
  return value;
}

// The same for a named handler. It says itself whose clause runs; of those, the tail ones need no look at the region.
bool Builder::inline_named(unsigned destination) {
  auto* cell = reinterpret_cast<vm::PerformCell*>(pc_[1]);
  if (!options_.runs(Pass::Handlers) || g_.ctx->on_effect) return false;
  if (!cell->seen) {
    if (cell->count || !g_.speculate || options_.tier != TierMode::Auto || has_captured(*frame_->f)) return false;
    leave(Reason::Unseen);
    return true;
  }
  Seen seen = seen_in_place(*cell);
  std::erase_if(seen, [](const auto& s) { return s.second->kind != rt::ClauseKind::Tail; });
  if (seen.empty()) return false;
  std::vector<Node*> args = list_nodes(pc_ + 2, b_of(*pc_));
  Node* named = args[0];
  args.erase(args.begin());
  if (cell->seen_sites > 1 || !g_.speculate || !g_.one_handler) {
    perform_by_site(cell, seen, destination, args, named);
    return true;
  }
  FrameState* s = after(destination);
  Node* found = find_named(cell, cell->seen, named, here());
  Node* value = perform_in_place(cell, seen[0].second, destination, s, args, found);
  if (cur_) frame_->env[destination] = value;
  return true;
}

void Builder::handle_named() {
  const vm::Word w = *pc_;
  Node* env = use(c_of(w));
  FrameState* s = here();
  Node* named = define(a_of(w), NodeOp::Alloc, {env, constant(1)});
  named->imm = static_cast<int64_t>(rt::make_header(rt::Kind::Named, 0));
  named->aux = reinterpret_cast<void*>(pc_[1]);
  named->small = true;  // it has a first word, its site
  named->state = s;
  Node* region = add(NodeOp::PushNamed, {named});
  region->aux = const_cast<vm::Word*>(pc_);
  define(a_of(w) + 1, NodeOp::Slot);
  for (unsigned raw : {b_of(w), b_of(w) + 1}) define(raw, NodeOp::Slot)->type = Type::Float;
}

void Builder::guard() {
  Node* k = use(c_of(*pc_));
  // A clause's own is one.
  if (strip(k)->op != NodeOp::Param || !frame_->f->once || strip(k)->imm != frame_->f->params - 1) check_kind(k, rt::Kind::Continuation);
  add(NodeOp::PushGuard, {k})->aux = const_cast<vm::Word*>(pc_);
}

bool Builder::translate_effect(Op op) {
  const vm::Word w = *pc_;
  // An instruction that the runtime runs on the frame; what it writes is found in its slots.
  auto record = [&](Node* operand) {
    FrameState* s = here();
    Node* n = add(NodeOp::Record);
    if (operand) n->inputs = {operand};
    n->aux = const_cast<vm::Word*>(pc_);
    n->state = s;
  };
  auto slot = [&](unsigned reg) {
    Node* n = define(reg, NodeOp::Slot);
    if (reg >= frame_->f->tagged) n->type = Type::Float;
  };
  auto opened = [&](unsigned t, unsigned z) {
    slot(t);
    slot(t + 1);
    slot(z);
    slot(z + 1);
    return true;
  };
  auto called = [&](NodeOp n, unsigned destination, std::vector<Node*> inputs) {
    FrameState* s = after(destination);
    Node* made = destination == rt::kInPlace ? add(n) : define(destination, n);
    made->inputs = std::move(inputs);
    made->state = s;
    return made;
  };
  auto ends = [&](NodeOp n, std::vector<Node*> inputs) {
    add(n)->inputs = std::move(inputs);
    end_block();
    return true;
  };
  switch (op) {
    case Op::HANDLE: {
      Node* env = use(b_of(w));
      FrameState* s = here();
      Node* n = define(a_of(w), NodeOp::Handle, {env});
      n->aux = reinterpret_cast<void*>(pc_[1]);
      n->imm = frame_->base;
      n->state = s;
      return true;
    }
    case Op::HANDLE_END: {
      Node* node = use(a_of(w));
      if (!frame_->regions.known || frame_->open.empty() || vm::op_of(*frame_->open.back()) != Op::HANDLE) {
        record(nullptr);
        return true;
      }
      auto* site = reinterpret_cast<rt::Site*>(frame_->open.back()[1]);
      FrameState* s = here();
      Node* n = add(NodeOp::HandleEnd, {node});
      n->state = s;
      n->aux = site;
      return true;
    }
    case Op::MASK:
      record(nullptr);
      slot(a_of(w));
      return true;
    case Op::MASK_END: record(nullptr); return true;
    case Op::HANDLE_NAMED: handle_named(); return true;
    case Op::GUARD:
      // Inlined functions' frames may not be there when somebody looks at records.
      if (frame_->parent) record(use(c_of(w)));
      else guard();
      return opened(a_of(w), b_of(w));
    case Op::GUARD_END:
      if (frame_->parent) record(nullptr);
      else add(NodeOp::PopGuard)->aux = const_cast<vm::Word*>(pc_);
      return true;
    case Op::DEFER: record(use(c_of(w))); return opened(a_of(w), b_of(w));
    case Op::ATTEMPT:
    case Op::EXIT_POINT: record(nullptr); return opened(a_of(w), b_of(w));
    case Op::NAMED_END: {
      Node* named = use(a_of(w));
      FrameState* s = here();
      Node* n = add(NodeOp::PopNamed, {named});
      n->aux = const_cast<vm::Word*>(pc_);
      n->state = s;
      return true;
    }
    case Op::DEFER_END:
    case Op::ATTEMPT_END:
    case Op::EXIT_END: record(nullptr); return true;
    case Op::FIBER_CALL: called(NodeOp::FiberCall, a_of(w), {use(b_of(w))}); return true;
    case Op::PERFORM: {
      if (frame_->accumulator) {
        abort_from_loop();
        return true;
      }
      if (inline_perform(a_of(w))) return true;
      called(NodeOp::Perform, a_of(w), list_nodes(pc_ + 2, b_of(w)))->aux = reinterpret_cast<void*>(pc_[1]);
      return true;
    }
    case Op::PERFORM_NAMED:
      if (inline_named(a_of(w))) return true;
      called(NodeOp::PerformNamed, a_of(w), list_nodes(pc_ + 2, b_of(w)))->aux = reinterpret_cast<void*>(pc_[1]);
      return true;
    case Op::RESUME:
    case Op::RESUME_LAST:
      count(reinterpret_cast<vm::ResumeCell*>(pc_[1])->count);
      called(NodeOp::Resume, a_of(w), {use(b_of(w)), use(c_of(w))})->imm = op == Op::RESUME_LAST;
      return true;
    case Op::DROP: called(NodeOp::Drop, rt::kInPlace, {use(a_of(w))}); return true;
    case Op::DROP_UNUSED: called(NodeOp::DropUnused, rt::kInPlace, {use(a_of(w))}); return true;
    case Op::ABORT_NOW:
      // An ABORT_RET follows, and finds nothing to leave behind.
      if (frame_->parent) return true;
      called(NodeOp::AbortNow, rt::kInPlace, {});
      return true;
    case Op::TAIL_FIBER: return ends(NodeOp::TailFiber, {use(b_of(w))});
    case Op::TAIL_RESUME:
    case Op::TAIL_RESUME_LAST: {
      count(reinterpret_cast<vm::ResumeCell*>(pc_[1])->count);
      Node *k = use(b_of(w)), *v = use(c_of(w));
      Block* block = cur_;
      ends(NodeOp::TailResume, {k, v});
      block->end()->imm = op == Op::TAIL_RESUME_LAST;
      return true;
    }
    case Op::ABORT_RET:
      if (frame_->parent) {
        abort_with_value(*frame_->around.answers, use(a_of(w)));
        return true;
      }
      return ends(NodeOp::AbortRet, {use(a_of(w))});
    case Op::EXIT: {
      Node *target = use(a_of(w)), *value = use(b_of(w));
      FrameState* s = here();
      Node* n = add(NodeOp::Exit, {target, value});
      n->state = s;
      end_block();
      return true;
    }
    default: return false;
  }
}

}  // namespace eddy::jit
