// Continuations that are not made. A clause that captures once gets a continuation that nobody else has. It is taken apart
// where the clause is entered: the fiber that performs and what its context was are values, and performers in machine code
// hand over just these (CodegenBase::captured_entry). Where the clause resumes it, this is all that is needed. It is made
//
//   - where it is wanted as a value: stored, given to what is called, dropped;
//   - in front of whatever may collect, or let somebody look at the fibers: only a continuation keeps alive those that are
//     captured. Allocations are no such thing here, for they are made in old space where the nursery is full;
//   - in front of loops, and where such a way meets another on which it has been made or resumed;
//   - where code leaves, by the frame state (FrameState::objects).
//
// Its guard (GUARD) is set up no earlier. What asks for one that has been resumed (to drop it if it has not, or to resume it once
// more, which fails) gets another that has been (Graph::spent).
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "jit/build/switching.h"
#include "jit/passes/loops.h"
#include "jit/passes/passes.h"
#include "runtime/statistics.h"

namespace eddy::jit {

namespace {

class Continuations {
 public:
  Continuations(Graph& graph, Node* k) : g_(graph), k_(k) {
    for (const Block* b : g_.blocks)
      for (const Node* n : b->nodes)
        if (n->op == NodeOp::Copy && strip(n) == k_) names_.insert(n);
    names_.insert(k_);
  }

  void run() {
    walk(false);
    if (!resumed_) return;
    take_apart();
    walk(true);
    rename();
    // There is nothing to drop of one that has been resumed.
    for (Block* b : g_.blocks)
      std::erase_if(b->nodes, [&](const Node* n) { return n->op == NodeOp::DropUnused && is_spent(strip(n->inputs[0])); });
    simplify_phis(g_);
    remove_dead(g_);
    g_.place_stage();
  }

 private:
  // How it stands on a way.
  struct At {
    bool apart = false;
    const vm::Word* guard = nullptr;  // the instruction, where its record is still to be made
    std::vector<Node*> names;         // copies that would be there
    bool operator==(const At&) const = default;
  };

  bool is_spent(const Node* n) const { return n->is_const() && n->imm == static_cast<int64_t>(g_.spent); }
  bool is_name(const Node* n) const { return names_.count(n) != 0; }

  // --- the way along which it is apart
  void walk(bool change) {
    change_ = change;
    std::unordered_map<const Block*, At> ends;
    for (Block* b : std::vector<Block*>(g_.blocks)) {
      At at = b == g_.blocks[0] ? At{true, nullptr, {}} : entering(b, ends);
      visit(b, at);
      ends[b] = std::move(at);
    }
  }

  At entering(Block* b, std::unordered_map<const Block*, At>& ends) {
    bool together = !b->loop && !b->preds.empty();
    for (const Node* phi : b->phis) together &= std::none_of(phi->inputs.begin(), phi->inputs.end(), [&](const Node* i) { return is_name(i); });
    const At* first = nullptr;
    for (const Block* p : b->preds) {
      auto end = ends.find(p);
      together &= end != ends.end() && end->second.apart && (!first || first->guard == end->second.guard);
      if (end != ends.end() && !first) first = &end->second;
    }
    if (together) {
      At at = *first;
      for (const Block* p : b->preds)
        std::erase_if(at.names, [&](Node* n) { return std::find(ends[p].names.begin(), ends[p].names.end(), n) == ends[p].names.end(); });
      return at;
    }
    if (!change_) return {};
    for (Block* p : std::vector<Block*>(b->preds)) {
      auto end = ends.find(p);
      if (end == ends.end() || !end->second.apart) continue;
      At at = end->second;
      Block* from = p->succs.size() > 1 ? split(g_, p, b) : p;
      size_t place = from->nodes.size() - 1;
      make(from, place, at);
      if (from == p) end->second = at;
    }
    return {};
  }

  void visit(Block* b, At& at) {
    for (size_t i = 0; i < b->nodes.size() && at.apart; ++i) {
      Node* n = b->nodes[i];
      if (n->op == NodeOp::Copy && is_name(n)) {
        at.names.push_back(n);
        if (change_) gone_.push_back(n);
        erase(b, i);
      } else if (n->op == NodeOp::PushGuard && is_name(n->inputs[0]) && !at.guard) {
        at.guard = static_cast<const vm::Word*>(n->aux);
        erase(b, i);
      } else if (n->op == NodeOp::PopGuard && at.guard) {
        at.guard = nullptr;
        erase(b, i);
      } else if (resumes(b, i, at)) {
        if (change_) resume(b, i, at);
        resumed_ = true;
        at = {};
      } else if (!harmless(n)) {
        if (change_) make(b, i, at);
        else at = {};
      } else if (change_) {
        settle(b, i, at);
      }
    }
  }

  void erase(Block* b, size_t& i) {
    if (change_) b->nodes.erase(b->nodes.begin() + static_cast<std::ptrdiff_t>(i--));
  }

