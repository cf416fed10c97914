// Rows that are not known yet where they are performed: `r ⊆ around`, decided when a type that mentions them
// is about to be generalised. Deciding earlier would make the two rows one, and whatever else is performed
// around would count as r's, too: a stored resumption would seem to perform what its callers do. A rigid row
// that is performed where more may be waits, too, for what else will be.
#include <algorithm>

#include "lang/checker.h"

namespace eddy::lang {

namespace {

void await(Type* around) {
  Type* end = row_tail(around);
  if (is_var(end)) end->awaits = true;
}

}  // namespace

void Checker::flow(Type* row, Type* around, Span at, const Binding* callee, HandleExpr* handle) {
  OpenRow open{row, around, at, unit_, callee, handle};
  if (!unifier_.subrow_effects(open.row, open.around)) {
    open.row = row;
    return row_error(open);
  }
  if (!open.row) return;
  Type* into = open.around = prune(open.around);
  Type* tail = row_tail(open.row);
  if (!is_var(tail) && !is_var(Unifier::past_io(into))) return merge_row(open);
  size_t back = open_rows_.size() > 8 ? open_rows_.size() - 8 : 0;
  for (size_t i = open_rows_.size(); i-- > back;) {
    if (row_tail(open_rows_[i].row) == tail && prune(open_rows_[i].around) == into) return;
  }
  await(into);
  open_rows_.push_back(open);
}

// Makes an open row part of the one around it, now.
void Checker::merge_row(const OpenRow& h) {
  if (!unifier_.subrow(h.row, h.around)) row_error(h);
}

void Checker::row_error(const OpenRow& h) {
  Unit* saved = unit_;
  unit_ = h.unit;
  if (h.handle)
    unhandled_inside(h.handle, h.row);
  else
    perform_error(h.row, h.span, h.callee);
  unit_ = saved;
}

// What open rows have been found to perform so far is performed around them.
void Checker::spread_rows(size_t from) {
  for (size_t i = from; i < open_rows_.size(); i++) {
    if (prune(open_rows_[i].row)->tag != TypeTag::RowCons) continue;
    std::vector<Type*> effects;
    for (Type* row = prune(open_rows_[i].row); row->tag == TypeTag::RowCons; row = prune(row->rest())) {
      effects.push_back(row->effect());
    }
    Type* closed = types_.row_empty();
    for (size_t k = effects.size(); k-- > 0;) closed = types_.row_cons(effects[k], closed);
    OpenRow h = open_rows_[i];
    h.row = closed;
    merge_row(h);
  }
}

namespace {

// The row variables of types, apart from the ends of the functions' own rows: one of those may be the same as
// one inside without that meaning anything.
struct RowEnds {
  std::vector<Type*> inside;
  std::vector<Type*> own;

