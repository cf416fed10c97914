// Blocks, statements, control flow, handlers.

#include "lang/parser_impl.h"

namespace eddy::lang {

/// A block is required; `what` completes "expected `{` …".
Expr* Parser::block(const char* what) {
  Nest nest(*this);
  Pos begin = tok_->begin;
  if (too_deep()) return error_expr(begin);
  if (!at(K::kLeftBrace)) {
    Diagnostic& error = report(tok_->newline_before() ? gap() : here(),
                               fmt::format("expected `{{` {}, found {}", what, describe_token(*tok_)));
    if (is_word(*tok_, "then") || is_word(*tok_, "do") || at(K::kColon) || at(K::kArrow)) {
      error.help(fmt::format("write a block in braces instead of {}", describe_token(*tok_)));
    } else {
      error.help("the body is a block in braces");
    }
    return error_expr(begin);
  }
  Span opener = tok_->span();
  advance();
  return block_rest(opener, begin);
}

/// Whether the current token cannot belong to the block opened at `opener`, whose `}` must be missing.
bool Parser::leaves_block(Span opener) {
  switch (tok_->kind) {
    case K::kKeyword_type:
    case K::kKeyword_effect:
    case K::kKeyword_import:
    case K::kKeyword_private:
      break;
    case K::kAt:
      if (!starts_line(*tok_)) return false;
      break;
    default:
      return false;
  }
  if (!tok_->newline_before()) return false;
  return true;
}

/// Statements behind the `{`, up to and with the `}`.
Expr* Parser::block_rest(Span opener, Pos begin) {
  In in(*this, Context{false, false});
  Gather<Stmt*> stmts(*this);
  // Where the `}` might be missing: the first thing in the block that looks like top level.
  const Token* suspect = nullptr;
  while (!at(K::kRightBrace) && !at(K::kEnd)) {
    if (accept(K::kSemicolon)) continue;
    if (leaves_block(opener)) {
      report_here(fmt::format("{} does not stand in a block", describe_token(*tok_)))
          .label(opener, "this block is still open; is its `}` missing?");
      return error_expr(begin);
    }
    if (suspect == nullptr && starts_line(*tok_) && starts_declaration(*tok_)) suspect = tok_;
    const Token* before = tok_;
    Stmt* stmt = statement();
    stmts.add(stmt);
    end_statement(stmt, before);
    if (tok_ == before && !at(K::kRightBrace)) advance();
  }
  if (at(K::kEnd) && !panicking_) {
    Diagnostic& error = report(gap(), "expected `}`, found the end of the file").label(opener, "to close this block");
    if (suspect != nullptr) error.label(suspect->span(), "perhaps it should have been closed before this");
  } else {
    expect_close(K::kRightBrace, opener);
  }
  BlockExpr* node = make<BlockExpr>(ExprKind::kBlock, begin);
  if (stmts.size() > 0 && stmts.back()->kind == StmtKind::kExpr) {
    node->value = as<ExprStmt>(stmts.back())->value;
    stmts.pop();
  }
  node->stmts = stmts.slice();
  return node;
}

Stmt* Parser::statement() {
  Pos begin = tok_->begin;
  switch (tok_->kind) {
    case K::kKeyword_let: {
      advance();
      LetStmt* node = arena_.make<LetStmt>();
      node->kind = StmtKind::kLet;
      if (is_word(*tok_, "mut") && peek().kind == K::kLower) {
        report_here("there is no `let mut`").help("a variable that changes is declared with `var`");
        advance();
        recovered();
      }
      node->pattern = pattern();
      if (accept(K::kColon)) node->type = type();
      if (at(K::kEqEq)) {
        report_here("expected `=` after the pattern, found `==`");
        advance();
        recovered();
        node->value = expression();
      } else if (expect(K::kAssign, "and a value after `let`")) {
        node->value = expression();
      } else {
        node->value = error_expr(tok_->begin);
      }
      node->span = span_from(begin);
      return node;
    }
    case K::kKeyword_var: {
      advance();
      VarStmt* node = arena_.make<VarStmt>();
      node->kind = StmtKind::kVar;
      if (at(K::kLeftParen) || at(K::kUpper) || at(K::kLeftBracket)) {
        report_here("`var` declares a single name").help("take the value apart with `let`, then declare `var`s");
        pattern();
        recovered();
      } else if (at(K::kUnderscore)) {
        report_here("`var` needs a name").help("write `let _ = …` to drop a value");
        advance();
        recovered();
      } else {
        node->name = expect_lower("a name after `var`");
      }
      if (accept(K::kColon)) node->type = type();
      node->value = expect(K::kAssign, "and a value after `var`") ? expression() : error_expr(tok_->begin);
      node->span = span_from(begin);
      return node;
    }
    case K::kAt:
    case K::kKeyword_fn: {
      if (at(K::kKeyword_fn) && peek().kind != K::kLower && peek().kind < K::kKeyword_fn && peek().kind != K::kUpper) break;
      Slice<Attribute> attached = attributes();
      if (!at(K::kKeyword_fn)) {
        report_here(fmt::format("expected a function after an attribute, found {}", describe_token(*tok_)));
        break;
      }
      FnDecl* fn = fn_decl(tok_->begin, attached);
      FnStmt* node = make_stmt<FnStmt>(StmtKind::kFn, begin);
      node->fn = fn;
      return node;
    }
    case K::kKeyword_defer: {
      advance();
      Expr* value = expression();
      DeferStmt* node = make_stmt<DeferStmt>(StmtKind::kDefer, begin);
      node->value = value;
      return node;
    }
    default:
      break;
  }
  Expr* value = expression();
  ExprStmt* node = make_stmt<ExprStmt>(StmtKind::kExpr, begin);
  node->value = value;
  return node;
}

/// After a statement: a newline, `;` or the block's end; anything else is reported and skipped.
void Parser::end_statement(Stmt* stmt, const Token* begin) {
  if (!panicking_) {
    if (accept(K::kSemicolon) || at(K::kRightBrace) || at(K::kEnd) || tok_->newline_before()) return;
    stray_after(stmt);
  }
  skip_statement(tok_ != begin);
  recovered();
}

/// The statement is complete, but something stands behind it on its line.
void Parser::stray_after(Stmt* stmt) {
  const Token& token = *tok_;
  const Expr* last = stmt->kind == StmtKind::kExpr ? as<ExprStmt>(stmt)->value : nullptr;
  auto is_name = [&](std::string_view text) {
    return last != nullptr && last->kind == ExprKind::kName && file_.text(last->span) == text;
  };
  if (token.kind == K::kRightParen || token.kind == K::kRightBracket) {
    report_here(fmt::format("unmatched {}", describe(token.kind)));
    return;
  }
  if (last != nullptr && last->kind == ExprKind::kName && (token.kind == K::kLower || token.kind == K::kUpper)) {
    for (std::string_view word : {"function", "func", "def", "proc", "lambda"}) {
      if (is_name(word)) {
        report(last->span, fmt::format("unknown keyword `{}`", word)).help("functions are declared with `fn`");
        return;
      }
    }
    for (std::string_view word : {"const", "val", "auto", "int", "mut"}) {
      if (is_name(word)) {
        report(last->span, fmt::format("unknown keyword `{}`", word)).help("values are declared with `let`, variables with `var`");
        return;
      }
    }
    std::vector<std::string_view> keywords = {"let", "var", "return", "defer", "match", "while", "loop", "handle", "break"};
    std::string_view meant = closest(file_.text(last->span), keywords);
    if (!meant.empty()) {
      report(last->span, fmt::format("unknown keyword `{}`", file_.text(last->span))).help(fmt::format("did you mean `{}`?", meant));
      return;
    }
  }
  Diagnostic& error = report_here(fmt::format("expected a new line or `;` after this, found {}", describe_token(token)));
  auto word = [&](std::string_view text) { return is_word(token, text); };
  if (word("elif") || word("elsif") || word("elseif")) {
    error.help("write `else if`");
  } else if (word("and")) {
    error.help("write `&&`");
  } else if (word("or")) {
    error.help("write `||`");
  } else if (word("mod") || word("rem")) {
    error.help("write `%`");
  } else if (token.kind == K::kArrow) {
    error.help("a lambda is written `fn(x) => …`");
  } else if (token.kind == K::kThinArrow) {
    error.help("results and arms follow `=>`, result types `:`");
  } else if (token.kind == K::kQuestion) {
    error.help("there is no `? :`; write `if c { a } else { b }`");
  } else if (token.kind == K::kColon) {
    error.help("a declaration begins with `let` or `var`");
  } else if (token.kind == K::kLeftBrace && last != nullptr &&
             (last->kind == ExprKind::kName || last->kind == ExprKind::kField)) {
    std::string_view callee = file_.text(last->span);
    if (callee.find('\n') != std::string_view::npos) callee.remove_prefix(callee.rfind('.'));
    error.help(fmt::format("a trailing block follows a call's parentheses: `{}() {{ … }}`", callee));
  } else if (token.kind == K::kLeftParen && last != nullptr && token.space_before()) {
    error.help("a call's `(` follows the function without white space");
  } else if (token.kind == K::kLeftBracket && last != nullptr && token.space_before()) {
    error.help("an index's `[` follows what it applies to without white space");
  } else if (token.kind == K::kKeyword_in && is_name("for")) {
    error.help("write `for x in xs { … }`");
  }
}

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
  while (!at(K::kRightBrace) && !at(K::kEnd)) {
    if (accept(K::kComma) || accept(K::kSemicolon)) continue;
    if (leaves_block(opener)) break;
    const Token* before = tok_;
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
    if (panicking_) {
      skip_statement(tok_ != before);
      recovered();
      if (tok_ == before) advance();
    }
  }
  if (at(K::kRightBrace)) recovered();
  expect_close(K::kRightBrace, opener);
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
    if (!panicking_) report_here(fmt::format("expected `{{` and clauses after `with`, found {}", describe_token(*tok_)));
    node->span = span_from(begin);
    return node;
  }
  Span opener = tok_->span();
  advance();
  In in(*this, Context{false, false});
  Gather<Clause> clauses(*this);
  while (!at(K::kRightBrace) && !at(K::kEnd)) {
    if (accept(K::kComma) || accept(K::kSemicolon)) continue;
    if (leaves_block(opener)) break;
    const Token* before = tok_;
    clauses.add(clause());
    if (panicking_) {
      skip_statement(tok_ != before);
      recovered();
      if (tok_ == before) advance();
    }
  }
  if (at(K::kRightBrace)) recovered();
  expect_close(K::kRightBrace, opener);
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
          .help("clauses are `op(x) => …`, `fun op(x) => …` (always resumes), `final op(x) => …` (never does)");
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
    type_args(node->effects);
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
