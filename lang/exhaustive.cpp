#include "lang/exhaustive.h"

#include <fmt/format.h>

#include <memory>
#include <unordered_set>

namespace eddy::lang {

namespace {

constexpr uint32_t kBudget = 3'000'000;  // matrix cells looked at before giving up
constexpr unsigned kDepth = 1500;

// A pattern reduced to what matters here: nothing, a constructor of a finite set, or a literal of an
// infinite one.
struct Pat {
  enum Kind : uint8_t { kWild, kCon, kLiteral } kind = kWild;
  const TypeDef* def = nullptr;  // kCon of a declared type
  uint32_t index = 0;            // kCon: which
  uint32_t total = 1;            // kCon: of how many
  std::string literal;           // kLiteral; kCon of Bool
  std::vector<const Pat*> subs;
  std::vector<const Pat*> alternatives;  // an or-pattern: any of these
};

using Row = std::vector<const Pat*>;

class Cover {
 public:
  explicit Cover(const Symbols& symbols) : symbols_(symbols) {}

  const Pat* build(Pattern* p, unsigned depth) {
    if (!p || depth > kDepth) {
      if (depth > kDepth) gave_up_ = true;
      return &wild_;
    }
    switch (p->kind) {
      case PatternKind::kWildcard:
      case PatternKind::kVariable:
      case PatternKind::kError:
        return &wild_;
      case PatternKind::kAs:
        return build(as<AsPattern>(p)->pattern, depth + 1);
      case PatternKind::kLiteral:
        return literal(as<LiteralPattern>(p));
      case PatternKind::kTuple: {
        Pat* made = make(Pat::kCon);
        for (Pattern* i : as<TuplePattern>(p)->items) made->subs.push_back(build(i, depth + 1));
        return made;
      }
      case PatternKind::kOr: {
        Pat* made = make(Pat::kWild);
        for (Pattern* a : as<OrPattern>(p)->alternatives) made->alternatives.push_back(build(a, depth + 1));
        return made;
      }
      case PatternKind::kList: {
        auto* list = as<ListPattern>(p);
        const Pat* tail;
        if (list->has_rest) {
          tail = build(list->rest, depth + 1);
        } else {
          Pat* nil = make(Pat::kCon);
          nil->total = 2;
          nil->literal = "[]";
          tail = nil;
        }
        if (list->items.size > kDepth) {
          gave_up_ = true;
          return &wild_;
        }
        for (uint32_t i = list->items.size; i-- > 0;) {
          Pat* cons = make(Pat::kCon);
          cons->index = 1;
          cons->total = 2;
          cons->literal = "[]";
          cons->subs = {build(list->items[i], depth + 1), tail};
          tail = cons;
        }
        return tail;
      }
      case PatternKind::kConstructor: {
        auto* c = as<ConstructorPattern>(p);
        if (!c->binding || c->binding->kind != BindingKind::kConstructor) return &wild_;
        auto* con = static_cast<ConstructorBinding*>(c->binding);
        Pat* made = make(Pat::kCon);
        made->index = con->index;
        made->total = con->type_def->constructors.size;
        if (con->type_def->builtin == BuiltinType::kList)
          made->literal = "[]";
        else
          made->def = con->type_def;
        made->subs.assign(con->fields.size, &wild_);
        uint32_t position = 0;
        for (PatternArg& a : c->args) {
          int field = a.name.name ? con->field(a.name.name) : static_cast<int>(position++);
          if (field < 0 || static_cast<uint32_t>(field) >= con->fields.size) continue;
          made->subs[field] = build(a.pattern, depth + 1);
        }
        return made;
      }
    }
    return &wild_;
  }

