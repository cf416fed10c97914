// Types and effect rows as inference sees them: arena nodes, variables bound by union-find.
//
// A row is a type of its own kind: RowCons(effect, rest) … ending in RowEmpty, a row variable or a rigid one.
// Effects are kept in order, nearest first, and may repeat (unify.h matches equal effects in order and lets
// different ones pass each other).
//
// Quantified variables of a signature are Generic leaves, numbered from 0; `has_generic` on a node says
// whether instantiating it must copy it, so that closed parts are shared.
#pragma once
#include <cassert>
#include <cstdint>
#include <string>
#include <vector>

#include "lang/arena.h"
#include "lang/symbols.h"

namespace eddy::lang {

struct TypeDef;

enum class TypeTag : uint8_t {
  Var,      // unknown, or bound to `link`
  Rigid,    // a type variable of an annotation, or an operation's abstract one
  Generic,  // quantified, within a signature
  Con,      // a declared or built-in type, a tuple, or an effect (the type of a named handler; a row's entry)
  Fn,       // parameters…, result, row; a function without parameters has one of type Unit
  RowCons,  // args[0] the effect (a Con), args[1] the rest
  RowEmpty,
  Error,  // absorbs everything, after a reported error
};

struct Type {
  TypeTag tag = TypeTag::Error;
  bool is_row = false;       // kind of a Var, Rigid, Generic; true of row nodes
  bool has_generic = false;  // contains Generic leaves
  bool ground = false;       // contains no variables of any sort: walks need not look inside
  bool awaits = false;       // Var: a row that takes up another one which is not known yet
  bool abstract = false;     // Rigid: an operation's own variable, which must not leave its clause
  uint32_t count = 0;        // of args; Generic: its number
  union {
    Type* link;       // Var: what it is bound to, or null
    TypeDef* def;     // Con
    uint32_t origin;  // Rigid: position of the annotation
  };
  uint32_t level = 0;  // Var, Rigid
  uint32_t name = 0;   // Rigid, Generic: Symbol id, for messages

  Type** args() { return reinterpret_cast<Type**>(this + 1); }
  Type* const* args() const { return reinterpret_cast<Type* const*>(this + 1); }
  Type* arg(unsigned i) const { return args()[i]; }

  // Fn
  unsigned param_count() const { return count - 2; }
  Type* param(unsigned i) const { return args()[i]; }
  Type* result() const { return args()[count - 2]; }
  Type* row() const { return args()[count - 1]; }
  // RowCons
  Type* effect() const { return args()[0]; }
  Type* rest() const { return args()[1]; }
};

/// What a type stands for: follows (and shortens) the links of bound variables.
inline Type* prune(Type* t) {
  if (t->tag != TypeTag::Var || !t->link) return t;
  Type* to = t->link;
  while (to->tag == TypeTag::Var && to->link) to = to->link;
  while (t->link != to) {
    Type* next = t->link;
    t->link = to;
    t = next;
  }
  return to;
}

inline bool is_var(const Type* t) { return t->tag == TypeTag::Var; }

/// A type closed over its quantified variables.
struct Scheme {
  Type* type = nullptr;
  uint32_t count = 0;          // of quantified variables
  const bool* rows = nullptr;  // which of them are rows; null: none
};

constexpr uint32_t kTopLevel = 1;      // level of variables of a top-level declaration's body
constexpr unsigned kTypeDepth = 1500;  // deeper types are refused

/// Makes types. One per compilation.
class TypeFactory {
 public:
  explicit TypeFactory(Arena& arena);

  Type* var(uint32_t level) { return leaf(TypeTag::Var, false, level); }
  Type* row_var(uint32_t level) { return leaf(TypeTag::Var, true, level); }
  Type* rigid(Symbol name, bool is_row, uint32_t level, uint32_t origin);
  Type* generic(uint32_t number, bool is_row, Symbol name);
  Type* con(TypeDef* def, Type* const* args, unsigned count);
  Type* con(TypeDef* def, std::initializer_list<Type*> args) {
    return con(def, args.begin(), static_cast<unsigned>(args.size()));
  }
  Type* fn(Type* const* params, unsigned count, Type* result, Type* row);
  Type* row_cons(Type* effect, Type* rest);
  Type* row_empty() { return row_empty_; }
  Type* error() { return error_; }
  Type* error_row() { return error_; }
  Arena& arena() { return arena_; }

 private:
  Type* leaf(TypeTag tag, bool is_row, uint32_t level) {
    Type* t = static_cast<Type*>(arena_.allocate(sizeof(Type), alignof(Type)));
    *t = Type{};
    t->tag = tag;
    t->is_row = is_row;
    t->level = level;
    t->link = nullptr;
    return t;
  }
  Type* node(TypeTag tag, unsigned count);

  Arena& arena_;
  Type* row_empty_;
  Type* error_;
};

// --- Walks. All are bounded in depth and work; a type beyond the bounds counts as too large.

/// Fresh variables for quantified ones. `args` receives them (count of the scheme).
Type* instantiate(TypeFactory& types, const Scheme& scheme, uint32_t level, Type** args);
/// Replaces Generic leaf i by args[i].
Type* substitute(TypeFactory& types, Type* type, Type* const* args);
/// Replaces the rigid variables `from[i]` by `to[i]`.
Type* replace_rigids(TypeFactory& types, Type* type, Type* const* from, Type* const* to, unsigned count);

/// Turns several types into signatures that quantify over the same variables: those above `level`.
class Generaliser {
 public:
  Generaliser(TypeFactory& types, uint32_t level) : types_(types), level_(level) {}
  Type* close(Type* type) { return walk(type, 0); }
  uint32_t count() const { return static_cast<uint32_t>(rows_.size()); }
  Scheme scheme(Type* closed);
  bool too_large() const { return too_large_; }

 private:
  Type* walk(Type* type, unsigned depth);
  struct Seen {
    Type* from;
    Type* to;
  };
  TypeFactory& types_;
  uint32_t level_;
  std::vector<Seen> seen_;
  std::vector<char> rows_;
  uint32_t work_ = 0;
  bool too_large_ = false;
};

/// Where a row ends: RowEmpty, Var, Rigid, Generic or Error.
Type* row_tail(Type* row);
/// The part of a type's node that matters to `x.f`: its definition, or null.
TypeDef* outermost(Type* type);

}  // namespace eddy::lang
