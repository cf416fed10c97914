// Small loops several rounds at a time: one jump back and one poll for all of them, and no moves between rounds. Each
// round keeps its tests, so nothing has to be known of how often it runs; only for the stack that the calls of a recursion
// would have taken is asked once.
//
// Only loops whose values were set apart (detach.cpp): what is wanted behind them is copied on the ways out.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

constexpr size_t kMaxBody = 40, kMaxMade = 120, kMaxRounds = 4;

class Unroll {
 public:
  Unroll(Graph& graph, Loop& loop) : g_(graph), loop_(loop) {}

  void run() {
    unsigned rounds = suits();
    if (rounds < 2) return;
    gather();
    foresee(rounds);
    for (unsigned round = 1; round < rounds; ++round) copy();
    close();
    behind();
  }

 private:
  struct Way {
    Block* exit;                          // of the first round: copies and a jump
    std::vector<Block*> others;
  };

  // How many rounds are worth it.
  unsigned suits() {
    Block* header = loop_.header;
    if (header->preds.size() != 2) return 0;
    back_ = header->preds[0] == loop_.before ? 1 : 0;
    latch_ = header->preds[back_];
    if (latch_->succs.size() != 1) return 0;
    size_t nodes = 0;
    for (const Block* b : loop_.blocks) {
      if (b != header && b->loop) return 0;
      for (Block* s : b->succs)
        if (!loop_.has(s) && !only_copies(s)) return 0;
      for (const Node* n : b->nodes) nodes += n->op != NodeOp::Copy && n->op != NodeOp::Jump;
    }
    if (nodes == 0 || nodes > kMaxBody || used_outside()) return 0;
    for (Block* b : loop_.blocks)
      for (Block* s : b->succs)
        if (!loop_.has(s)) ways_.push_back({s, {}});
    return static_cast<unsigned>(std::min(kMaxRounds, kMaxMade / nodes));
  }

  // Whether somebody behind the loop asks for more than what is copied on its ways out: it was not set apart.
  bool used_outside() const {
    std::unordered_set<const Block*> exits;
    for (const Block* b : loop_.blocks)
      for (const Block* s : b->succs)
        if (!loop_.has(s)) exits.insert(s);
    bool used = false;
    auto use = [&](const Node* n) { used |= loop_.defines(n); };
    for (const Block* b : g_.blocks) {
      if (loop_.has(b)) continue;
      for (const Node* phi : b->phis)
        for (const Node* i : phi->inputs) use(i);
      if (exits.count(b)) continue;
      for (const Node* n : b->nodes) {
        for (const Node* i : n->inputs) use(i);
        for (const FrameState* s = n->state; s; s = s->parent) each_value(s, use);
      }
    }
    return used;
  }

  // The loop's blocks stand together, what it leaves for behind them.
  void gather() {
    auto from = std::find(g_.blocks.begin(), g_.blocks.end(), loop_.header);
    std::vector<Block*> outside;
    std::copy_if(from, g_.blocks.end(), std::back_inserter(outside), [&](Block* b) { return !loop_.has(b); });
    loop_.blocks.clear();
    std::copy_if(from, g_.blocks.end(), std::back_inserter(loop_.blocks), [&](Block* b) { return loop_.has(b); });
    g_.blocks.erase(from, g_.blocks.end());
    g_.blocks.insert(g_.blocks.end(), loop_.blocks.begin(), loop_.blocks.end());
    behind_ = std::move(outside);
    end_ = latch_;
  }

  // Where a recursion became a loop, one look at how deep it would be is enough for all rounds: it ends at the start of the
  // recursion, so it may as well come some calls too early.
  void foresee(unsigned rounds) {
    for (Block* b : loop_.blocks)
      for (Node* check : b->nodes) {
        if (check->op != NodeOp::CheckOrder || check->reason != Reason::Depth) continue;
        Node* left = check->inputs[0];
        if (left->op != NodeOp::Sub || left->inputs[0]->block != loop_.header || !is_small_constant(left->inputs[1])) return;
        left->inputs[1] = small_int(g_, constant_of(left->inputs[1]) * rounds);
        once_ = {left, check};
        for (Node* n : once_) {
          std::erase(n->block->nodes, n);
          n->block = loop_.header;
        }
        loop_.header->nodes.insert(loop_.header->nodes.begin(), once_.begin(), once_.end());
        return;
      }
  }