  // A vector of patterns that no row matches; false where there is none.
  bool missing(const std::vector<Row>& rows, size_t columns, std::vector<std::string>& witness,
               unsigned depth) {
    if (columns == 0) return rows.empty();
    if (depth > kDepth || !spend(rows.size() + 1)) {
      gave_up_ = true;
      return false;
    }
    std::vector<Row> expanded;
    const std::vector<Row>& matrix = expand(rows, expanded);
    const Pat* sample = nullptr;
    std::vector<bool> seen;
    size_t distinct = 0;
    for (const Row& r : matrix) {
      const Pat* p = r[0];
      if (p->kind == Pat::kWild) continue;
      if (!sample) sample = p;
      if (p->kind == Pat::kCon) {
        if (seen.size() < p->total) seen.resize(p->total);
        if (!seen[p->index]) {
          seen[p->index] = true;
          distinct++;
        }
      }
    }
    if (sample && sample->kind == Pat::kCon && distinct == sample->total) {
      for (uint32_t k = 0; k < sample->total; k++) {
        const Pat* shape = nullptr;
        for (const Row& r : matrix) {
          if (r[0]->kind == Pat::kCon && r[0]->index == k) {
            shape = r[0];
            break;
          }
        }
        std::vector<Row> special = specialise(matrix, k, nullptr, shape->subs.size());
        std::vector<std::string> inner;
        if (missing(special, shape->subs.size() + columns - 1, inner, depth + 1)) {
          witness = rebuild(shape, inner, columns);
          return true;
        }
      }
      return false;
    }
    std::vector<Row> rest = defaults(matrix);
    std::vector<std::string> inner;
    if (!missing(rest, columns - 1, inner, depth + 1)) return false;
    std::string head = "_";
    if (sample && sample->kind == Pat::kCon) {
      for (uint32_t k = 0; k < sample->total; k++) {
        if (seen[k]) continue;
        head = blank(sample, k);
        break;
      }
    }
    witness.clear();
    witness.push_back(head);
    witness.insert(witness.end(), inner.begin(), inner.end());
    return true;
  }

  // Could `row` match something that none of `rows` does?
  bool useful(const std::vector<Row>& rows, const Row& row, unsigned depth) {
    if (row.empty()) return rows.empty();
    if (depth > kDepth || !spend(rows.size() + 1)) {
      gave_up_ = true;
      return true;
    }
    if (!row[0]->alternatives.empty()) {
      for (const Pat* a : row[0]->alternatives) {
        Row one = row;
        one[0] = a;
        if (useful(rows, one, depth + 1)) return true;
      }
      return false;
    }
    std::vector<Row> expanded;
    const std::vector<Row>& matrix = expand(rows, expanded);
    const Pat* p = row[0];
    if (p->kind != Pat::kWild) {
      std::vector<Row> special =
          specialise(matrix, p->index, p->kind == Pat::kLiteral ? &p->literal : nullptr, p->subs.size());
      Row inner(p->subs.begin(), p->subs.end());
      inner.insert(inner.end(), row.begin() + 1, row.end());
      return useful(special, inner, depth + 1);
    }
    const Pat* sample = nullptr;
    std::vector<bool> seen;
    size_t distinct = 0;
    for (const Row& r : matrix) {
      if (r[0]->kind != Pat::kCon) continue;
      sample = r[0];
      if (seen.size() < sample->total) seen.resize(sample->total);
      if (!seen[sample->index]) {
        seen[sample->index] = true;
        distinct++;
      }
    }
    if (sample && distinct == sample->total) {
      for (uint32_t k = 0; k < sample->total; k++) {
        size_t arity = 0;
        for (const Row& r : matrix) {
          if (r[0]->kind == Pat::kCon && r[0]->index == k) {
            arity = r[0]->subs.size();
            break;
          }
        }
        Row inner(arity, &wild_);
        inner.insert(inner.end(), row.begin() + 1, row.end());
        if (useful(specialise(matrix, k, nullptr, arity), inner, depth + 1)) return true;
      }
      return false;
    }
    return useful(defaults(matrix), Row(row.begin() + 1, row.end()), depth + 1);
  }

  bool gave_up() const { return gave_up_; }
  const Pat* wild() const { return &wild_; }

