// Calls, access, literals of data, lambdas.

#include "lang/parser_impl.h"

namespace eddy::lang {

Expr* Parser::postfix() {
  uint32_t outer = reach_;
  reach_ = level_;
  Pos begin = tok_->begin;
  Expr* e = primary();
  // A jump takes all that follows as its value; what it does not take is no part of it.
  if (e->parens == 0 &&
      (e->kind == ExprKind::kReturn || e->kind == ExprKind::kBreak || e->kind == ExprKind::kContinue)) {
    if (reach_ < outer) reach_ = outer;
    return e;
  }
  bool stuck = false;
  while (!stuck) {
    switch (tok_->kind) {
      case K::kDot:
        e = dot(e, begin);
        break;
      case K::kColonColon:
        report_here("there is no `::`").help("write `module.name`, `Effect.operation`");
        recovered();
        e = dot(e, begin);
        break;
      case K::kLeftParen: {
        if (tok_->space_before()) {
          stuck = true;
          break;
        }
        Span opener = tok_->span();
        advance();
        Gather<Arg> gathered(*this);
        Slice<Arg> arguments = args(opener, gathered);
        CallExpr* node = make<CallExpr>(ExprKind::kCall, begin);
        node->callee = e;
        node->args = arguments;
        e = node;
        break;
      }
      case K::kLeftBracket: {
        if (tok_->space_before()) {
          stuck = true;
          break;
        }
        Span opener = tok_->span();
        advance();
        IndexExpr* node = arena_.make<IndexExpr>();
        node->kind = ExprKind::kIndex;
        node->object = e;
        {
          In in(*this, Context{true, false});
          node->index = expression();
          if (at(K::kComma)) report_here("an index is one expression").help("write `a[i][j]`");
        }
        if (panicking_) skip_item(K::kRightBracket);
        if (at(K::kRightBracket)) recovered();
        expect_close(K::kRightBracket, opener);
        node->span = span_from(begin);
        e = node;
        break;
      }
      default:
        stuck = true;
    }
    if (!stuck) {
      reach_++;
      if (too_deep()) break;
    }
  }
  if (reach_ < outer) reach_ = outer;
  return e;
}

/// `.name`, `.name(args)`, `.0`
Expr* Parser::dot(Expr* object, Pos begin) {
  advance();
  if (at(K::kInt)) {
    const Token& token = *tok_;
    if (object->kind == ExprKind::kInt && object->parens == 0) {
      report_here("a number has no items").help("a Float is written without spaces: `1.5`");
      recovered();
    }
    advance();
    TupleIndexExpr* node = make<TupleIndexExpr>(ExprKind::kTupleIndex, begin);
    node->object = object;
    uint64_t index = 0;
    for (char c : text(token)) index = index > 0xFFFFFF ? index : index * 10 + static_cast<uint64_t>(c - '0');
    node->index = static_cast<uint32_t>(index);
    return node;
  }
  Ident name;
  if (at(K::kLower) || at(K::kUpper)) {
    name = take_ident();
  } else if (tok_->kind >= K::kKeyword_fn && !tok_->newline_before()) {
    report_here(fmt::format("{} is a keyword; no field or function has this name", describe(tok_->kind)));
    advance();
    recovered();
    return error_expr(begin);
  } else {
    report_here(fmt::format("expected a name or a tuple index after `.`, found {}", describe_token(*tok_)));
    return error_expr(begin);
  }
  if (at(K::kLeftParen) && !tok_->space_before()) {
    Span opener = tok_->span();
    advance();
    Gather<Arg> gathered(*this);
    Slice<Arg> arguments = args(opener, gathered);
    MethodCallExpr* node = make<MethodCallExpr>(ExprKind::kMethodCall, begin);
    node->object = object;
    node->name = name;
    node->args = arguments;
    return node;
  }
  FieldExpr* node = make<FieldExpr>(ExprKind::kField, begin);
  node->object = object;
  node->name = name;
  return node;
}

/// Arguments behind the `(`, and a trailing block if one follows.
Slice<Arg> Parser::args(Span opener, Gather<Arg>& gathered) {
  bool named = false;
  list(K::kRightParen, opener, "an argument", [&] {
    Arg arg;
    if (at(K::kLower) && peek().kind == K::kColon) {
      arg.name = take_ident();
      advance();
      named = true;
    } else if (named && !at(K::kError)) {
      report_here("a positional argument cannot follow a named one").help("named arguments come last");
      recovered();
    }
    if (at(K::kDotDot) || at(K::kEllipsis)) {
      report_here("arguments cannot be spread").help("a variadic parameter takes its arguments one by one");
    }
    arg.value = expression();
    gathered.add(arg);
  });
  if (trailing_block_follows()) gathered.add(trailing_block());
  return gathered.slice();
}

bool Parser::trailing_block_follows() const {
  return at(K::kLeftBrace) && !context_.head && !tok_->newline_before() && !panicking_;
}

/// Whether the block at the current `{` begins `x, (y, z): T =>`. Looks no further than what can
/// stand in parameters, so no token is looked at twice for one block.
bool Parser::trailing_block_has_params() const {
  const Token* t = tok_ + 1;
  int depth = 0;
  for (; t < end_; t++) {
    switch (t->kind) {
      case K::kArrow:
        return depth == 0;  // deeper, it is a lambda's
      case K::kLeftParen:
      case K::kLeftBracket:
        depth++;
        break;
      case K::kRightParen:
      case K::kRightBracket:
        if (--depth < 0) return false;
        break;
      case K::kLower:
      case K::kUpper:
      case K::kUnderscore:
      case K::kComma:
      case K::kColon:
      case K::kLess:
      case K::kGreater:
      case K::kShr:
      case K::kDot:
      case K::kDotDot:
      case K::kKeyword_as:
      case K::kSlash:
      case K::kInt:
        break;
      case K::kKeyword_fn:
        if (t[-1].kind != K::kColon && t[-1].kind != K::kLess && t[-1].kind != K::kComma &&
            t[-1].kind != K::kLeftParen) {
          return false;
        }
        break;
      default:
        return false;
    }
  }
  return false;
}

/// `{ x, y => … }` or `{ … }` behind a call's arguments: a lambda, the call's last argument.
Arg Parser::trailing_block() {
  Nest nest(*this);
  Pos begin = tok_->begin;
  if (too_deep()) return {{}, error_expr(begin)};
  Span opener = tok_->span();
  bool has_params = trailing_block_has_params();
  advance();
  In in(*this, Context{false, false});
  Gather<Param> params(*this);
  if (has_params) {
    while (!at(K::kArrow) && !at(K::kEnd)) {
      params.add(param(false));
      if (!accept(K::kComma)) break;
    }
    expect(K::kArrow, "after the parameters of this block");
  }
  Expr* body = block_rest(opener, begin);
  LambdaExpr* node = make<LambdaExpr>(ExprKind::kLambda, begin);
  node->trailing = true;
  node->has_params = has_params;
  node->params = params.slice();
  node->body = body;
  return {{}, node};
}

Expr* Parser::name() {
  Pos begin = tok_->begin;
  Symbol symbol = tok_->symbol;
  advance();
  NameExpr* node = make<NameExpr>(ExprKind::kName, begin);
  node->name = symbol;
  return node;
}

Expr* Parser::primary() {
  switch (tok_->kind) {
    case K::kLower:
    case K::kUpper:
    case K::kKeyword_resume:
      return name();
    case K::kInt:
    case K::kFloat:
    case K::kChar:
    case K::kString:
    case K::kKeyword_true:
    case K::kKeyword_false:
      return literal();
    case K::kStringBegin:
      return interpolation();
    case K::kLeftParen:
      return parens();
    case K::kLeftBracket:
      return list_literal();
    case K::kHashBracket:
      return array_literal();
    case K::kLeftBrace:
      return block("here");
    case K::kKeyword_fn:
      return lambda();
    case K::kKeyword_if:
      return if_expr();
    case K::kKeyword_match:
      return match_expr();
    case K::kKeyword_while:
      return while_expr();
    case K::kKeyword_for:
      return for_expr();
    case K::kKeyword_loop:
      return loop_expr();
    case K::kKeyword_break:
    case K::kKeyword_continue:
    case K::kKeyword_return:
      return jump();
    case K::kKeyword_handle:
      return handle_expr();
    case K::kKeyword_mask:
      return mask_expr();
    default:
      return expected_expression();
  }
}

Expr* Parser::expected_expression() {
  Pos begin = tok_->begin;
  const Token* before = tok_ > tokens_.tokens.data() ? tok_ - 1 : tok_;
  // Behind an operator the operand is missing there; else this token is the one too many.
  bool operator_before =
      before->kind >= K::kComma && before->kind <= K::kBang && before->kind != K::kSemicolon;
  bool gap_here = tok_->newline_before() && before != tok_ && operator_before;
  Diagnostic& error = report(gap_here ? gap() : here(),
                             fmt::format("expected an expression, found {}", describe_token(*tok_)));
  switch (tok_->kind) {
    case K::kUnderscore:
      error.help("`_` stands in patterns only; a lambda is written `fn(x) => …`");
      advance();
      break;
    case K::kKeyword_let:
    case K::kKeyword_var:
      error.help("declarations stand in a block: `{ let x = 1; x + 1 }`");
      break;
    case K::kKeyword_fun:
      error.help("a lambda is written `fn(x) => …`");
      break;
    case K::kKeyword_else:
      error.help("`else` follows the `}` of an `if`");
      break;
    case K::kPipe:
    case K::kOrOr:
      error.help("a lambda is written `fn(x) => …`");
      break;
    case K::kPlusPlus:
    case K::kPlus:
      if (before->kind == K::kPlusPlus || at(K::kPlusPlus))
        error.help("there is no increment operator; write `x += 1`");
      break;
    case K::kStar:
      if (before->kind == K::kStar) error.help("there is no `**`; use `int.pow` or `float.pow`");
      break;
    case K::kKeyword_with:
      error.help("`with` follows the body of a `handle`");
      break;
    default:
      if (before->kind == K::kPlusPlus) error.help("there is no increment operator; write `x += 1`");
      break;
  }
  return error_expr(begin);
}

/// `()`, `(e)` or a tuple.
Expr* Parser::parens() {
  Pos begin = tok_->begin;
  Span opener = tok_->span();
  advance();
  Gather<Expr*> items(*this);
  list(K::kRightParen, opener, "an expression", [&] { items.add(expression()); });
  if (items.size() == 0) return make<Expr>(ExprKind::kUnit, begin);
  if (items.size() == 1) {
    items[0]->parens++;
    return items[0];
  }
  TupleExpr* node = make<TupleExpr>(ExprKind::kTuple, begin);
  node->items = items.slice();
  return node;
}

Expr* Parser::list_literal() {
  Pos begin = tok_->begin;
  Span opener = tok_->span();
  advance();
  Gather<Expr*> items(*this);
  Expr* rest = nullptr;
  list(K::kRightBracket, opener, "an element", [&] {
    if (rest != nullptr) {
      report_here("`..` stands last in a list").help("join lists with `++`");
      recovered();
    }
    if (at(K::kDotDot) || at(K::kEllipsis)) {
      if (at(K::kEllipsis)) {
        report_here("a list is spread with two dots").help("write `[x, ..xs]`");
        recovered();
      }
      advance();
      rest = expression();
      return;
    }
    items.add(expression());
  });
  ListExpr* node = make<ListExpr>(ExprKind::kList, begin);
  node->items = items.slice();
  node->rest = rest;
  return node;
}

Expr* Parser::array_literal() {
  Pos begin = tok_->begin;
  Span opener = tok_->span();
  advance();
  Gather<Expr*> items(*this);
  list(K::kRightBracket, opener, "an element", [&] {
    if (at(K::kDotDot)) {
      report_here("`..` does not stand in an array").help("use `array.from_list([1, ..rest])`");
      recovered();
      advance();
    }
    items.add(expression());
  });
  ArrayExpr* node = make<ArrayExpr>(ExprKind::kArray, begin);
  node->items = items.slice();
  return node;
}

/// `fn(x, y): T / row => e`, or with a block.
Expr* Parser::lambda() {
  Pos begin = tok_->begin;
  advance();
  LambdaExpr* node = arena_.make<LambdaExpr>();
  node->kind = ExprKind::kLambda;
  if (at(K::kLower)) {
    report_here("a lambda has no name").help("`fn name(…)` declares a function, as a statement of its own");
    advance();
    recovered();
  }
  function_rest(node->params, node->result, node->row, false);
  node->has_params = true;
  if (accept(K::kArrow)) {
    node->body = expression();
  } else if (at(K::kLeftBrace)) {
    node->body = block("after `fn(…)`");
  } else {
    node->body = function_body();
  }
  node->span = span_from(begin);
  return node;
}

}  // namespace eddy::lang
