// Branches, loops and jumps.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

Type* Checker::infer_if(IfExpr* e, Type* expected, const Reason* why, bool discard) {
  for (IfBranch& b : e->branches) check(b.condition, bool_, Reason{Reason::kCondition, 0, Span{}, nullptr});
  if (!e->otherwise) {
    for (IfBranch& b : e->branches) infer(b.body, true);
    e->type = unit_type_;
    if (expected && !fits(unit_type_, expected)) {
      Diagnostic& d = diags_.error(e->span, "this `if` has no `else`, so its value is `()`");
      d.here(fmt::format("expected `{}`", show(expected)));
      if (why && why->where) d.label(why->where, "because of this");
      d.help("add an `else` branch");
    }
    return unit_type_;
  }
  uint32_t count = e->branches.size + 1;
  auto branch = [&](uint32_t i) { return i < e->branches.size ? e->branches[i].body : e->otherwise; };
  if (expected) {
    bool all_never = true;
    for (uint32_t i = 0; i < count; i++) {
      check(branch(i), expected, *why);
      all_never &= branch(i)->type && prune(branch(i)->type) == never_;
    }
    return all_never ? never_ : expected;
  }
  Type* result = nullptr;
  Span from;
  bool all_never = true;
  for (uint32_t i = 0; i < count; i++) {
    Expr* body = branch(i);
    if (discard) {
      all_never &= prune(infer(body, true)) == never_;
    } else if (!result) {
      Type* t = open_row(infer(body));
      if (t == never_) continue;
      result = t;
      from = body->span;
    } else {
      check(body, result, Reason{Reason::kBranch, i, from, nullptr});
    }
  }
  if (discard) return all_never ? never_ : unit_type_;
  return result ? result : never_;
}

Type* Checker::infer_match(MatchExpr* e, Type* expected, const Reason* why, bool discard) {
  Type* subject = infer(e->subject);
  if (prune(subject) == never_ && e->arms.size) subject = fresh();  // one type for all arms
  e->note = arena_.make<MatchNote>();
  e->note->unreachable = arena_.slice<bool>(e->arms.size);
  Type* result = expected;
  Span from;
  bool all_never = true;
  for (uint32_t i = 0; i < e->arms.size; i++) {
    MatchArm& arm = e->arms[i];
    size_t mark = enter_scope();
    infer_pattern(arm.pattern, subject, LocalKind::kLet, e->subject->span);
    if (arm.guard) check(arm.guard, bool_, Reason{Reason::kGuard, 0, Span{}, nullptr});
    if (discard) {
      all_never &= prune(infer(arm.body, true)) == never_;
    } else if (!result) {
      Type* t = open_row(infer(arm.body));
      if (t != never_) {
        result = t;
        from = arm.body->span;
        all_never = false;
      }
    } else {
      check(arm.body, result, expected ? *why : Reason{Reason::kArm, i, from, nullptr});
      all_never &= arm.body->type && prune(arm.body->type) == never_;
    }
    leave_scope(mark);
  }
  matches_.push_back(e);
  if (all_never) return never_;
  if (discard) return unit_type_;
  return result ? result : never_;
}

Type* Checker::infer_while(WhileExpr* e) {
  e->note = arena_.make<LoopNote>();
  e->note->kind = LoopKind::kWhile;
  e->note->unit = unit_->note;
  check(e->condition, bool_, Reason{Reason::kCondition, 0, Span{}, nullptr});
  LoopContext loop;
  loop.note = e->note;
  loop.parent = unit_->fn->loops;
  unit_->fn->loops = &loop;
  infer(e->body, true);
  unit_->fn->loops = loop.parent;
  return unit_type_;
}

Type* Checker::infer_loop(LoopExpr* e) {
  e->note = arena_.make<LoopNote>();
  e->note->kind = LoopKind::kLoop;
  e->note->unit = unit_->note;
  LoopContext loop;
  loop.note = e->note;
  loop.break_type = fresh();
  loop.parent = unit_->fn->loops;
  unit_->fn->loops = &loop;
  infer(e->body, true);
  unit_->fn->loops = loop.parent;
  e->note->result = e->note->has_break ? loop.break_type : never_;
  return e->note->result;
}

