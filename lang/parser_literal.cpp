#include "lang/literals.h"
#include "lang/parser_impl.h"

namespace eddy::lang {

Expr* Parser::int_literal() {
  const Token& token = *tok_;
  advance();
  IntExpr* node = make<IntExpr>(ExprKind::kInt, token.begin);
  decode_int(text(token), token.span(), arena_, diagnostics_, *node);
  return node;
}

/// One of the literals a single token makes.
Expr* Parser::literal() {
  const Token& token = *tok_;
  switch (token.kind) {
    case K::kInt:
      return int_literal();
    case K::kFloat: {
      advance();
      FloatExpr* node = make<FloatExpr>(ExprKind::kFloat, token.begin);
      node->value = decode_float(text(token), token.span(), diagnostics_);
      return node;
    }
    case K::kChar: {
      advance();
      CharExpr* node = make<CharExpr>(ExprKind::kChar, token.begin);
      node->value = decode_char(text(token), token.span(), diagnostics_);
      return node;
    }
    case K::kString:
      return string();
    default: {  // true, false
      advance();
      BoolExpr* node = make<BoolExpr>(ExprKind::kBool, token.begin);
      node->value = token.kind == K::kKeyword_true;
      return node;
    }
  }
}

Expr* Parser::string() {
  const Token& token = *tok_;
  advance();
  bool triple = token.flags & Token::kTriple;
  size_t quotes = triple ? 3 : 1;
  std::string_view raw = text(token);
  RawPiece piece{raw.substr(quotes, raw.size() - 2 * quotes), token.begin + static_cast<Pos>(quotes)};
  StringExpr* node = make<StringExpr>(ExprKind::kString, token.begin);
  decode_string(&piece, 1, triple, arena_, diagnostics_, &node->value);
  return node;
}

Expr* Parser::interpolation() {
  Pos begin = tok_->begin;
  bool triple = tok_->flags & Token::kTriple;
  Pos quotes = triple ? 3 : 1;
  Gather<StringPart> parts(*this);
  std::vector<RawPiece> pieces;
  // A piece is cut out of its token: an opening quote or `}` before, `${` or a closing quote behind.
  auto piece = [&](Pos before, Pos behind) {
    std::string_view raw = text(*tok_);
    pieces.push_back({raw.substr(before, raw.size() - before - behind), tok_->begin + before});
    parts.add({});
  };
  piece(quotes, 2);
  while (true) {
    Span opener{tok_->end - 2, tok_->end};
    bool last_line_only = !triple;
    advance();
    {
      In in(*this, Context{true, false});
      if (at(K::kStringMiddle) || at(K::kStringEnd)) {
        report(opener, "expected an expression in this `${…}`").help("write `\\$` for a plain dollar");
        recovered();
      } else {
        Expr* value = expression();
        parts.add({{}, value});
      }
    }
    if (!at(K::kStringMiddle) && !at(K::kStringEnd)) {
      report_here(
          fmt::format("expected `}}` after the interpolated expression, found {}", describe_token(*tok_)))
          .label(opener, "opened here");
      size_t depth = 0;
      while (!at(K::kEnd) && !(last_line_only && tok_->newline_before())) {
        if (depth == 0 && (at(K::kStringMiddle) || at(K::kStringEnd))) break;
        if (at(K::kStringBegin)) depth++;
        if (at(K::kStringEnd)) depth--;
        advance();
      }
      if (!at(K::kStringMiddle) && !at(K::kStringEnd)) return error_expr(begin);
      recovered();
    }
    if (at(K::kStringEnd)) {
      piece(1, quotes);
      advance();
      break;
    }
    piece(1, 2);
  }
  std::vector<std::string_view> texts(pieces.size());
  decode_string(pieces.data(), pieces.size(), triple, arena_, diagnostics_, texts.data());
  Gather<StringPart> used(*this);
  size_t next_text = 0;
  for (size_t i = 0; i < parts.size() - used.size(); i++) {
    StringPart part = parts[i];
    if (part.value == nullptr) part.text = texts[next_text++];
    if (part.value == nullptr && part.text.empty()) continue;
    used.add(part);
  }
  InterpolationExpr* node = make<InterpolationExpr>(ExprKind::kInterpolation, begin);
  node->parts = used.slice();
  return node;
}

}  // namespace eddy::lang
