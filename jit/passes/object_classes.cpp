#include "jit/passes/object_classes.h"

#include <algorithm>
#include <set>

namespace eddy::jit {

namespace {

Shape shape_of(const Node* n) {
  if (n->op == NodeOp::Box) return {rt::make_header(rt::Kind::Float, 1), nullptr, false, 1};
  return {static_cast<Word>(n->imm), n->small ? n->aux : nullptr, n->small, n->inputs.size()};
}

}  // namespace

void ObjectClasses::unite(uint32_t a, uint32_t b) {
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

uint32_t ObjectClasses::field(uint32_t c, int64_t offset) {
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

const Loop* ObjectClasses::loop_at(const Block* header) const {
  for (const Loop& l : loops_)
    if (l.header == header) return &l;
  return nullptr;
}

bool ObjectClasses::is_foreign(Node* n) {
  n = strip(n);
  return !n->remade() && !allocates(n) && n->op != NodeOp::Phi && n->op != NodeOp::Load;
}

void ObjectClasses::classify() {
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
      ObjectClass& c = classes_[class_of(n)];
      if (allocates(n)) add_allocation(c, n);
      else if (n->op == NodeOp::Load && !n->inputs[0]->remade()) c.loads.push_back(n);
      else c.bad = true;
    }
  }
  for (Node* n : foreign_) classes_[class_of(n)].bad = true;
  for (uint32_t c : foreign_classes_) classes_[find(c)].bad = true;
  for (auto& [phi, i] : imports_) classes_[class_of(phi)].imports.push_back({phi, i});
}

void ObjectClasses::add_allocation(ObjectClass& c, Node* n) {
  Shape shape = shape_of(n);
  bool suits = shape.kind() == rt::Kind::Con || shape.kind() == rt::Kind::Closure || shape.kind() == rt::Kind::Env ||
               shape.kind() == rt::Kind::Cell || shape.kind() == rt::Kind::Float;
  if (!suits || shape.fields > ObjectClass::kMaxFields || (!c.allocations.empty() && !(c.shape == shape))) c.bad = true;
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
void ObjectClasses::judge() {
  for (uint32_t i = 0; i < parent_.size(); ++i) {
    ObjectClass& c = classes_[i];
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
      ObjectClass& c = classes_[i];
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

bool ObjectClasses::contains_itself(uint32_t start) {
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

bool ObjectClasses::is_single(uint32_t i) {
  std::vector<uint32_t> work{i};
  std::set<uint32_t> seen{i};
  while (!work.empty()) {
    const ObjectClass& c = classes_[work.back()];
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

void ObjectClasses::look_at_uses() {
  for (Block* b : g_.blocks)
    for (Node* n : b->nodes) {
      for (size_t i = 0; i < n->inputs.size(); ++i) {
        Node* v = n->inputs[i];
        if (v->remade() || v->type != Type::Tagged) continue;
        ObjectClass& c = classes_[class_of(v)];
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

bool ObjectClasses::suits(const Node* n, size_t i, ObjectClass& c) {
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

bool ObjectClasses::worth_making_later(const ObjectClass& c) const {
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

bool ObjectClasses::look_at_frames() {
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

bool ObjectClasses::shows_frames(const Node* n) {
  const NodeInfo& info = info_of(n->op);
  if (info.call) return true;
  if (!info.slow || n->fits) return false;
  if (n->op == NodeOp::Compare || n->op == NodeOp::Branch) return !compares_words(n);
  // A barrier neither looks nor collects.
  if (n->op == NodeOp::Store) return false;
  bool array = n->op == NodeOp::ArrayGet || n->op == NodeOp::ArraySet;
  return !(n->speculative && (arithmetic(n->op) || array));
}

bool ObjectClasses::becomes_poll(const Block* b) {
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

}  // namespace eddy::jit
