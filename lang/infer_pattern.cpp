// Patterns: their types, the variables they bind, and whether matches cover everything.
#include <fmt/format.h>

#include "lang/checker.h"
#include "lang/exhaustive.h"

namespace eddy::lang {

void Checker::pattern_variables(Pattern* p, std::vector<std::pair<Symbol, Span>>& out) {
  if (!p) return;
  switch (p->kind) {
    case PatternKind::kVariable:
      out.push_back({as<VariablePattern>(p)->name, p->span});
      break;
    case PatternKind::kConstructor:
      for (PatternArg& a : as<ConstructorPattern>(p)->args) pattern_variables(a.pattern, out);
      break;
    case PatternKind::kTuple:
      for (Pattern* i : as<TuplePattern>(p)->items) pattern_variables(i, out);
      break;
    case PatternKind::kList:
      for (Pattern* i : as<ListPattern>(p)->items) pattern_variables(i, out);
      pattern_variables(as<ListPattern>(p)->rest, out);
      break;
    case PatternKind::kOr:
      pattern_variables(as<OrPattern>(p)->alternatives[0], out);
      break;
    case PatternKind::kAs:
      pattern_variables(as<AsPattern>(p)->pattern, out);
      out.push_back({as<AsPattern>(p)->name.name, as<AsPattern>(p)->name.span});
      break;
    default:
      break;
  }
}

void Checker::pattern_mismatch(Pattern* p, Type* found, Type* expected, Span from) {
  Diagnostic& d = diags_.error(p->span, "this pattern does not fit the value");
  d.here(fmt::format("the pattern is for `{}`", show(found)));
  if (from)
    d.label(from, fmt::format("the value is `{}`", show(expected)));
  else
    d.note(fmt::format("the value is `{}`", show(expected)));
}

// Declares a pattern's variable; in the later alternatives of an or-pattern it is the first one's.
Binding* Checker::pattern_variable(Symbol name, Span span, Type* type, LocalKind kind) {
  if (or_bindings_) {
    for (LocalBinding* b : *or_bindings_) {
      if (b->name != name) continue;
      if (!unifier_.unify(b->type, type)) {
        diags_.error(span, fmt::format("`{}` has different types in the alternatives", text(name)))
            .here(fmt::format("here it is `{}`", show(type)))
            .label(b->span, fmt::format("here it is `{}`", show(b->type)));
      }
      return b;
    }
    return nullptr;  // reported where the alternatives' names are compared
  }
  for (size_t i = pattern_mark_; i < scope_.size(); i++) {
    if (scope_[i]->name == name) {
      diags_.error(span, fmt::format("`{}` is bound twice in this pattern", text(name)))
          .label(scope_[i]->span, "first bound here");
    }
  }
  return declare_local(name, span, kind, type);
}

void Checker::infer_pattern(Pattern* p, Type* type, LocalKind kind, Span from) {
  size_t saved = pattern_mark_;
  auto* saved_or = or_bindings_;
  pattern_mark_ = scope_.size();
  or_bindings_ = nullptr;
  pattern(p, type, kind, from);
  pattern_mark_ = saved;
  or_bindings_ = saved_or;
}

void Checker::pattern(Pattern* p, Type* type, LocalKind kind, Span from) {
  if (!p) return;
  bool takes_apart =
      p->kind != PatternKind::kWildcard && p->kind != PatternKind::kVariable && p->kind != PatternKind::kAs;
  if (takes_apart && prune(type) == never_) type = fresh();  // what never comes has every type
  p->type = type;
  switch (p->kind) {
    case PatternKind::kWildcard:
    case PatternKind::kError:
      break;
    case PatternKind::kVariable: {
      auto* v = as<VariablePattern>(p);
      v->binding = pattern_variable(v->name, v->span, type, kind);
      break;
    }
    case PatternKind::kAs: {
      auto* a = as<AsPattern>(p);
      pattern(a->pattern, type, kind, from);
      a->binding = pattern_variable(a->name.name, a->name.span, type, kind);
      break;
    }
    case PatternKind::kLiteral:
      pattern_literal(as<LiteralPattern>(p), type, from);
      break;
    case PatternKind::kConstructor:
      pattern_constructor(as<ConstructorPattern>(p), type, kind, from);
      break;
    case PatternKind::kTuple: {
      auto* t = as<TuplePattern>(p);
      std::vector<Type*> items;
      items.reserve(t->items.size);
      for (uint32_t i = 0; i < t->items.size; i++) items.push_back(fresh());
      Type* tuple = types_.con(tuple_def(t->items.size), items.data(), t->items.size);
      if (!unifier_.unify(type, tuple)) {
        Type* value = prune(type);
        if (value->tag == TypeTag::Con && value->def->kind == TypeDefKind::kTuple) {
          diags_
              .error(p->span,
                     fmt::format("this pattern has {} items, the tuple has {}", t->items.size, value->count))
              .label(from ? from : p->span, fmt::format("this is `{}`", show(value)));
        } else {
          pattern_mismatch(p, tuple, type, from);
        }
        for (Type*& i : items) i = error_;
      }
      for (uint32_t i = 0; i < t->items.size; i++) pattern(t->items[i], items[i], kind, from);
      break;
    }
    case PatternKind::kList: {
      auto* l = as<ListPattern>(p);
      Type* item = fresh();
      Type* list = types_.con(list_def_, {item});
      if (!unifier_.unify(type, list)) {
        pattern_mismatch(p, list, type, from);
        item = error_;
        list = error_;
      }
      for (Pattern* i : l->items) pattern(i, item, kind, from);
      if (l->rest) pattern(l->rest, list, kind, from);
      break;
    }
    case PatternKind::kOr:
      pattern_or(as<OrPattern>(p), type, kind, from);
      break;
  }
}

void Checker::pattern_or(OrPattern* p, Type* type, LocalKind kind, Span from) {
  size_t first = scope_.size();
  pattern(p->alternatives[0], type, kind, from);
  std::vector<LocalBinding*> bound(scope_.begin() + static_cast<ptrdiff_t>(first), scope_.end());
  std::vector<std::pair<Symbol, Span>> names;
  pattern_variables(p->alternatives[0], names);
  auto* outer = or_bindings_;
  for (uint32_t i = 1; i < p->alternatives.size; i++) {
    std::vector<std::pair<Symbol, Span>> others;
    pattern_variables(p->alternatives[i], others);
    auto differ = [&](auto& a, auto& b, Span missing_in) {
      for (auto& [name, span] : a) {
        bool found = false;
        for (auto& [other, unused] : b) found |= other == name;
        if (!found) {
          diags_.error(span, fmt::format("`{}` is not bound in every alternative", text(name)))
              .label(missing_in, "not bound here")
              .note("every alternative of a pattern binds the same names");
          return;
        }
      }
    };
    differ(names, others, p->alternatives[i]->span);
    differ(others, names, p->alternatives[0]->span);
    or_bindings_ = outer ? outer : &bound;
    pattern(p->alternatives[i], type, kind, from);
    or_bindings_ = outer;
  }
}

void Checker::pattern_literal(LiteralPattern* p, Type* type, Span from) {
  if (!p->literal) return;
  Type* t = infer(p->literal);
  if (!unifier_.unify(type, t)) pattern_mismatch(p, t, type, from);
}

void Checker::pattern_constructor(ConstructorPattern* p, Type* type, LocalKind kind, Span from) {
  std::string_view name = text(p->name.name);
  Type* value = prune(type);
  Binding* b = nullptr;
  if (p->module.name) {
    ModuleInfo* m = visible_module(module_, p->module.name);
    b = m ? exported_value(m, p->name.name) : nullptr;
    if (!m && !scope_of(module_).modules.find(p->module.name)) {
      diags_.error(p->module.span, fmt::format("there is no module `{}` here", text(p->module.name)));
    } else if (m && !b) {
      Diagnostic& d =
          diags_.error(p->name.span, fmt::format("the module `{}` has no constructor `{}`", m->name, name));
      Names names;
      for (auto& entry : own_values(m).slots()) {
        if (entry.key && entry.value->kind == BindingKind::kConstructor && !is_private(entry.value))
          names.push_back(text(entry.key));
      }
      suggest(d, name, names);
    }
  } else {
    b = module_value(module_, p->name.name);
    bool fits = b && b->kind == BindingKind::kConstructor && value->tag == TypeTag::Con &&
                static_cast<ConstructorBinding*>(b)->type_def == value->def;
    if (!fits && value->tag == TypeTag::Con && !(value->def->is_private && value->def->module != module_)) {
      // The value's own type says what the name means where the scope does not.
      for (ConstructorBinding* c : value->def->constructors) {
        if (c->name == p->name.name) b = c;
      }
    }
    if (!b) {
      Diagnostic& d = diags_.error(p->name.span, fmt::format("unknown constructor `{}`", name));
      Names names;
      if (value->tag == TypeTag::Con) {
        for (ConstructorBinding* c : value->def->constructors) names.push_back(text(c->name));
      }
      if (names.empty()) names = visible_values();
      suggest(d, name, names);
      if (value->tag == TypeTag::Con && value->def->constructors.size && value->def->constructors.size < 12) {
        std::string all;
        for (ConstructorBinding* c : value->def->constructors) {
          all += (all.empty() ? "`" : ", `") + std::string(text(c->name)) + "`";
        }
        d.note(fmt::format("the constructors of `{}` are {}", show(value), all));
      }
    }
  }
  auto rest_unknown = [&] {
    for (PatternArg& a : p->args) pattern(a.pattern, error_, kind, from);
  };
  if (!b || b->kind != BindingKind::kConstructor) return rest_unknown();
  p->binding = b;
  auto* c = static_cast<ConstructorBinding*>(b);
  Type* made = prune(name_type(c, p->name.span));
  Type* result = made->tag == TypeTag::Fn ? made->result() : made;
  if (!unifier_.unify(type, result)) {
    Diagnostic& d = diags_.error(p->span, "this pattern does not fit the value");
    d.here(fmt::format("`{}` is a constructor of `{}`", name, text(c->type_def->name)));
    if (from) d.label(from, fmt::format("the value is `{}`", show(type)));
    return rest_unknown();
  }
  if (c->fields.size && !p->has_args) {
    Diagnostic& d = diags_.error(p->span, fmt::format("the constructor `{}` has {} field{}", name,
                                                      c->fields.size, c->fields.size == 1 ? "" : "s"));
    declared_at(d, c->span, "declared here", c);
    d.help(fmt::format("write `{}(..)` to ignore them", name));
    return;
  }
  if (made->tag != TypeTag::Fn) {
    if (!p->args.empty()) {
      declared_at(diags_.error(p->span, fmt::format("the constructor `{}` has no fields", name)), c->span,
                  "declared here", c);
    }
    return rest_unknown();
  }
  std::vector<bool> seen(c->fields.size);
  uint32_t position = 0;
  bool bad = false;
  for (PatternArg& a : p->args) {
    int field;
    if (a.name.name) {
      field = c->field(a.name.name);
      if (field < 0) {
        Diagnostic& d =
            diags_.error(a.name.span, fmt::format("`{}` has no field `{}`", name, text(a.name.name)));
        Names names;
        for (const FieldDef& f : c->fields) names.push_back(text(f.name));
        suggest(d, text(a.name.name), names);
        bad = true;
      }
    } else {
      field = static_cast<int>(position++);
      if (static_cast<uint32_t>(field) >= c->fields.size) {
        field = -1;
        bad = true;
      }
    }
    if (field < 0) {
      pattern(a.pattern, error_, kind, from);
      continue;
    }
    if (seen[field]) {
      diags_.error(a.pattern->span,
                   fmt::format("the field `{}` is matched twice", text(c->fields[field].name)));
    }
    seen[field] = true;
    pattern(a.pattern, made->param(static_cast<unsigned>(field)), kind, from);
  }
  uint32_t count = 0;
  for (bool s : seen) count += s;
  if (position > c->fields.size || (!bad && !p->has_rest && count < c->fields.size)) {
    Diagnostic& d =
        diags_.error(p->span, fmt::format("the constructor `{}` has {} field{}, this pattern {}", name,
                                          c->fields.size, c->fields.size == 1 ? "" : "s", p->args.size));
    declared_at(d, c->span, "declared here", c);
    if (position <= c->fields.size) d.help("end the pattern with `..` to ignore the others");
  }
}

void Checker::check_matches() {
  if (diags_.error_count() > errors_before_) return;  // types may be wrong: no false alarms about cases
  for (MatchExpr* e : matches_) {
    std::vector<MatchRow> rows;
    for (MatchArm& a : e->arms) rows.push_back({a.pattern, a.guard != nullptr});
    Type* subject = prune(e->subject->type);
    if (rows.empty() && (subject == never_ || subject->tag == TypeTag::Error)) continue;
    Coverage c = cover(symbols_, rows, true);
    if (c.too_complex) {
      diags_.error(e->span, "this match is too complex to check").help("split it into several");
      continue;
    }
    for (size_t i = 0; i < rows.size(); i++) {
      if (!c.unreachable[i]) continue;
      e->note->unreachable[i] = true;
      if (!module_->is_std) {
        diags_.warning(e->arms[i].pattern->span, "this arm can never be reached")
            .here("the arms before it take everything that it matches");
      }
    }
    if (!c.missing.empty()) {
      Diagnostic& d =
          diags_.error(Span{e->span.begin, e->subject->span.end}, "this match does not cover every case");
      d.here(fmt::format("`{}` is not covered", c.missing));
      d.help(fmt::format("add an arm `{} => …`", c.missing));
    }
  }
  for (Irrefutable& i : irrefutable_) {
    if (i.pattern->kind == PatternKind::kVariable || i.pattern->kind == PatternKind::kWildcard) continue;
    Coverage c = cover(symbols_, {{i.pattern, false}}, false);
    if (c.missing.empty()) continue;
    diags_.error(i.pattern->span, fmt::format("the pattern of {} has to match always", i.what))
        .here(fmt::format("`{}` is not covered", c.missing))
        .help("use `match`");
  }
}

}  // namespace eddy::lang
