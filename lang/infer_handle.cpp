// `handle`, its clauses, `mask`.
#include <fmt/format.h>

#include <algorithm>

#include "lang/checker.h"

namespace eddy::lang {

// The operation a clause is for.
OperationBinding* Checker::clause_operation(HandleExpr* e, Clause& c, TypeDef* named) {
  std::string_view name = text(c.name.name);
  if (c.effect.name) {
    TypeDef* def = find_type(c.module, c.effect);
    if (!def || def->kind != TypeDefKind::kEffect) {
      Diagnostic& d = diags_.error(c.effect.span, fmt::format("unknown effect `{}`", text(c.effect.name)));
      suggest(d, text(c.effect.name), visible_types());
      return nullptr;
    }
    for (OperationBinding* o : def->operations) {
      if (o->name == c.name.name) return o;
    }
    Diagnostic& d = diags_.error(c.name.span,
                                 fmt::format("the effect `{}` has no operation `{}`", text(def->name), name));
    Names names;
    for (OperationBinding* o : def->operations) names.push_back(text(o->name));
    suggest(d, name, names);
    return nullptr;
  }
  if (named) {
    Names names;
    for (OperationBinding* o : named->operations) {
      if (o->name == c.name.name) return o;
      names.push_back(text(o->name));
    }
    Diagnostic& d = diags_.error(
        c.name.span, fmt::format("the effect `{}` has no operation `{}`", text(named->name), name));
    declared_at(d, named->span, "declared here", nullptr);
    suggest(d, name, names);
    return nullptr;
  }
  std::vector<OperationBinding*> found;
  operation_candidates(module_, c.name.name, found);
  if (found.size() > 1) {
    // The effect all of whose operations have a clause here.
    std::vector<OperationBinding*> complete;
    for (OperationBinding* o : found) {
      bool all = true;
      for (OperationBinding* other : o->effect->operations) {
        bool has = false;
        for (const Clause& k : e->clauses)
          has |= k.kind == ClauseKind::kOperation && k.name.name == other->name;
        all &= has;
      }
      if (all) complete.push_back(o);
    }
    // The one with the most clauses: `put` besides `get` means the effect that has both.
    std::sort(complete.begin(), complete.end(), [](OperationBinding* a, OperationBinding* b) {
      return a->effect->operations.size > b->effect->operations.size;
    });
    if (complete.size() == 1 || (complete.size() > 1 && complete[0]->effect->operations.size >
                                                            complete[1]->effect->operations.size)) {
      return complete[0];
    }
    Diagnostic& d = diags_.error(c.name.span, fmt::format("`{}` is an operation of several effects", name));
    for (OperationBinding* o : found) d.label(o->span, fmt::format("one is `{}`'s", text(o->effect->name)));
    d.help(fmt::format("write `{}.{}(…) => …`", text(found[0]->effect->name), name));
    return nullptr;
  }
  if (found.size() == 1) return found[0];
  Diagnostic& d = diags_.error(c.name.span, fmt::format("no effect in scope has an operation `{}`", name));
  Names names;
  for (auto& entry : scope_of(module_).operations.slots()) {
    if (entry.key) names.push_back(text(entry.key));
  }
  for (auto& entry : scope_of(module_).open_operations.slots()) {
    if (entry.key) names.push_back(text(entry.key));
  }
  if (prelude_) {
    for (auto& entry : scope_of(prelude_).operations.slots()) {
      if (entry.key) names.push_back(text(entry.key));
    }
  }
  suggest(d, name, names);
  return nullptr;
}

// Every operation of a handled effect needs a clause.
void Checker::missing_clauses(HandleExpr* e) {
  for (const Clause& c : e->clauses) {
    if (c.kind == ClauseKind::kOperation && !c.note->operation) return;  // perhaps that was the one
  }
  for (TypeDef* def : e->note->effects) {
    std::string missing;
    std::string sample;
    for (OperationBinding* o : def->operations) {
      bool has = false;
      for (const Clause& c : e->clauses) has |= c.note && c.note->operation == o;
      if (has) continue;
      missing += (missing.empty() ? "`" : ", `") + std::string(text(o->name)) + "`";
      if (sample.empty()) {
        for (Symbol p : o->params) sample += (sample.empty() ? "" : ", ") + std::string(p ? text(p) : "_");
        sample = fmt::format("{}({}) => resume(…)", text(o->name), sample);
      }
    }
    if (missing.empty()) continue;
    Diagnostic& d = diags_.error(Span{e->span.begin, e->body->span.begin},
                                 fmt::format("this handler of `{}` lacks {}", text(def->name), missing));
    d.here("every operation of a handled effect needs a clause");
    declared_at(d, def->span, "the effect is declared here", nullptr);
    d.help(fmt::format("add `{}`", sample));
  }
}

Type* Checker::infer_handle(HandleExpr* e, Type* expected, const Reason* why) {
  HandleNote* note = e->note = arena_.make<HandleNote>();
  note->named = bool(e->name.name);
  // A row of its own: a resumption that leaves promises no more than what the handle itself performs.
  note->outer_row = types_.row_var(level_ + 1);
  size_t pending = pending_.size();
  size_t open_rows = open_rows_.size();
  std::vector<TypeDef*> effects;
  std::vector<Type*> types;  // the instance of each
  TypeDef* named = nullptr;
  if (note->named) {
    type_mode_ = TypeMode::kAnnotation;
    type_level_ = level_;
    Type* type = e->effect ? resolve_effect(e->effect) : error_;
    if (type->tag == TypeTag::Con) {
      named = type->def;
      effects.push_back(named);
      types.push_back(type);
    } else {
      // Reported: the body and clauses are looked at all the same, against unknowns.
      size_t mark = enter_scope();
      e->binding = declare_local(e->name.name, e->name.span, LocalKind::kHandler, error_);
      infer(e->body, true);
      leave_scope(mark);
      return error_;
    }
  }
  for (Clause& c : e->clauses) {
    c.note = arena_.make<ClauseNote>();
    if (c.kind != ClauseKind::kOperation) {
      Clause*& place = c.kind == ClauseKind::kReturn ? note->return_clause : note->finally_clause;
      if (place) {
        diags_
            .error(c.name.span, fmt::format("a handler has one `{}` clause",
                                            c.kind == ClauseKind::kReturn ? "return" : "finally"))
            .label(place->span, "the first is here");
      } else {
        place = &c;
      }
      continue;
    }
    OperationBinding* o = clause_operation(e, c, named);
    c.note->operation = o;
    if (!o) continue;
    for (Clause& other : e->clauses) {
      if (&other == &c) break;
      if (other.note->operation == o) {
        diags_.error(c.name.span, fmt::format("`{}` has two clauses here", text(o->name)))
            .label(other.name.span, "the first is here");
        break;
      }
    }
    if (named && o->effect != named) {
      diags_.error(c.name.span, fmt::format("`{}` is no operation of `{}`, which this named handler handles",
                                            text(o->name), text(named->name)));
      continue;
    }
    if (std::find(effects.begin(), effects.end(), o->effect) != effects.end()) continue;
    effects.push_back(o->effect);
    mark_type(o->effect);
    std::vector<Type*> args;
    for (bool is_row : o->effect->row_params) args.push_back(is_row ? fresh_row() : fresh());
    types.push_back(types_.con(o->effect, args.data(), static_cast<unsigned>(args.size())));
  }
  note->effects = arena_.copy(effects);
  if (named) mark_type(named);
  missing_clauses(e);

  Type* row = note->outer_row;
  if (!named) {
    for (size_t i = types.size(); i-- > 0;) row = types_.row_cons(types[i], row);
  }
  note->body_row = row;
  Type* result = expected ? expected : fresh();
  Unit* outside = unit_;
  Unit* unit = push_unit(UnitKind::kHandleBody, row, outside->fn);
  unit->handle = e;
  note->body = unit->note;
  size_t mark = enter_scope();
  if (named) {
    LocalBinding* h = declare_local(e->name.name, e->name.span, LocalKind::kHandler, types[0]);
    e->binding = h;
  }
  bool body_gives = !note->return_clause;
  if (body_gives) {
    Reason body_why = expected ? *why : Reason{};
    check(e->body, result, body_why);
    note->body_type = e->body->type;
  } else {
    note->body_type = open_row(infer(e->body));
  }
  leave_scope(mark);
  pop_unit();

  if (note->return_clause) infer_clause(e, *note->return_clause, note->body_type, result);
  for (Clause& c : e->clauses) {
    if (c.kind != ClauseKind::kOperation) continue;
    OperationBinding* o = c.note->operation;
    Type* effect = error_;
    if (o) {
      for (size_t i = 0; i < effects.size(); i++) {
        if (effects[i] == o->effect) effect = types[i];
      }
    }
    infer_clause(e, c, effect, result);
  }
  if (note->finally_clause) {
    Clause& c = *note->finally_clause;
    FnContext barrier;
    barrier.barrier = "finally";
    Unit* u = push_unit(UnitKind::kClause, io_row_, &barrier);
    u->origin = RowOrigin::kFinally;
    barrier.note = u->note;
    c.note->unit = u->note;
    infer(c.body, true);
    pop_unit();
    if (u->any) perform(io_row_, c.span, nullptr);
  }
  note->result = result;
  Type* tail = row_tail(note->outer_row);
  if (is_var(tail) && tail->level > level_ && pending_.size() == pending && open_rows_.size() == open_rows)
    tail->link = types_.row_empty();
  flow(note->outer_row, unit_->row, e->span, nullptr, e);
  if (expected) return expected;
  // A handle whose body and clauses never come to an end has no value.
  return result;
}

// An operation's or the return clause. `effect`: the handled effect as instantiated here; for `return`, the
// body's type.
void Checker::infer_clause(HandleExpr* e, Clause& c, Type* effect, Type* result) {
  OperationBinding* o = c.note->operation;
  bool is_return = c.kind == ClauseKind::kReturn;
  level_++;
  Unit* outside = unit_;
  Unit* unit = push_unit(UnitKind::kClause, e->note->outer_row, outside->fn);
  unit->note->name = c.name.name;
  c.note->unit = unit->note;
  size_t mark = enter_scope();
  unit->note->params = arena_.slice<LocalBinding*>(c.params.size);
  Type* operation_result = error_;
  if (is_return) {
    if (c.params.size == 1) {
      Param& p = c.params[0];
      annotate_param(p, effect);
      bind_param(p, effect, unit->note, 0);
    }
  } else {
    Type* fn = nullptr;
    if (o && effect->tag == TypeTag::Con) {
      std::vector<Type*> args(effect->args(), effect->args() + effect->count);
      for (uint32_t i = effect->count; i < o->scheme.count; i++) {
        Type* abstract = types_.rigid(Symbol{}, o->scheme.rows && o->scheme.rows[i], level_, c.span.begin);
        abstract->abstract = true;
        args.push_back(abstract);
      }
      fn = prune(substitute(types_, o->scheme.type, args.data()));
      if (fn->tag != TypeTag::Fn) fn = nullptr;
    }
    if (fn) operation_result = fn->result();
    uint32_t wanted = o ? o->params.size : c.params.size;
    if (o && c.params.size != wanted) {
      diags_
          .error(c.name.span, fmt::format("the operation `{}` has {} parameter{}, this clause {}",
                                          text(o->name), wanted, wanted == 1 ? "" : "s", c.params.size))
          .label(o->span, "declared here");
    }
    for (uint32_t i = 0; i < c.params.size; i++) {
      Type* type = fn && i < wanted ? fn->param(i) : error_;
      annotate_param(c.params[i], type);
      bind_param(c.params[i], type, unit->note, i);
    }
  }
  LocalBinding* resume = nullptr;
  if (!is_return && c.mode == ClauseMode::kGeneral) {
    Type* params[] = {operation_result};
    resume = declare_local(sym::resume, c.name.span, LocalKind::kResume,
                           types_.fn(params, 1, result, e->note->outer_row));
  } else if (!is_return) {
    // Hides an outer clause's: a binding without a type is a mistake to mention.
    LocalBinding* banned = declare_local(sym::resume, c.name.span, LocalKind::kResume, nullptr);
    banned->assigned = c.mode == ClauseMode::kFun;
  }
  if (!is_return && c.mode == ClauseMode::kFun) {
    check(c.body, operation_result, Reason{Reason::kResumeValue, 0, o ? o->span : Span{}, o});
  } else {
    Span from = e->body->kind == ExprKind::kBlock && as<BlockExpr>(e->body)->value
                    ? as<BlockExpr>(e->body)->value->span
                    : e->body->span;
    if (e->note->return_clause && !is_return && e->note->return_clause->body)
      from = e->note->return_clause->body->span;
    check(c.body, result, Reason{Reason::kClauseResult, is_return ? 1u : 0u, from, o});
  }
  c.note->resume = resume && resume->mentioned ? resume : nullptr;
  leave_scope(mark);
  pop_unit();
  level_--;
}

void Checker::annotate_param(Param& p, Type* type) {
  if (!p.type) return;
  type_mode_ = TypeMode::kAnnotation;
  type_level_ = level_;
  Type* written = resolve_type(p.type);
  if (!unifier_.unify(written, type)) {
    diags_.error(p.type->span, "this parameter's type does not fit")
        .here(fmt::format("written `{}`, but it is `{}`", show(written), show(type)));
  }
}

Type* Checker::infer_mask(MaskExpr* e, Type* expected, const Reason* why) {
  // What the body may perform goes past one handler: outside it counts once more.
  Type* row = fresh_row();
  type_mode_ = TypeMode::kAnnotation;
  type_level_ = level_;
  Type* outer = unit_->row;
  bool ok = true;
  for (TypeExpr* t : e->effects) {
    Type* effect = resolve_effect(t);
    if (effect->tag != TypeTag::Con) {
      ok = false;
      continue;
    }
    mark_type(effect->def);
    Type* rest = unifier_.remove_effect(outer, effect);
    if (!rest) {
      perform_error(types_.row_cons(effect, types_.row_empty()), t->span, nullptr);
      ok = false;
      continue;
    }
    outer = rest;
  }
  if (ok)
    row = outer;
  else
    row = error_;
  Unit* unit = unit_;
  Type* saved = unit->row;
  unit->row = row;
  Type* type;
  if (expected) {
    check(e->body, expected, *why);
    type = e->body->type;
  } else {
    type = infer(e->body);
  }
  unit->row = saved;
  unit->note->performs = true;
  return type;
}

}  // namespace eddy::lang
