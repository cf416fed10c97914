// Types and effect rows as written.

#include "lang/parser_impl.h"

namespace eddy::lang {

TypeExpr* Parser::type() {
  Nest nest(*this);
  Pos begin = tok_->begin;
  if (too_deep()) return make_type<TypeExpr>(TypeExprKind::kError, begin);
  TypeExpr* result = type_inner();
  if (at(K::kQuestion) && !tok_->space_before()) {
    report_here("there are no `?` types").help(fmt::format("write `Option<{}>`", file_.text(result->span)));
    advance();
  } else if (at(K::kLeftBracket) && !tok_->space_before() && !panicking_) {
    report_here("type arguments stand in `<` `>`").help("for example `List<Int>`, `Array<Int>`");
  }
  return result;
}

TypeExpr* Parser::type_inner() {
  Pos begin = tok_->begin;
  switch (tok_->kind) {
    case K::kUpper:
      return named_type();
    case K::kLower: {
      if (peek().kind == K::kDot && peek(2).kind == K::kUpper) return named_type();
      Ident name = take_ident();
      if (at(K::kLess)) {
        report(name.span,
               fmt::format("a type's name starts upper-case, but `{}` does not", symbols_.text(name.name)))
            .help("a lower-case name in a type is a type variable, which takes no arguments");
      }
      VarType* node = make_type<VarType>(TypeExprKind::kVar, begin);
      node->name = name.name;
      return node;
    }
    case K::kUnderscore:
      advance();
      return make_type<TypeExpr>(TypeExprKind::kHole, begin);
    case K::kLeftParen: {
      Span opener = tok_->span();
      advance();
      Gather<TypeExpr*> items(*this);
      list(K::kRightParen, opener, "a type", [&] { items.add(type()); });
      if (items.size() == 0) return make_type<TypeExpr>(TypeExprKind::kUnit, begin);
      if (items.size() == 1) {
        items[0]->span = span_from(begin);
        return items[0];
      }
      TupleType* node = make_type<TupleType>(TypeExprKind::kTuple, begin);
      node->items = items.slice();
      return node;
    }
    case K::kKeyword_fn: {
      advance();
      Gather<TypeExpr*> params(*this);
      Span opener = tok_->span();
      if (expect(K::kLeftParen, "after `fn` in a type")) {
        list(K::kRightParen, opener, "a type", [&] {
          if (at(K::kLower) && peek().kind == K::kColon) {
            report(peek().span(), "parameters of a function type have no names")
                .help("write the types alone: `fn(Int, String): Bool`");
          }
          params.add(type());
        });
      }
      FnType* node = arena_.make<FnType>();
      node->kind = TypeExprKind::kFn;
      node->params = params.slice();
      if (at(K::kThinArrow) || at(K::kArrow)) {
        report_here("a function type's result follows `:`").help("write `fn(Int): Int`");
        advance();
        recovered();
        node->result = type();
      } else if (expect(K::kColon, "and the result in a function type")) {
        node->result = type();
      } else {
        node->result = make_type<TypeExpr>(TypeExprKind::kError, begin);
      }
      if (at(K::kSlash)) node->row = row();
      node->span = span_from(begin);
      return node;
    }
    case K::kLeftBracket: {
      report_here("a list type is written `List<…>`, an array `Array<…>`");
      return make_type<TypeExpr>(TypeExprKind::kError, begin);
    }
    case K::kLeftBrace:
      report_here("expected a type, found `{`").help("an effect row follows `/`: `fn(): Int / {Exn | e}`");
      return make_type<TypeExpr>(TypeExprKind::kError, begin);
    default:
      report_here(fmt::format("expected a type, found {}", describe_token(*tok_)));
      return make_type<TypeExpr>(TypeExprKind::kError, begin);
  }
}

TypeExpr* Parser::named_type() {
  Pos begin = tok_->begin;
  Ident module;
  if (at(K::kLower)) {
    module = take_ident();
    advance();  // `.`
  }
  NameType* node = arena_.make<NameType>();
  node->kind = TypeExprKind::kName;
  node->module = module;
  node->name = expect_upper("a type's name");
  if (at(K::kLess)) type_args(node->args);
  node->span = span_from(begin);
  return node;
}

void Parser::type_args(Slice<TypeExpr*>& out) {
  advance();
  Gather<TypeExpr*> args(*this);
  do {
    if (at(K::kGreater)) break;
    args.add(type_arg());
  } while (accept(K::kComma));
  expect_greater("after type arguments");
  out = args.slice();
}

/// A type, or a row in braces.
TypeExpr* Parser::type_arg() {
  if (!at(K::kLeftBrace)) return type();
  Pos begin = tok_->begin;
  RowExpr* written = row();
  RowType* node = make_type<RowType>(TypeExprKind::kRow, begin);
  node->row = written;
  return node;
}

/// `/ {A, B | e}`, `/ A`, `/ e`; or only the braces, where the `/` does not stand.
RowExpr* Parser::row() {
  RowExpr* node = arena_.make<RowExpr>();
  Pos begin = tok_->begin;
  accept(K::kSlash);
  if (!at(K::kLeftBrace)) {
    TypeExpr* only = type();
    node->span = span_from(begin);
    if (only->kind == TypeExprKind::kVar || only->kind == TypeExprKind::kHole) {
      node->tail = only;
    } else if (only->kind == TypeExprKind::kName) {
      Gather<TypeExpr*> effects(*this);
      effects.add(only);
      node->effects = effects.slice();
    } else if (only->kind != TypeExprKind::kError) {
      report(only->span, "expected an effect after `/`")
          .help("several effects stand in braces: `/ {State<Int>, Exn | e}`");
    }
    return node;
  }
  Span opener = tok_->span();
  advance();
  In in(*this, Context{true, false});
  node->braces = true;
  Gather<TypeExpr*> effects(*this);
  while (!at(K::kRightBrace) && !at(K::kPipe) && !at(K::kEnd)) {
    TypeExpr* effect = type();
    bool variable = effect->kind == TypeExprKind::kVar || effect->kind == TypeExprKind::kHole;
    if (variable && at(K::kRightBrace)) {
      node->tail = effect;
      break;
    }
    if (effect->kind == TypeExprKind::kName) {
      effects.add(effect);
    } else if (variable) {
      report(effect->span, "a row variable stands last, after `|`").help("write `{Exn | e}`");
    } else if (effect->kind != TypeExprKind::kError) {
      report(effect->span, "expected an effect in this row");
    }
    if (!accept(K::kComma)) break;
  }
  if (accept(K::kPipe)) {
    if (at(K::kLower) || at(K::kUnderscore)) {
      node->tail = type();
    } else {
      report_here(fmt::format("expected a row variable after `|`, found {}", describe_token(*tok_)))
          .help("its name starts lower-case: `{Exn | e}`");
      if (at(K::kUpper)) {
        type();
        recovered();
      }
    }
  }
  node->effects = effects.slice();
  expect_close(K::kRightBrace, opener);
  node->span = span_from(begin);
  return node;
}

}  // namespace eddy::lang
