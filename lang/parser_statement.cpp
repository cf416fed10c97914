// Blocks and statements.

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
    } else if (const char* help = foreign(*tok_)) {
      error.help(help);
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
    Diagnostic& error =
        report(gap(), "expected `}`, found the end of the file").label(opener, "to close this block");
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
      } else if (node->type && at(K::kThinArrow)) {
        report_here("function types are not written with `->`").help("write `fn(Int): Int`");
        node->value = error_expr(tok_->begin);
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
        report_here("`var` declares a single name")
            .help("take the value apart with `let`, then declare `var`s");
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
      if (at(K::kKeyword_fn) && peek().kind != K::kLower && peek().kind < K::kKeyword_fn &&
          peek().kind != K::kUpper)
        break;
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

const char* Parser::foreign(const Token& token) const {
  auto word = [&](std::string_view text) { return is_word(token, text); };
  if (word("elif") || word("elsif") || word("elseif")) return "write `else if`";
  if (word("and")) return "write `&&`";
  if (word("or")) return "write `||`";
  if (word("mod") || word("rem")) return "write `%`";
  if (&token > tokens_.tokens.data()) {
    const Token& before = (&token)[-1];
    if (is_word(before, "not")) return "write `!x`";
    if (is_word(before, "new") && token.kind == K::kUpper)
      return "a value is made by calling its constructor";
    if ((token.kind == K::kString || token.kind == K::kStringBegin) && !token.space_before() &&
        before.kind == K::kLower)
      return "every String may hold `${…}`, without a prefix";
  }
  if (token.kind == K::kArrow) return "a lambda is written `fn(x) => …`";
  if (token.kind == K::kThinArrow) return "results and arms follow `=>`, result types `:`";
  if (token.kind == K::kQuestion) return "there is no `? :`; write `if c { a } else { b }`";
  return nullptr;
}

/// The statement is complete, but something stands behind it on its line.
void Parser::stray_after(Stmt* stmt) {
  const Token& token = *tok_;
  const Expr* last = stmt->kind == StmtKind::kExpr  ? as<ExprStmt>(stmt)->value
                     : stmt->kind == StmtKind::kLet ? as<LetStmt>(stmt)->value
                     : stmt->kind == StmtKind::kVar ? as<VarStmt>(stmt)->value
                                                    : nullptr;
  auto is_name = [&](std::string_view text) {
    return last != nullptr && last->kind == ExprKind::kName && file_.text(last->span) == text;
  };
  if (token.kind == K::kRightParen || token.kind == K::kRightBracket) {
    report_here(fmt::format("unmatched {}", describe(token.kind)));
    return;
  }
  const std::pair<std::string_view, const char*> calls[] = {
      {"yield", "a generator gives its values with `emit(…)`"},
      {"await", "`await` is a function of `std/async`: `async.await(task)`"},
      {"throw", "`throw` is an operation: `throw(message)`"},
      {"raise", "an exception is thrown by `throw(message)`"},
      {"try",
       "`attempt(fn() { … })` gives a panic as a Result, `exn.catch(fn() { … })` of `std/exn` what was "
       "thrown"}};
  for (auto& [word, help] : calls) {
    if (!is_name(word)) continue;
    report(last->span, fmt::format("unknown keyword `{}`", word)).help(help);
    return;
  }
  if (stmt->kind == StmtKind::kExpr && last != nullptr && last->kind == ExprKind::kName &&
      (token.kind == K::kLower || token.kind == K::kUpper)) {
    for (std::string_view word : {"function", "func", "def", "proc", "lambda"}) {
      if (is_name(word)) {
        report(last->span, fmt::format("unknown keyword `{}`", word))
            .help("functions are declared with `fn`");
        return;
      }
    }
    for (std::string_view word : {"const", "val", "auto", "int", "mut"}) {
      if (is_name(word)) {
        report(last->span, fmt::format("unknown keyword `{}`", word))
            .help("values are declared with `let`, variables with `var`");
        return;
      }
    }
    std::vector<std::string_view> keywords = {"let",   "var",  "return", "defer", "match",
                                              "while", "loop", "handle", "break"};
    std::string_view meant = closest(file_.text(last->span), keywords);
    if (!meant.empty()) {
      report(last->span, fmt::format("unknown keyword `{}`", file_.text(last->span)))
          .help(fmt::format("did you mean `{}`?", meant));
      return;
    }
  }
  Diagnostic& error =
      report_here(fmt::format("expected a new line or `;` after this, found {}", describe_token(token)));
  if (const char* help = foreign(token)) {
    error.help(help);
  } else if (token.kind == K::kColon) {
    error.help("a declaration begins with `let` or `var`");
  } else if (token.kind == K::kLeftBrace && tok_[-1].kind == K::kUpper && peek().kind == K::kLower) {
    error.help(fmt::format("values are made by calls: `{0}(…)`, or `{0}(field: …)`", text(tok_[-1])));
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

}  // namespace eddy::lang
