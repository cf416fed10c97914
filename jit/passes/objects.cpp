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
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "jit/passes/dominators.h"
#include "jit/passes/loops.h"
#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

constexpr size_t kMaxFields = 12, kMaxAllocations = 60;

bool allocates(const Node* n) { return n->op == NodeOp::Alloc || n->op == NodeOp::Box; }
bool writes_field(const Node* n) { return n->op == NodeOp::Store || n->op == NodeOp::StoreWord || n->op == NodeOp::StoreFloat; }

struct Shape {
  Word header = 0;
  void* first = nullptr;
  bool has_first = false;
  size_t fields = 0;
  bool operator==(const Shape&) const = default;
  int64_t offset(size_t i) const { return static_cast<int64_t>(8 + 8 * (has_first ? 1 : 0) + 8 * i); }
  size_t index(int64_t at) const { return static_cast<size_t>(at - offset(0)) / 8; }
  bool has(int64_t at) const { return at >= offset(0) && at < offset(fields) && at % 8 == 0; }
  rt::Kind kind() const { return reinterpret_cast<const rt::Object*>(&header)->kind(); }
  uint16_t con() const { return reinterpret_cast<const rt::Object*>(&header)->con(); }
};

Shape shape_of(const Node* n) {
  if (n->op == NodeOp::Box) return {rt::make_header(rt::Kind::Float, 1), nullptr, false, 1};
  return {static_cast<Word>(n->imm), n->small ? n->aux : nullptr, n->small, n->inputs.size()};
}

struct Class {
  Shape shape;
  std::vector<Node*> allocations, phis, loads, escapes;
  std::vector<std::pair<Node*, size_t>> imports;  // phis of a loop's start, and which of their inputs comes from outside
  std::map<int64_t, uint32_t> fields;             // by offset: the class of what is in there
  bool bad = false;       // there must be objects
  bool changes = false;   // something is stored into it
  bool raw[kMaxFields] = {};
};

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

class Objects {
 public:
  explicit Objects(Graph& graph) : g_(graph), dominators_(graph), loops_(find_loops(graph)) {}

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
  // --- which values may be one another
  uint32_t find(uint32_t c) {
    while (parent_[c] != c) c = parent_[c] = parent_[parent_[c]];
    return c;
  }
  uint32_t class_of(const Node* n) { return find(n->id); }
  bool is_virtual(uint32_t c) { return !classes_[c].bad && !classes_[c].allocations.empty(); }
  bool is_member(const Node* n) { return n->type == Type::Tagged && !n->remade() && n->id < known_ && is_virtual(class_of(n)); }

  void unite(uint32_t a, uint32_t b) {
    std::vector<std::pair<uint32_t, uint32_t>> work{{a, b}};
    while (!work.empty()) {
      auto [x, y] = work.back();
      work.pop_back();
      x = find(x);
      y = find(y);
      if (x == y) continue;
      parent_[y] = x;
      for (auto& [offset, c] : classes_[y].fields) {
        auto [mine, fresh] = classes_[x].fields.try_emplace(offset, c);
        if (!fresh) work.push_back({mine->second, c});
      }
      classes_[y].fields.clear();
    }
  }

  // The class of a field, made where it is asked for the first time.
  uint32_t field(uint32_t c, int64_t offset) {
    auto [found, fresh] = classes_[c].fields.try_emplace(offset, 0);
    if (fresh) {
      found->second = static_cast<uint32_t>(parent_.size());
      parent_.push_back(found->second);
      uint32_t made = found->second;
      classes_.emplace_back();
      return made;
    }
    return find(found->second);
  }

  const Loop* loop_at(const Block* header) const {
    for (const Loop& l : loops_)
      if (l.header == header) return &l;
    return nullptr;
  }

  // What comes from elsewhere for sure.
  static bool is_foreign(Node* n) {
    n = strip(n);
    return !n->remade() && !allocates(n) && n->op != NodeOp::Phi && n->op != NodeOp::Load;
  }

