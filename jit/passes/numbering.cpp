// Finds what has been computed before: checks that a dominating one has made, and values that are somewhere already. Both
// have one number where they are the same operation on what has the same numbers.
//
// A value is used again only where its slot still holds it on every way from there (the home rule): nothing else has been
// put there, and whoever looked at the frame meanwhile found it there. What was loaded from a field is the same only if
// nothing in between may have written one.
#include <algorithm>
#include <unordered_map>

#include "jit/passes/dominators.h"
#include "jit/passes/loops.h"
#include "jit/passes/passes.h"
#include "vm/control/pseudo.h"
#include "vm/loaded.h"

namespace eddy::jit {

namespace {

constexpr size_t kMaxBetween = 400;  // nodes that are looked at for one reuse
constexpr size_t kMaxTried = 4;      // values that might be used again

enum class Sort : uint8_t { None, Check, Pure, Field, Handler };

Sort sort_of(const Node* n) {
  switch (n->op) {
    case NodeOp::GuardSmall:
    case NodeOp::CheckCon:
    case NodeOp::CheckKind:
    case NodeOp::CheckFunction: return Sort::Check;
    case NodeOp::Not:
    case NodeOp::FAdd:
    case NodeOp::FSub:
    case NodeOp::FMul:
    case NodeOp::FDiv:
    case NodeOp::FNeg:
    case NodeOp::FAbs:
    case NodeOp::FSqrt:
    case NodeOp::FRound:
    case NodeOp::IntToFloat:
    case NodeOp::Unbox:
    case NodeOp::ArrayLen:
    case NodeOp::CharCode:
    case NodeOp::CompareFloat: return Sort::Pure;
    case NodeOp::Compare: return compares_words(n) ? Sort::Pure : Sort::None;
    case NodeOp::Load:
    case NodeOp::LoadFloat:
    case NodeOp::GlobalGet: return Sort::Field;
    case NodeOp::FindNode: return Sort::Handler;
    default: return arithmetic(n->op) && n->speculative ? Sort::Pure : Sort::None;
  }
}

bool commutes(NodeOp op) {
  switch (op) {
    case NodeOp::Add:
    case NodeOp::Mul:
    case NodeOp::And:
    case NodeOp::Or:
    case NodeOp::Xor:
    case NodeOp::FAdd:
    case NodeOp::FMul: return true;
    default: return false;
  }
}

// Whether the runtime may run here, and find the frames.
bool looks_at_frames(const Node* n) {
  const NodeInfo& info = info_of(n->op);
  if (info.call) return true;
  if (!info.slow || n->fits) return false;
  if (n->op == NodeOp::Compare || n->op == NodeOp::Branch) return !compares_words(n);
  return !(n->speculative && (arithmetic(n->op) || n->op == NodeOp::ArrayGet));
}

// What is looked up: an operation on numbers, or what a check has found out of one.
struct Key {
  NodeOp op;
  int64_t imm;
  const void* aux;
  uint32_t a = 0, b = 0;
  bool operator==(const Key&) const = default;
};
struct Hash {
  size_t operator()(const Key& k) const {
    uint64_t h = static_cast<uint64_t>(k.op) * 0x9e3779b97f4a7c15u;
    for (uint64_t w : {static_cast<uint64_t>(k.imm), reinterpret_cast<uint64_t>(k.aux), uint64_t{k.a} << 32 | k.b}) {
      h = (h ^ w) * 0xff51afd7ed558ccdu;
      h ^= h >> 32;
    }
    return h;
  }
};

class Numbering {
 public:
  explicit Numbering(Graph& graph)
      : g_(graph),
        dominators_(graph),
        loops_(find_loops(graph)),
        number_(graph.node_store.size()),
        place_(graph.node_store.size()),
        seen_(graph.block_store.size()),
        newest_(graph.node_store.size() + 1),
        older_(graph.node_store.size()) {}

  void run() {
    for (const Node& n : g_.node_store) number_[n.id] = n.id + 1;
    for (Block* b : g_.blocks) {
      uint32_t at = 0;
      for (Node* n : b->nodes) place_[n->id] = at++;
    }
    for (Block* b : dominators_.order()) {
      for (Node* phi : b->phis) has(phi->id + 1, phi);
      for (Node* n : b->nodes) visit(n);
    }
    if (gone_.empty()) return;
    std::sort(gone_.begin(), gone_.end());
    for (Block* b : g_.blocks)
      std::erase_if(b->nodes, [&](const Node* n) { return std::binary_search(gone_.begin(), gone_.end(), n->id); });
  }

 private:
  uint32_t number(const Node* n) {
    if (!n->remade()) return number_[n->id];
    return constants_.try_emplace({n->op, n->imm, nullptr}, n->id + 1).first->second;
  }

