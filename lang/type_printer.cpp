// Types as a user writes them.
#include <fmt/format.h>

#include "lang/checked.h"

namespace eddy::lang {

namespace {

class Printer {
 public:
  explicit Printer(const Symbols& symbols) : symbols_(symbols) {}

  std::string out;

  void type(const Type* given, unsigned depth = 0) {
    Type* t = prune(const_cast<Type*>(given));
    if (depth > 12 || out.size() > 400) {
      out += "…";
      return;
    }
    switch (t->tag) {
      case TypeTag::Var:
      case TypeTag::Generic:
      case TypeTag::Rigid:
        out += name_of(t);
        break;
      case TypeTag::Con:
        con(t, depth);
        break;
      case TypeTag::Fn:
        fn(t, depth);
        break;
      case TypeTag::RowCons:
      case TypeTag::RowEmpty:
        row(t, depth, true);
        break;
      case TypeTag::Error:
        out += "?";
        break;
    }
  }

  void row(Type* t, unsigned depth, bool braces) {
    t = prune(t);
    std::vector<Type*> effects;
    while (t->tag == TypeTag::RowCons && effects.size() < 20) {
      effects.push_back(t->effect());
      t = prune(t->rest());
    }
    bool tail = t->tag != TypeTag::RowEmpty;
    if (!braces && effects.size() + tail == 1) {
      type(tail ? t : effects[0], depth + 1);
      return;
    }
    out += "{";
    for (size_t i = 0; i < effects.size(); i++) {
      if (i) out += ", ";
      type(effects[i], depth + 1);
    }
    if (tail) {
      if (!effects.empty()) out += " | ";
      type(t, depth + 1);
    }
    out += "}";
  }

 private:
  void con(Type* t, unsigned depth) {
    bool tuple = t->def->kind == TypeDefKind::kTuple;
    if (tuple)
      out += "(";
    else
      out += symbols_.text(t->def->name);
    if (t->count == 0) return;
    if (!tuple) out += "<";
    for (unsigned i = 0; i < t->count; i++) {
      if (i) out += ", ";
      type(t->arg(i), depth + 1);
    }
    out += tuple ? ")" : ">";
  }

  void fn(Type* t, unsigned depth) {
    out += "fn(";
    unsigned n = t->param_count();
    if (!(n == 1 && rep_of(t->param(0)) == Rep::kUnit)) {
      for (unsigned i = 0; i < n; i++) {
        if (i) out += ", ";
        type(t->param(i), depth + 1);
      }
    }
    out += "): ";
    Type* tail = prune(t->row());
    // A row that is nothing but an unknown is left out: it is what leaving it out would mean. So inside a
    // type the empty one is written.
    bool silent = is_var(tail) || (tail->tag == TypeTag::RowEmpty && depth == 0);
    bool group = !silent && prune(t->result())->tag == TypeTag::Fn;
    if (group) out += "(";
    type(t->result(), depth + 1);
    if (group) out += ")";
    if (silent) return;
    out += " / ";
    row(tail, depth, false);
  }

  std::string name_of(Type* t) {
    for (const auto& [seen, name] : names_) {
      if (seen == t) return name;
    }
    std::string name;
    if (t->name && t->tag != TypeTag::Var) name = symbols_.text(Symbol{t->name});
    if (name.empty() || taken(name, t)) {
      const char* letters = t->is_row ? "eghijk" : "abcdfmnopqrstuvwxyz";
      size_t n = t->is_row ? 6 : 19;
      for (size_t i = 0;; i++) {
        name = std::string(1, letters[i % n]);
        if (i >= n) name += fmt::format("{}", i / n);
        if (!taken(name, t)) break;
      }
    }
    names_.push_back({t, name});
    return name;
  }
  bool taken(const std::string& name, Type*) const {
    for (const auto& [seen, other] : names_) {
      if (other == name) return true;
    }
    return false;
  }

  const Symbols& symbols_;
  std::vector<std::pair<Type*, std::string>> names_;
};

}  // namespace

std::string show_type(const Symbols& symbols, const Type* type) {
  Printer printer(symbols);
  printer.type(type);
  return printer.out;
}

std::string show_scheme(const Symbols& symbols, const Scheme& scheme) {
  return scheme.type ? show_type(symbols, scheme.type) : "?";
}

}  // namespace eddy::lang
