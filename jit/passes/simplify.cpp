#include <algorithm>

#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {
Node* find(std::vector<Node*>& leader, Node* n) {
  while (leader[n->id] != n) n = leader[n->id] = leader[leader[n->id]->id];
  return n;
}
}  // namespace

void simplify_phis(Graph& graph) {
  std::vector<Node*> leader(graph.node_store.size());
  for (Node& n : graph.node_store) leader[n.id] = &n;
  bool any = false;
  for (bool changed = true; changed;) {
    changed = false;
    for (Block* b : graph.blocks)
      for (Node* phi : b->phis) {
        if (leader[phi->id] != phi) continue;
        Node* only = nullptr;
        bool same = true;
        for (Node* i : phi->inputs) {
          i = find(leader, i);
          if (i == phi || i == only) continue;
          same &= only == nullptr;
          only = i;
        }
        // One value in another slot must stay apart: the home rule.
        if (!same || !only || (!only->remade() && only->home != phi->home)) continue;
        leader[phi->id] = only;
        changed = any = true;
      }
  }
  if (!any) return;
  for (Block* b : graph.blocks)
    std::erase_if(b->phis, [&](Node* n) { return leader[n->id] != n; });
  for (Block* b : graph.blocks) {
    auto replace = [&](Node* n) {
      for (Node*& i : n->inputs) i = find(leader, i);
    };
    for (Node* n : b->phis) replace(n);
    for (Node* n : b->nodes) replace(n);
  }
  for (FrameState& s : graph.state_store)
    for (FrameState::Entry& e : s.values) e.node = find(leader, e.node);
  for (FrameState& s : graph.state_store)
    if (s.entered) s.entered = find(leader, s.entered);
  for (FrameState& s : graph.state_store)
    for (FrameState::Pending& p : s.stores) {
      p.object = find(leader, p.object);
      p.value = find(leader, p.value);
    }
  for (FrameState& s : graph.state_store)
    for (FrameState::Virtual& v : s.objects)
      for (FrameState::Virtual::Field& f : v.fields)
        if (f.node) f.node = find(leader, f.node);
}

void merge_blocks(Graph& graph) {
  std::vector<char> gone(graph.block_store.size());
  for (Block* b : graph.blocks) {
    if (gone[b->id]) continue;
    while (b->succs.size() == 1 && b->end()->op == NodeOp::Jump) {
      Block* next = b->succs[0];
      if (next == b || next->preds.size() != 1 || !next->phis.empty() || next->cold != b->cold) break;
      b->nodes.pop_back();
      for (Node* n : next->nodes) n->block = b;
      b->nodes.insert(b->nodes.end(), next->nodes.begin(), next->nodes.end());
      b->succs = next->succs;
      for (Block* s : b->succs) std::replace(s->preds.begin(), s->preds.end(), next, b);
      gone[next->id] = 1;
    }
  }
  std::erase_if(graph.blocks, [&](const Block* b) { return gone[b->id] != 0; });
}

void drop_safepoints(Graph& graph) {
  // Each takes fuel.
  if (graph.ctx->fuel_limited) return;
  auto calls = [](const Node* n) { return n->op == NodeOp::Call; };
  for (Block* b : graph.blocks)
    for (size_t i = 0; i < b->nodes.size(); ++i) {
      if (b->nodes[i]->op != NodeOp::Safepoint) continue;
      bool called = false;
      size_t end = i;
      // Back to where ways meet: loops start there at the latest.
      for (const Block* at = b; !called; at = at->preds[0], end = at->nodes.size()) {
        called = std::any_of(at->nodes.begin(), at->nodes.begin() + static_cast<std::ptrdiff_t>(end), calls);
        if (at->preds.size() != 1) break;
      }
      if (called) b->nodes.erase(b->nodes.begin() + static_cast<std::ptrdiff_t>(i--));
    }
}

void remove_dead(Graph& graph) {
  std::vector<char> alive(graph.node_store.size());
  std::vector<Node*> work;
  auto need = [&](Node* n) {
    if (alive[n->id]) return;
    alive[n->id] = 1;
    work.push_back(n);
  };
  for (Block* b : graph.blocks)
    for (Node* n : b->nodes) {
      const NodeInfo& info = info_of(n->op);
      // A check that later code relies on stays, whoever uses its result.
      // So does what may panic.
      bool may_fail = n->op == NodeOp::Div || n->op == NodeOp::Rem || n->op == NodeOp::Shl || n->op == NodeOp::GlobalGet;
      bool all_known = n->known == (1u << n->inputs.size()) - 1;
      bool checks = (info.leaves && (may_fail || !all_known)) || (n->op == NodeOp::Compare && !all_known);
      bool found_before = n->op == NodeOp::FindNode && n->known;
      if (((info.effect || checks) && !found_before) || info.call || n->op == NodeOp::Anchor) need(n);
    }
  while (!work.empty()) {
    Node* n = work.back();
    work.pop_back();
    for (Node* i : n->inputs) need(i);
    for (const FrameState* s = n->state; s; s = s->parent)
      each_value(s, need);
  }
  for (Node& n : graph.node_store) n.uses = 0;
  for (Block* b : graph.blocks) {
    auto dead = [&](Node* n) { return !alive[n->id]; };
    std::erase_if(b->phis, dead);
    std::erase_if(b->nodes, dead);
    for (auto* list : {&b->phis, &b->nodes})
      for (Node* n : *list) {
        for (Node* i : n->inputs) ++i->uses;
        for (const FrameState* s = n->state; s; s = s->parent)
          each_value(s, [](Node* v) { ++v->uses; });
      }
  }
}

}  // namespace eddy::jit