  void collect(Type* const* types, size_t count) {
    inside.clear();
    own.clear();
    std::vector<Type*> work;
    for (size_t k = 0; k < count; k++) {
      Type* t = prune(types[k]);
      if (t->tag == TypeTag::Fn) {
        work.insert(work.end(), t->args(), t->args() + t->count - 1);
        own.push_back(row_tail(t->row()));
      } else {
        work.push_back(t);
      }
    }
    size_t budget = 50'000;
    while (!work.empty() && budget-- > 0) {
      Type* t = prune(work.back());
      work.pop_back();
      if (t->ground) continue;
      if (is_var(t) && t->is_row) inside.push_back(t);
      if (t->tag == TypeTag::Con || t->tag == TypeTag::Fn || t->tag == TypeTag::RowCons) {
        for (unsigned k = 0; k < t->count; k++) work.push_back(t->arg(k));
      }
    }
    std::sort(inside.begin(), inside.end());
    std::sort(own.begin(), own.end());
  }
  static bool has(const std::vector<Type*>& sorted, Type* t) {
    return std::binary_search(sorted.begin(), sorted.end(), t);
  }
};

unsigned effect_count(Type* row) {
  unsigned n = 0;
  for (row = prune(row); row->tag == TypeTag::RowCons; row = prune(row->rest())) n++;
  return n;
}

}  // namespace

// An unknown end that has to fit into several rows which may not grow: what all of them allow.
void Checker::bound_row(Type* tail, const std::vector<OpenRow>& within) {
  const OpenRow* least = nullptr;
  for (const OpenRow& h : within) {
    if (!least || effect_count(h.around) < effect_count(least->around)) least = &h;
  }
  std::vector<Type*> effects;
  for (Type* r = prune(least->around); r->tag == TypeTag::RowCons; r = prune(r->rest())) {
    Type* effect = prune(r->effect());
    bool everywhere = true;
    for (const OpenRow& h : within) {
      bool found = false;
      for (Type* x = prune(h.around); x->tag == TypeTag::RowCons && !found; x = prune(x->rest())) {
        found = outermost(x->effect()) == outermost(effect);
      }
      everywhere &= found;
    }
    if (everywhere) effects.push_back(effect);
  }
  Type* end = row_tail(least->around);
  for (const OpenRow& h : within) {
    if (row_tail(h.around) != end) end = types_.row_empty();
  }
  for (size_t i = effects.size(); i-- > 0;) end = types_.row_cons(effects[i], end);
  unifier_.unify(tail, end);
}

// Decides the open rows that `types`, which are about to be generalised above `level`, or an outer level
// mention. True where something was decided.
bool Checker::settle_rows(size_t from, uint32_t level, Type* const* types, size_t count) {
  if (open_rows_.size() <= from) return false;
  spread_rows(from);
  // What an outer level will know: the rows around it wait for that, too.
  auto outer = [&](Type* tail) { return level > 0 && is_var(tail) && tail->level <= level; };
  for (bool again = true; again;) {
    again = false;
    for (size_t i = from; i < open_rows_.size(); i++) {
      if (!outer(row_tail(open_rows_[i].row))) continue;
      Type* end = row_tail(open_rows_[i].around);
      if (!is_var(end) || end->level <= level) continue;
      unifier_.adjust_levels(open_rows_[i].around, level);
      again = true;
    }
  }
  bool any = false;
  RowEnds ends;
  std::vector<OpenRow> within;
  for (;;) {
    ends.collect(types, count);
    // Rows that may not grow first, then those that nothing was handled in between: only what is left goes
    // into the row inside of a handler.
    size_t first = SIZE_MAX;
    unsigned rank = UINT_MAX;
    size_t kept = from;
    for (size_t i = from; i < open_rows_.size(); i++) {
      OpenRow h = open_rows_[i];
      Type* tail = row_tail(h.row);
      Type* end = row_tail(h.around);
      // A rigid row goes last: nothing can be added behind it.
      bool rigid = tail->tag == TypeTag::Rigid && is_var(end);
      if (tail == end || (!is_var(tail) && !rigid)) {
        if (tail != end) {
          merge_row(h);
          any = true;
        }
        if (is_var(end)) end->awaits = false;
        continue;
      }
      if (rigid && !outer(end) && rank == UINT_MAX) {
        rank = UINT_MAX - 1;
        first = kept;
      }
      if (!rigid && !outer(tail) && (tail->level <= level || RowEnds::has(ends.inside, tail))) {
        unsigned r = !is_var(end) ? 0 : 1 + effect_count(h.around);
        if (r < rank) {
          rank = r;
          first = kept;
        }
      }
      open_rows_[kept++] = h;
    }
    open_rows_.resize(kept);
    if (first == SIZE_MAX) break;
    any = true;
    OpenRow h = open_rows_[first];
    Type* tail = row_tail(h.row);
    Type* around = row_tail(h.around);
    if (rank == 0) {
      within.clear();
      for (size_t i = from; i < open_rows_.size(); i++) {
        if (row_tail(open_rows_[i].row) == tail && !is_var(row_tail(open_rows_[i].around)))
          within.push_back(open_rows_[i]);
      }
      bound_row(tail, within);
    } else if (is_var(tail) && RowEnds::has(ends.own, tail) && around->level > level) {
      // Called outside of the handler as well as inside: what passes the handler is all that goes out anyway.
      unifier_.unify(around, tail);
    } else {
      merge_row(h);
    }
    // What could not be decided has been reported.
    if (rank != 0 || row_tail(h.row) == tail) {
      if (is_var(around)) around->awaits = false;
      open_rows_.erase(open_rows_.begin() + static_cast<ptrdiff_t>(first));
    }
    spread_rows(from);
  }
  return any;
}

// What no type mentions performs nothing else.
void Checker::close_rows(size_t from, uint32_t level) {
  size_t kept = from;
  for (size_t i = from; i < open_rows_.size(); i++) {
    OpenRow h = open_rows_[i];
    Type* tail = row_tail(h.row);
    Type* end = row_tail(h.around);
    Type* decides = tail->tag == TypeTag::Rigid ? end : tail;
    if (level > 0 && is_var(decides) && decides->level <= level) {
      open_rows_[kept++] = h;
    } else {
      if (is_var(end)) end->awaits = false;
      if (is_var(tail) && tail != end) tail->link = types_.row_empty();
    }
  }
  open_rows_.resize(kept);
  for (size_t i = from; i < kept; i++) await(open_rows_[i].around);
}

void Checker::finish_rows(size_t from, uint32_t level, Type* const* types, size_t count) {
  settle_rows(from, level, types, count);
  close_rows(from, level);
}

}  // namespace eddy::lang