  void classify() {
    known_ = g_.node_store.size();
    parent_.resize(known_);
    classes_.resize(known_);
    for (uint32_t i = 0; i < known_; ++i) parent_[i] = i;
    for (Block* b : g_.blocks) {
      const Loop* loop = b->loop ? loop_at(b) : nullptr;
      for (Node* phi : b->phis)
        for (size_t i = 0; phi->type == Type::Tagged && i < phi->inputs.size(); ++i) {
          Node* from = phi->inputs[i];
          if (loop && b->preds[i] == loop->before && g_.move_checks && is_foreign(from)) imports_.push_back({phi, i});
          else if (from->remade()) foreign_.push_back(phi);
          else unite(phi->id, from->id);
        }
      for (Node* n : b->nodes) {
        if (n->type == Type::Tagged && n->op == NodeOp::Copy) {
          if (n->inputs[0]->remade()) foreign_.push_back(n);
          else unite(n->id, n->inputs[0]->id);
        } else if (n->op == NodeOp::Load && !n->inputs[0]->remade()) {
          unite(n->id, field(class_of(n->inputs[0]), n->imm));
        } else if (n->op == NodeOp::Store && !n->inputs[0]->remade()) {
          uint32_t f = field(class_of(n->inputs[0]), n->imm);
          if (!n->inputs[1]->remade()) unite(n->inputs[1]->id, f);
          else foreign_classes_.push_back(f);
        } else if (n->op == NodeOp::Alloc) {
          Shape shape = shape_of(n);
          for (size_t i = 0; i < n->inputs.size(); ++i) {
            Node* v = n->inputs[i];
            if (v->type == Type::Float) continue;
            uint32_t f = field(class_of(n), shape.offset(i));
            if (v->remade()) foreign_classes_.push_back(f);
            else unite(v->id, f);
          }
        }
      }
    }
    // What each class comes from.
    for (Block* b : g_.blocks) {
      for (Node* phi : b->phis)
        if (phi->type == Type::Tagged) classes_[class_of(phi)].phis.push_back(phi);
      for (Node* n : b->nodes) {
        if (n->type != Type::Tagged || n->remade() || n->op == NodeOp::Copy) continue;
        Class& c = classes_[class_of(n)];
        if (allocates(n)) add_allocation(c, n);
        else if (n->op == NodeOp::Load && !n->inputs[0]->remade()) c.loads.push_back(n);
        else c.bad = true;
      }
    }
    for (Node* n : foreign_) classes_[class_of(n)].bad = true;
    for (uint32_t c : foreign_classes_) classes_[find(c)].bad = true;
    for (auto& [phi, i] : imports_) classes_[class_of(phi)].imports.push_back({phi, i});
  }

  static void add_allocation(Class& c, Node* n) {
    Shape shape = shape_of(n);
    bool suits = shape.kind() == rt::Kind::Con || shape.kind() == rt::Kind::Closure || shape.kind() == rt::Kind::Env ||
                 shape.kind() == rt::Kind::Cell || shape.kind() == rt::Kind::Float;
    if (!suits || shape.fields > kMaxFields || (!c.allocations.empty() && !(c.shape == shape))) c.bad = true;
    if (c.bad) {
      c.allocations.push_back(n);
      return;
    }
    if (c.allocations.empty())
      for (size_t i = 0; i < shape.fields; ++i) c.raw[i] = n->inputs[i]->type == Type::Float;
    for (size_t i = 0; i < shape.fields; ++i) c.bad |= c.raw[i] != (n->inputs[i]->type == Type::Float);
    c.shape = shape;
    c.allocations.push_back(n);
  }

  // --- which of them need no objects
  void judge() {
    for (uint32_t i = 0; i < parent_.size(); ++i) {
      Class& c = classes_[i];
      if (find(i) != i || c.bad || c.allocations.empty()) continue;
      if (!c.imports.empty() && c.shape.kind() != rt::Kind::Con) c.bad = true;
      if (c.shape.kind() == rt::Kind::Cell) c.changes = true;
    }
    look_at_uses();
    for (bool changed = true; changed;) {
      changed = false;
      auto spoil = [&](uint32_t c) {
        if (classes_[c].bad) return;
        classes_[c].bad = true;
        changed = true;
      };
      for (uint32_t i = 0; i < parent_.size(); ++i) {
        if (find(i) != i) continue;
        Class& c = classes_[i];
        bool real = !is_virtual(i);
        for (auto& [offset, f] : c.fields) {
          uint32_t held = find(f);
          // What an object holds is one; and a variable holds nothing that changes.
          if (real || (c.changes && classes_[held].changes)) spoil(held);
          else if (!c.escapes.empty() || !c.imports.empty()) {
            if (classes_[held].changes) spoil(held);
            if (!c.escapes.empty() && classes_[held].escapes.empty()) {
              classes_[held].escapes = c.escapes;
              changed = true;
            }
            if (!c.imports.empty() && is_virtual(held) && classes_[held].shape.kind() != rt::Kind::Con && classes_[held].shape.kind() != rt::Kind::Float) spoil(held);
          }
        }
        if (real) continue;
        if (contains_itself(i)) spoil(i);
        if (c.changes && (!c.escapes.empty() || !is_single(i))) spoil(i);
        if (!c.escapes.empty() && !worth_making_later(c)) spoil(i);
      }
      changed |= look_at_frames();
    }
  }

