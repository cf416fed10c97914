// Clauses that run in place without a frame below them. The frame keeps the performer's context while the clause
// performs or calls; a clause that was inlined and does neither needs it only where code leaves in its middle, and there
// it is laid on the way out.
#include "jit/passes/loops.h"
#include "jit/passes/passes.h"
#include "jit/passes/ways.h"
#include "vm/control/pseudo.h"

namespace eddy::jit {

bool keeps_to_itself(const Node* n) {
  const NodeInfo& info = info_of(n->op);
  if (info.call) return false;
  switch (n->op) {
    case NodeOp::ClauseEnter:
    case NodeOp::CellEnv:
    case NodeOp::BranchCell:
    case NodeOp::FindNode:
    case NodeOp::Top:
    case NodeOp::Handle:
    case NodeOp::HandleEnd:
    case NodeOp::HandleAbort:
    case NodeOp::PushGuard:
    case NodeOp::PopGuard:
    case NodeOp::PushNamed:
    case NodeOp::PopNamed:
    case NodeOp::Safepoint:
    case NodeOp::Poll:
    case NodeOp::Return:
    case NodeOp::TailCall:
    case NodeOp::TailClosure:
    case NodeOp::TailFiber:
    case NodeOp::TailResume:
    case NodeOp::AbortRet:
    case NodeOp::SetUp:
    case NodeOp::Alloc:
    case NodeOp::Box: return false;
    case NodeOp::Store: return true;
    case NodeOp::Compare:
    case NodeOp::Branch: return compares_words(n);
    case NodeOp::ArrayGet: return n->speculative;
    default: return !info.slow || n->speculative;
  }
}

namespace {

// The clause's nodes, from behind `enter` to the ClauseLeaves. False where it needs its frame.
bool find_clause(Block* block, const Node* enter, std::vector<Node*>& nodes, std::vector<std::pair<Block*, Node*>>& ends) {
  auto visit = [&](Block* b, Node* n) {
    if (n->op == NodeOp::ClauseLeave && n->imm == enter->imm) {
      if (!n->inputs.empty()) return Way::Fails;
      ends.push_back({b, n});
      return Way::Ends;
    }
    // The clause gives its region a value. Nothing has to be taken away.
    if (n->op == NodeOp::HandleAbort && strip(n->inputs[0]) == strip(enter->inputs[0])) return Way::Ends;
    if (!keeps_to_itself(n)) return Way::Fails;
    nodes.push_back(n);
    return Way::GoesOn;
  };
  return walk_behind(block, enter, visit, [](const Block*) { return true; });
}

void make_lazy(Block* block, Node* enter) {
  std::vector<Node*> nodes;
  std::vector<std::pair<Block*, Node*>> ends;
  if (!find_clause(block, enter, nodes, ends)) return;
  Node* handler = enter->inputs[0];
  int base = static_cast<int>(enter->imm);
  for (Node* n : nodes)
    for (FrameState* s = n->state; s; s = const_cast<FrameState*>(s->parent))
      if (s->function == &vm::pseudo_functions.clause && s->base == base) s->entered = handler;
  for (auto& [b, leave] : ends) std::erase(b->nodes, leave);
  enter->op = NodeOp::Load;
  enter->aux = nullptr;
  enter->imm = offsetof(rt::Node, env);
  enter->known = kAlwaysThere;
}

}  // namespace

void make_clauses_lazy(Graph& graph) {
  if (!graph.speculate) return;
  for (Block* b : graph.blocks)
    for (size_t i = 0; i < b->nodes.size(); ++i)
      if (b->nodes[i]->op == NodeOp::ClauseEnter && !b->nodes[i]->inputs.empty()) make_lazy(b, b->nodes[i]);
}

}  // namespace eddy::jit