  Node* now(Node* n) const {
    auto found = values_.find(n);
    return found == values_.end() ? n : found->second;
  }

  // One more round.
  void copy() {
    std::unordered_map<Node*, Node*> values;
    for (Node* phi : loop_.header->phis) {
      Node* brought = phi->inputs[back_];
      // What is copied to the phi's place for the next round need not be, and the same again: but frame states name no value that
      // another slot of the frame holds.
      for (unsigned i = 0; i < 2 && brought->op == NodeOp::Copy && brought->block == latch_; ++i) {
        Node* source = brought->inputs[0];
        if (!source->remade() && !loop_.defines(source) && !g_.is_spill(source->home)) break;
        brought = source;
      }
      values[phi] = now(brought);
    }
    values_ = std::move(values);
    homes_.clear();
    std::unordered_map<Block*, Block*> made;
    for (Block* b : loop_.blocks) {
      Block* c = made[b] = g_.block();
      c->cold = b->cold;
      g_.blocks.push_back(c);
      if (b != loop_.header)
        for (Node* phi : b->phis) c->phis.push_back(clone(phi, c));
      for (Node* n : b->nodes)
        if (std::find(once_.begin(), once_.end(), n) == once_.end()) c->nodes.push_back(clone(n, c));
    }
    std::unordered_map<const FrameState*, FrameState*> states;
    for (Block* b : loop_.blocks) {
      Block* c = made[b];
      for (auto* list : {&c->phis, &c->nodes})
        for (Node* n : *list) {
          for (Node*& i : n->inputs) i = now(i);
          if (!n->state) continue;
          FrameState*& state = states[n->state];
          if (!state) state = with_values(g_, n->state, [&](Node* x) { return now(x); });
          n->state = state;
        }
      if (b != loop_.header)
        for (Block* p : b->preds) c->preds.push_back(made[p]);
      for (Block* s : b->succs)
        c->succs.push_back(b == latch_ ? loop_.header : loop_.has(s) ? made[s] : leave(s, c));
    }
    for (Block* b : round_) remove_polls(b);
    round_.clear();
    for (Block* b : loop_.blocks) round_.push_back(made[b]);
    Block* entry = made[loop_.header];
    end_->succs[0] = entry;
    entry->loop = false;
    entry->preds = {end_};
    end_ = made[latch_];
  }

  static void remove_polls(Block* b) {
    std::erase_if(b->nodes, [](const Node* n) { return n->op == NodeOp::Poll; });
  }

  Node* clone(Node* n, Block* b) {
    Node* c = g_.node(n->op);
    uint32_t id = c->id;
    *c = *n;
    c->id = id;
    c->block = b;
    if (n->type != Type::None && n->home != kNoHome && !feeds(n)) {
      int& home = homes_.try_emplace(n->home, kNoHome).first->second;
      if (home == kNoHome) home = g_.spill_slot();
      c->home = home;
    }
    values_[n] = c;
    return c;
  }

  // What goes to the place of a phi of the loop's start.
  bool feeds(const Node* n) const {
    return std::any_of(loop_.header->phis.begin(), loop_.header->phis.end(),
                       [&](const Node* phi) { return phi->home == n->home; });
  }

  // The same copies for this round.
  Block* leave(Block* exit, Block* from) {
    Block* b = g_.block();
    b->cold = exit->cold;
    b->preds = {from};
    std::unordered_map<Node*, Node*> copies;  // of these, some may be copied again
    for (Node* n : exit->nodes) {
      Node* c = copies[n] = g_.node(n->op);
      uint32_t id = c->id;
      *c = *n;
      c->id = id;
      c->block = b;
      for (Node*& i : c->inputs) {
        auto here = copies.find(i);
        i = here == copies.end() ? now(i) : here->second;
      }
      b->nodes.push_back(c);
    }
    std::find_if(ways_.begin(), ways_.end(), [&](const Way& w) { return w.exit == exit; })->others.push_back(b);
    return b;
  }

