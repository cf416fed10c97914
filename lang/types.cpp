#include "lang/types.h"

#include "lang/checked.h"

namespace eddy::lang {

namespace {
constexpr uint32_t kWork = 200'000;  // nodes one walk may make before the type counts as too large
}

TypeFactory::TypeFactory(Arena& arena) : arena_(arena) {
  row_empty_ = node(TypeTag::RowEmpty, 0);
  row_empty_->is_row = true;
  row_empty_->ground = true;
  error_ = node(TypeTag::Error, 0);
  error_->ground = true;
}

Type* TypeFactory::node(TypeTag tag, unsigned count) {
  Type* t = static_cast<Type*>(arena_.allocate(sizeof(Type) + count * sizeof(Type*), alignof(Type)));
  *t = Type{};
  t->tag = tag;
  t->link = nullptr;
  t->count = count;
  return t;
}

Type* TypeFactory::rigid(Symbol name, bool is_row, uint32_t level, uint32_t origin) {
  Type* t = leaf(TypeTag::Rigid, is_row, level);
  t->name = name.id;
  t->origin = origin;
  return t;
}

Type* TypeFactory::generic(uint32_t number, bool is_row, Symbol name) {
  Type* t = leaf(TypeTag::Generic, is_row, 0);
  t->count = number;
  t->has_generic = true;
  t->name = name.id;
  return t;
}

Type* TypeFactory::con(TypeDef* def, Type* const* args, unsigned count) {
  if (count == 0 && def->plain) return def->plain;
  Type* t = node(TypeTag::Con, count);
  t->def = def;
  t->ground = true;
  for (unsigned i = 0; i < count; i++) {
    t->args()[i] = args[i];
    t->has_generic |= args[i]->has_generic;
    t->ground &= args[i]->ground;
  }
  if (count == 0) def->plain = t;
  return t;
}

Type* TypeFactory::fn(Type* const* params, unsigned count, Type* result, Type* row) {
  Type* t = node(TypeTag::Fn, count + 2);
  t->ground = result->ground & row->ground;
  for (unsigned i = 0; i < count; i++) {
    t->args()[i] = params[i];
    t->has_generic |= params[i]->has_generic;
    t->ground &= params[i]->ground;
  }
  t->args()[count] = result;
  t->args()[count + 1] = row;
  t->has_generic |= result->has_generic | row->has_generic;
  return t;
}

Type* TypeFactory::row_cons(Type* effect, Type* rest) {
  Type* t = node(TypeTag::RowCons, 2);
  t->is_row = true;
  t->args()[0] = effect;
  t->args()[1] = rest;
  t->has_generic = effect->has_generic | rest->has_generic;
  t->ground = effect->ground & rest->ground;
  return t;
}

namespace {

// A type like `t` of what `part` makes of its parts; `t` itself where that is all the same.
template <typename Part>
Type* rebuild(TypeFactory& types, Type* t, Part part) {
  Type* inline_args[8];
  std::vector<Type*> many;
  Type** args = inline_args;
  if (t->count > 8) {
    many.resize(t->count);
    args = many.data();
  }
  bool changed = false;
  for (unsigned i = 0; i < t->count; i++) {
    Type* from = t->arg(i);
    args[i] = part(from);
    changed |= args[i] != from;
  }
  if (!changed) return t;
  if (t->tag == TypeTag::Con) return types.con(t->def, args, t->count);
  if (t->tag == TypeTag::RowCons) return types.row_cons(args[0], args[1]);
  return types.fn(args, t->param_count(), args[t->count - 2], args[t->count - 1]);
}

// Copies the parts of a type for which `leaf` answers with something else.
template <typename Leaf>
class Copier {
 public:
  Copier(TypeFactory& types, Leaf leaf, bool only_generic)
      : types_(types), leaf_(leaf), only_generic_(only_generic) {}

  Type* copy(Type* t, unsigned depth) {
    t = prune(t);
    if (t->ground || (only_generic_ && !t->has_generic)) return t;
    switch (t->tag) {
      case TypeTag::Var:
      case TypeTag::Rigid:
      case TypeTag::Generic:
        return leaf_(t);
      case TypeTag::RowEmpty:
      case TypeTag::Error:
        return t;
      default:
        break;
    }
    if (t->count == 0) return t;
    if (depth > kTypeDepth || ++work_ > kWork) {
      too_large_ = true;
      return types_.error();
    }
    return rebuild(types_, t, [&](Type* part) { return copy(part, depth + 1); });
  }
  bool too_large() const { return too_large_; }

 private:
  TypeFactory& types_;
  Leaf leaf_;
  bool only_generic_;
  uint32_t work_ = 0;
  bool too_large_ = false;
};

}  // namespace

Type* substitute(TypeFactory& types, Type* type, Type* const* args) {
  Copier copier(types, [args](Type* t) { return t->tag == TypeTag::Generic ? args[t->count] : t; }, true);
  return copier.copy(type, 0);
}

Type* instantiate(TypeFactory& types, const Scheme& scheme, uint32_t level, Type** args) {
  if (scheme.count == 0) return scheme.type;
  for (uint32_t i = 0; i < scheme.count; i++) {
    args[i] = scheme.rows && scheme.rows[i] ? types.row_var(level) : types.var(level);
  }
  return substitute(types, scheme.type, args);
}

Type* replace_rigids(TypeFactory& types, Type* type, Type* const* from, Type* const* to, unsigned count) {
  if (count == 0) return type;
  Copier copier(
      types,
      [=](Type* t) {
        for (unsigned i = 0; i < count; i++) {
          if (from[i] == t) return to[i];
        }
        return t;
      },
      false);
  return copier.copy(type, 0);
}

Type* Generaliser::walk(Type* type, unsigned depth) {
  Type* t = prune(type);
  if (t->ground) return t;
  switch (t->tag) {
    case TypeTag::Var: {
      if (t->level <= level_) return t;
      Type* g = types_.generic(count(), t->is_row, Symbol{t->name});
      rows_.push_back(t->is_row);
      t->link = g;
      return g;
    }
    case TypeTag::Rigid: {
      if (t->level <= level_ || t->abstract) return t;
      for (const Seen& s : seen_) {
        if (s.from == t) return s.to;
      }
      Type* g = types_.generic(count(), t->is_row, Symbol{t->name});
      rows_.push_back(t->is_row);
      seen_.push_back({t, g});
      return g;
    }
    case TypeTag::Generic:
    case TypeTag::RowEmpty:
    case TypeTag::Error:
      return t;
    default:
      break;
  }
  if (t->count == 0) return t;
  if (depth > kTypeDepth || ++work_ > kWork) {
    too_large_ = true;
    return types_.error();
  }
  return rebuild(types_, t, [&](Type* part) { return walk(part, depth + 1); });
}

Scheme Generaliser::scheme(Type* closed) {
  Scheme s;
  s.type = closed;
  s.count = count();
  bool any = false;
  for (char r : rows_) any |= r != 0;
  if (any) {
    Slice<bool> rows = types_.arena().slice<bool>(rows_.size());
    for (size_t i = 0; i < rows_.size(); i++) rows[i] = rows_[i] != 0;
    s.rows = rows.data;
  }
  return s;
}

Type* row_tail(Type* row) {
  row = prune(row);
  while (row->tag == TypeTag::RowCons) row = prune(row->rest());
  return row;
}

TypeDef* outermost(Type* type) {
  type = prune(type);
  return type->tag == TypeTag::Con ? type->def : nullptr;
}

}  // namespace eddy::lang
