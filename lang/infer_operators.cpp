// Operators and assignment.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

namespace {

const char* op_text(ArithOp op) {
  switch (op) {
    case ArithOp::kAdd:
      return "+";
    case ArithOp::kSub:
      return "-";
    case ArithOp::kMul:
      return "*";
    case ArithOp::kDiv:
      return "/";
    case ArithOp::kRem:
      return "%";
    case ArithOp::kOr:
      return "|";
    case ArithOp::kXor:
      return "^";
    case ArithOp::kAnd:
      return "&";
    case ArithOp::kShl:
      return "<<";
    case ArithOp::kShr:
      return ">>";
  }
  return "?";
}

bool is_bitwise(ArithOp op) { return op >= ArithOp::kOr; }

}  // namespace

// Reports and returns false where `t` is known and no number.
bool Checker::check_number(Type* t, ArithOp op, Span at, Expr* e) {
  t = prune(t);
  if (is_var(t) || t == int_ || t == float_ || t->tag == TypeTag::Error || t == never_) return true;
  Diagnostic& d = diags_.error(at, fmt::format("`{}` does not work on `{}`", op_text(op), show(t)));
  if (e) d.label(e->span, fmt::format("this is `{}`", show(t)));
  if (op == ArithOp::kAdd && (t == string_ || outermost(t) == list_def_)) {
    d.help(fmt::format("`++` joins {}", t == string_ ? "Strings" : "Lists"));
  } else {
    d.note("arithmetic works on two Ints or two Floats");
  }
  hint_type(d, t);
  return false;
}

void Checker::require_number(Expr* e, Type* t, ArithOp op, Span at) {
  Type* now = prune(t);
  if (is_var(now)) {
    Pending p{};
    p.kind = Pending::kArith;
    p.expr = e;
    p.subject = now;
    p.span = at;
    p.name.name.id = static_cast<uint32_t>(op);
    add_pending(p);
    return;
  }
  check_number(now, op, at, e);
}

Type* Checker::infer_arith(ArithExpr* e) {
  if (is_bitwise(e->steps[0].op)) {
    check(e->first, int_, Reason{Reason::kOperand, 0, e->steps[0].op_span, nullptr});
    for (ArithStep& s : e->steps) check(s.operand, int_, Reason{Reason::kOperand, 0, s.op_span, nullptr});
    return int_;
  }
  Type* t = prune(infer(e->first));
  Expr* from = e->first;
  if (t == never_) t = fresh();
  bool ok = true;
  if (!is_var(t)) ok = check_number(t, e->steps[0].op, e->steps[0].op_span, e->first);
  for (ArithStep& s : e->steps) {
    Type* r = prune(infer(s.operand));
    if (!ok) continue;
    if (r == t || r == never_) continue;
    if (!is_var(r) && !check_number(r, s.op, s.op_span, s.operand)) {
      ok = false;
      continue;
    }
    if (!unifier_.unify(t, r)) {
      Diagnostic& d =
          diags_.error(s.op_span, fmt::format("`{}` needs two Ints or two Floats", op_text(s.op)));
      d.label(from->span, fmt::format("this is `{}`", show(t)));
      d.label(s.operand->span, fmt::format("this is `{}`", show(r)));
      bool mixed = (prune(t) == int_ && prune(r) == float_) || (prune(t) == float_ && prune(r) == int_);
      if (mixed) {
        Expr* whole = prune(t) == int_ ? from : s.operand;
        if (whole->kind == ExprKind::kInt)
          d.help("write the Int as a Float: with `.0`");
        else
          d.help("convert the Int: `.to_float()`");
      }
      ok = false;
      continue;
    }
    t = prune(t);
  }
  if (!ok) return error_;
  if (is_var(t)) require_number(e->first, t, e->steps[0].op, e->steps[0].op_span);
  return t;
}

