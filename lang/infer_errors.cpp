// Reports on types that do not fit: what was expected, why, and where each side comes from.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

// The part of an expression that its value comes from.
Span Checker::blame(Expr* e) const {
  for (int i = 0; i < 100 && e; i++) {
    if (e->kind == ExprKind::kBlock && as<BlockExpr>(e)->value)
      e = as<BlockExpr>(e)->value;
    else
      break;
  }
  return e ? e->span : Span{};
}

// Points at a declaration. One of the library's is told by its type: its text is not the reader's.
void Checker::declared_at(Diagnostic& d, Span span, std::string_view remark, const Binding* b) {
  if (!span) return;
  const SourceFile* file = out_.sources.find(span.begin);
  if (!file || file->path().rfind("std/", 0) != 0) {
    d.label(span, std::string(remark));
    return;
  }
  const Scheme* scheme = nullptr;
  if (b && b->kind == BindingKind::kFunction) scheme = &static_cast<const FunctionBinding*>(b)->scheme;
  if (b && b->kind == BindingKind::kConstructor) scheme = &static_cast<const ConstructorBinding*>(b)->scheme;
  if (b && b->kind == BindingKind::kOperation) scheme = &static_cast<const OperationBinding*>(b)->scheme;
  if (scheme && scheme->type)
    d.note(fmt::format("`{}` is `{}`", text(b->name), show_scheme(symbols_, *scheme)));
}