 private:
  Pat* make(Pat::Kind kind) {
    pats_.push_back(std::make_unique<Pat>());
    pats_.back()->kind = kind;
    return pats_.back().get();
  }
  bool spend(size_t cells) {
    work_ += static_cast<uint32_t>(cells);
    return work_ < kBudget;
  }

  const Pat* literal(LiteralPattern* p) {
    Expr* e = p->literal;
    if (!e) return &wild_;
    Pat* made = make(Pat::kLiteral);
    switch (e->kind) {
      case ExprKind::kUnit:
        made->kind = Pat::kCon;
        made->literal = "()";
        break;
      case ExprKind::kBool:
        made->kind = Pat::kCon;
        made->total = 2;
        made->index = as<BoolExpr>(e)->value;
        made->literal = "bool";
        break;
      case ExprKind::kInt: {
        auto* n = as<IntExpr>(e);
        std::string sign = p->negative && (n->is_big() || n->value != 0) ? "-" : "";
        made->literal = n->is_big() ? fmt::format("{}{}:{}", sign, n->base, n->digits)
                                    : fmt::format("{}{}", sign, n->value);
        break;
      }
      case ExprKind::kFloat:
        made->literal = fmt::format("{}{:.17g}", p->negative ? "-" : "", as<FloatExpr>(e)->value);
        break;
      case ExprKind::kChar:
        made->literal = fmt::format("'{}", as<CharExpr>(e)->value);
        break;
      case ExprKind::kString:
        made->literal = fmt::format("\"{}", as<StringExpr>(e)->value);
        break;
      default:
        made->kind = Pat::kWild;
        break;
    }
    return made;
  }

  // Or-patterns in the first column become rows of their own.
  const std::vector<Row>& expand(const std::vector<Row>& rows, std::vector<Row>& out) {
    bool any = false;
    for (const Row& r : rows) any |= !r[0]->alternatives.empty();
    if (!any) return rows;  // NOLINT(bugprone-return-const-ref-from-parameter): the callers keep them
    for (const Row& r : rows) expand_row(r, out, 0);
    return out;
  }
  void expand_row(const Row& r, std::vector<Row>& out, unsigned depth) {
    if (r[0]->alternatives.empty()) {
      out.push_back(r);
      return;
    }
    if (depth > kDepth || !spend(r.size())) {
      gave_up_ = true;
      return;
    }
    for (const Pat* a : r[0]->alternatives) {
      Row one = r;
      one[0] = a;
      expand_row(one, out, depth + 1);
    }
  }

  std::vector<Row> specialise(const std::vector<Row>& rows, uint32_t index, const std::string* text,
                              size_t arity) {
    std::vector<Row> out;
    for (const Row& r : rows) {
      const Pat* p = r[0];
      Row made;
      if (p->kind == Pat::kWild) {
        made.assign(arity, &wild_);
      } else if (text ? p->literal == *text : p->index == index) {
        made.assign(p->subs.begin(), p->subs.end());
        made.resize(arity, &wild_);
      } else {
        continue;
      }
      spend(arity + r.size());
      made.insert(made.end(), r.begin() + 1, r.end());
      out.push_back(std::move(made));
    }
    return out;
  }
  std::vector<Row> defaults(const std::vector<Row>& rows) {
    std::vector<Row> out;
    for (const Row& r : rows) {
      if (r[0]->kind == Pat::kWild) out.emplace_back(r.begin() + 1, r.end());
    }
    return out;
  }

  std::string blank(const Pat* shape, uint32_t index) const {
    if (shape->literal == "bool") return index ? "true" : "false";
    if (shape->literal == "[]") return index ? "[_, .._]" : "[]";
    if (!shape->def) return "_";
    const ConstructorBinding* c = shape->def->constructors[index];
    std::string out(symbols_.text(c->name));
    for (uint32_t i = 0; i < c->fields.size; i++) out += i ? ", _" : "(_";
    return c->fields.size ? out + ")" : out;
  }