Type* Checker::infer_unary(UnaryExpr* e) {
  if (e->op == UnaryOp::kNot) {
    check(e->operand, bool_, Reason{Reason::kOperand, 0, e->span, nullptr});
    return bool_;
  }
  Type* t = prune(infer(e->operand));
  if (t == never_) return never_;
  if (is_var(t)) {
    require_number(e->operand, t, ArithOp::kSub, e->span);
  } else if (!check_number(t, ArithOp::kSub, e->span, e->operand)) {
    return error_;
  }
  return t;
}

void Checker::check_ordered(Type* t, Span at, Expr* e) {
  t = prune(t);
  if (is_var(t) || t == int_ || t == float_ || t == char_ || t == string_ || t == never_ ||
      t->tag == TypeTag::Error) {
    return;
  }
  Diagnostic& d = diags_.error(at, fmt::format("this comparison does not work on `{}`", show(t)));
  if (e) d.label(e->span, fmt::format("this is `{}`", show(t)));
  d.note("`< <= > >=` work on Ints, Floats, Chars and Strings");
  d.help("`compare(a, b) < 0` orders any two values");
}

Type* Checker::infer_compare(CompareExpr* e) {
  Type* a = prune(infer(e->left));
  Type* b = prune(infer(e->right));
  bool fit = true;
  if (a != never_ && b != never_) {
    if (!fits(b, a)) {
      fit = false;
      Diagnostic& d = diags_.error(e->op_span, "the two sides of this comparison have different types");
      d.label(e->left->span, fmt::format("this is `{}`", show(a)));
      d.label(e->right->span, fmt::format("this is `{}`", show(b)));
      if ((prune(a) == int_ && prune(b) == float_) || (prune(a) == float_ && prune(b) == int_)) {
        d.help("convert the Int: `.to_float()`");
      }
      for (Expr* side : {e->left, e->right}) {
        Type* other = prune(side == e->left ? b : a);
        if (side->kind == ExprKind::kString && other == char_) d.help("a Char is written in `'…'`");
      }
    }
  }
  if (fit && e->op >= CompareOp::kLt) {
    Type* t = prune(a == never_ ? b : a);
    if (is_var(t)) {
      Pending p{};
      p.kind = Pending::kOrdered;
      p.expr = e->left;
      p.subject = t;
      p.span = e->op_span;
      add_pending(p);
    } else {
      check_ordered(t, e->op_span, e->left);
    }
  }
  return bool_;
}

Type* Checker::infer_logical(LogicalExpr* e) {
  for (Expr* x : e->operands) check(x, bool_, Reason{Reason::kCondition, 1, e->span, nullptr});
  return bool_;
}

Type* Checker::infer_concat(ConcatExpr* e) {
  Type* first = nullptr;
  Expr* from = nullptr;
  Type* result = fresh();
  bool ok = true;
  for (Expr* x : e->operands) {
    Type* t = prune(infer(x));
    if (!ok || t == never_ || t->tag == TypeTag::Error) continue;
    if (!is_var(t) && t != string_ && outermost(t) != list_def_) {
      Diagnostic& d =
          diags_.error(x->span, fmt::format("`++` joins Strings, or Lists; this is `{}`", show(t)));
      if (t->tag == TypeTag::Rigid || t->def == option_def_ || t->def == result_def_)
        hint_type(d, t);
      else if (first && prune(first) == string_)
        d.help("put it in a string: `\"${…}\"`, or use `show`");
      else if (t == int_ || t == float_)
        d.help("`+` adds numbers");
      ok = false;
      continue;
    }
    if (!first) {
      first = t;
      from = x;
    }
    if (!unifier_.unify(result, t)) {
      Diagnostic& d = diags_.error(x->span, "`++` joins two Strings, or two Lists of one type");
      d.here(fmt::format("this is `{}`", show(t)));
      d.label(from->span, fmt::format("this is `{}`", show(first)));
      ok = false;
    }
  }
  if (!ok) return error_;
  if (is_var(prune(result)) || outermost(result) == list_def_) {
    if (is_var(prune(result))) {
      // Either may still turn out; the end of the declaration decides.
      Pending p{};
      p.kind = Pending::kConcat;
      p.expr = e;
      p.subject = result;
      p.span = e->span;
      add_pending(p);
    }
    concats_.push_back({e, uses_});
  }
  return result;
}

