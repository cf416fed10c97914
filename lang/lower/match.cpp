// The emitting half of the matcher: decision trees into jumps.
#include "lang/lower/match.h"

#include <algorithm>

namespace eddy::lang::lower {

namespace {
constexpr size_t kSwitchFrom = 4;  // constructors
constexpr size_t kSearchFrom = 6;  // Int literals
}  // namespace

Matcher::~Matcher() {
  undo({0, l_.fetched_.size()});
  for (Val v : roots_) l_.release(v);
}

// --- parts of the subject

void Matcher::prove(uint32_t occurrence, uint16_t con) {
  occurrences_[occurrence].proven = con;
  trail_.push_back({occurrence, Undo::kProof});
}

Reg Matcher::load(uint32_t occurrence) {
  if (occurrences_[occurrence].loaded) return occurrences_[occurrence].reg;
  Reg r;
  if (occurrences_[occurrence].raw_loaded || occurrences_[occurrence].raw_field) {
    Reg raw = load_raw(occurrence);
    r = l_.take();
    l_.emit(Op::BOX, {r, raw});
  } else {
    r = l_.take();
    load_into(occurrence, r);
  }
  Occurrence& o = occurrences_[occurrence];
  o.reg = r;
  o.loaded = o.owned = true;
  trail_.push_back({occurrence, Undo::kLoad});
  return r;
}

Reg Matcher::load_raw(uint32_t occurrence) {
  if (occurrences_[occurrence].raw_loaded) return occurrences_[occurrence].raw;
  Reg r;
  if (occurrences_[occurrence].raw_field) {
    r = l_.take(true);
    load_into(occurrence, r);
  } else {
    Reg boxed = load(occurrence);
    r = l_.take(true);
    l_.emit(Op::UNBOX, {r, boxed});
  }
  Occurrence& o = occurrences_[occurrence];
  o.raw = r;
  o.raw_loaded = o.raw_owned = true;
  trail_.push_back({occurrence, Undo::kRaw});
  return r;
}

// The value of an occurrence, from where it is already or from its parent.
void Matcher::load_into(uint32_t occurrence, Reg home) {
  const Occurrence& o = occurrences_[occurrence];
  if (home.is_raw && o.raw_loaded) return l_.move(home, o.raw);
  if (!home.is_raw && o.loaded) return l_.move(home, o.reg);
  if (o.raw_loaded) return l_.move(home, o.raw);
  if (o.loaded) return l_.move(home, o.reg);
  if (home.is_raw != o.raw_field) return l_.move(home, o.raw_field ? load_raw(occurrence) : load(occurrence));
  uint32_t parent = static_cast<uint32_t>(o.parent);
  uint16_t con = o.con, field = o.field;
  Reg from = load(parent);
  if (occurrences_[parent].proven == con) {
    l_.emit(home.is_raw ? Op::GET_R : Op::GET, {home, from, field});
  } else {
    l_.at(span_);
    l_.emit(home.is_raw ? Op::GET_RC : Op::GET_C, {home, from, field, con});
    if (home != from) prove(parent, con);
  }
}

void Matcher::undo(Mark mark) {
  l_.forget_fetched(mark.fetched);
  while (trail_.size() > mark.trail) {
    auto [id, what] = trail_.back();
    trail_.pop_back();
    Occurrence& o = occurrences_[id];
    switch (what) {
      case Undo::kLoad:
        if (o.owned) l_.b_.give(o.reg);
        o.loaded = o.owned = false;
        break;
      case Undo::kRaw:
        if (o.raw_owned) l_.b_.give(o.raw);
        o.raw_loaded = o.raw_owned = false;
        break;
      case Undo::kProof:
        o.proven = -1;
        break;
    }
  }
}

// A part's register becomes a variable's own.
Val Matcher::take_over(uint32_t occurrence, bool raw) {
  Reg r = raw ? load_raw(occurrence) : load(occurrence);
  Occurrence& o = occurrences_[occurrence];
  bool owned = raw ? o.raw_owned : o.owned;
  (raw ? o.raw_owned : o.owned) = false;
  for (Val& v : roots_) {
    if (v.owned && v.reg == r) {
      v.owned = false;
      owned = true;
    }
  }
  return {r, owned};
}

// Registers of parts that an arm's body has no use for; they are free while it runs.
std::vector<Reg> Matcher::give_unused(const std::vector<std::pair<Local*, uint32_t>>& binds) {
  std::vector<Reg> given;
  auto used = [&](Reg r) {
    return std::any_of(binds.begin(), binds.end(),
                       [&](auto& b) { return b.first->defined && b.first->reg == r; });
  };
  for (auto [id, what] : trail_) {
    Occurrence& o = occurrences_[id];
    if (what == Undo::kLoad && o.owned && !used(o.reg)) given.push_back(o.reg);
    if (what == Undo::kRaw && o.raw_owned && !used(o.raw)) given.push_back(o.raw);
  }
  for (Val v : roots_) {
    if (v.owned && !used(v.reg)) given.push_back(v.reg);
  }
  for (Reg r : given) l_.b_.give(r);
  return given;
}

// --- the tree

void Matcher::fail() {
  Val text = l_.load_string("no pattern matches", {});
  l_.at(span_);
  l_.emit(Op::PANIC, {text.reg});
  l_.release(text);
}

void Matcher::emit(int32_t node) {
  if (!l_.live()) return;
  const Node& n = nodes_[node];
  switch (n.kind) {
    case Node::Kind::kFail:
      fail();
      return;
    case Node::Kind::kLeaf:
      emit_leaf(n);
      return;
    case Node::Kind::kSplit:
      emit_split(n);
      return;
  }
}

void Matcher::body(Arm& arm) {
  size_t scope = l_.scope();
  Lowering::FetchScope fetched(l_);
  for (auto [local, home] : arm.homes) l_.define(local, {home, is_let_});
  l_.resumed_ = resumed_before_;
  if (arm.body) l_.lower(arm.body, dest_);
  if (!is_let_) l_.close_scope(scope);
  if (l_.live()) resumed_on_all_ &= l_.resumed_;
  l_.emit(Op::JMP, {end_});
}

void Matcher::emit_leaf(const Node& n) {
  Arm& arm = arms_[n.arm];
  size_t scope = l_.scope();
  if (arm.leaves > 1) {
    for (auto [local, occurrence] : n.binds) {
      for (auto [known, home] : arm.homes) {
        if (known == local) load_into(occurrence, home);
      }
    }
    if (!arm.guard) {
      l_.emit(Op::JMP, {arm.label});
      return;
    }
    vm::Label next = l_.b_.label();
    for (auto [local, home] : arm.homes) l_.define(local, {home, false});
    l_.branch(arm.guard, false, next);
    l_.close_scope(scope);
    l_.emit(Op::JMP, {arm.label});
    l_.b_.bind(next);
    emit(n.next);
    return;
  }
  if (is_let_) {
    for (auto [local, occurrence] : n.binds) l_.define(local, take_over(occurrence, local->is_float));
    return;
  }
  for (auto [local, occurrence] : n.binds)
    l_.define(local, {local->is_float ? load_raw(occurrence) : load(occurrence), false});
  vm::Label next = l_.b_.label();
  if (arm.guard) l_.branch(arm.guard, false, next);
  std::vector<Reg> given = give_unused(n.binds);
  body(arm);
  for (size_t i = given.size(); i-- > 0;) l_.b_.retake(given[i]);
  l_.close_scope(scope);
  l_.b_.bind(next);
  if (arm.guard) emit(n.next);
}

void Matcher::emit_split(const Node& n) {
  switch (n.branches[0].first.kind) {
    case HeadKind::kCon:
      if (n.branches.size() >= kSwitchFrom)
        emit_switch(n);
      else
        emit_constructors(n);
      return;
    default:
      emit_literals(n);
      return;
  }
}

void Matcher::emit_constructors(const Node& n) {
  const Head& first = n.branches[0].first;
  if (first.count == 1) {  // nothing to find out
    emit(n.branches[0].second);
    return;
  }
  // The last of all constructors needs no test, and best is a constant one: its fields need no proof.
  std::vector<std::pair<Head, int32_t>> branches = n.branches;
  if (n.next < 0) {
    auto constant =
        std::find_if(branches.begin(), branches.end(), [](auto& b) { return b.first.fields == 0; });
    if (constant != branches.end()) std::rotate(constant, constant + 1, branches.end());
  }
  Reg r = load(n.occurrence);
  for (size_t i = 0; i < branches.size(); ++i) {
    auto& [head, branch] = branches[i];
    Mark before = mark();
    if (i + 1 == branches.size() && n.next < 0) {
      emit(branch);
      undo(before);
      return;
    }
    vm::Label next = l_.b_.label();
    l_.emit(Op::JISNT, {r, head.con, next});
    prove(n.occurrence, head.con);
    emit(branch);
    undo(before);
    l_.b_.bind(next);
  }
  emit(n.next);
}

void Matcher::emit_switch(const Node& n) {
  Reg r = load(n.occurrence);
  vm::Label otherwise = l_.b_.label();
  uint16_t low = n.branches[0].first.con, high = low;
  for (const auto& [head, _] : n.branches) {
    low = std::min(low, head.con);
    high = std::max(high, head.con);
  }
  std::vector<vm::Label> table(high - low + 1u, otherwise);
  std::vector<vm::Label> labels;
  for (const auto& [head, _] : n.branches) {
    labels.push_back(l_.b_.label());
    table[head.con - low] = labels.back();
  }
  l_.b_.emit_switch(r, low, table);
  // What is none of the table's constructors goes on here: where there is no such, to the first branch, which
  // checks for itself.
  Mark before = mark();
  l_.b_.bind(otherwise);
  if (n.next >= 0) emit(n.next);
  undo(before);
  for (size_t i = 0; i < labels.size(); ++i) {
    l_.b_.bind(labels[i]);
    emit(n.branches[i].second);
    undo(before);
  }
}

void Matcher::test_literal(uint32_t occurrence, const Head& head, vm::Label fails) {
  l_.at(span_);
  switch (head.kind) {
    case HeadKind::kBool:
      l_.emit(head.number ? Op::JF : Op::JT, {load(occurrence), fails});
      return;
    case HeadKind::kInt:
      if (head.number >= INT16_MIN && head.number <= INT16_MAX) {
        l_.emit(Op::JNE_I, {load(occurrence), head.number, fails});
        return;
      }
      break;
    case HeadKind::kFloat: {
      Reg r = load_raw(occurrence);
      Reg k = l_.take(true);
      l_.emit(Op::LOAD_FLOAT, {k, std::bit_cast<int64_t>(head.real)});
      l_.emit(Op::JFNE, {r, k, fails});
      l_.b_.give(k);
      return;
    }
    default:
      break;
  }
  Reg r = load(occurrence);
  Val k;
  if (head.kind == HeadKind::kInt)
    k = l_.load_int(head.number, {});
  else if (head.kind == HeadKind::kBigInt)
    k = l_.big_int(as<IntExpr>(head.literal), head.negative, {});
  else
    k = l_.literal(head.literal, {});
  l_.emit(Op::JNE, {r, k.reg, fails});
  l_.release(k);
}

void Matcher::emit_literals(const Node& n) {
  bool ints = n.branches.size() >= kSearchFrom;
  for (const auto& [head, _] : n.branches)
    ints &= head.kind == HeadKind::kInt && head.number >= INT16_MIN && head.number <= INT16_MAX;
  if (n.branches[0].first.kind == HeadKind::kFloat)
    load_raw(n.occurrence);
  else
    load(n.occurrence);
  Mark before = mark();
  if (ints) {
    std::vector<std::pair<int64_t, int32_t>> sorted;
    sorted.reserve(n.branches.size());
    for (const auto& [head, branch] : n.branches) sorted.push_back({head.number, branch});
    std::sort(sorted.begin(), sorted.end());
    vm::Label otherwise = l_.b_.label();
    emit_search(n, sorted, otherwise);
    l_.b_.bind(otherwise);
  } else {
    bool all = n.next < 0;
    for (size_t i = 0; i < n.branches.size(); ++i) {
      vm::Label next = l_.b_.label();
      if (!(all && i + 1 == n.branches.size())) test_literal(n.occurrence, n.branches[i].first, next);
      emit(n.branches[i].second);
      undo(before);
      l_.b_.bind(next);
    }
    if (all) return;
  }
  if (l_.live()) emit(n.next);
}

void Matcher::emit_search(const Node& n, std::span<const std::pair<int64_t, int32_t>> sorted,
                          vm::Label otherwise) {
  Reg r = load(n.occurrence);
  Mark before = mark();
  l_.at(span_);
  if (sorted.size() <= 3) {
    for (size_t i = 0; i < sorted.size(); ++i) {
      bool last = i + 1 == sorted.size();
      vm::Label next = last ? otherwise : l_.b_.label();
      l_.emit(Op::JNE_I, {r, sorted[i].first, next});
      emit(sorted[i].second);
      undo(before);
      if (!last) l_.b_.bind(next);
    }
    return;
  }
  size_t middle = sorted.size() / 2;
  vm::Label right = l_.b_.label();
  l_.emit(Op::JGE_I, {r, sorted[middle].first, right});
  emit_search(n, sorted.first(middle), otherwise);
  undo(before);
  l_.b_.bind(right);
  emit_search(n, sorted.subspan(middle), otherwise);
  undo(before);
}

}  // namespace eddy::lang::lower
