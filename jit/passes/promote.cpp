// Keeps variables in registers while a loop runs: fields of cells (a handler's state, a captured variable) that hold
// small Ints. They are read in front of the loop and written back behind it; where code leaves in the middle, the
// frame state says what memory has yet to be told.
//
// Each such field is like one more register of the bytecode: what is stored is a copy with the field's own slot.
#include <algorithm>
#include <map>
#include <set>

#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

constexpr size_t kMaxFields = 6;

struct Field {
  Node* object = nullptr;
  Node* kept = nullptr;       // the object, in a slot that stays
  int64_t offset = 0;
  int home = kNoHome;
  bool stored = false, good = true;
  std::vector<Node*> at_end;  // by block id: its value there
};

class Promote {
 public:
  Promote(Graph& graph, const Loop& loop) : g_(graph), loop_(loop) {}

  void run() {
    if (!is_quiet(loop_) || !g_.move_checks || !g_.speculate) return;
    find_fields();
    if (fields_.empty() || fields_.size() > kMaxFields) return;
    in_front();
    for (Block* b : loop_.blocks) walk(b);
    close();
    pending();
    behind();
  }

 private:
  bool is_cell(const Node* object) const {
    for (const Node* n : loop_.before->nodes)
      if (n->op == NodeOp::CheckKind && n->inputs[0] == object && n->imm == static_cast<int64_t>(rt::Kind::Cell)) return true;
    return false;
  }

  static bool reads(const Node* n) { return n->op == NodeOp::Load; }
  static bool writes(const Node* n) { return n->op == NodeOp::Store || n->op == NodeOp::StoreWord; }

  void find_fields() {
    // In an order that is the same in every run. What is no field has no node.
    using Place = std::pair<Node*, int64_t>;
    auto earlier = [](const Place& a, const Place& b) {
      auto rank = [](const Place& p) { return std::pair(p.first ? p.first->id + 1 : 0, p.second); };
      return rank(a) < rank(b);
    };
    std::map<Place, Field, decltype(earlier)> found;
    std::map<Place, std::vector<Place>, decltype(earlier)> copied;
    std::set<int64_t> wild;  // offsets of fields of objects that are not known in front of the loop
    for (Block* b : loop_.blocks)
      for (Node* n : b->nodes) {
        if (n->op == NodeOp::StoreFloat || n->op == NodeOp::LoadFloat) wild.insert(n->imm);
        if (!reads(n) && !writes(n)) continue;
        Node* object = n->inputs[0];
        if (loop_.defines(object) || object->remade() || !is_cell(object)) {
          wild.insert(n->imm);
          continue;
        }
        Field& f = found[{object, n->imm}];
        f.object = object;
        f.offset = n->imm;
        if (!writes(n)) continue;
        f.stored = true;
        Node* value = n->inputs[1];
        if (!is_small(value)) copied[{object, n->imm}].push_back(stored_field(value));
      }
    // What is no small Int by itself is one where it comes from such a field.
    for (bool changed = true; changed;) {
      changed = false;
      for (auto& [key, f] : found) {
        if (!f.good) continue;
        bool stays = !wild.count(f.offset);
        for (const auto& source : copied[key]) {
          auto from = found.find(source);
          stays &= from != found.end() && from->second.good && from->second.stored;
        }
        if (stays) continue;
        f.good = false;
        wild.insert(f.offset);
        changed = true;
      }
    }
    for (auto& [key, f] : found)
      if (f.stored && !wild.count(f.offset)) fields_.push_back(f);
    // Fields that are only read may be those that are written, by another name.
    for (auto& [key, f] : found)
      if (!f.stored && !wild.count(f.offset) &&
          std::any_of(fields_.begin(), fields_.end(), [&](const Field& o) { return o.offset == f.offset; }))
        fields_.push_back(f);
  }

  // What a loaded value was loaded from.
  static std::pair<Node*, int64_t> stored_field(Node* value) {
    value = strip(value);
    if (!reads(value)) return {nullptr, 0};
    return {value->inputs[0], value->imm};
  }

  void in_front() {
    for (Field& f : fields_) f.kept = f.object;
    for (size_t i = 0; i < fields_.size(); ++i)
      for (size_t k = 0; k < i; ++k) {
        if (fields_[i].offset != fields_[k].offset) continue;
        Node* check = append(g_, loop_.before, NodeOp::CheckDistinct, {fields_[i].object, fields_[k].object});
        check->state = loop_.anchor->state;
        check->reason = Reason::Moved;
      }
    for (Field& f : fields_) {
      if (!g_.is_spill(f.object->home)) {
        Node* copy = append(g_, loop_.before, NodeOp::Copy, {f.object});
        copy->home = g_.spill_slot();
        f.kept = copy;
      }
      f.home = g_.spill_slot();
      f.at_end.assign(g_.block_store.size(), nullptr);
      Node* first = append(g_, loop_.before, NodeOp::Load, {f.object});
      first->imm = f.offset;
      first->home = f.home;
      Node* guard = append(g_, loop_.before, NodeOp::GuardSmall, {first});
      guard->state = loop_.anchor->state;
      guard->reason = Reason::Moved;
      Node* phi = make_phi(f, loop_.header);
      for (Block* p : loop_.header->preds) phi->inputs.push_back(p == loop_.before ? first : nullptr);
      phis_.push_back({phi, static_cast<size_t>(&f - fields_.data())});
    }
  }