  // It can be resumed once, whatever the instruction says.
  bool resumes(const Block* b, size_t i, const At& at) const {
    const Node* n = b->nodes[i];
    bool resumption = n->op == NodeOp::Resume;
    bool call = n->op == NodeOp::CallClosure && n->type == Type::Tagged && n->inputs.size() <= 2;
    bool tail = n->op == NodeOp::TailResume && !at.guard;
    if (!resumption && !call && !tail) return false;
    if (!is_name(n->inputs[0]) || (n->inputs.size() > 1 && is_name(n->inputs[1]))) return false;
    return !has_clauses(n->state);
  }

  void resume(Block* b, size_t i, const At& at) {
    Node* n = b->nodes[i];
    std::vector<Node*> before;
    Node* spent = constant(g_.spent);
    made_[k_][b] = spent;
    for (Node* name : at.names) made_[name][b] = spent;
    if (at.guard) before.push_back(node(b, NodeOp::PushGuard, {spent}, at.guard));
    if (n->op == NodeOp::CallClosure && g_.count) {
      before.push_back(node(b, NodeOp::Tally, {}, nullptr));
      before.back()->imm = reinterpret_cast<int64_t>(&g_.ctx->stats->resumes[static_cast<size_t>(rt::ResumeShape::Escaped)]);
    }
    Node* value = n->inputs.size() > 1 ? n->inputs[1] : constant(rt::kUnit.bits);
    if (n->op == NodeOp::TailResume) {
      n->op = NodeOp::TailTaken;
      n->inputs = {fiber_, top_, value, handler_};
    } else {
      n->op = NodeOp::ResumeTaken;
      n->inputs = {fiber_, top_, value};
    }
    n->imm = 0;
    n->aux = nullptr;
    b->nodes.insert(b->nodes.begin() + static_cast<std::ptrdiff_t>(i), before.begin(), before.end());
  }

  // Frames below clauses and handlers that are made where code leaves would have to know of it.
  static bool has_clauses(const FrameState* state) {
    if (state && !state->objects.empty() && state->objects[0].is_handler()) return true;
    for (const FrameState* s = state; s; s = s->parent)
      if (s->entered || s->entered_object >= 0) return true;
    return false;
  }

  bool harmless(const Node* n) const {
    if (has_clauses(n->state)) return false;
    if (std::any_of(n->inputs.begin(), n->inputs.end(), [&](const Node* i) { return is_name(i); })) return false;
    switch (n->op) {
      case NodeOp::Anchor: return false;
      case NodeOp::Alloc:
      case NodeOp::Box: return true;
      case NodeOp::Compare:
      case NodeOp::Branch: return compares_words(n) || settles(n);
      default: return keeps_to_itself(n);
    }
  }

  // What is compared with an Int is an Int, and most are small.
  bool settles(const Node* n) const {
    auto fits = [](const Node* i) { return is_small(i) || !i->is_const(); };
    return g_.compare_ints && (is_small(n->inputs[0]) || is_small(n->inputs[1])) && fits(n->inputs[0]) && fits(n->inputs[1]);
  }

  // A node that stays: it knows what to make where it leaves, and collects nothing.
  void settle(Block* b, size_t& i, const At& at) {
    Node* n = b->nodes[i];
    if (n->state) n->state = described(n->state, at);
    if (n->op == NodeOp::Alloc || n->op == NodeOp::Box) {
      n->op = n->op == NodeOp::Box ? NodeOp::Rebox : NodeOp::Remake;
      n->state = nullptr;
    } else if ((n->op == NodeOp::Compare || n->op == NodeOp::Branch) && !compares_words(n)) {
      for (Node* operand : n->inputs) {
        if (is_small(operand)) continue;
        Node* guard = node(b, NodeOp::GuardSmall, {operand}, nullptr);
        guard->state = n->state;
        guard->reason = Reason::Order;
        b->nodes.insert(b->nodes.begin() + static_cast<std::ptrdiff_t>(i++), guard);
      }
      n->known = 3;
    }
  }

  FrameState* described(const FrameState* state, const At& at) {
    FrameState* all = with_values(g_, state, [](Node* n) { return n; });
    auto index = static_cast<int>(all->objects.size());
    std::vector<int> homes;
    for (FrameState* s = all; s; s = const_cast<FrameState*>(s->parent)) {
      for (const FrameState::Entry& e : s->values)
        if (is_name(e.node)) homes.push_back(e.home);
      std::erase_if(s->values, [&](const FrameState::Entry& e) { return is_name(e.node); });
    }
    bool wanted = !homes.empty() || at.guard;
    for (FrameState::Virtual& v : all->objects)
      for (FrameState::Virtual::Field& f : v.fields)
        if (f.node && is_name(f.node)) {
          f = {nullptr, index, false};
          wanted = true;
        }
    if (!wanted) return all;
    FrameState::Virtual& v = all->objects.emplace_back();
    v.header = rt::Continuation::header_of(false);
    v.fields = {{fiber_, -1, false}, {top_, -1, false}, {handler_, -1, false}};
    v.homes = std::move(homes);
    all->guard = at.guard;
    all->guarded = index;
    g_.stage(all);
    return all;
  }