  std::vector<std::string> rebuild(const Pat* shape, const std::vector<std::string>& inner,
                                   size_t columns) const {
    size_t arity = shape->subs.size();
    std::string head;
    if (shape->literal == "bool")
      head = shape->index ? "true" : "false";
    else if (shape->literal == "()")
      head = "()";
    else if (shape->literal == "[]") {
      if (shape->index == 0)
        head = "[]";
      else if (inner[1] == "[]")
        head = "[" + inner[0] + "]";
      else if (inner[1] == "_")
        head = "[" + inner[0] + ", .._]";
      else if (inner[1].size() > 2 && inner[1][0] == '[')
        head = "[" + inner[0] + ", " + inner[1].substr(1);
      else
        head = "[" + inner[0] + ", .." + inner[1] + "]";
    } else {
      if (shape->def) head = symbols_.text(shape->def->constructors[shape->index]->name);
      for (size_t i = 0; i < arity; i++) head += (i ? ", " : "(") + inner[i];
      if (arity) head += ")";
    }
    if (head.size() > 200) head = "_";
    std::vector<std::string> out{head};
    out.insert(out.end(), inner.begin() + static_cast<ptrdiff_t>(arity), inner.end());
    out.resize(columns, "_");
    return out;
  }

  const Symbols& symbols_;
  Pat wild_;
  std::vector<std::unique_ptr<Pat>> pats_;
  uint32_t work_ = 0;
  bool gave_up_ = false;
};

bool flat(const Pat* p) {
  if (!p->alternatives.empty()) return false;
  for (const Pat* s : p->subs) {
    if (s->kind != Pat::kWild || !s->alternatives.empty()) return false;
  }
  return true;
}

}  // namespace

Coverage cover(const Symbols& symbols, const std::vector<MatchRow>& given, bool want_unreachable) {
  Coverage result;
  result.unreachable.resize(given.size());
  Cover work(symbols);
  std::vector<const Pat*> pats;
  bool all_flat = true;
  for (const MatchRow& r : given) {
    pats.push_back(work.build(r.pattern, 0));
    all_flat &= flat(pats.back());
  }
  if (want_unreachable && all_flat) {
    // One look at each arm: what most matches are, and the only way for very long ones.
    std::unordered_set<std::string> literals;
    std::vector<bool> seen;
    size_t distinct = 0, total = 0;
    bool closed = false;
    for (size_t i = 0; i < pats.size(); i++) {
      const Pat* p = pats[i];
      bool covered = closed || (total && distinct == total);
      if (p->kind == Pat::kCon) {
        total = p->total;
        if (seen.size() < total) seen.resize(total);
        covered |= seen[p->index];
        if (!given[i].guarded && !seen[p->index]) {
          seen[p->index] = true;
          distinct++;
        }
      } else if (p->kind == Pat::kLiteral) {
        covered |= literals.count(p->literal) != 0;
        if (!given[i].guarded) literals.insert(p->literal);
      } else if (!given[i].guarded) {
        closed = true;
      }
      result.unreachable[i] = covered;
    }
    if (closed || (total && distinct == total)) {
      result.too_complex = work.gave_up();
      return result;
    }
  } else if (want_unreachable) {
    std::vector<Row> before;
    for (size_t i = 0; i < pats.size(); i++) {
      Row row{pats[i]};
      result.unreachable[i] = !work.useful(before, row, 0);
      if (!given[i].guarded) before.push_back(row);
      if (work.gave_up()) break;
    }
  }
  std::vector<Row> rows;
  for (size_t i = 0; i < pats.size(); i++) {
    if (!given[i].guarded) rows.push_back({pats[i]});
  }
  std::vector<std::string> witness;
  if (work.missing(rows, 1, witness, 0)) result.missing = witness[0];
  result.too_complex = work.gave_up();
  return result;
}

}  // namespace eddy::lang
