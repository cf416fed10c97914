// Objects that need not be made: tuples, closures, environments, variables and boxes whose fields are all that anybody
// asks for. Their fields become values; where code leaves, the frame state says what to make (FrameState::objects).
//
// Values that may be one another (through copies, phis, and fields of such objects) form a class. A class needs no objects
// if all of it comes from allocations of one shape, nothing but its fields is used, and no frame in which one stands is
// looked at meanwhile: so while one lives nothing is called and nothing collects, and fields can live where no frame is.
//
//   - Variables (what is stored into) have one allocation and no phis, so that there is one of each at a time.
//   - What never changes has no identity: it may come into a loop from outside (it is taken apart in front), and where it is
//     wanted behind the loop it is made there.
//   - Safepoints in loops that then neither call nor allocate become polls, which leave.
#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>

#include "jit/passes/object_classes.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

constexpr size_t kMaxAllocations = 60;

// An object, as what it holds.
struct Instance;
struct Part {
  Node* value = nullptr;
  Instance* object = nullptr;
  bool operator==(const Part&) const = default;
};
struct Instance {
  uint32_t of = 0;
  std::vector<Part> parts;   // of what never changes
  int variable = -1;         // the first of as many as there are fields, of what changes
};

class Objects : ObjectClasses {
 public:
  explicit Objects(Graph& graph) : ObjectClasses(graph) {}

  void run() {
    size_t count = 0;
    for (const Block* b : g_.blocks)
      for (const Node* n : b->nodes) count += allocates(n);
    if (!count || count > kMaxAllocations) return;
    classify();
    judge();
    if (std::none_of(parent_.begin(), parent_.end(), [&](uint32_t c) { return find(c) == c && is_virtual(c); })) return;
    rewrite();
  }

 private:
  // --- the graph without them
  void rewrite() {
    for (uint32_t i = 0; i < parent_.size(); ++i) {
      if (find(i) != i || !is_virtual(i) || !classes_[i].changes) continue;
      Instance* it = instance(i);
      it->variable = static_cast<int>(variables_.size());
      for (size_t k = 0; k < classes_[i].shape.fields; ++k) variables_.push_back({i, k, {}});
      single_[i] = it;
    }
    now_.assign(variables_.size(), {});
    for (const Block* b : g_.blocks)
      for (const Node* n : b->nodes)
        if (writes_field(n) && is_member(n->inputs[0])) {
          uint32_t c = class_of(n->inputs[0]);
          variables_[static_cast<size_t>(single_[c]->variable) + classes_[c].shape.index(n->imm)].stores.push_back(b);
        }
    for (Block* b : dominators_.order()) visit(b);
    feed();
    for (Block* b : g_.blocks) std::erase_if(b->phis, [&](const Node* phi) { return instances_.count(phi) != 0; });
    g_.place_stage();
    remove_dead(g_);
    g_.fields_known = true;
  }

  Instance* instance(uint32_t of) {
    Instance& i = store_.emplace_back();
    i.of = of;
    return &i;
  }
  Instance* member(const Node* n) const {
    auto found = instances_.find(n);
    return found == instances_.end() ? nullptr : found->second;
  }
  Part part_of(const Instance* i, size_t k) const { return i->variable < 0 ? i->parts[k] : now_[static_cast<size_t>(i->variable) + k]; }
  // The class of what a field holds, if that is such an object itself.
  const uint32_t* held(uint32_t of, size_t k) {
    auto f = classes_[of].fields.find(classes_[of].shape.offset(k));
    if (f == classes_[of].fields.end()) return nullptr;
    f->second = find(f->second);
    return is_virtual(f->second) ? &f->second : nullptr;
  }

  // A value in a place of its own.
  Node* keep(Node* value, Block* b, std::vector<Node*>& made) {
    if (value->remade()) return value;
    Node* copy = g_.node(NodeOp::Copy);
    copy->inputs = {value};
    copy->type = value->type;
    copy->home = g_.spill_slot();
    copy->block = b;
    made.push_back(copy);
    return copy;
  }

  // What a field gets to hold.
  Part part(uint32_t of, size_t k, Node* value, Block* b, std::vector<Node*>& made) {
    if (held(of, k)) return {nullptr, member(value)};
    return {keep(value, b, made), nullptr};
  }