  bool contains_itself(uint32_t start) {
    std::set<uint32_t> seen;
    std::vector<uint32_t> work{start};
    while (!work.empty()) {
      uint32_t c = work.back();
      work.pop_back();
      for (auto& [offset, f] : classes_[c].fields) {
        uint32_t held = find(f);
        if (held == start) return true;
        if (is_virtual(held) && seen.insert(held).second) work.push_back(held);
      }
    }
    return false;
  }

  // Whether there is one of them at a time, and everybody means that one.
  bool is_single(uint32_t i) {
    std::vector<uint32_t> work{i};
    std::set<uint32_t> seen{i};
    while (!work.empty()) {
      const Class& c = classes_[work.back()];
      work.pop_back();
      if (c.allocations.size() != 1 || !c.phis.empty() || !c.imports.empty()) return false;
      for (const Node* load : c.loads) {
        uint32_t holder = class_of(load->inputs[0]);
        if (!is_virtual(holder) || classes_[holder].changes) return false;
        if (seen.insert(holder).second) work.push_back(holder);
      }
    }
    return true;
  }

  void look_at_uses() {
    for (Block* b : g_.blocks)
      for (Node* n : b->nodes) {
        for (size_t i = 0; i < n->inputs.size(); ++i) {
          Node* v = n->inputs[i];
          if (v->remade() || v->type != Type::Tagged) continue;
          Class& c = classes_[class_of(v)];
          if (c.bad || c.allocations.empty() || suits(n, i, c)) continue;
          bool later = n->op == NodeOp::Return || n->op == NodeOp::Store || n->op == NodeOp::Call || n->op == NodeOp::Alloc ||
                       n->op == NodeOp::CallClosure || n->op == NodeOp::Native || n->op == NodeOp::TailCall;
          if (later && !c.changes) c.escapes.push_back(n);
          else c.bad = true;
        }
        for (const FrameState* s = n->state; s; s = s->parent) {
          auto real = [&](Node* v) {
            if (!v->remade() && v->type == Type::Tagged) classes_[class_of(v)].bad = true;
          };
          if (s->entered) real(s->entered);
          for (const FrameState::Pending& p : s->stores) {
            real(p.object);
            real(p.value);
          }
        }
      }
  }

  // A use that asks for no more than what is in there.
  bool suits(const Node* n, size_t i, Class& c) {
    const Shape& s = c.shape;
    switch (n->op) {
      case NodeOp::Copy: return true;
      case NodeOp::Alloc: return is_virtual(class_of(n));
      case NodeOp::Load: return s.has(n->imm) && !c.raw[s.index(n->imm)];
      case NodeOp::LoadFloat: return s.has(n->imm) && c.raw[s.index(n->imm)];
      case NodeOp::Unbox: return s.kind() == rt::Kind::Float;
      case NodeOp::Store:
      case NodeOp::StoreWord:
        if (i == 1) return n->op == NodeOp::Store && is_virtual(class_of(n->inputs[0]));
        if (!s.has(n->imm) || c.raw[s.index(n->imm)] || s.kind() == rt::Kind::Closure) return false;
        c.changes = true;
        return true;
      case NodeOp::StoreFloat:
        if (!s.has(n->imm) || !c.raw[s.index(n->imm)]) return false;
        c.changes = true;
        return true;
      case NodeOp::CheckCon: return s.kind() == rt::Kind::Con && s.con() == static_cast<uint16_t>(n->imm);
      case NodeOp::CheckKind: return s.kind() == static_cast<rt::Kind>(n->imm);
      case NodeOp::CheckFunction: return s.kind() == rt::Kind::Closure && s.first == n->aux;
      default: return false;
    }
  }

