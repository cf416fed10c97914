#include "lang/parser_impl.h"

namespace eddy::lang {

/// `p1 | p2 as name`: `as` is looser than `|`.
Pattern* Parser::pattern() {
  Nest nest(*this);
  Pos begin = tok_->begin;
  if (too_deep()) return make_pattern<Pattern>(PatternKind::kError, begin);
  Pattern* result = pattern_alternative();
  if (at(K::kKeyword_as)) {
    advance();
    Ident name = expect_lower("a name after `as`");
    AsPattern* node = make_pattern<AsPattern>(PatternKind::kAs, begin);
    node->pattern = result;
    node->name = name;
    return node;
  }
  return result;
}

Pattern* Parser::pattern_alternative() {
  Pos begin = tok_->begin;
  Pattern* first = pattern_primary();
  if (!at(K::kPipe)) return first;
  Gather<Pattern*> alternatives(*this);
  alternatives.add(first);
  while (accept(K::kPipe)) alternatives.add(pattern_primary());
  OrPattern* node = make_pattern<OrPattern>(PatternKind::kOr, begin);
  node->alternatives = alternatives.slice();
  return node;
}

Pattern* Parser::pattern_primary() {
  Pos begin = tok_->begin;
  switch (tok_->kind) {
    case K::kUnderscore:
      advance();
      return make_pattern<Pattern>(PatternKind::kWildcard, begin);
    case K::kLower: {
      Ident name = take_ident();
      if (at(K::kDot) && peek().kind == K::kUpper) {
        advance();
        return constructor_pattern(name);
      }
      VariablePattern* node = make_pattern<VariablePattern>(PatternKind::kVariable, begin);
      node->name = name.name;
      if (at(K::kLeftParen) && !tok_->space_before()) {
        report(name.span, fmt::format("`{}` is no constructor", symbols_.text(name.name)))
            .help("constructors start upper-case; a pattern cannot call functions");
      }
      return node;
    }
    case K::kUpper:
      return constructor_pattern({});
    case K::kLeftParen:
      return paren_pattern();
    case K::kLeftBracket:
      return list_pattern();
    case K::kInt:
    case K::kFloat:
    case K::kChar:
    case K::kString:
    case K::kMinus:
    case K::kKeyword_true:
    case K::kKeyword_false:
      return literal_pattern();
    case K::kStringBegin:
      report_here("a pattern cannot interpolate")
          .help("match a name and compare in a guard: `s if s == \"…\" =>`");
      break;
    case K::kHashBracket:
      report_here("there are no array patterns")
          .help("match the elements with `if`, or `array.to_list` first");
      break;
    default: {
      Diagnostic& error = report_here(fmt::format("expected a pattern, found {}", describe_token(*tok_)));
      if (tok_->kind >= K::kKeyword_fn) error.help("this is a keyword; choose another name");
      if (at(K::kArrow) && tok_ - tokens_.tokens.data() >= 2 && tok_[-2].kind == K::kMinus) {
        error.help("an arm that begins with `-` needs a newline, `,` or `;` before it");
      }
    }
  }
  return make_pattern<Pattern>(PatternKind::kError, begin);
}

Pattern* Parser::constructor_pattern(Ident module) {
  Pos begin = module.name ? module.span.begin : tok_->begin;
  ConstructorPattern* node = arena_.make<ConstructorPattern>();
  node->kind = PatternKind::kConstructor;
  node->module = module;
  node->name = take_ident();
  if (at(K::kLeftParen) && !tok_->newline_before()) {
    Span opener = tok_->span();
    advance();
    node->has_args = true;
    Gather<PatternArg> args(*this);
    list(K::kRightParen, opener, "a pattern", [&] {
      if (accept(K::kDotDot)) {
        node->has_rest = true;
        if (!at(K::kRightParen)) {
          report_here("`..` stands last in a constructor's pattern")
              .help("it takes no name: `Node(value: v, ..)`");
        }
        return;
      }
      PatternArg arg;
      if (at(K::kLower) && peek().kind == K::kColon) {
        arg.name = take_ident();
        advance();
      }
      arg.pattern = pattern();
      args.add(arg);
    });
    node->args = args.slice();
  } else if (at(K::kLeftBrace) && !tok_->newline_before() && peek().kind == K::kLower &&
             (peek(2).kind == K::kComma || peek(2).kind == K::kColon || peek(2).kind == K::kRightBrace)) {
    report_here("a constructor's fields stand in parentheses")
        .help("write `Point(x, y)` or `Point(x: a, ..)`");
  }
  node->span = span_from(begin);
  return node;
}

Pattern* Parser::paren_pattern() {
  Pos begin = tok_->begin;
  Span opener = tok_->span();
  advance();
  Gather<Pattern*> items(*this);
  list(K::kRightParen, opener, "a pattern", [&] { items.add(pattern()); });
  if (items.size() == 1) {
    items[0]->parens = true;
    items[0]->span = span_from(begin);
    return items[0];
  }
  if (items.size() == 0) {
    LiteralPattern* node = make_pattern<LiteralPattern>(PatternKind::kLiteral, begin);
    node->literal = make<Expr>(ExprKind::kUnit, begin);
    return node;
  }
  TuplePattern* node = make_pattern<TuplePattern>(PatternKind::kTuple, begin);
  node->items = items.slice();
  return node;
}

Pattern* Parser::list_pattern() {
  Pos begin = tok_->begin;
  Span opener = tok_->span();
  advance();
  ListPattern* node = arena_.make<ListPattern>();
  node->kind = PatternKind::kList;
  Gather<Pattern*> items(*this);
  list(K::kRightBracket, opener, "a pattern", [&] {
    if (node->has_rest)
      report_here("`..` stands last in a list pattern")
          .help("lists are taken apart from the front: `[first, ..rest]`");
    if (at(K::kDotDot) || at(K::kEllipsis)) {
      if (at(K::kEllipsis))
        report_here("the rest of a list is written with two dots").help("write `[first, ..rest]`");
      advance();
      node->has_rest = true;
      if (!at(K::kRightBracket) && !at(K::kComma)) node->rest = pattern();
      return;
    }
    items.add(pattern());
  });
  node->items = items.slice();
  node->span = span_from(begin);
  return node;
}

Pattern* Parser::literal_pattern() {
  Pos begin = tok_->begin;
  bool negative = accept(K::kMinus);
  if (negative && !at(K::kInt) && !at(K::kFloat)) {
    report_here(fmt::format("expected a number after `-` in a pattern, found {}", describe_token(*tok_)));
    return make_pattern<Pattern>(PatternKind::kError, begin);
  }
  Expr* value = literal();
  LiteralPattern* node = make_pattern<LiteralPattern>(PatternKind::kLiteral, begin);
  node->literal = value;
  node->negative = negative;
  if (at(K::kDotDot) || at(K::kDotDotEq)) {
    report_here("there are no range patterns").help("use a guard: `n if n >= 1 && n <= 9 => …`");
  }
  return node;
}

}  // namespace eddy::lang