  Part merged_part(uint32_t of, size_t k, Block* b) {
    if (const uint32_t* inner = held(of, k)) return {nullptr, merged(*inner, b)};
    Node* phi = g_.node(NodeOp::Phi);
    phi->type = classes_[of].raw[k] ? Type::Float : Type::Tagged;
    phi->home = g_.spill_slot();
    phi->block = b;
    phi->inputs.assign(b->preds.size(), nullptr);
    b->phis.push_back(phi);
    return {phi, nullptr};
  }
  Instance* merged(uint32_t of, Block* b) {
    Instance* i = instance(of);
    for (size_t k = 0; k < classes_[of].shape.fields; ++k) i->parts.push_back(merged_part(of, k, b));
    return i;
  }

  void visit(Block* b) {
    if (!variables_.empty()) start(b);
    for (Node* phi : std::vector<Node*>(b->phis))
      if (is_member(phi)) {
        instances_[phi] = merged(class_of(phi), b);
        object_phis_.push_back(phi);
      }
    std::vector<Node*> made;
    for (Node* n : b->nodes)
      if (visit(b, n, made)) made.push_back(n);
    b->nodes = std::move(made);
    if (!variables_.empty()) at_end_[b] = now_;
  }

  // What variables hold where a block starts.
  void start(Block* b) {
    for (size_t v = 0; v < variables_.size(); ++v) {
      Part first;
      bool any = false, same = true, defined = !b->preds.empty(), back = false;
      for (const Block* p : b->preds) {
        auto end = at_end_.find(p);
        if (end == at_end_.end()) {
          back = true;
          continue;
        }
        Part now = end->second[v];
        defined &= now.value || now.object;
        if (!any) first = now;
        same &= now == first;
        any = true;
      }
      bool written = back && std::any_of(variables_[v].stores.begin(), variables_[v].stores.end(), [&](const Block* s) { return dominators_.dominates(b, s); });
      now_[v] = {};
      if (!defined || !any) continue;
      if (same && !written) {
        now_[v] = first;
        continue;
      }
      now_[v] = merged_part(variables_[v].of, variables_[v].field, b);
      variable_phis_.push_back({b, now_[v], v});
    }
  }

  // Whether a node stays.
  bool visit(Block* b, Node* n, std::vector<Node*>& made) {
    Node* object = n->inputs.empty() || n->inputs[0]->remade() ? nullptr : n->inputs[0];
    Instance* of = object ? member(object) : nullptr;
    if (allocates(n) && is_virtual(class_of(n))) {
      uint32_t c = class_of(n);
      Instance* it = classes_[c].changes ? single_[c] : instance(c);
      for (size_t k = 0; k < n->inputs.size(); ++k) {
        Part p = part(c, k, n->inputs[k], b, made);
        if (it->variable < 0) it->parts.push_back(p);
        else now_[static_cast<size_t>(it->variable) + k] = p;
      }
      instances_[n] = it;
      return false;
    }
    if (of) {
      const Shape& s = classes_[of->of].shape;
      switch (n->op) {
        case NodeOp::Copy: instances_[n] = of; return false;
        case NodeOp::Load:
        case NodeOp::LoadFloat:
        case NodeOp::Unbox: {
          Part p = part_of(of, n->op == NodeOp::Unbox ? 0 : s.index(n->imm));
          if (p.object) {
            instances_[n] = p.object;
            return false;
          }
          n->op = NodeOp::Copy;
          n->inputs = {p.value};
          n->imm = 0;
          n->aux = nullptr;
          n->known = 0;
          n->state = nullptr;
          return true;
        }
        case NodeOp::Store:
        case NodeOp::StoreWord:
        case NodeOp::StoreFloat:
          now_[static_cast<size_t>(of->variable) + s.index(n->imm)] = part(of->of, s.index(n->imm), n->inputs[1], b, made);
          return false;
        case NodeOp::CheckCon:
        case NodeOp::CheckKind:
        case NodeOp::CheckFunction: return false;
        default: break;
      }
    }
    for (Node*& i : n->inputs)
      if (Instance* wanted = member(i)) i = make(wanted, i->home, b, made);
    if (!mentions(n->state)) return true;
    n->state = described(n->state);
    if (n->op == NodeOp::Safepoint) {
      n->op = NodeOp::Poll;
      n->reason = Reason::Request;
    }
    return true;
  }