  Node* make_phi(const Field& f, Block* b) {
    Node* phi = g_.node(NodeOp::Phi);
    phi->home = f.home;
    phi->small = true;
    phi->block = b;
    b->phis.push_back(phi);
    return phi;
  }

  Field* field_of(Node* n) {
    for (Field& f : fields_)
      if (f.object == n->inputs[0] && f.offset == n->imm) return &f;
    return nullptr;
  }

  void walk(Block* b) {
    std::vector<Node*> now;
    for (Field& f : fields_) {
      if (b == loop_.header) {
        size_t before = fields_.size() - now.size();
        now.push_back(b->phis[b->phis.size() - before]);
        continue;
      }
      Node* first = f.at_end[b->preds[0]->id];
      bool same = first != nullptr;
      for (Block* p : b->preds) same &= f.at_end[p->id] == first;
      Node* value = first;
      if (!same) {
        // An inner loop's way round is not known yet.
        value = make_phi(f, b);
        for (Block* p : b->preds) value->inputs.push_back(f.at_end[p->id]);
        phis_.push_back({value, now.size()});
      }
      now.push_back(value);
    }
    std::vector<Node*> kept;
    for (Node* n : b->nodes) {
      if (n->state) at_node_.push_back({n, now});
      Field* f = reads(n) || writes(n) ? field_of(n) : nullptr;
      if (!f) {
        kept.push_back(n);
        continue;
      }
      auto index = static_cast<size_t>(f - fields_.data());
      if (reads(n)) {
        n->inputs = {now[index]};
      } else {
        Node* value = n->inputs[1];
        if (at_node_.size() && at_node_.back().node == n) at_node_.pop_back();
        if (value->is_const()) {
          now[index] = value;
          continue;
        }
        n->inputs = {value};
        n->home = f->home;
        n->type = Type::Tagged;
        n->state = nullptr;
        now[index] = n;
      }
      n->op = NodeOp::Copy;
      n->small = true;
      n->imm = 0;
      n->known = 0;
      kept.push_back(n);
    }
    b->nodes = std::move(kept);
    for (size_t i = 0; i < fields_.size(); ++i) fields_[i].at_end[b->id] = now[i];
  }

  // The ways round.
  void close() {
    for (auto& [phi, field] : phis_)
      for (size_t i = 0; i < phi->inputs.size(); ++i)
        if (!phi->inputs[i]) phi->inputs[i] = fields_[field].at_end[phi->block->preds[i]->id];
  }

  void pending() {
    for (auto& [n, now] : at_node_) {
      FrameState* state = g_.state();
      *state = *n->state;
      for (size_t i = 0; i < fields_.size(); ++i) {
        if (!fields_[i].stored) continue;
        bool there = false;
        for (const FrameState::Pending& p : state->stores)
          there |= p.object == fields_[i].kept && p.offset == fields_[i].offset;
        if (!there) state->stores.push_back({fields_[i].kept, static_cast<int>(fields_[i].offset), now[i]});
      }
      n->state = state;
    }
  }

  // On every edge that leaves the loop, a block that writes.
  void behind() {
    for (Block* b : loop_.blocks)
      for (size_t s = 0; s < b->succs.size(); ++s) {
        Block* to = b->succs[s];
        if (loop_.has(to)) continue;
        Block* between = g_.block();
        between->cold = to->cold;
        between->preds = {b};
        between->succs = {to};
        b->succs[s] = between;
        *std::find(to->preds.begin(), to->preds.end(), b) = between;
        Node* jump = g_.node(NodeOp::Jump);
        jump->block = between;
        between->nodes = {jump};
        for (const Field& f : fields_)
          if (f.stored) append(g_, between, NodeOp::StoreWord, {f.kept, f.at_end[b->id]})->imm = f.offset;
        g_.blocks.insert(std::find(g_.blocks.begin(), g_.blocks.end(), to), between);
      }
  }

  struct AtNode {
    Node* node;
    std::vector<Node*> now;
  };
  Graph& g_;
  const Loop& loop_;
  std::vector<Field> fields_;
  std::vector<std::pair<Node*, size_t>> phis_;  // with the index of the field
  std::vector<AtNode> at_node_;
};

}  // namespace

void promote_fields(Graph& graph) {
  // Each loop anew: blocks come in between.
  std::set<Block*> done;
  for (bool more = true; more;) {
    more = false;
    for (Loop& loop : find_loops(graph)) {
      if (!done.insert(loop.header).second) continue;
      Promote(graph, loop).run();
      more = true;
      break;
    }
  }
}

void remove_anchors(Graph& graph) {
  for (Block* b : graph.blocks)
    std::erase_if(b->nodes, [](const Node* n) { return n->op == NodeOp::Anchor; });
}

}  // namespace eddy::jit
