// Handlers that ask on: clauses that compute, and then either answer or perform the same operation again as the last
// thing they do. Walking from handler to handler is then a loop over nodes, without a frame for any of them.
//
// Such clauses change nothing until they answer. So whatever is unusual leaves to the interpreter at the perform
// itself, and the whole walk is done again there.
#include <algorithm>

#include "jit/build/builder.h"
#include "vm/registers.h"

namespace eddy::jit {

using vm::a_of;
using vm::Op;

namespace {
constexpr size_t kMaxWords = 64;

enum class Walks : uint8_t { No, Answers, AsksOn };

Walks how(const vm::LoadedFunction& f, const vm::PerformCell& cell) {
  if (f.fiber_base || f.linked.empty() || f.linked.size() > kMaxWords) return Walks::No;
  Walks found = Walks::Answers;
  for (const vm::Word* pc : vm::Instructions(f.linked)) {
    Op op = vm::op_of(*pc);
    if (op == Op::RET || op == Op::RET_UNIT || changes_nothing(op)) continue;
    if (op != Op::PERFORM) return Walks::No;
    const auto* inner = reinterpret_cast<const vm::PerformCell*>(pc[1]);
    const vm::Word* next = pc + vm::length_of(*pc);
    if (inner->effect != cell.effect || inner->operation != cell.operation || next == f.linked.data() + f.linked.size()) return Walks::No;
    if (vm::op_of(*next) != Op::RET || a_of(*next) != a_of(*pc)) return Walks::No;
    found = Walks::AsksOn;
  }
  return found;
}
}  // namespace

bool changes_nothing(Op op) {
  switch (op) {
    case Op::MOVE:
    case Op::MOVE_R:
    case Op::LOAD_INT:
    case Op::LOAD_K:
    case Op::LOAD_UNIT:
    case Op::LOAD_BOOL:
    case Op::LOAD_CHAR:
    case Op::LOAD_CON:
    case Op::LOAD_FLOAT:
    case Op::LOAD_FN:
    case Op::ADD:
    case Op::SUB:
    case Op::MUL:
    case Op::DIV:
    case Op::REM:
    case Op::ADD_I:
    case Op::SUB_I:
    case Op::MUL_I:
    case Op::DIV_I:
    case Op::REM_I:
    case Op::AND:
    case Op::OR:
    case Op::XOR:
    case Op::NOT:
    case Op::FADD:
    case Op::FSUB:
    case Op::FMUL:
    case Op::FDIV:
    case Op::JMP:
    case Op::JT:
    case Op::JF:
    case Op::JEQ:
    case Op::JNE:
    case Op::JLT:
    case Op::JLE:
    case Op::JEQ_I:
    case Op::JNE_I:
    case Op::JLT_I:
    case Op::JLE_I:
    case Op::JGT_I:
    case Op::JGE_I:
    case Op::JIS:
    case Op::JISNT:
    case Op::GET:
    case Op::GET_C:
    case Op::GET_CELL:
    case Op::GET_UP: return true;
    default: return false;
  }
}

bool Builder::walk_handlers(vm::PerformCell* cell, const Seen& seen,
                            unsigned destination, const std::vector<Node*>& args) {
  if (!g_.speculate || !g_.one_handler || g_.count || frame_->restart) return false;
  bool asks_on = false;
  int words = 0;
  for (const auto& [site, clause] : seen) {
    Walks walks = how(*vm::loaded(clause->function), *cell);
    if (walks == Walks::No) return false;
    asks_on |= walks == Walks::AsksOn;
    words = std::max(words, static_cast<int>(clause->function->frame_words()));
  }
  if (!asks_on) return false;

  FrameState* restart = here();
  Chain chain;
  // The walk's own values lie between this frame and the clauses'.
  int slot = frame_->base - 2;
  int base = slot - static_cast<int>(args.size());
  g_.lowest = std::min(g_.lowest, base - words);
  Node* top = add(NodeOp::Top);
  top->home = slot;
  std::vector<Node*> first{top};
  for (size_t i = 0; i < args.size(); ++i) {
    Node* arg = args[i];
    if (!arg->remade()) {
      arg = add(NodeOp::Copy, {arg});
      arg->home = slot - 1 - static_cast<int>(i);
    }
    first.push_back(arg);
  }
  chain.header = g_.block();
  chain.header->loop = true;
  g_.blocks.push_back(chain.header);
  add(NodeOp::Jump);
  cur_->succs.push_back(nullptr);
  connect(cur_, 0, chain.header);
  for (size_t i = 0; i < first.size(); ++i) {
    Node* phi = g_.node(NodeOp::Phi);
    phi->home = slot - static_cast<int>(i);
    phi->block = chain.header;
    phi->inputs = {first[i]};
    chain.header->phis.push_back(phi);
    chain.phis.push_back(phi);
  }
  cur_ = chain.header;
  const FactMap before = facts_;
  std::vector<Frame::Return> results;
  for (const auto& [site, clause] : seen) {
    Node* test = add(NodeOp::BranchSite, {chain.phis[0]});
    test->imm = reinterpret_cast<int64_t>(site);
    Block *from = cur_, *hit = g_.block(), *miss = g_.block();
    from->succs.resize(2);
    connect(from, 0, hit);
    connect(from, 1, miss);
    g_.blocks.push_back(hit);
    cur_ = hit;
    facts_ = before;
    vm::LoadedFunction* f = vm::loaded(clause->function);
    Frame inner;
    inner.f = f;
    inner.parent = frame_;
    inner.base = base - static_cast<int>(f->frame_words());
    inner.depth = frame_->depth + 1;
    inner.live = liveness(f);
    inner.caller = restart;
    inner.restart = restart;
    inner.chain = &chain;
    inner.result_home = home(destination);
    inner.env.assign(f->slots(), nullptr);
    Frame* outer = frame_;
    frame_ = &inner;
    Node* environment = define(0, NodeOp::Load, {chain.phis[0]});
    environment->imm = offsetof(rt::Node, env);
    environment->known = kAlwaysThere;
    for (size_t i = 0; i < args.size(); ++i) set(static_cast<unsigned>(i) + 1, chain.phis[i + 1]);
    frame_ = outer;
    if (!run(inner, 0)) return true;
    for (Frame::Return& way : inner.returns) results.push_back(std::move(way));
    g_.blocks.push_back(miss);
    cur_ = miss;
  }
  facts_ = before;
  Node* out = add(NodeOp::Leave);
  out->state = restart;
  out->reason = Reason::Handler;
  cur_->cold = true;
  end_block();
  if (results.empty()) return true;
  join(results, home(destination));
  frame_->env[destination] = joined_;
  return true;
}

// In a clause of such a walk: on to the next handler.
void Builder::ask_on(const std::vector<Node*>& args) {
  Chain& chain = *frame_->chain;
  int slot = chain.phis[0]->home;
  Node* outer = add(NodeOp::Load, {chain.phis[0]});
  outer->imm = offsetof(rt::Node, outer);
  outer->known = kAlwaysThere;
  outer->home = slot;
  std::vector<Node*> next{outer};
  for (size_t i = 0; i < args.size(); ++i) {
    Node* arg = args[i];
    if (!arg->remade()) {
      arg = add(NodeOp::Copy, {arg});
      arg->home = slot - 1 - static_cast<int>(i);
    }
    next.push_back(arg);
  }
  add(NodeOp::Jump);
  cur_->succs.push_back(nullptr);
  connect(cur_, 0, chain.header);
  for (size_t i = 0; i < next.size(); ++i) chain.phis[i]->inputs.push_back(next[i]);
  end_block();
}

}  // namespace eddy::jit