  Node* make(const Instance* it, int home, Block* b, std::vector<Node*>& made) {
    const Shape& s = classes_[it->of].shape;
    std::vector<Node*> parts;
    for (size_t k = 0; k < s.fields; ++k) {
      Part p = part_of(it, k);
      parts.push_back(p.object ? make(p.object, g_.spill_slot(), b, made) : p.value);
    }
    Node* n = g_.node(s.kind() == rt::Kind::Float ? NodeOp::Rebox : NodeOp::Remake);
    n->inputs = std::move(parts);
    if (n->op == NodeOp::Remake) {
      n->imm = static_cast<int64_t>(s.header);
      n->aux = s.first;
      n->small = s.has_first;
    }
    n->home = home;
    n->block = b;
    made.push_back(n);
    return n;
  }

  // --- frame states
  bool mentions(const FrameState* state) const {
    for (const FrameState* s = state; s; s = s->parent)
      for (const FrameState::Entry& e : s->values)
        if (member(e.node)) return true;
    if (state)
      for (const FrameState::Virtual& v : state->objects)
        for (const FrameState::Virtual::Field& f : v.fields)
          if (f.node && member(f.node)) return true;
    return false;
  }

  FrameState* described(const FrameState* state) {
    FrameState* all = with_values(g_, state, [](Node* n) { return n; });
    std::map<const Instance*, int> known;
    size_t handlers = all->objects.size();
    for (FrameState* s = all; s; s = const_cast<FrameState*>(s->parent)) {
      for (const FrameState::Entry& e : s->values)
        if (Instance* it = member(e.node)) {
          int index = describe(*all, it, known);
          all->objects[static_cast<size_t>(index)].homes.push_back(e.home);
        }
      std::erase_if(s->values, [&](const FrameState::Entry& e) { return member(e.node) != nullptr; });
    }
    // Environments of handlers that are there already.
    for (size_t i = 0; i < handlers; ++i)
      for (size_t k = 0; k < all->objects[i].fields.size(); ++k)
        if (Node* env = all->objects[i].fields[k].node; env && member(env)) {
          int index = describe(*all, member(env), known);
          all->objects[i].fields[k] = {nullptr, index, false};
        }
    g_.stage(all);
    return all;
  }

  // They are nested a few levels deep at most: none contains itself.
  int describe(FrameState& state, const Instance* it, std::map<const Instance*, int>& known) {
    auto [found, fresh] = known.try_emplace(it, static_cast<int>(state.objects.size()));
    int index = found->second;
    if (!fresh) return index;
    const Shape& s = classes_[it->of].shape;
    state.objects.push_back({s.header, s.first, s.has_first, {}, {}, INT32_MIN});
    std::vector<FrameState::Virtual::Field> fields;
    for (size_t k = 0; k < s.fields; ++k) {
      Part p = part_of(it, k);
      fields.push_back({p.value, p.object ? describe(state, p.object, known) : -1, false});
    }
    state.objects[static_cast<size_t>(index)].fields = std::move(fields);
    return index;
  }

  // --- what comes to phis
  using Pairs = std::map<std::pair<uint32_t, size_t>, std::vector<std::pair<Node*, Node*>>>;

  void feed() {
    Pairs pairs;  // by block and way: phis and what comes
    for (Node* phi : object_phis_)
      for (size_t i = 0; i < phi->inputs.size(); ++i) {
        Instance* from = member(phi->inputs[i]);
        if (!from) from = taken_apart(class_of(phi), phi->inputs[i], *loop_at(phi->block));
        collect(instances_[phi], from, pairs[{phi->block->id, i}]);
      }
    for (auto& [block, to, v] : variable_phis_)
      for (size_t i = 0; i < block->preds.size(); ++i) collect(to, at_end_[block->preds[i]][v], pairs[{block->id, i}]);
    for (Block* b : std::vector<Block*>(g_.blocks))
      for (size_t i = 0; i < b->preds.size(); ++i) {
        auto found = pairs.find({b->id, i});
        if (found != pairs.end()) bring(b, i, found->second);
      }
  }

  void collect(const Instance* to, const Instance* from, std::vector<std::pair<Node*, Node*>>& pairs) {
    for (size_t k = 0; k < to->parts.size(); ++k) collect(to->parts[k], from->parts[k], pairs);
  }
  void collect(const Part& to, const Part& from, std::vector<std::pair<Node*, Node*>>& pairs) {
    if (to.object) collect(to.object, from.object, pairs);
    else pairs.push_back({to.value, from.value});
  }