// What a `for` over a value of type `t` does; false where that is not known yet.
bool Checker::iterate(ForExpr* e, Type* t, Type* element, Unit* unit) {
  t = prune(t);
  LoopNote* note = e->note;
  auto is = [&](LoopKind kind, Type* item) {
    note->kind = kind;
    if (!unifier_.unify(element, item)) {
      type_error(e->pattern->span, element, item, "this pattern does not fit what the loop runs over",
                 Reason{});
    }
  };
  if (is_var(t)) return false;
  if (t->tag == TypeTag::Con) {
    switch (t->def->builtin) {
      case BuiltinType::kRange:
        is(LoopKind::kRange, int_);
        return true;
      case BuiltinType::kList:
        is(LoopKind::kList, t->arg(0));
        return true;
      case BuiltinType::kArray:
        is(LoopKind::kArray, t->arg(0));
        return true;
      case BuiltinType::kString:
        is(LoopKind::kString, char_);
        return true;
      case BuiltinType::kMap:
        is(LoopKind::kMap, types_.con(tuple_def(2), {t->arg(0), t->arg(1)}));
        if (!out_.program.map_to_list) out_.program.map_to_list = std_function("map", "to_list");
        if (out_.program.map_to_list) use(out_.program.map_to_list);
        return true;
      case BuiltinType::kSet:
        is(LoopKind::kSet, t->arg(0));
        if (!out_.program.set_to_list) out_.program.set_to_list = std_function("set", "to_list");
        if (out_.program.set_to_list) use(out_.program.set_to_list);
        return true;
      default:
        break;
    }
  }
  if (t->tag == TypeTag::Fn && note->body) {
    note->kind = LoopKind::kGenerator;
    note->emit = emit_def_;
    mark_type(emit_def_);
    t = open_row(t);
    if (t->param_count() != 1 || !unifier_.unify(t->param(0), unit_type_)) {
      diags_.error(e->iterable->span, "a generator takes no arguments")
          .here(fmt::format("this is `{}`", show(t)))
          .help("give it its arguments in a function without any: `for x in fn() => f(…) { … }`");
      return true;
    }
    note->row = t->row();
    Type* rest = unifier_.remove_effect(t->row(), types_.con(emit_def_, {element}));
    if (!rest) {
      Diagnostic& d = diags_.error(e->iterable->span, "this function is no generator for this loop");
      d.here(fmt::format("it is `{}`", show(t)));
      d.note("a generator is a `fn(): Unit / {Emit<a> | e}`");
      return true;
    }
    Unit* saved = unit_;
    unit_ = unit;
    perform(rest, e->iterable->span, nullptr);
    unit_ = saved;
    return true;
  }
  if (t->tag == TypeTag::Error || t == never_) return true;
  Diagnostic& d = diags_.error(e->iterable->span, fmt::format("a `for` cannot run over `{}`", show(t)));
  if (t == int_)
    d.help("over the numbers up to it: `0..n`");
  else if (t->tag == TypeTag::Fn)
    d.help("annotate the type of this function");
  else if (t == unit_type_ &&
           (e->iterable->kind == ExprKind::kCall || e->iterable->kind == ExprKind::kMethodCall))
    d.help("to run over what the call emits, give a function that makes it: `for x in fn() => f(…) { … }`");
  else
    d.note(
        "it runs over ranges, List, Array, String, Map, Set, and generators: `fn(): Unit / {Emit<a> | e}`");
  return true;
}

