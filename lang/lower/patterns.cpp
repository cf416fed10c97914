// The building half of the matcher: rows, heads, the tree.
#include "lang/lower/match.h"

namespace eddy::lang::lower {

namespace {
constexpr uint32_t kMostPatternNodes = 300;  // of one arm in a tree: bounds its depth
constexpr uint32_t kNodesPerArm = 60;
constexpr size_t kMostRowCopies = 500'000;
}  // namespace

bool Matcher::Head::operator==(const Head& o) const {
  if (kind != o.kind) return false;
  switch (kind) {
    case HeadKind::kCon:
      return con == o.con;
    case HeadKind::kFloat:
      return real == o.real;
    case HeadKind::kString:
    case HeadKind::kBigInt:
      return text == o.text && negative == o.negative;
    default:
      return number == o.number;
  }
}

uint32_t Matcher::size_of(const Pattern* p) {
  uint32_t n = 1;
  switch (p->kind) {
    case PatternKind::kConstructor:
      for (const PatternArg& a : as<ConstructorPattern>(p)->args) n += size_of(a.pattern);
      break;
    case PatternKind::kTuple:
      for (const Pattern* item : as<TuplePattern>(p)->items) n += size_of(item);
      break;
    case PatternKind::kList:
      for (const Pattern* item : as<ListPattern>(p)->items) n += size_of(item);
      break;
    case PatternKind::kOr:
      for (const Pattern* item : as<OrPattern>(p)->alternatives) n += size_of(item);
      break;
    case PatternKind::kAs:
      n += size_of(as<AsPattern>(p)->pattern);
      break;
    default:
      break;
  }
  return n;
}

uint32_t Matcher::root(Val v) {
  Occurrence& o = occurrences_.emplace_back();
  if (v.reg.is_raw) {
    o.raw = v.reg;
    o.raw_loaded = true;
  } else {
    o.reg = v.reg;
    o.loaded = true;
  }
  roots_.push_back(v);
  return static_cast<uint32_t>(occurrences_.size() - 1);
}

void Matcher::add_arm(Arm arm, uint32_t root) {
  Row row;
  row.arm = static_cast<uint32_t>(arms_.size());
  add_test(row, root, arm.pattern);
  rows_.push_back(std::move(row));
  arms_.push_back(std::move(arm));
}

void Matcher::add_arm(Arm arm, std::span<const uint32_t> roots) {
  Row row;
  row.arm = static_cast<uint32_t>(arms_.size());
  if (arm.pattern->kind == PatternKind::kTuple) {
    for (uint32_t i = 0; i < roots.size(); ++i)
      add_test(row, roots[i], as<TuplePattern>(arm.pattern)->items[i]);
  }
  rows_.push_back(std::move(row));
  arms_.push_back(std::move(arm));
}

// Variables need no test; what remains is a constructor, a literal or a choice.
void Matcher::add_test(Row& row, uint32_t occurrence, Pattern* p, uint32_t from) {
  for (;;) {
    switch (p->kind) {
      case PatternKind::kWildcard:
      case PatternKind::kError:
        return;
      case PatternKind::kVariable: {
        auto* l = static_cast<Local*>(static_cast<LocalBinding*>(as<VariablePattern>(p)->binding)->lowered);
        if (l->uses) row.binds.push_back({l, occurrence});
        return;
      }
      case PatternKind::kAs: {
        auto* l = static_cast<Local*>(static_cast<LocalBinding*>(as<AsPattern>(p)->binding)->lowered);
        if (l->uses) row.binds.push_back({l, occurrence});
        p = as<AsPattern>(p)->pattern;
        continue;
      }
      case PatternKind::kLiteral:
        if (as<LiteralPattern>(p)->literal->kind == ExprKind::kUnit) return;
        break;
      case PatternKind::kList: {
        auto* list = as<ListPattern>(p);
        if (from == list->items.size && list->has_rest) {
          if (!list->rest) return;
          p = list->rest;
          from = 0;
          continue;
        }
        break;
      }
      default:
        break;
    }
    row.tests.push_back({occurrence, p, from});
    return;
  }
}

Matcher::Head Matcher::head_of(const Test& t) const {
  Head h;
  switch (t.pattern->kind) {
    case PatternKind::kConstructor: {
      auto* c = static_cast<ConstructorBinding*>(as<ConstructorPattern>(t.pattern)->binding);
      h.binding = c;
      h.con = l_.p_.constructor(c);
      h.first = static_cast<uint16_t>(h.con - c->index);
      h.count = c->type_def->constructors.size;
      h.fields = c->fields.size;
      return h;
    }
    case PatternKind::kTuple:
      h.fields = as<TuplePattern>(t.pattern)->items.size;
      h.con = h.first = rt::con::tuple(h.fields);
      h.count = 1;
      return h;
    case PatternKind::kList:
      h.first = rt::con::Nil;
      h.count = 2;
      h.con = t.from < as<ListPattern>(t.pattern)->items.size ? rt::con::Cons : rt::con::Nil;
      h.fields = h.con == rt::con::Cons ? 2 : 0;
      return h;
    default:
      break;
  }
  auto* l = as<LiteralPattern>(t.pattern);
  h.literal = l->literal;
  h.negative = l->negative;
  switch (l->literal->kind) {
    case ExprKind::kInt: {
      auto* i = as<IntExpr>(l->literal);
      h.kind = i->is_big() ? HeadKind::kBigInt : HeadKind::kInt;
      h.text = i->digits;
      h.number = l->negative ? -i->value : i->value;
      break;
    }
    case ExprKind::kFloat:
      h.kind = HeadKind::kFloat;
      h.real = as<FloatExpr>(l->literal)->value * (l->negative ? -1.0 : 1.0);
      break;
    case ExprKind::kChar:
      h.kind = HeadKind::kChar;
      h.number = as<CharExpr>(l->literal)->value;
      break;
    case ExprKind::kBool:
      h.kind = HeadKind::kBool;
      h.number = as<BoolExpr>(l->literal)->value;
      break;
    default:
      h.kind = HeadKind::kString;
      h.text = as<StringExpr>(l->literal)->value;
      break;
  }
  return h;
}

uint64_t Matcher::Head::hash() const {
  switch (kind) {
    case HeadKind::kCon:
      return con;
    case HeadKind::kFloat:
      return std::hash<double>()(real);
    case HeadKind::kString:
    case HeadKind::kBigInt:
      return std::hash<std::string_view>()(text);
    default:
      return static_cast<uint64_t>(number);
  }
}

uint32_t Matcher::Split::find(const Head& head) const {
  auto [from, to] = by_hash.equal_range(head.hash());
  for (; from != to; ++from) {
    if (heads[from->second] == head) return from->second;
  }
  return kNone;
}

void Matcher::heads_of(const Test& t, Split& split) const {
  if (t.pattern->kind == PatternKind::kOr) {
    for (Pattern* alternative : as<OrPattern>(t.pattern)->alternatives) {
      Row row;
      const_cast<Matcher*>(this)->add_test(row, t.occurrence, alternative);
      if (!row.tests.empty()) heads_of(row.tests[0], split);
    }
    return;
  }
  Head h = head_of(t);
  if (split.find(h) != Split::kNone) return;
  split.by_hash.emplace(h.hash(), static_cast<uint32_t>(split.heads.size()));
  split.heads.push_back(h);
}

uint32_t Matcher::part(uint32_t occurrence, const Head& head, uint32_t field) {
  for (uint32_t i : occurrences_[occurrence].parts) {
    if (occurrences_[i].con == head.con && occurrences_[i].field == field) return i;
  }
  uint32_t id = static_cast<uint32_t>(occurrences_.size());
  Occurrence& o = occurrences_.emplace_back();
  o.parent = static_cast<int32_t>(occurrence);
  o.con = head.con;
  o.field = static_cast<uint16_t>(field);
  o.raw_field = head.binding && is_float(head.binding->fields[field].type);
  occurrences_[occurrence].parts.push_back(id);
  return id;
}

// What is left to test once the occurrence is known to be made by the pattern's constructor.
void Matcher::add_parts(Row& row, const Test& t, const Head& head) {
  switch (t.pattern->kind) {
    case PatternKind::kConstructor: {
      auto* p = as<ConstructorPattern>(t.pattern);
      for (uint32_t i = 0; i < p->args.size; ++i) {
        int field = p->args[i].name.name ? head.binding->field(p->args[i].name.name) : static_cast<int>(i);
        if (field < 0 || p->args[i].pattern->kind == PatternKind::kWildcard) continue;
        add_test(row, part(t.occurrence, head, static_cast<uint32_t>(field)), p->args[i].pattern);
      }
      return;
    }
    case PatternKind::kTuple: {
      auto* p = as<TuplePattern>(t.pattern);
      for (uint32_t i = 0; i < p->items.size; ++i) {
        if (p->items[i]->kind != PatternKind::kWildcard)
          add_test(row, part(t.occurrence, head, i), p->items[i]);
      }
      return;
    }
    case PatternKind::kList: {
      auto* p = as<ListPattern>(t.pattern);
      if (head.con != rt::con::Cons) return;
      if (p->items[t.from]->kind != PatternKind::kWildcard)
        add_test(row, part(t.occurrence, head, 0), p->items[t.from]);
      if (t.from + 1 == p->items.size && p->has_rest && !p->rest) return;
      add_test(row, part(t.occurrence, head, 1), p, t.from + 1);
      return;
    }
    default:
      return;
  }
}

// Puts what is left of a row with each head that it can match.
void Matcher::distribute(const Row& row, uint32_t occurrence, Split& split) {
  size_t at = 0;
  while (at < row.tests.size() && row.tests[at].occurrence != occurrence) ++at;
  if (at == row.tests.size()) {
    copies_ += split.heads.size();
    if (copies_ > kMostRowCopies) too_big_ = true;
    if (too_big_) return;
    for (std::vector<Row>& part : split.parts) part.push_back(row);
    split.others.push_back(row);
    return;
  }
  const Test& test = row.tests[at];
  if (test.pattern->kind == PatternKind::kOr) {
    for (Pattern* alternative : as<OrPattern>(test.pattern)->alternatives) {
      Row one = row;
      one.tests.erase(one.tests.begin() + static_cast<ptrdiff_t>(at));
      Row extra;
      add_test(extra, occurrence, alternative);
      one.binds.insert(one.binds.end(), extra.binds.begin(), extra.binds.end());
      one.tests.insert(one.tests.begin() + static_cast<ptrdiff_t>(at), extra.tests.begin(),
                       extra.tests.end());
      distribute(one, occurrence, split);
    }
    return;
  }
  const Head& head = split.heads[split.find(head_of(test))];
  Row rest;
  rest.arm = row.arm;
  rest.binds = row.binds;
  rest.tests.reserve(row.tests.size() + head.fields);
  for (size_t i = 0; i < row.tests.size(); ++i) {
    if (i == at)
      add_parts(rest, test, head);
    else
      rest.tests.push_back(row.tests[i]);
  }
  split.parts[static_cast<size_t>(&head - split.heads.data())].push_back(std::move(rest));
}

int32_t Matcher::build(std::vector<Row> rows) {
  if (nodes_.size() > budget_) too_big_ = true;
  if (too_big_ || rows.empty()) {
    nodes_.emplace_back();
    return static_cast<int32_t>(nodes_.size() - 1);
  }
  int32_t id = static_cast<int32_t>(nodes_.size());
  nodes_.emplace_back();
  if (rows[0].tests.empty()) {
    Row first = std::move(rows[0]);
    ++arms_[first.arm].leaves;
    nodes_[id].kind = Node::Kind::kLeaf;
    nodes_[id].arm = first.arm;
    nodes_[id].binds = std::move(first.binds);
    if (arms_[first.arm].guard) {
      rows.erase(rows.begin());
      int32_t next = build(std::move(rows));
      nodes_[id].next = next;
    }
    return id;
  }
  uint32_t occurrence = rows[0].tests[0].occurrence;
  Split split;
  for (const Row& row : rows) {
    for (const Test& t : row.tests) {
      if (t.occurrence == occurrence) heads_of(t, split);
    }
  }
  const Head& first = split.heads[0];
  bool complete = (first.kind == HeadKind::kCon && split.heads.size() == first.count) ||
                  (first.kind == HeadKind::kBool && split.heads.size() == 2);
  nodes_[id].kind = Node::Kind::kSplit;
  nodes_[id].occurrence = occurrence;
  split.parts.resize(split.heads.size());
  for (const Row& row : rows) distribute(row, occurrence, split);
  for (size_t i = 0; i < split.heads.size(); ++i) {
    int32_t branch = build(std::move(split.parts[i]));
    nodes_[id].branches.push_back({split.heads[i], branch});
  }
  if (!complete) {
    int32_t next = build(std::move(split.others));
    nodes_[id].next = next;
  }
  return id;
}

void Matcher::run(Dest d, Span span) {
  dest_ = d;
  span_ = span;
  end_ = l_.b_.label();
  resumed_before_ = l_.resumed_;
  bool wide = false;
  for (const Arm& arm : arms_) wide |= size_of(arm.pattern) > kMostPatternNodes;
  budget_ = 200 + kNodesPerArm * arms_.size();
  int32_t tree = -1;
  if (!wide) tree = build(rows_);
  if (wide || too_big_) {
    sequential();
  } else {
    for (Arm& arm : arms_) {
      if (arm.leaves <= 1 && !is_let_) continue;
      arm.label = l_.b_.label();
    }
    // Where several leaves lead to an arm, its variables have a place of their own.
    for (const Node& n : nodes_) {
      if (n.kind != Node::Kind::kLeaf) continue;
      Arm& arm = arms_[n.arm];
      if (arm.leaves <= 1 || !arm.homes.empty()) continue;
      for (auto [local, _] : n.binds) arm.homes.push_back({local, l_.take(local->is_float)});
    }
    Mark start = mark();
    emit(tree);
    undo(start);
    for (Arm& arm : arms_) {
      if (arm.leaves <= 1) continue;
      l_.b_.bind(arm.label);
      body(arm);
    }
  }
  l_.b_.bind(end_);
  if (!is_let_) {
    for (Arm& arm : arms_) {
      for (auto [_, home] : arm.homes) l_.b_.give(home);
    }
  }
  l_.resumed_ = resumed_on_all_;
}

}  // namespace eddy::lang::lower