void Checker::mismatch(Expr* e, Type* actual, Type* expected, const Reason& why) {
  UnifyError error = unifier_.error();
  Type* left = unifier_.left();
  Type* right = unifier_.right();
  Span at = blame(e);
  actual = prune(actual);
  expected = prune(expected);
  if (error == UnifyError::kTooLarge) {
    diags_.error(at, "the types here are too large")
        .here("a type of more than a million parts, or nested too deeply");
    return;
  }
  if (error == UnifyError::kInfinite) {
    Diagnostic& d = diags_.error(at, "this would need an infinite type");
    d.here(fmt::format("`{}` and `{}` would have to be one type", show(actual), show(expected)));
    if (e && e->kind == ExprKind::kLambda) d.help("annotate the function's effects, or use `mask`");
    return;
  }
  if (error == UnifyError::kEscape) {
    diags_.error(at, "the type of an operation's value leaves its clause")
        .here(fmt::format("this is `{}`", show(actual)))
        .note(
            "a type variable that belongs to an operation alone can be anything: its clause knows nothing of "
            "it");
    return;
  }

  std::string a = show(actual), x = show(expected);
  auto describe = [&](const char* subject) {
    return fmt::format("{} is `{}`, but `{}` is expected", subject, a, x);
  };
  std::string callee = why.callee && why.callee->name ? fmt::format("`{}`", text(why.callee->name)) : "";
  Diagnostic* d = nullptr;
  auto report = [&](std::string message, std::string here) {
    d = &diags_.error(at, std::move(message));
    d->here(std::move(here));
  };
  std::string got = fmt::format("this is `{}`", a);
  switch (why.kind) {
    case Reason::kArgument:
    case Reason::kReceiver:
    case Reason::kPiped: {
      std::string which = why.kind == Reason::kReceiver ? "the receiver"
                          : why.kind == Reason::kPiped  ? "the piped value"
                                                        : fmt::format("argument {}", why.number + 1);
      report(callee.empty() ? fmt::format("{} has the wrong type", which)
                            : fmt::format("{} of {} has the wrong type", which, callee),
             fmt::format("expected `{}`, found `{}`", x, a));
      if (why.callee && why.callee->span) {
        Span place = why.callee->span;
        const char* what = "declared here";
        if (why.callee->kind == BindingKind::kFunction) {
          auto* f = static_cast<const FunctionBinding*>(why.callee);
          if (why.number < f->decl->params.size && f->decl->params[why.number].type) {
            place = f->decl->params[why.number].type->span;
            what = "because of this parameter";
          }
        }
        if (why.callee->kind == BindingKind::kConstructor) {
          auto* c = static_cast<const ConstructorBinding*>(why.callee);
          if (why.number < c->fields.size && c->fields[why.number].span) {
            place = c->fields[why.number].span;
            what = "because of this field";
          }
        }
        declared_at(*d, place, what, why.callee);
      }
      break;
    }
    case Reason::kReturn:
      report(
          why.number == 1 ? "this `return` gives the wrong type" : "this function's value has the wrong type",
          fmt::format("expected `{}`, found `{}`", x, a));
      if (why.where)
        d->label(why.where, "because of this result type");
      else if (why.callee && why.callee->kind != BindingKind::kError && why.callee->name) {
        d->note(fmt::format("{} gives `{}` elsewhere", callee, x));
      }
      break;
    case Reason::kAnnotation:
      report("this value does not have the annotated type", fmt::format("expected `{}`, found `{}`", x, a));
      d->label(why.where, "because of this annotation");
      break;
    case Reason::kBranch:
      report("the branches of this `if` have different types", got);
      if (why.where) d->label(why.where, fmt::format("but this is `{}`", x));
      break;
    case Reason::kArm:
      report("the arms of this `match` have different types", got);
      if (why.where) d->label(why.where, fmt::format("but this is `{}`", x));
      break;
    case Reason::kCondition:
      report(why.number ? "the operands of `&&` and `||` are Bools" : "a condition is a Bool", got);
      break;
    case Reason::kGuard:
      report("a guard is a Bool", got);
      break;
    case Reason::kOperand:
      report(fmt::format("this operator works on `{}`", x), got);
      break;
    case Reason::kAssign:
      report("this value does not fit what it is assigned to",
             fmt::format("expected `{}`, found `{}`", x, a));
      if (why.where) d->label(why.where, fmt::format("this is `{}`", x));
      break;
    case Reason::kItem:
      if (why.number) {
        report("what follows `..` is a list of the same items",
               fmt::format("expected `{}`, found `{}`", x, a));
      } else {
        report("the items of this list have different types", got);
      }
      if (why.where)
        d->label(why.where, why.number ? std::string("the items are like this one")
                                       : fmt::format("but this is `{}`", x));
      break;
    case Reason::kIndex:
      report(fmt::format("this index is `{}`, but `{}` is expected", a, x), got);
      break;
    case Reason::kClauseResult:
      report("this clause has a different type than the handled body",
             fmt::format("expected `{}`, found `{}`", x, a));
      if (why.where) d->label(why.where, fmt::format("the value of the `handle` is `{}`", x));
      if (why.number == 0)
        d->note("a clause's value, and that of `resume(…)`, is the value of the whole `handle`");
      break;
    case Reason::kResumeValue:
      report("this clause does not give what its operation promises",
             fmt::format("expected `{}`, found `{}`", x, a));
      if (why.where) d->label(why.where, "declared here");
      break;
    case Reason::kRange:
      report("a range runs over Ints", got);
      break;
    case Reason::kBreak:
      report("the values of this loop's `break`s have different types",
             fmt::format("expected `{}`, found `{}`", x, a));
      break;
    case Reason::kDefault:
      report("this default does not fit its parameter", fmt::format("expected `{}`, found `{}`", x, a));
      if (why.where) d->label(why.where, "because of this type");
      break;
    default:
      report("this has the wrong type", fmt::format("expected `{}`, found `{}`", x, a));
      break;
  }
  (void)describe;

  // What is different, where the types as a whole hide it; and the usual ways out.
  if (actual->tag == TypeTag::Fn && expected->tag == TypeTag::Fn) {
    if (actual->count != expected->count) {
      unsigned has = actual->param_count(), wants = expected->param_count();
      d->note(fmt::format("it takes {} argument{}, but is called with {}", has, has == 1 ? "" : "s", wants));
      if (e && e->kind == ExprKind::kLambda && as<LambdaExpr>(e)->trailing &&
          !as<LambdaExpr>(e)->has_params) {
        d->help("name the parameters: `{ x => … }`");
      }
      return;
    }
    if (error == UnifyError::kMissingEffect && left && right) {
      d->note(fmt::format("it may perform `{}`, but only {} is allowed", show(left), show(right)));
      d->help(fmt::format("handle `{}` inside it, or let the function that takes it allow the effect",
                          show(left)));
      return;
    }
    if (error == UnifyError::kRigidRow && left && right) {
      Type* e1 = prune(left)->tag == TypeTag::Rigid ? prune(left) : prune(right);
      Type* e2 = e1 == prune(left) ? prune(right) : prune(left);
      if (e1->tag == TypeTag::Rigid) {
        d->note(
            fmt::format("its effects `{}` stand for any effects; here {} is expected", show(e1), show(e2)));
        std::string effects;
        for (Type* row = e2; row->tag == TypeTag::RowCons; row = prune(row->rest())) {
          if (TypeDef* effect = outermost(row->effect()))
            effects += fmt::format("{}{}", effects.empty() ? "" : ", ", text(effect->name));
        }
        if (!effects.empty())
          d->help(fmt::format("pass `fn(…) => mask<{}> {{ … }}`, or say in the function's type which effects "
                              "there are",
                              effects));
        return;
      }
    }
  }
  if (actual->tag == TypeTag::Fn && actual->param_count() == 1 && prune(actual->param(0)) == unit_type_ &&
      prune(actual->result()) == expected) {
    d->help("call the function: add `()`");
  } else if (actual == int_ && expected == float_) {
    if (e && e->kind == ExprKind::kInt)
      d->help("write it as a Float: with `.0`");
    else
      d->help("convert it: `.to_float()`");
  } else if (actual == float_ && expected == int_) {
    d->help("convert it: `.to_int()`");
  } else if (expected == string_ &&
             (actual == int_ || actual == float_ || actual == bool_ || actual == char_)) {
    d->help("make it a String: `show(…)`, or `\"${…}\"`");
  } else if (actual->tag == TypeTag::Con && actual->count >= 1 && prune(actual->arg(0)) == expected &&
             (actual->def == option_def_ || actual->def == result_def_)) {
    d->help("take the value out with `match`, `.unwrap()` or `.or(…)`");
  } else if (expected->tag == TypeTag::Con && expected->def == option_def_ &&
             prune(expected->arg(0)) == actual) {
    d->help("wrap it: `Some(…)`");
  } else if (actual == unit_type_ && e && e->kind == ExprKind::kBlock && !as<BlockExpr>(e)->value) {
    d->help("end the block with the expression that is its value");
  } else if (left && right && error == UnifyError::kMismatch) {
    Type* l = prune(left);
    Type* r = prune(right);
    if (l->tag == TypeTag::Rigid || r->tag == TypeTag::Rigid) {
      Type* rigid = l->tag == TypeTag::Rigid ? l : r;
      d->note(
          rigid->abstract
              ? fmt::format(
                    "`{}` belongs to the operation alone: it stands for any type, the performer's choice",
                    show(rigid))
              : fmt::format(
                    "`{}` is a type variable of an annotation: it stands for any type, the caller's choice",
                    show(rigid)));
      if (!rigid->abstract) hint_rigid(*d, rigid);
    } else if (l != actual && l != expected && r != actual && r != expected) {
      d->note(fmt::format("`{}` is not `{}`", show(l), show(r)));
    }
  }
}

void Checker::type_error(Span span, Type* actual, Type* expected, const std::string& message,
                         const Reason& why) {
  Diagnostic& d = diags_.error(span, message);
  d.here(fmt::format("`{}` is not `{}`", show(actual), show(expected)));
  if (why.callee) declared_at(d, why.callee->span, "declared here", why.callee);
}

}  // namespace eddy::lang