  Key key_of(const Node* n, Sort sort) {
    if (sort == Sort::Handler) return {n->op, n->imm, nullptr, static_cast<const vm::PerformCell*>(n->aux)->effect};
    Key k{n->op, n->imm, n->op == NodeOp::Load ? nullptr : n->aux};
    if (!n->inputs.empty()) k.a = number(n->inputs[0]);
    if (n->inputs.size() > 1) k.b = number(n->inputs[1]);
    if (commutes(n->op) && k.b < k.a) std::swap(k.a, k.b);
    return k;
  }

  void has(uint32_t number, Node* n) {
    older_[n->id] = newest_[number];
    newest_[number] = n;
  }

  // --- what is known
  Key small(const Node* n) { return {NodeOp::GuardSmall, 0, nullptr, number(n)}; }
  Key kind(const Node* n, rt::Kind k) { return {NodeOp::CheckKind, static_cast<int64_t>(k), nullptr, number(n)}; }

  bool is_known(const Key& key, const Node* n) const {
    auto found = known_.find(key);
    return found != known_.end() &&
           std::any_of(found->second.begin(), found->second.end(), [&](const Node* m) { return dominates(m, n); });
  }

  // What a node need not check, and what is known behind it.
  void refine(Node* n) {
    auto learn = [&](const Key& key, unsigned bit) {
      if (n->known >> bit & 1) return;
      if (is_known(key, n)) n->known |= static_cast<uint8_t>(1u << bit);
      else known_[key].push_back(n);
    };
    switch (n->op) {
      case NodeOp::ArrayGet:
      case NodeOp::ArraySet:
        if (!n->speculative) return;
        learn(kind(n->inputs[0], rt::Kind::Array), 0);
        if (!n->inputs[1]->is_const()) learn(small(n->inputs[1]), 1);
        return;
      case NodeOp::ArrayGetF:
      case NodeOp::ArraySetF:
        learn(kind(n->inputs[0], rt::Kind::FloatArray), 0);
        if (!n->inputs[1]->is_const()) learn(small(n->inputs[1]), 1);
        return;
      case NodeOp::Unbox: learn(kind(n->inputs[0], rt::Kind::Float), 0); return;
      case NodeOp::IntToFloat: learn(small(n->inputs[0]), 0); return;
      default: break;
    }
    if (!arithmetic(n->op) || !n->speculative || n->fits) return;
    for (unsigned i = 0; i < n->inputs.size(); ++i)
      if (!n->inputs[i]->is_const() && !is_small(n->inputs[i])) learn(small(n->inputs[i]), i);
  }

  // --- the walk
  void visit(Node* n) {
    if (n->op == NodeOp::Copy) {
      number_[n->id] = number(n->inputs[0]);
      has(number_[n->id], n);
      return;
    }
    if (n->op == NodeOp::StoreWord || n->op == NodeOp::Store) {
      // Who reads the field finds what was put there.
      fields_[{NodeOp::Load, n->imm, nullptr, number(n->inputs[0])}].push_back(n);
      return;
    }
    Sort sort = sort_of(n);
    if (sort == Sort::Check) {
      Key key = key_of(n, sort);
      if (is_known(key, n)) gone_.push_back(n->id);
      else known_[key].push_back(n);
      return;
    }
    refine(n);
    if (n->type != Type::None) has(n->id + 1, n);
    if (sort == Sort::None) return;
    Key key = key_of(n, sort);
    if (sort == Sort::Pure) {
      uint32_t& first = pure_[key];
      if (!first) first = n->id + 1;
      if (first == n->id + 1) return;
      number_[n->id] = first;
      if (!use_again(n, first, nullptr)) has(first, n);
      return;
    }
    std::vector<Node*>& before = fields_[key];
    for (size_t i = before.size(), tried = 0; i-- > 0 && tried < kMaxTried; ++tried) {
      Node* m = before[i];
      Node* value = m->type == Type::None ? m->inputs[1] : m;
      if (!dominates(m, n) || value->type != n->type || !unchanged(m, n, sort)) continue;
      number_[n->id] = number(value);
      if (use_again(n, number(value), value)) return;
      // Another one of the same: what hangs on it may be there. It will not fail.
      has(number_[n->id], n);
      if (sort == Sort::Handler) n->known = 1;
      break;
    }
    before.push_back(n);
  }

  bool dominates(const Node* m, const Node* n) const {
    if (m->block == n->block) return place_[m->id] < place_[n->id];
    return dominators_.dominates(m->block, n->block);
  }