  // Made where it is wanted instead of where it was: not more often, and in a loop not at all.
  bool worth_making_later(const Class& c) const {
    auto around = [&](const Block* b) {
      std::vector<const Loop*> all;
      for (const Loop& l : loops_)
        if (l.has(b)) all.push_back(&l);
      return all;
    };
    bool fewer = false;
    for (size_t i = 0; i < c.escapes.size(); ++i) {
      const Node* e = c.escapes[i];
      if (e->block->cold) continue;
      for (size_t k = 0; k < i; ++k)
        if (!c.escapes[k]->block->cold && (dominators_.dominates(e->block, c.escapes[k]->block) || dominators_.dominates(c.escapes[k]->block, e->block)))
          return false;
      std::vector<const Loop*> outer = around(e->block);
      for (const Node* a : c.allocations) {
        std::vector<const Loop*> inner = around(a->block);
        for (const Loop* l : outer)
          if (std::find(inner.begin(), inner.end(), l) == inner.end()) return false;
        fewer |= inner.size() > outer.size();
      }
    }
    return fewer || std::all_of(c.escapes.begin(), c.escapes.end(), [](const Node* e) { return e->block->cold; });
  }

  // Nobody may find one in a frame.
  bool look_at_frames() {
    bool changed = false;
    for (Block* b : g_.blocks)
      for (Node* n : b->nodes) {
        if (!n->state || (allocates(n) && is_virtual(class_of(n)))) continue;
        bool safe = n->op == NodeOp::Safepoint ? becomes_poll(b) : !shows_frames(n);
        // A store into what is none any more.
        if (writes_field(n) && !n->inputs[0]->remade() && is_virtual(class_of(n->inputs[0]))) safe = true;
        if (safe) continue;
        for (const FrameState* s = n->state; s; s = s->parent)
          for (const FrameState::Entry& e : s->values)
            if (is_member(e.node)) {
              classes_[class_of(e.node)].bad = true;
              changed = true;
            }
      }
    return changed;
  }

  static bool shows_frames(const Node* n) {
    const NodeInfo& info = info_of(n->op);
    if (info.call) return true;
    if (!info.slow || n->fits) return false;
    if (n->op == NodeOp::Compare || n->op == NodeOp::Branch) return !compares_words(n);
    // A barrier neither looks nor collects.
    if (n->op == NodeOp::Store) return false;
    bool array = n->op == NodeOp::ArrayGet || n->op == NodeOp::ArraySet;
    return !(n->speculative && ((n->op >= NodeOp::Add && n->op <= NodeOp::Abs) || array));
  }

  // Whether the innermost loop at a block is quiet without the objects.
  bool becomes_poll(const Block* b) {
    for (const Loop& loop : loops_) {  // inner ones first
      if (!loop.has(b)) continue;
      for (const Block* in : loop.blocks)
        for (const Node* n : in->nodes) {
          if (allocates(n) && is_virtual(class_of(n))) continue;
          if (!keeps_quiet(n)) return false;
        }
      return true;
    }
    return false;
  }

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
    if (g_.staging_words) {
      for (int i = 0; i < g_.staging_words; ++i) g_.staging = g_.spill_slot();
    }
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
    return false;
  }

  FrameState* described(const FrameState* state) {
    FrameState* all = with_values(g_, state, [](Node* n) { return n; });
    std::map<const Instance*, int> known;
    for (FrameState* s = all; s; s = const_cast<FrameState*>(s->parent)) {
      for (const FrameState::Entry& e : s->values)
        if (Instance* it = member(e.node)) {
          int index = describe(*all, it, known);
          all->objects[static_cast<size_t>(index)].homes.push_back(e.home);
        }
      std::erase_if(s->values, [&](const FrameState::Entry& e) { return member(e.node) != nullptr; });
    }
    int words = 0;
    for (const FrameState::Virtual& v : all->objects)
      for (const FrameState::Virtual::Field& f : v.fields) words += f.node != nullptr;
    g_.staging_words = std::max(g_.staging_words, words);
    return all;
  }

  // They are nested a few levels deep at most: none contains itself.
  int describe(FrameState& state, const Instance* it, std::map<const Instance*, int>& known) {
    auto [found, fresh] = known.try_emplace(it, static_cast<int>(state.objects.size()));
    int index = found->second;
    if (!fresh) return index;
    const Shape& s = classes_[it->of].shape;
    state.objects.push_back({s.header, s.first, s.has_first, {}, {}});
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

  Graph& g_;
  Dominators dominators_;
  std::vector<Loop> loops_;
  size_t known_ = 0;
  std::vector<uint32_t> parent_;
  std::vector<Class> classes_;
  std::vector<std::pair<Node*, size_t>> imports_;
  std::vector<Node*> foreign_;
  std::vector<uint32_t> foreign_classes_;
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