Type* Checker::infer_range(RangeExpr* e) {
  check(e->from, int_, Reason{Reason::kRange, 0, e->span, nullptr});
  check(e->to, int_, Reason{Reason::kRange, 0, e->span, nullptr});
  mark_type(range_def_);
  return con(range_def_);
}

Type* Checker::infer_assign(AssignExpr* e) {
  Type* target = error_;
  Span declared;
  switch (e->target->kind) {
    case ExprKind::kName: {
      NameExpr* name = as<NameExpr>(e->target);
      Binding* b = lookup_value(name->name);
      if (!b) {
        Diagnostic& d = diags_.error(name->span, fmt::format("unknown name `{}`", text(name->name)));
        d.here("not found in this scope");
        Names vars;
        for (LocalBinding* l : scope_) {
          if (l->local == LocalKind::kVar) vars.push_back(text(l->name));
        }
        suggest(d, text(name->name), vars);
        break;
      }
      name->binding = b;
      declared = b->span;
      if (b->kind == BindingKind::kLocal && static_cast<LocalBinding*>(b)->local == LocalKind::kVar) {
        auto* l = static_cast<LocalBinding*>(b);
        l->assigned = true;
        target = l->type;
      } else {
        Diagnostic& d =
            diags_.error(e->target->span, fmt::format("`{}` cannot be assigned", text(name->name)));
        if (b->kind == BindingKind::kLocal) {
          auto* l = static_cast<LocalBinding*>(b);
          if (l->local == LocalKind::kLet) {
            d.label(b->span, "declared here, as a `let` or in a pattern").help("declare it with `var`");
          } else if (l->local == LocalKind::kParam) {
            d.label(b->span, "it is a parameter")
                .help(fmt::format("copy it first: `var {0} = {0}`", text(name->name)));
          } else {
            d.label(b->span, "declared here");
          }
        } else if (b->kind == BindingKind::kGlobal) {
          d.label(b->span, "it is a top-level constant")
              .help("there are no top-level variables; keep a `ref(…)` in the constant");
        }
      }
      e->target->type = target;
      break;
    }
    case ExprKind::kField:
      target = infer_field(as<FieldExpr>(e->target), true);
      e->target->type = target;
      break;
    case ExprKind::kIndex:
      target = infer_index(as<IndexExpr>(e->target), true);
      e->target->type = target;
      break;
    default:
      infer(e->target);
      if (e->target->kind != ExprKind::kError) {
        diags_.error(e->target->span, "this cannot be assigned")
            .note("a `var`, a `var` field and an Array's element can");
      }
      break;
  }
  if (!e->compound) {
    check(e->value, target, Reason{Reason::kAssign, 0, declared ? declared : e->target->span, nullptr});
    return unit_type_;
  }
  if (e->op >= ArithOp::kOr) {
    coerce(e->target, target, int_, Reason{Reason::kOperand, 0, e->op_span, nullptr});
    check(e->value, int_, Reason{Reason::kOperand, 0, e->op_span, nullptr});
    return unit_type_;
  }
  Type* value = prune(infer(e->value));
  target = prune(target);
  if (value == never_ || value->tag == TypeTag::Error || target->tag == TypeTag::Error) return unit_type_;
  if (!check_number(target, e->op, e->op_span, e->target)) return unit_type_;
  if (!check_number(value, e->op, e->op_span, e->value)) return unit_type_;
  if (!unifier_.unify(target, value)) {
    Diagnostic& d =
        diags_.error(e->op_span, fmt::format("`{}=` needs two Ints or two Floats", op_text(e->op)));
    d.label(e->target->span, fmt::format("this is `{}`", show(target)));
    d.label(e->value->span, fmt::format("this is `{}`", show(value)));
    d.help("convert the Int: `.to_float()`");
    return unit_type_;
  }
  require_number(e->target, target, e->op, e->op_span);
  return unit_type_;
}

}  // namespace eddy::lang