Type* Checker::infer_for(ForExpr* e) {
  e->note = arena_.make<LoopNote>();
  LoopNote* note = e->note;
  note->unit = unit_->note;
  note->kind = LoopKind::kList;
  Type* t = prune(infer(e->iterable));
  Type* element = fresh();
  note->element = element;
  note->literal_range = e->iterable->kind == ExprKind::kRange;
  Unit* outside = unit_;
  LoopContext loop;
  loop.note = note;
  FnContext* fn = unit_->fn;
  loop.parent = fn->loops;
  size_t mark = enter_scope();
  bool generator = t->tag == TypeTag::Fn || is_var(t);  // or may turn out to be one
  if (generator) {
    Unit* body = push_unit(UnitKind::kLoopBody, unit_->row, unit_->fn);
    body->origin = RowOrigin::kOpen;
    note->body = body->note;
  }
  if (!iterate(e, t, element, outside)) {
    Pending p{};
    p.kind = Pending::kIterate;
    p.expr = e;
    p.subject = t;
    p.result = element;
    p.span = e->iterable->span;
    add_pending(p);
  }
  fn->loops = &loop;
  infer_pattern(e->pattern, element, LocalKind::kLet, e->iterable->span);
  if (e->pattern->kind != PatternKind::kVariable) irrefutable_.push_back({e->pattern, "a `for`"});
  infer(e->body, true);
  fn->loops = loop.parent;
  if (generator) pop_unit();
  leave_scope(mark);
  return unit_type_;
}

Type* Checker::infer_jump(Expr* e) {
  FnContext* fn = unit_ ? unit_->fn : nullptr;
  const char* word = e->kind == ExprKind::kReturn  ? "return"
                     : e->kind == ExprKind::kBreak ? "break"
                                                   : "continue";
  auto blocked = [&]() {
    if (!fn || !fn->barrier) return false;
    diags_.error(e->span, fmt::format("`{}` may not leave a `{}`", word, fn->barrier))
        .note(fmt::format("`{}` only cleans up; it ends by itself", fn->barrier));
    return true;
  };
  if (e->kind == ExprKind::kReturn) {
    ReturnExpr* r = as<ReturnExpr>(e);
    if (!fn || !fn->result || fn->barrier) {
      if (r->value) infer(r->value);
      if (!blocked()) diags_.error(e->span, "`return` stands outside of any function");
      return never_;
    }
    r->fn = fn->note;
    if (unit_->note != fn->note) fn->note->exits = true;
    Reason why{Reason::kReturn, 1, fn->result_span, nullptr};
    if (r->value) {
      check(r->value, fn->result, why);
    } else if (!unifier_.unify(fn->result, unit_type_)) {
      Diagnostic& d = diags_.error(
          e->span, fmt::format("this `return` has no value; `{}` is expected", show(fn->result)));
      if (fn->result_span) d.label(fn->result_span, "because of this result type");
      d.help("write `return value`");
    }
    return never_;
  }
  LoopContext* loop = fn ? fn->loops : nullptr;
  Expr* value = e->kind == ExprKind::kBreak ? as<BreakExpr>(e)->value : nullptr;
  if (!loop) {
    if (value) infer(value);
    if (!blocked()) {
      Diagnostic& d = diags_.error(e->span, fmt::format("`{}` stands outside of any loop", word));
      for (Unit* u = unit_; u; u = u->parent) {
        if (u->fn != fn && u->fn && u->fn->loops) {
          d.note("a jump does not leave the function or lambda it stands in");
          break;
        }
      }
    }
    return never_;
  }
  if (unit_->note != loop->note->unit) loop->note->exits = true;
  if (e->kind == ExprKind::kContinue) {
    as<ContinueExpr>(e)->loop = loop->note;
    return never_;
  }
  as<BreakExpr>(e)->loop = loop->note;
  loop->note->has_break = true;
  if (value && !loop->break_type) {
    infer(value);
    diags_.error(value->span, "only `loop` gives a value to `break` with")
        .help("assign it to a `var`, or `return` it");
  } else if (value) {
    check(value, loop->break_type, Reason{Reason::kBreak, 0, Span{}, nullptr});
  } else if (loop->break_type && !unifier_.unify(loop->break_type, unit_type_)) {
    diags_.error(e->span, "this `break` has no value, another one of this loop has")
        .here(fmt::format("expected a value of type `{}`", show(loop->break_type)));
  }
  return never_;
}

}  // namespace eddy::lang