  // In front of node `i`, which it comes to stand behind.
  void make(Block* b, size_t& i, At& at) {
    std::vector<Node*> made;
    made.push_back(node(b, NodeOp::Remake, {fiber_, top_, handler_}, nullptr));
    Node* k = made[0];
    k->imm = static_cast<int64_t>(rt::Continuation::header_of(false));
    k->home = k_->home;
    made_[k_][b] = k;
    for (Node* name : at.names) {
      made.push_back(node(b, NodeOp::Copy, {k}, nullptr));
      made.back()->home = name->home;
      made_[name][b] = made.back();
    }
    if (at.guard) made.push_back(node(b, NodeOp::PushGuard, {k}, at.guard));
    b->nodes.insert(b->nodes.begin() + static_cast<std::ptrdiff_t>(i), made.begin(), made.end());
    i += made.size();
    at = {};
  }

  // --- the graph
  Node* node(Block* b, NodeOp op, std::initializer_list<Node*> inputs, const vm::Word* pc) {
    Node* n = g_.node(op);
    n->inputs = inputs;
    n->aux = const_cast<vm::Word*>(pc);
    n->block = b;
    return n;
  }
  Node* constant(Word bits) {
    Node* n = g_.node(NodeOp::Const);
    n->imm = static_cast<int64_t>(bits);
    return n;
  }

  void take_apart() {
    Block* start = g_.blocks[0];
    auto place = std::find_if(start->nodes.begin(), start->nodes.end(), [](const Node* n) { return n->op != NodeOp::Param; });
    std::vector<Node*> words;
    for (int i = 0; i < 3; ++i) {
      Node* n = node(start, NodeOp::Captured, {}, nullptr);
      n->imm = i;
      n->home = g_.spill_slot();
      words.push_back(n);
    }
    fiber_ = words[0];
    top_ = words[1];
    handler_ = words[2];
    start->nodes.insert(place, words.begin(), words.end());
  }

  // Where it was made, what asks for it gets that.
  void rename() {
    gone_.push_back(k_);
    for (Node* name : gone_) {
      known_ = made_[name];
      auto now = [&](Block* b) {
        Node* n = at_end(name, b);
        if (!n) g_.failure = "a continuation is nowhere";
        return n ? n : name;
      };
      for (size_t i = 0; i < g_.blocks.size(); ++i) {
        Block* b = g_.blocks[i];
        for (size_t f = 0; f < b->phis.size(); ++f) {
          Node* phi = b->phis[f];
          for (size_t p = 0; p < phi->inputs.size(); ++p)
            if (phi->inputs[p] == name) phi->inputs[p] = now(b->preds[p]);
        }
        for (Node* n : b->nodes) {
          for (Node*& input : n->inputs)
            if (input == name) input = now(b);
          if (!any_value(n->state, [&](const Node* v) { return v == name; })) continue;
          Node* n_now = now(b);
          n->state = with_values(g_, n->state, [&](Node* v) { return v == name ? n_now : v; });
        }
      }
    }
  }

  // What it is at the end of a block; null where it is nowhere. No recursion, the graph may be deep.
  Node* at_end(Node* name, Block* b) {
    std::vector<std::pair<Block*, size_t>> work{{b, 0}};
    while (!work.empty()) {
      auto& [here, next] = work.back();
      if (next == 0 && known_.count(here)) {
        work.pop_back();
        continue;
      }
      if (next == 0 && here->preds.size() > 1) {
        Node* phi = node(here, NodeOp::Phi, {}, nullptr);
        phi->home = name->home;
        phi->inputs.assign(here->preds.size(), nullptr);
        here->phis.push_back(phi);
        known_[here] = phi;
      }
      if (next < here->preds.size()) {
        Block* pred = here->preds[next++];
        work.push_back({pred, 0});
        continue;
      }
      if (here->preds.size() == 1) {
        known_[here] = known_[here->preds[0]];
      } else if (here->preds.empty()) {
        known_[here] = nullptr;
      } else {
        Node* phi = known_[here];
        for (size_t i = 0; i < here->preds.size(); ++i) {
          phi->inputs[i] = known_[here->preds[i]];
          if (!phi->inputs[i]) {
            g_.failure = "a continuation is nowhere";
            phi->inputs[i] = phi;
          }
        }
      }
      work.pop_back();
    }
    return known_[b];
  }

  Graph& g_;
  Node* k_;
  std::unordered_set<const Node*> names_;      // it and its copies
  Node *fiber_ = nullptr, *top_ = nullptr, *handler_ = nullptr;
  std::vector<Node*> gone_;                    // copies that are made with it
  std::unordered_map<Node*, std::unordered_map<Block*, Node*>> made_;
  std::unordered_map<Block*, Node*> known_;
  bool change_ = false, resumed_ = false;
};

}  // namespace

void take_continuations_apart(Graph& graph) {
  if (!graph.speculate || graph.osr || graph.raw_params || graph.blocks[0]->loop || graph.ctx->on_effect || !graph.spent) return;
  for (Node* n : graph.blocks[0]->nodes)
    if (n->op == NodeOp::Param && n->imm == graph.function->params - 1) return Continuations(graph, n).run();
}

}  // namespace eddy::jit