  void close() {
    // One in the last round is enough.
    for (Block* b : loop_.blocks) remove_polls(b);
    loop_.header->preds[back_] = end_;
    for (Node* phi : loop_.header->phis) phi->inputs[back_] = now(phi->inputs[back_]);
  }

  // The rounds' ways out meet again.
  void behind() {
    std::unordered_map<Node*, Node*> met;
    std::vector<Block*> blocks;
    for (const Way& way : ways_) {
      Block* meet = g_.block();
      Block* to = way.exit->succs[0];
      meet->cold = way.exit->cold;
      meet->succs = {to};
      *std::find(to->preds.begin(), to->preds.end(), way.exit) = meet;
      Node* jump = g_.node(NodeOp::Jump);
      jump->block = meet;
      meet->nodes = {jump};
      meet->preds = {way.exit};
      way.exit->succs[0] = meet;
      for (Block* b : way.others) {
        b->succs = {meet};
        meet->preds.push_back(b);
      }
      for (size_t i = 0; i + 1 < way.exit->nodes.size(); ++i) {
        Node* first = way.exit->nodes[i];
        Node* phi = g_.node(NodeOp::Phi);
        phi->type = first->type;
        phi->small = first->small;
        phi->home = first->home;
        phi->block = meet;
        phi->inputs = {first};
        for (Block* b : way.others) phi->inputs.push_back(b->nodes[i]);
        meet->phis.push_back(phi);
        met[first] = phi;
      }
      blocks.insert(blocks.end(), way.others.begin(), way.others.end());
      std::erase(behind_, way.exit);
      blocks.push_back(way.exit);
      blocks.push_back(meet);
    }
    replace(met);
    g_.blocks.insert(g_.blocks.end(), blocks.begin(), blocks.end());
    g_.blocks.insert(g_.blocks.end(), behind_.begin(), behind_.end());
  }

  // What follows uses what the ways out bring.
  void replace(const std::unordered_map<Node*, Node*>& met) {
    if (met.empty()) return;
    auto change = [&](Node*& n) {
      auto found = met.find(n);
      if (found != met.end()) n = found->second;
    };
    for (Block* b : behind_) {
      for (auto* list : {&b->phis, &b->nodes})
        for (Node* n : *list) {
          for (Node*& i : n->inputs) change(i);
          for (FrameState* s = n->state; s; s = const_cast<FrameState*>(s->parent)) {
            for (FrameState::Entry& e : s->values) change(e.node);
            if (s->entered) change(s->entered);
            for (FrameState::Pending& p : s->stores) {
              change(p.object);
              change(p.value);
            }
            for (FrameState::Virtual& v : s->objects)
              for (FrameState::Virtual::Field& f : v.fields)
                if (f.node) change(f.node);
          }
        }
    }
    // Also on the way round a loop around this one.
    for (Block* b : g_.blocks)
      for (Node* phi : b->phis)
        for (Node*& i : phi->inputs) change(i);
  }

  Graph& g_;
  Loop& loop_;
  size_t back_ = 0;
  Block *latch_ = nullptr, *end_ = nullptr;  // of the first round, and of the newest
  std::vector<Way> ways_;
  std::vector<Block*> behind_, round_;
  std::unordered_map<Node*, Node*> values_;  // what stands for the first round's in the newest
  std::unordered_map<int, int> homes_;
  std::vector<Node*> once_;  // what is done for all rounds at once, in the first
};

}  // namespace

void unroll(Graph& graph) {
  // Every round takes fuel.
  if (!graph.speculate || graph.ctx->fuel_limited) return;
  std::vector<const Block*> done;
  for (bool more = true; more;) {
    more = false;
    for (Loop& loop : find_loops(graph)) {
      if (std::find(done.begin(), done.end(), loop.header) != done.end() || !polls(loop)) continue;
      done.push_back(loop.header);
      Unroll(graph, loop).run();
      more = true;
      break;
    }
  }
}

}  // namespace eddy::jit