  // Becomes a copy of a value with that number, of one that can be used here.
  bool use_again(Node* n, uint32_t wanted, Node* constant) {
    if (constant && constant->remade()) return become_copy(n, constant, wanted);
    size_t tried = 0;
    for (Node* m = newest_[wanted]; m && tried < kMaxTried; m = older_[m->id], ++tried) {
      if (m == n || m->type != n->type || m->home == kNoHome) continue;
      bool before = m->op == NodeOp::Phi ? dominators_.dominates(m->block, n->block) : dominates(m, n);
      if (before && !left_a_loop(m, n) && still_there(m, n)) return become_copy(n, m, wanted);
    }
    return false;
  }

  // What a loop leaves behind is copied on its ways out; who unrolls it knows of no other use.
  bool left_a_loop(const Node* m, const Node* n) const {
    return std::any_of(loops_.begin(), loops_.end(), [&](const Loop& l) { return l.has(m->block) && !l.has(n->block); });
  }

  bool become_copy(Node* n, Node* m, uint32_t wanted) {
    n->op = NodeOp::Copy;
    n->inputs = {m};
    n->small = m->small && m->op != NodeOp::Alloc;
    n->state = nullptr;
    n->imm = 0;
    n->aux = nullptr;
    n->known = 0;
    number_[n->id] = wanted;
    has(wanted, n);
    return true;
  }

  // --- what lies between
  // Whether all nodes that may run after `m` and before `n`, which it dominates, are harmless.
  template <class F>
  bool between(const Node* m, const Node* n, F harmless) {
    size_t looked = 0;
    auto part = [&](const Block* b, size_t from, size_t to) {
      for (size_t i = from; i < to; ++i)
        if (++looked > kMaxBetween || !harmless(b->nodes[i])) return false;
      return true;
    };
    auto phis = [&](const Block* b) { return std::all_of(b->phis.begin(), b->phis.end(), harmless); };
    size_t behind = m->op == NodeOp::Phi ? 0 : place_[m->id] + 1;
    if (m->block == n->block) return part(n->block, behind, place_[n->id]);
    ++round_;
    if (!phis(n->block) || !part(n->block, 0, place_[n->id])) return false;
    std::vector<const Block*> work(n->block->preds.begin(), n->block->preds.end());
    while (!work.empty()) {
      const Block* b = work.back();
      work.pop_back();
      if (seen_[b->id] == round_) continue;
      seen_[b->id] = round_;
      size_t from = b == m->block ? behind : 0;
      if (!part(b, from, b->nodes.size())) return false;
      if (b == m->block) continue;
      if (!phis(b)) return false;
      work.insert(work.end(), b->preds.begin(), b->preds.end());
    }
    return true;
  }

  // Its slot holds it, and did whenever somebody looked.
  bool still_there(const Node* m, const Node* n) {
    return between(m, n, [&](const Node* x) {
      if (x->home == m->home && x->type != Type::None && !x->remade()) return false;
      if (x->op == NodeOp::ClauseEnter) {
        int base = static_cast<int>(x->imm);
        if (m->home >= base - 1 && m->home < base + static_cast<int>(vm::ClauseFrame::kWords)) return false;
      }
      if (!looks_at_frames(x)) return true;
      for (const FrameState* s = x->state; s; s = s->parent)
        for (const FrameState::Entry& e : s->values)
          if (e.node == m && e.home == m->home) return true;
      return false;
    });
  }

  // What was found there is what would be found now.
  bool unchanged(const Node* m, const Node* n, Sort sort) {
    return between(m, n, [&](const Node* x) {
      if (x == m) return true;
      if (info_of(x->op).call) return false;
      switch (x->op) {
        case NodeOp::Store:
        case NodeOp::StoreWord:
        case NodeOp::StoreFloat: return sort != Sort::Field || n->op == NodeOp::GlobalGet || x->imm != n->imm;
        case NodeOp::SetUp: return sort != Sort::Field;
        case NodeOp::GlobalSet: return n->op != NodeOp::GlobalGet;
        case NodeOp::Handle:
        case NodeOp::HandleEnd:
        case NodeOp::HandleAbort:
        case NodeOp::ClauseEnter:
        case NodeOp::ClauseLeave:
        case NodeOp::PushGuard:
        case NodeOp::PopGuard:
        case NodeOp::PushNamed:
        case NodeOp::PopNamed: return sort != Sort::Handler;
        default: return true;
      }
    });
  }

  Graph& g_;
  Dominators dominators_;
  std::vector<Loop> loops_;
  std::vector<uint32_t> number_, place_, seen_;
  uint32_t round_ = 0;
  std::unordered_map<Key, uint32_t, Hash> constants_, pure_;
  std::unordered_map<Key, std::vector<Node*>, Hash> known_, fields_;
  std::vector<Node*> newest_, older_;  // of a number; by node, the one before it
  std::vector<uint32_t> gone_;
};

}  // namespace

void number_values(Graph& graph) { Numbering(graph).run(); }

}  // namespace eddy::jit
