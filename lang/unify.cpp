#include "lang/unify.h"

#include "lang/checked.h"

namespace eddy::lang {

bool Unifier::unify(Type* a, Type* b) {
  work_ = 0;
  return unify_at(a, b, 0);
}

bool Unifier::unify_at(Type* a, Type* b, unsigned depth) {
  a = prune(a);
  b = prune(b);
  if (a == b) return true;
  if (a->tag == TypeTag::Error || b->tag == TypeTag::Error) {
    if (is_var(a))
      a->link = b;
    else if (is_var(b))
      b->link = a;
    return true;
  }
  if (depth > kTypeDepth || !spend()) return fail(UnifyError::kTooLarge, a, b);
  if (is_var(a)) return bind(a, b);
  if (is_var(b)) return bind(b, a);
  if (a->is_row || b->is_row) {
    if (!a->is_row || !b->is_row) return fail(UnifyError::kMismatch, a, b);
    return unify_rows(a, b, depth);
  }
  if (a->tag != b->tag || a->count != b->count) return fail(UnifyError::kMismatch, a, b);
  switch (a->tag) {
    case TypeTag::Con:
      if (a->def != b->def) return fail(UnifyError::kMismatch, a, b);
      break;
    case TypeTag::Fn:
      break;
    default:
      return fail(UnifyError::kMismatch, a, b);
  }
  for (unsigned i = 0; i < a->count; i++) {
    if (!unify_at(a->arg(i), b->arg(i), depth + 1)) return false;
  }
  return true;
}

bool Unifier::bind(Type* var, Type* to) {
  if (var->is_row != to->is_row) return fail(UnifyError::kMismatch, var, to);
  if (is_var(to)) {
    if (var->level < to->level) to->level = var->level;
    if (!to->name) to->name = var->name;
    to->awaits |= var->awaits;
    var->link = to;
    return true;
  }
  if (to->count != 0 || to->tag == TypeTag::Rigid) {
    if (occurs(var, to, var->level, 0)) return false;
  }
  if (to->tag == TypeTag::RowCons) {
    extensions_++;
    if (var->awaits && is_var(row_tail(to))) row_tail(to)->awaits = true;
  }
  var->link = to;
  return true;
}

// True (and an error set) where `in` contains `var`; lowers the levels of what it contains on the way.
bool Unifier::occurs(Type* var, Type* in, uint32_t level, unsigned depth) {
  in = prune(in);
  if (in->ground) return false;
  switch (in->tag) {
    case TypeTag::Var:
      if (in == var) {
        fail(UnifyError::kInfinite, var, in);
        return true;
      }
      if (in->level > level) in->level = level;
      return false;
    case TypeTag::Rigid:
      if (in->level > level) {
        if (in->abstract) {
          fail(UnifyError::kEscape, in, var);
          return true;
        }
        in->level = level < kTopLevel ? kTopLevel : level;
      }
      return false;
    default:
      break;
  }
  if (in->count == 0 || in->tag == TypeTag::Generic) return false;
  if (depth > kTypeDepth || !spend()) {
    fail(UnifyError::kTooLarge, var, in);
    return true;
  }
  for (unsigned i = 0; i < in->count; i++) {
    if (occurs(var, in->arg(i), level, depth + 1)) return true;
  }
  return false;
}

bool Unifier::adjust_levels(Type* type, uint32_t level) {
  work_ = 0;
  return !occurs(nullptr, type, level, 0);
}

bool Unifier::unify_effect_args(Type* a, Type* b, unsigned depth) {
  if (a == b) return true;
  for (unsigned i = 0; i < a->count && i < b->count; i++) {
    if (!unify_at(a->arg(i), b->arg(i), depth + 1)) return false;
  }
  return true;
}

bool Unifier::unify_rows(Type* a, Type* b, unsigned depth) {
  for (;;) {
    a = prune(a);
    b = prune(b);
    if (a == b) return true;
    if (!spend()) return fail(UnifyError::kTooLarge, a, b);
    if (a->tag == TypeTag::Error || b->tag == TypeTag::Error) return true;
    if (is_var(a)) return bind(a, b);
    if (is_var(b)) return bind(b, a);
    if (a->tag == TypeTag::RowCons) {
      // A tail that both share cannot take up what only one has.
      Type* rest = remove_at(b, a->effect(), depth + 1, row_tail(a));
      if (!rest) return false;
      a = a->rest();
      b = rest;
      continue;
    }
    if (b->tag == TypeTag::RowCons) {
      if (a->tag == TypeTag::Rigid) return fail(UnifyError::kRigidRow, a, b);
      Type* rest = remove_at(a, b->effect(), depth + 1);  // a is closed: fails, and says so
      if (!rest) return false;
      b = b->rest();
      a = rest;
      continue;
    }
    return fail(UnifyError::kRigidRow, a, b);
  }
}

Type* Unifier::remove_effect(Type* row, Type* effect) {
  work_ = 0;
  return remove_at(row, effect, 0);
}

Type* Unifier::remove_at(Type* row, Type* effect, unsigned depth, Type* fixed) {
  effect = prune(effect);
  row = prune(row);
  if (effect->tag == TypeTag::Error) return row;
  if (row->tag == TypeTag::RowCons) {
    Type* head = prune(row->effect());
    if (head->def == effect->def) {
      return unify_effect_args(head, effect, depth) ? row->rest() : nullptr;
    }
  }
  // Not first: what stands before it is copied.
  Type* passed[32];
  unsigned count = 0;
  Type* at = row;
  std::vector<Type*> more;
  while (at->tag == TypeTag::RowCons) {
    Type* head = prune(at->effect());
    if (head->tag == TypeTag::Con && head->def == effect->def) break;
    if (!spend()) {
      fail(UnifyError::kTooLarge, row, effect);
      return nullptr;
    }
    if (count < 32)
      passed[count++] = head;
    else
      more.push_back(head);
    at = prune(at->rest());
  }
  Type* rest;
  if (at->tag == TypeTag::RowCons) {
    if (!unify_effect_args(prune(at->effect()), effect, depth)) return nullptr;
    rest = at->rest();
  } else if (is_var(at) && at == fixed) {
    fail(UnifyError::kInfinite, at, row);
    return nullptr;
  } else if (is_var(at)) {
    rest = types_.row_var(at->level);
    if (!bind(at, types_.row_cons(effect, rest))) return nullptr;
  } else if (at->tag == TypeTag::Error) {
    return at;
  } else {
    fail(UnifyError::kMissingEffect, effect, row);
    return nullptr;
  }
  for (size_t i = more.size(); i-- > 0;) rest = types_.row_cons(more[i], rest);
  while (count-- > 0) rest = types_.row_cons(passed[count], rest);
  return rest;
}

// Both rows end in the same unknown, whatever it is: what `row` names has to be somewhere in `into`.
bool Unifier::subrow_of_same_tail(Type* row, Type* into) {
  std::vector<Type*> effects;
  for (; row->tag == TypeTag::RowCons; row = prune(row->rest())) effects.push_back(prune(row->effect()));
  for (Type* effect : effects) {
    if (effect->tag != TypeTag::Con) continue;
    Type* at = prune(into);
    while (at->tag == TypeTag::RowCons) {
      Type* head = prune(at->effect());
      if (head->tag == TypeTag::Con && head->def == effect->def) break;
      if (!spend()) return fail(UnifyError::kTooLarge, row, into);
      at = prune(at->rest());
    }
    if (at->tag == TypeTag::RowCons) {
      if (!unify_effect_args(prune(at->effect()), effect, 0)) return false;
    } else if (is_var(at)) {
      // Reached through the shared tail: it gains the effect, for both.
      if (!bind(at, types_.row_cons(effect, types_.row_var(at->level)))) return false;
    }
  }
  return true;
}

bool Unifier::subrow_effects(Type*& row, Type*& into) {
  auto done = [&] {
    row = into = nullptr;
    return true;
  };
  work_ = 0;
  row = prune(row);
  if (row->tag == TypeTag::RowEmpty || row == prune(into)) return done();
  Type* tail = row_tail(row);
  if (is_var(tail) && tail == row_tail(into)) return subrow_of_same_tail(row, into) && done();
  for (;;) {
    if (row->tag == TypeTag::RowEmpty || row->tag == TypeTag::Error) return done();
    into = prune(into);
    if (row == into || into->tag == TypeTag::Error) return done();
    if (row->tag != TypeTag::RowCons) return true;
    into = remove_at(into, row->effect(), 0);
    if (!into) return false;
    row = prune(row->rest());
  }
}

bool Unifier::subrow(Type* row, Type* into) {
  if (!subrow_effects(row, into)) return false;
  if (!row) return true;
  if (row->tag == TypeTag::Var) return bind(row, into);
  return unify_rows(row, past_io(into), 0);
}

Type* Unifier::past_io(Type* row) {
  row = prune(row);
  while (row->tag == TypeTag::RowCons && prune(row->effect())->tag == TypeTag::Con &&
         prune(row->effect())->def->builtin == BuiltinType::kIO) {
    row = prune(row->rest());
  }
  return row;
}

}  // namespace eddy::lang
