// Branches, loops, jumps.

#include "lang/parser_impl.h"

namespace eddy::lang {

Expr* Parser::condition(const char* what) {
  Expr* e = head_expression();
  if (e->kind == ExprKind::kAssign && !e->parens && !as<AssignExpr>(e)->compound) {
    if (!panicking_) {
      report(as<AssignExpr>(e)->op_span, fmt::format("`=` assigns, but the condition of {} compares", what))
          .help("write `==`");
      recovered();
    }
  }
  return e;
}

Expr* Parser::if_expr() {
  Pos begin = tok_->begin;
  Gather<IfBranch> branches(*this);
  Expr* otherwise = nullptr;
  while (true) {
    advance();  // `if`
    IfBranch branch;
    branch.condition = condition("`if`");
    branch.body = block("after the condition of `if`");
    branches.add(branch);
    if (is_word(*tok_, "elif") || is_word(*tok_, "elsif") || is_word(*tok_, "elseif")) {
      report_here(fmt::format("unknown keyword `{}`", text(*tok_))).help("write `else if`");
      recovered();
      continue;
    }
    if (!accept(K::kKeyword_else)) break;
    if (at(K::kKeyword_if)) continue;
    otherwise = block("after `else`");
    break;
  }
  IfExpr* node = make<IfExpr>(ExprKind::kIf, begin);
  node->branches = branches.slice();
  node->otherwise = otherwise;
  return node;
}

Expr* Parser::match_expr() {
  Pos begin = tok_->begin;
  advance();
  MatchExpr* node = arena_.make<MatchExpr>();
  node->kind = ExprKind::kMatch;
  node->subject = head_expression();
  if (at(K::kKeyword_with)) {
    report_here("`match` takes no `with`").help("write `match e { pattern => … }`");
    advance();
    recovered();
  }
  if (!at(K::kLeftBrace)) {
    report(tok_->newline_before() ? gap() : here(),
           fmt::format("expected `{{` and arms after `match`, found {}", describe_token(*tok_)));
    node->span = span_from(begin);
    return node;
  }
  Span opener = tok_->span();
  advance();
  In in(*this, Context{false, false});
  Gather<MatchArm> arms(*this);
  braced(
      opener, [&] { return leaves_block(opener); },
      [&] {
        MatchArm arm;
        Pos arm_begin = tok_->begin;
        if (is_word(*tok_, "case") && peek().kind != K::kArrow && peek().kind != K::kKeyword_if) {
          report_here("arms are not marked with `case`").help("write `pattern => expression`");
          advance();
          recovered();
        }
        if (at(K::kKeyword_else) && peek().kind == K::kArrow) {
          report_here("the last arm of a `match` is not `else`").help("write `_ => …`");
          advance();
          recovered();
          arm.pattern = make_pattern<Pattern>(PatternKind::kWildcard, arm_begin);
        } else {
          arm.pattern = pattern();
        }
        if (accept(K::kKeyword_if)) arm.guard = condition("a guard");
        if (at(K::kThinArrow) || at(K::kColon) || at(K::kAssign)) {
          report_here(fmt::format("expected `=>` after a pattern, found {}", describe_token(*tok_)));
          advance();
          recovered();
          arm.body = expression();
        } else if (expect(K::kArrow, "after a pattern")) {
          arm.body = expression();
        } else {
          arm.body = error_expr(tok_->begin);
        }
        arm.span = span_from(arm_begin);
        arms.add(arm);
      });
  node->arms = arms.slice();
  node->span = span_from(begin);
  return node;
}

Expr* Parser::while_expr() {
  Pos begin = tok_->begin;
  advance();
  Expr* test = condition("`while`");
  Expr* body = block("after the condition of `while`");
  WhileExpr* node = make<WhileExpr>(ExprKind::kWhile, begin);
  node->condition = test;
  node->body = body;
  return node;
}

Expr* Parser::for_expr() {
  Pos begin = tok_->begin;
  advance();
  ForExpr* node = arena_.make<ForExpr>();
  node->kind = ExprKind::kFor;
  if (at(K::kLeftParen) && peek(2).kind == K::kKeyword_in) {
    report_here("`for` takes no parentheses").help("write `for x in xs { … }`");
    recovered();
    advance();
    node->pattern = pattern();
    advance();
    node->iterable = head_expression();
    accept(K::kRightParen);
    node->body = block("after the head of `for`");
    node->span = span_from(begin);
    return node;
  }
  node->pattern = pattern();
  if (at(K::kColon) || is_word(*tok_, "of") || at(K::kAssign)) {
    report_here(fmt::format("expected `in` after the pattern of `for`, found {}", describe_token(*tok_)))
        .help("write `for x in xs { … }`");
    advance();
    recovered();
    node->iterable = head_expression();
  } else if (expect(K::kKeyword_in, "after the pattern of `for`")) {
    node->iterable = head_expression();
  } else {
    node->iterable = error_expr(tok_->begin);
    if (at(K::kLeftBrace)) recovered();
  }
  node->body = block("after the head of `for`");
  node->span = span_from(begin);
  return node;
}

Expr* Parser::loop_expr() {
  Pos begin = tok_->begin;
  advance();
  Expr* body = block("after `loop`");
  LoopExpr* node = make<LoopExpr>(ExprKind::kLoop, begin);
  node->body = body;
  return node;
}

/// `break value`, `continue`, `return value`. After a bare one a newline ends it.
Expr* Parser::jump() {
  Pos begin = tok_->begin;
  K kind = tok_->kind;
  advance();
  if (kind == K::kKeyword_continue) return make<ContinueExpr>(ExprKind::kContinue, begin);
  Expr* value = nullptr;
  bool body_follows = at(K::kLeftBrace) && context_.head;
  if (!tok_->newline_before() && starts_expression(*tok_) && !body_follows) value = expression();
  if (kind == K::kKeyword_break) {
    BreakExpr* node = make<BreakExpr>(ExprKind::kBreak, begin);
    node->value = value;
    return node;
  }
  ReturnExpr* node = make<ReturnExpr>(ExprKind::kReturn, begin);
  node->value = value;
  return node;
}

}  // namespace eddy::lang
