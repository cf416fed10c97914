#include "lang/parser_impl.h"

namespace eddy::lang {

Expr* Parser::handle_expr() {
  Pos begin = tok_->begin;
  advance();
  HandleExpr* node = arena_.make<HandleExpr>();
  node->kind = ExprKind::kHandle;
  if (at(K::kLower) && peek().kind == K::kColon) {
    node->name = take_ident();
    advance();
    node->effect = type();
  }
  if (at(K::kUpper) && peek().kind == K::kLeftBrace) {
    report_here("a `handle` does not name the effects it handles; its clauses do")
        .help("write `handle { … } with { … }`, or `handle h: E { … }` to name the handler");
    advance();
    recovered();
  }
  node->body = at(K::kLeftBrace) ? block("after `handle`") : head_expression();
  if (!expect(K::kKeyword_with, "and clauses after the body of `handle`") || !at(K::kLeftBrace)) {
    if (!panicking_)
      report_here(fmt::format("expected `{{` and clauses after `with`, found {}", describe_token(*tok_)));
    node->span = span_from(begin);
    return node;
  }
  Span opener = tok_->span();
  advance();
  In in(*this, Context{false, false});
  Gather<Clause> clauses(*this);
  braced(opener, [&] { return leaves_block(opener); }, [&] { clauses.add(clause()); });
  node->clauses = clauses.slice();
  node->span = span_from(begin);
  return node;
}

Clause Parser::clause() {
  Pos begin = tok_->begin;
  Clause clause;
  const char* arrow_place = "after the head of a clause";
  if (at(K::kKeyword_return)) {
    clause.kind = ClauseKind::kReturn;
    clause.name = take_ident();
    Gather<Param> params(*this);
    params.add(param(false));
    clause.params = params.slice();
    arrow_place = "after the pattern of `return`";
  } else if (at(K::kKeyword_finally)) {
    clause.kind = ClauseKind::kFinally;
    clause.name = take_ident();
    if (at(K::kLeftParen) && peek().kind == K::kRightParen) {
      report_here("`finally` takes no parentheses").help("write `finally => …`");
      advance();
      advance();
      recovered();
    }
    arrow_place = "after `finally`";
  } else {
    if (accept(K::kKeyword_fun)) {
      clause.mode = ClauseMode::kFun;
    } else if (accept(K::kKeyword_final)) {
      clause.mode = ClauseMode::kFinal;
    } else if (at(K::kKeyword_fn) || at(K::kKeyword_multi)) {
      report_here(fmt::format("a clause does not begin with {}", describe_token(*tok_)))
          .help(
              "clauses are `op(x) => …`, `fun op(x) => …` (always resumes), `final op(x) => …` (never does)");
      advance();
      recovered();
    }
    if (at(K::kLower) && peek().kind == K::kDot && peek(2).kind == K::kUpper) {
      clause.module = take_ident();
      advance();
    }
    if (at(K::kUpper)) {
      clause.effect = take_ident();
      expect(K::kDot, "and an operation's name after an effect's");
    }
    clause.name = expect_lower("an operation's name");
    if (at(K::kLeftParen)) {
      clause.params = params("of this operation", false);
    } else if (!panicking_) {
      report_here(fmt::format("expected `(` after the operation's name, found {}", describe_token(*tok_)))
          .help("an operation without parameters is written `op() => …`");
      if (at(K::kArrow)) recovered();
    }
  }
  if (at(K::kColon)) {
    report_here("a clause gives its result no type")
        .help("the operation's declaration does: write `op(x) => …`");
    advance();
    type();
    recovered();
  }
  if (at(K::kLeftBrace) || at(K::kThinArrow) || at(K::kAssign)) {
    report_here(fmt::format("expected `=>` {}, found {}", arrow_place, describe_token(*tok_)));
    if (!at(K::kLeftBrace)) advance();
    recovered();
    clause.body = expression();
  } else if (expect(K::kArrow, arrow_place)) {
    clause.body = expression();
  } else {
    clause.body = error_expr(tok_->begin);
  }
  clause.span = span_from(begin);
  return clause;
}

/// `mask<E> { … }`
Expr* Parser::mask_expr() {
  Pos begin = tok_->begin;
  advance();
  MaskExpr* node = arena_.make<MaskExpr>();
  node->kind = ExprKind::kMask;
  if (at(K::kLess)) {
    Pos open = tok_->begin;
    type_args(node->effects);
    if (node->effects.empty()) {
      report(span_from(open), "`mask` names no effect").help("write `mask<State> { … }`");
      recovered();
    }
  } else {
    report_here(fmt::format("expected `<` and an effect after `mask`, found {}", describe_token(*tok_)))
        .help("write `mask<State> { … }`");
    if (at(K::kLeftBrace)) recovered();
  }
  node->body = block("after `mask<…>`");
  node->span = span_from(begin);
  return node;
}

}  // namespace eddy::lang