  void bring(Block* b, size_t way, std::vector<std::pair<Node*, Node*>>& pairs) {
    Block* from = b->preds[way];
    bool moves = std::any_of(pairs.begin(), pairs.end(), [](const auto& p) { return !p.second->remade() && p.second != p.first; });
    if (moves && from->succs.size() > 1) from = split(g_, from, b);
    auto copy = [&](Node* value, int home) {
      Node* n = append(g_, from, NodeOp::Copy, {value});
      n->type = value->type;
      n->home = home;
      return n;
    };
    // One phi's old value for another would be overwritten.
    for (auto& [phi, value] : pairs)
      if (value->op == NodeOp::Phi && value->block == b && value != phi) value = copy(value, g_.spill_slot());
    for (auto& [phi, value] : pairs) phi->inputs[way] = value->remade() || value == phi ? value : copy(value, phi->home);
  }

  // What comes into a loop from outside: what is in it, read in front.
  Instance* taken_apart(uint32_t of, Node* object, const Loop& loop) {
    const Shape& s = classes_[of].shape;
    Instance* it = instance(of);
    auto checked = [&](Node* n) {
      n->state = loop.anchor->state;
      n->reason = Reason::Moved;
      return n;
    };
    if (s.kind() == rt::Kind::Float) {
      Node* value = checked(append(g_, loop.before, NodeOp::Unbox, {object}));
      value->home = g_.spill_slot();
      it->parts.push_back({value, nullptr});
      return it;
    }
    checked(append(g_, loop.before, NodeOp::CheckCon, {object}))->imm = s.con();
    for (size_t k = 0; k < s.fields; ++k) {
      Node* value = append(g_, loop.before, classes_[of].raw[k] ? NodeOp::LoadFloat : NodeOp::Load, {object});
      value->imm = s.offset(k);
      value->home = g_.spill_slot();
      if (const uint32_t* inner = held(of, k)) it->parts.push_back({nullptr, taken_apart(*inner, value, loop)});
      else it->parts.push_back({value, nullptr});
    }
    return it;
  }

  std::deque<Instance> store_;
  std::unordered_map<const Node*, Instance*> instances_;
  std::unordered_map<uint32_t, Instance*> single_;         // by class: the one of what changes
  struct Variable {
    uint32_t of;
    size_t field;
    std::vector<const Block*> stores;
  };
  struct VariablePhi {
    Block* block;
    Part to;
    size_t variable;
  };
  std::vector<Variable> variables_;
  std::vector<Part> now_;                                  // what each holds
  std::unordered_map<const Block*, std::vector<Part>> at_end_;
  std::vector<Node*> object_phis_;
  std::vector<VariablePhi> variable_phis_;
};

// Comparisons of what only may be no small Ints would be calls: in loops that are quiet otherwise they are settled first.
bool quiet_but_for_objects(const Loop& loop) {
  for (const Block* b : loop.blocks)
    for (const Node* n : b->nodes) {
      bool compares = n->op == NodeOp::Compare || n->op == NodeOp::Branch;
      if (!allocates(n) && !compares && !keeps_quiet(n)) return false;
    }
  return true;
}

// Whether there is an allocation that nobody has straight away, and that is in no frame that is looked at.
bool any_candidate(const Graph& graph) {
  std::vector<char> wanted(graph.node_store.size());
  bool any = false;
  for (const Block* b : graph.blocks)
    for (const Node* n : b->nodes) {
      any |= allocates(n);
      if (n->op == NodeOp::Safepoint || allocates(n) || !(info_of(n->op).call || n->op == NodeOp::Handle || n->op == NodeOp::TailCall)) continue;
      for (const Node* i : n->inputs) wanted[i->id] = 1;
      for (const FrameState* s = n->state; s; s = s->parent)
        for (const FrameState::Entry& e : s->values) wanted[e.node->id] = 1;
    }
  if (!any) return false;
  for (const Block* b : graph.blocks)
    for (const Node* n : b->nodes)
      if (allocates(n) && !wanted[n->id]) return true;
  return false;
}

}  // namespace

void remove_objects(Graph& graph) {
  if (!graph.speculate || !any_candidate(graph)) return;
  if (graph.compare_ints)
    for (const Loop& loop : find_loops(graph))
      if (quiet_but_for_objects(loop)) settle_comparisons(graph, loop);
  Objects(graph).run();
}

}  // namespace eddy::jit
