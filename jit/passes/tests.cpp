// Comparisons that are branched on at once, tests of one number against neighbours, and functions that give something back at once.
#include <algorithm>

#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

constexpr int64_t kZero = 1, kOne = 3;  // as tagged words
constexpr int64_t kComparable = 4096;   // without a register, everywhere

struct EqualTest {
  Node* value = nullptr;
  int64_t constant = 0;
  unsigned hit = 0;  // the successor where they are equal
};

// The end of a block, if it asks whether a small Int is a certain one.
EqualTest equal_test(const Block* b) {
  const Node* n = b->end();
  auto c = static_cast<Condition>(n->imm);
  if (n->op != NodeOp::Branch || (c != Condition::Equal && c != Condition::NotEqual)) return {};
  if (n->known != 3 || !n->inputs[1]->is_const() || n->inputs[0]->is_const()) return {};
  return {n->inputs[0], n->inputs[1]->imm, c == Condition::Equal ? 0u : 1u};
}

bool only_ends(const Block* b) { return b->preds.size() == 1 && b->phis.empty() && b->nodes.size() == 1; }

size_t index_of(const std::vector<Block*>& list, const Block* b) {
  return static_cast<size_t>(std::find(list.begin(), list.end(), b) - list.begin());
}

// Whether what follows the tests for `a` and `b` is the same if the number itself takes the constants' place.
bool same_with_number(const Block* a, int64_t ca, const Block* b, int64_t cb) {
  auto fit = [=](const Node* x, const Node* y) {
    return x == y || (x->is_const() && y->is_const() && ((x->imm == ca && y->imm == cb) || x->imm == y->imm));
  };
  const Node *x = a->end(), *y = b->end();
  if (x->op != y->op) return false;
  if (x->op == NodeOp::Return) return fit(x->inputs[0], y->inputs[0]);
  if (x->op != NodeOp::Jump || a->succs[0] != b->succs[0] || a->succs[0]->loop) return false;
  const Block* to = a->succs[0];
  size_t pa = index_of(to->preds, a), pb = index_of(to->preds, b);
  return std::all_of(to->phis.begin(), to->phis.end(), [&](const Node* phi) { return fit(phi->inputs[pa], phi->inputs[pb]); });
}

// What the block's branch asks, if it has just been compared.
Node* compared(const Block* b) {
  if (b->end()->op != NodeOp::BranchTrue || b->nodes.size() < 2) return nullptr;
  Node* compare = b->nodes[b->nodes.size() - 2];
  return compare->op == NodeOp::Compare && compare == b->end()->inputs[0] ? compare : nullptr;
}

// A Bool that nobody wants but the branch behind it, which compares in its place.
void compare_where_branched(Graph& graph) {
  if (std::none_of(graph.blocks.begin(), graph.blocks.end(), compared)) return;
  remove_dead(graph);  // and count uses
  for (Block* b : graph.blocks) {
    Node* compare = compared(b);
    if (!compare || compare->uses != 1) continue;
    b->nodes.pop_back();
    compare->op = NodeOp::Branch;
    compare->type = Type::None;
    compare->home = kNoHome;
  }
}

}  // namespace

