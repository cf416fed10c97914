// Functions that mention each other: their bodies, the fixed point of their rows, generalisation.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

namespace {
constexpr int kRowRounds = 40;  // of a group's fixed point; real programs need two or three
}  // namespace

void Checker::infer_fn_body(GroupMember& m) {
  FnDecl* decl = m.decl;
  FnContext fn;
  FunctionBinding* top =
      m.binding->kind == BindingKind::kFunction ? static_cast<FunctionBinding*>(m.binding) : nullptr;
  Unit* unit = push_unit(top ? UnitKind::kFunction : UnitKind::kLocalFn, m.type->row(), &fn);
  m.note = unit->note;
  decl->fn = unit->note;
  unit->note->type = m.type;
  unit->note->name = decl->name.name;
  unit->note->function = top;
  if (top) {
    top->note = unit->note;
  } else {
    unit->note->self = static_cast<LocalBinding*>(m.binding);
    static_cast<LocalBinding*>(m.binding)->fn = unit->note;
  }
  if (decl->row) {
    unit->origin = RowOrigin::kAnnotation;
    unit->row_span = decl->row->span;
  }
  fn.note = unit->note;
  fn.result_span = decl->result ? decl->result->span : Span{};
  bool is_main = top && top->name == sym::main && top->module == out_.program.root;
  if (is_main && decl->params.size == 1) {
    Type* wanted = types_.con(list_def_, {string_});
    if (!unifier_.unify(m.type->param(0), wanted)) {
      diags_.error(decl->params[0].span, "`main` takes the program's arguments, a `List<String>`")
          .here(fmt::format("this is `{}`", show(m.type->param(0))));
    }
  }
  size_t mark = enter_scope();
  unit->note->params = arena_.slice<LocalBinding*>(decl->params.size);
  for (uint32_t i = 0; i < decl->params.size; i++) {
    Param& p = decl->params[i];
    Type* type = m.type->param(i);
    if (p.default_value) {
      check(p.default_value, type, Reason{Reason::kDefault, i, p.type ? p.type->span : Span{}, nullptr});
    }
    bind_param(p, type, unit->note, i);
  }
  fn.result = m.type->result();  // not before: a default value is no part of the body, and returns from nowhere
  if (decl->body) {
    Reason why{Reason::kReturn, 0, fn.result_span, m.binding};
    check(decl->body, fn.result, why);
    if (is_main) {
      Type* r = prune(fn.result);
      if (is_var(r)) {
        unifier_.unify(r, unit_type_);
      } else if (r != unit_type_ && r != int_ && r != never_ && r->tag != TypeTag::Error) {
        Diagnostic& d = diags_.error(decl->result ? decl->result->span : decl->name.span,
                                     "`main` returns `()`, or an Int as the exit status");
        d.here(fmt::format("this one returns `{}`", show(r)));
        if (!decl->result) d.help("end its body with `()`, or print the value");
      }
    }
  }
  leave_scope(mark);
  pop_unit();
}

// Infers the bodies of a group, then generalises: what belongs to levels above `outer_level`.
void Checker::infer_members(std::vector<GroupMember*>& members, uint32_t outer_level) {
  size_t pending = pending_.size();
  size_t open_rows = open_rows_.size();
  uint32_t saved_level = level_;
  level_ = outer_level + 1;
  for (GroupMember* m : members) {
    auto* saved_vars = type_vars_;
    void** saved_uses = uses_;
    if (m->binding->kind == BindingKind::kFunction) {
      type_vars_ = &m->vars;
      start_uses(&static_cast<FunctionBinding*>(m->binding)->uses);
    }
    infer_fn_body(*m);
    type_vars_ = saved_vars;
    if (m->binding->kind == BindingKind::kFunction && saved_uses) start_uses(saved_uses);
  }
  bool last = outer_level == 0;
  settle(pending, outer_level, last);
  bool solved = true;
  for (int round = 0; solved; round++) {
    uint32_t before = unifier_.extensions();
    solved = solve_uses(members);
    spread_rows(open_rows);
    if (unifier_.extensions() == before) break;
    if (round == kRowRounds) solved = rows_without_end(members);
  }
  std::vector<Type*> member_types;
  member_types.reserve(members.size());
  for (GroupMember* m : members) member_types.push_back(m->type);
  for (int round = 0; round < kRowRounds; round++) {
    bool more = settle_rows(open_rows, outer_level, member_types.data(), member_types.size());
    if (solved) solved = solve_uses(members);
    if (!more) break;
  }
  close_rows(open_rows, outer_level);
  if (solved) solve_uses(members);
  // What only the function itself ends its row with is nothing: a closed row fits wherever an open one does,
  // and says more to whoever compiles a call.
  level_ = outer_level;
  for (GroupMember* m : members) {
    if (!m->determined) close_value_row(m->type);
  }
  Generaliser g(types_, outer_level);
  std::vector<Type*> closed;
  for (GroupMember* m : members) {
    if (m->determined) {
      closed.push_back(nullptr);
      bool escaped = false;
      for (Type* r : m->rigids) escaped |= r->level <= outer_level;
      if (escaped) {
        m->scheme = Scheme{m->type, 0, nullptr};
        closed.back() = m->type;
      }
    } else {
      closed.push_back(g.close(m->type));
    }
  }
  for (size_t i = 0; i < members.size(); i++) {
    GroupMember* m = members[i];
    m->running = false;
    if (!m->determined) m->scheme = g.scheme(closed[i]);
    if (m->binding->kind == BindingKind::kFunction) {
      auto* f = static_cast<FunctionBinding*>(m->binding);
      f->scheme = m->scheme;
      f->state = kChecked;
    } else {
      auto* b = static_cast<LocalBinding*>(m->binding);
      b->scheme = m->scheme;
      b->type = m->scheme.type;
      if (!m->determined || closed[i]) {
        for (Type* r : m->rigids) {
          if (r->level > outer_level && type_vars_) (*type_vars_)[Symbol{r->name}] = nullptr;
        }
      }
    }
  }
  if (g.too_large()) {
    diags_.error(members[0]->decl->name.span, "the types here are too large");
  }
  level_ = saved_level;
}

