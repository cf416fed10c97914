// Arms one after the other, for patterns that would make too large a tree; and the expressions that match.
#include "lang/lower/match.h"

namespace eddy::lang::lower {

namespace {
constexpr size_t kMostExpandedRows = 10000;
}

// --- one arm after the other

void Matcher::sequential() {
  nodes_.clear();
  budget_ = kMostExpandedRows;
  for (Arm& arm : arms_) {
    arm.leaves = 2;  // choices inside a pattern may make several
    arm.label = l_.b_.label();
  }
  for (Row& row : rows_) {
    vm::Label next = l_.b_.label();
    Mark before = mark();
    sequential_row(std::move(row), next);
    undo(before);
    l_.b_.bind(next);
  }
  if (l_.live()) fail();
  for (Arm& arm : arms_) {
    l_.b_.bind(arm.label);
    if (l_.live()) body(arm);
  }
}

// Tests a row's parts from left to right; a choice inside is tried alternative by alternative, the rest of the
// row after each.
void Matcher::sequential_row(Row row, vm::Label fails) {
  while (!row.tests.empty()) {
    Test t = row.tests.front();
    row.tests.erase(row.tests.begin());
    if (t.pattern->kind == PatternKind::kOr) {
      const auto& alternatives = as<OrPattern>(t.pattern)->alternatives;
      for (size_t i = 0; i < alternatives.size; ++i) {
        if (--budget_ == 0) {
          l_.p_.too_large(span_, "this match is too large to compile");
          ++budget_;
          return;
        }
        Row copy = row;
        Row extra;
        add_test(extra, t.occurrence, alternatives[i]);
        copy.tests.insert(copy.tests.begin(), extra.tests.begin(), extra.tests.end());
        copy.binds.insert(copy.binds.end(), extra.binds.begin(), extra.binds.end());
        bool last = i + 1 == alternatives.size;
        vm::Label next = last ? fails : l_.b_.label();
        Mark before = mark();
        sequential_row(std::move(copy), next);
        undo(before);
        if (!last) l_.b_.bind(next);
      }
      return;
    }
    Head head = head_of(t);
    if (head.kind != HeadKind::kCon) {
      test_literal(t.occurrence, head, fails);
      continue;
    }
    if (head.count > 1 && occurrences_[t.occurrence].proven != head.con) {
      l_.emit(Op::JISNT, {load(t.occurrence), head.con, fails});
      prove(t.occurrence, head.con);
    }
    Row parts;
    add_parts(parts, t, head);
    row.tests.insert(row.tests.begin(), parts.tests.begin(), parts.tests.end());
    row.binds.insert(row.binds.end(), parts.binds.begin(), parts.binds.end());
  }
  Arm& arm = arms_[row.arm];
  if (arm.homes.empty()) {
    for (auto [local, _] : row.binds) arm.homes.push_back({local, l_.take(local->is_float)});
  }
  for (auto [local, occurrence] : row.binds) {
    for (auto [known, home] : arm.homes) {
      if (known == local) load_into(occurrence, home);
    }
  }
  if (arm.guard) {
    size_t scope = l_.scope();
    for (auto [local, home] : arm.homes) l_.define(local, {home, false});
    l_.branch(arm.guard, false, fails);
    l_.close_scope(scope);
  }
  l_.emit(Op::JMP, {arm.label});
}

// --- who uses it

void Matcher::run_let(Span span) {
  is_let_ = true;
  run(Dest::discard(), span);
}

void Lowering::match(MatchExpr* e, Dest d) {
  Matcher matcher(*this);
  size_t before = scope();
  bool apart = e->subject->kind == ExprKind::kTuple && e->arms.size > 0;
  for (const MatchArm& arm : e->arms)
    apart &= arm.pattern->kind == PatternKind::kTuple || arm.pattern->kind == PatternKind::kWildcard;
  if (apart) {
    auto* t = as<TupleExpr>(e->subject);
    std::vector<Val> items;
    for (uint32_t i = 0; i < t->items.size; ++i) {
      Val v = eval(t->items[i]);
      items.push_back(settle(v, t->items[i]));
    }
    std::vector<uint32_t> roots;
    roots.reserve(items.size());
    for (Val v : items) roots.push_back(matcher.root(v));
    for (const MatchArm& arm : e->arms) matcher.add_arm({arm.pattern, arm.guard, arm.body, 0, {}, {}}, roots);
  } else {
    Val subject = eval(e->subject);
    uint32_t root = matcher.root(settle(subject, e->subject));
    for (const MatchArm& arm : e->arms) matcher.add_arm({arm.pattern, arm.guard, arm.body, 0, {}, {}}, root);
  }
  matcher.run(d, e->span);
  close_scope(before);
}

// Takes over `v`. The pattern cannot fail.
void Lowering::bind_pattern(Pattern* p, Val v) {
  switch (p->kind) {
    case PatternKind::kVariable: {
      auto* l = static_cast<Local*>(static_cast<LocalBinding*>(as<VariablePattern>(p)->binding)->lowered);
      if (l->uses)
        define(l, v);
      else
        release(v);
      return;
    }
    case PatternKind::kAs: {
      auto* l = static_cast<Local*>(static_cast<LocalBinding*>(as<AsPattern>(p)->binding)->lowered);
      if (l->uses) {
        define(l, v);
        v = {l->reg, false};
      }
      bind_pattern(as<AsPattern>(p)->pattern, v);
      return;
    }
    case PatternKind::kList:
      if (as<ListPattern>(p)->items.empty() && as<ListPattern>(p)->rest) {
        bind_pattern(as<ListPattern>(p)->rest, v);
        return;
      }
      break;
    case PatternKind::kTuple:
    case PatternKind::kConstructor:
      break;
    case PatternKind::kOr:
      break;
    default:
      release(v);
      return;
  }
  Matcher matcher(*this);
  uint32_t root = matcher.root(v);
  matcher.add_arm({p, nullptr, nullptr, 0, {}, {}}, root);
  matcher.run_let(p->span);
}

}  // namespace eddy::lang::lower