// `if n == 0 { 0 } else if n == 1 { 1 } else …`: one test, and n.
void merge_tests(Graph& graph) {
  compare_where_branched(graph);
  std::vector<const Block*> gone;
  for (Block* first : graph.blocks) {
    EqualTest a = equal_test(first);
    if (!a.value) continue;
    Block *hit = first->succs[a.hit], *second = first->succs[1 - a.hit];
    if (!only_ends(second) || !only_ends(hit) || hit == second) continue;
    EqualTest b = equal_test(second);
    if (!b.value || strip(b.value) != strip(a.value)) continue;
    if (std::min(a.constant, b.constant) != kZero || std::max(a.constant, b.constant) != kOne) continue;
    Block *other_hit = second->succs[b.hit], *miss = second->succs[1 - b.hit];
    if (!only_ends(other_hit) || other_hit->cold != hit->cold || miss == second || miss == other_hit) continue;
    if (!same_with_number(hit, a.constant, other_hit, b.constant)) continue;
    Node* end = hit->end();
    if (end->op == NodeOp::Return) {
      if (end->inputs[0] != other_hit->end()->inputs[0] && end->inputs[0]->imm != other_hit->end()->inputs[0]->imm)
        end->inputs[0] = a.value;
    } else {
      Block* to = hit->succs[0];
      size_t pa = index_of(to->preds, hit), pb = index_of(to->preds, other_hit);
      for (Node* phi : to->phis) {
        if (phi->inputs[pa] != phi->inputs[pb] && phi->inputs[pa]->imm != phi->inputs[pb]->imm) {
          Node* copy = graph.node(NodeOp::Copy);
          copy->inputs = {a.value};
          copy->type = Type::Tagged;
          copy->home = phi->home;
          copy->small = true;
          copy->block = hit;
          copy->origin = end->origin;
          hit->nodes.insert(hit->nodes.end() - 1, copy);
          phi->inputs[pa] = copy;
        }
        phi->inputs.erase(phi->inputs.begin() + static_cast<std::ptrdiff_t>(pb));
      }
      to->preds.erase(to->preds.begin() + static_cast<std::ptrdiff_t>(pb));
    }
    Node* test = first->end();
    test->imm = static_cast<int64_t>(Condition::NotAbove);
    test->inputs[1] = second->end()->inputs[1]->imm == kOne ? second->end()->inputs[1] : test->inputs[1];
    first->succs = {hit, miss};
    std::replace(miss->preds.begin(), miss->preds.end(), second, first);
    gone.push_back(second);
    gone.push_back(other_hit);
  }
  std::erase_if(graph.blocks, [&](const Block* b) { return std::find(gone.begin(), gone.end(), b) != gone.end(); });
}

// What a function that calls itself gives back before it has done anything need not have a frame, where it is called by
// itself: others rely on the check for interrupts that making a frame is. The test moves to the entries.
void find_quick_return(Graph& graph) {
  if (graph.osr || graph.raw_params || graph.ctx->fuel_limited || graph.function->switches || graph.function->fiber_base ||
      graph.function->params > Graph::kQuickParams)
    return;
  Block* start = graph.blocks[0];
  Node* test = start->end();
  if (start->loop || test->op != NodeOp::Branch || test->known != 3 || test->inputs[0]->op != NodeOp::Param) return;
  const Node* bound = test->inputs[1];
  if (!bound->is_const() || !(bound->imm & 1) || bound->imm < 0 || bound->imm >= kComparable) return;
  bool guarded = false;
  for (const Node* n : start->nodes) {
    if (n->op == NodeOp::Param || n == test) continue;
    if (n->op != NodeOp::GuardSmall || n->inputs[0]->op != NodeOp::Param) return;
    guarded |= n->inputs[0] == test->inputs[0];
  }
  if (!guarded) return;
  bool calls_itself = false;
  for (const Block* b : graph.blocks) {
    if (b->loop) return;
    for (const Node* n : b->nodes) {
      if (n->marks_frame() || n->op == NodeOp::Resume) return;
      calls_itself |= n->op == NodeOp::Call && n->aux == static_cast<rt::Function*>(graph.function);
    }
  }
  if (!calls_itself) return;
  for (unsigned way : {0u, 1u}) {
    Block *quick = start->succs[way], *on = start->succs[1 - way];
    if (!only_ends(quick) || quick->end()->op != NodeOp::Return || quick->cold || on->preds.size() != 1 || on == quick) continue;
    const Node* result = quick->end()->inputs[0];
    if (result->type == Type::Float || !(result->remade() || result->op == NodeOp::Param)) continue;
    graph.quick = {static_cast<Condition>(test->imm), way == 0, test->inputs[0], bound, result};
    test->op = NodeOp::Jump;
    test->inputs.clear();
    test->state = nullptr;
    test->imm = 0;
    start->succs = {on};
    std::erase(graph.blocks, quick);
    return;
  }
}

}  // namespace eddy::jit