// The least fixed point of the group's rows: at each use inside the group, the user's row takes up the
// effects of the finished one, whose end is a fresh variable each time. False where there is none.
bool Checker::solve_uses(std::vector<GroupMember*>& members) {
  for (int round = 0; round < kRowRounds; round++) {
    uint32_t before = unifier_.extensions();
    for (GroupMember* m : members) {
      if (m->determined || m->uses.empty()) continue;
      Type* row = prune(m->type->row());
      Type* tail = row_tail(row);
      // The tail is the function's own unless a parameter or the result mentions it too.
      bool own_tail = is_var(tail) && tail->level >= m->level;
      if (own_tail) {
        for (unsigned i = 0; i + 1 < m->type->count && own_tail; i++) {
          Type* part = m->type->arg(i);
          std::vector<Type*> work{part};
          size_t budget = 10'000;
          while (!work.empty() && own_tail && budget-- > 0) {
            Type* t = prune(work.back());
            work.pop_back();
            if (t == tail) own_tail = false;
            if (t->tag == TypeTag::Con || t->tag == TypeTag::Fn || t->tag == TypeTag::RowCons) {
              for (unsigned k = 0; k < t->count; k++) work.push_back(t->arg(k));
            }
          }
        }
      }
      for (GroupUse& u : m->uses) {
        if (!m->rigids.empty() && round == 0) {
          // The parts of the signature that were inferred have to agree with how it was used.
          Type* whole =
              types_.fn(m->type->args(), m->type->param_count(), m->type->result(), types_.row_empty());
          Type* now = replace_rigids(types_, whole, m->rigids.data(), u.rigids,
                                     static_cast<unsigned>(m->rigids.size()));
          for (unsigned i = 0; i + 1 < now->count; i++) {
            if (!unifier_.unify(u.fn->arg(i), now->arg(i))) {
              diags_
                  .error(u.span,
                         fmt::format("`{}` cannot be used at this type inside its own recursive group",
                                     text(m->decl->name.name)))
                  .here(fmt::format("used here as `{}`", show(u.fn)))
                  .help("annotate all of its parameters, its result and its effects");
              break;
            }
          }
        }
        Type* target = prune(u.row);
        if (target == row) continue;
        Type* copy = own_tail ? types_.row_empty() : tail;
        std::vector<Type*> effects;
        for (Type* r = row; r->tag == TypeTag::RowCons; r = prune(r->rest())) {
          Type* effect = r->effect();
          if (!m->rigids.empty()) {
            effect = replace_rigids(types_, effect, m->rigids.data(), u.rigids,
                                    static_cast<unsigned>(m->rigids.size()));
          }
          effects.push_back(effect);
          if (effects.size() > 200) break;
        }
        if (copy->tag == TypeTag::Rigid) {
          for (size_t i = 0; i < m->rigids.size(); i++) {
            if (m->rigids[i] == copy) copy = u.rigids[i];
          }
        }
        for (size_t i = effects.size(); i-- > 0;) copy = types_.row_cons(effects[i], copy);
        if (!unifier_.subrow(copy, target)) {
          perform_error(copy, u.span, m->binding);
          u.row = row;
        }
      }
    }
    if (unifier_.extensions() == before) return true;
  }
  return rows_without_end(members);
}

bool Checker::rows_without_end(const std::vector<GroupMember*>& members) {
  diags_
      .error(members[0]->decl->name.span,
             fmt::format("the effects of `{}` have no end", text(members[0]->decl->name.name)))
      .here("each call of itself would add one more")
      .help("annotate its effects");
  return false;
}

}  // namespace eddy::lang
