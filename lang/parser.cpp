#include "lang/parser.h"

#include "lang/parser_impl.h"

namespace eddy::lang {

namespace {
constexpr size_t kMostErrors = 1000;  // then the rest is not read: nobody reads as many reports

// How deep in brackets what follows the token stands.
void count_bracket(const Token& token, size_t& depth) {
  using K = TokenKind;
  switch (token.kind) {
    case K::kLeftParen:
    case K::kLeftBracket:
    case K::kHashBracket:
    case K::kLeftBrace:
      depth++;
      break;
    case K::kRightParen:
    case K::kRightBracket:
    case K::kRightBrace:
      if (depth > 0) depth--;
      break;
    default:
      break;
  }
}
}  // namespace

Parser::Parser(const SourceFile& file, Tokens tokens, Symbols& symbols, Arena& arena,
               Diagnostics& diagnostics, ParseMode mode)
    : file_(file),
      tokens_(std::move(tokens)),
      symbols_(symbols),
      arena_(arena),
      diagnostics_(diagnostics),
      mode_(mode),
      tok_(tokens_.tokens.data()),
      end_(tok_ + tokens_.tokens.size() - 1),
      last_end_(file.base()) {}

ParseResult Parser::run() {
  size_t lexical_errors = diagnostics_.error_count();
  Module* module = arena_.make<Module>();
  module->file = &file_;
  Gather<Decl*> decls(*this);
  Span first_doc;
  if (!tokens_.comments.empty() && tokens_.comments.front().kind == CommentKind::kDoc &&
      tokens_.comments.front().before == 0) {
    // The first run of doc lines; it is the module's unless the first declaration takes it.
    first_doc = tokens_.comments.front().span;
    for (size_t i = 1; i < tokens_.comments.size(); i++) {
      const Comment& c = tokens_.comments[i];
      if (c.kind != CommentKind::kDoc || c.before != 0 ||
          file_.line(c.span.begin) != file_.line(first_doc.end) + 1)
        break;
      first_doc.end = c.span.end;
    }
  }
  while (!at(K::kEnd)) {
    if (accept(K::kSemicolon)) continue;
    const Token* before = tok_;
    if (Decl* decl = declaration()) decls.add(decl);
    if (panicking_) {
      skip_declaration();
      recovered();
    }
    if (tok_ == before && !at(K::kEnd)) {
      advance();
      skip_declaration();
    }
  }
  module->decls = decls.slice();
  bool taken = module->decls.size > 0 && module->decls[0]->doc.begin == first_doc.begin &&
               module->decls[0]->kind != DeclKind::kImport;
  if (!taken) module->doc = first_doc;
  ParseResult result;
  result.module = module;
  result.ok = diagnostics_.error_count() == lexical_errors;
  result.incomplete = reported_ && only_at_end_;
  return result;
}

bool Parser::too_deep() {
  if (level_ <= kMaxNesting && reach_ <= kMaxNesting) return false;
  if (!stopped_) {
    diagnostics_.error(here(), fmt::format("this is nested too deeply (more than {} levels)", kMaxNesting))
        .help("give the inner parts names with `let`, or functions of their own");
    reported_ = true;
    only_at_end_ = false;
    stopped_ = true;
    panicking_ = true;
    tok_ = end_;
  }
  return true;
}

Diagnostic& Parser::report(Span span, std::string message) {
  bool silent = panicking_ || stopped_ || last_error_ == tok_;
  panicking_ = true;
  // The lexer has already spoken about this one.
  if (silent || at(K::kError) || (at(K::kEnd) && (tokens_.unterminated || tokens_.swallowed_brace))) {
    last_error_ = tok_;
    return unreported_ = Diagnostic{};
  }
  last_error_ = tok_;
  reported_ = true;
  if (!at(K::kEnd)) only_at_end_ = false;
  Diagnostic& d = diagnostics_.error(span, std::move(message));
  if (diagnostics_.error_count() > kMostErrors) {
    stopped_ = true;
    tok_ = end_;
  }
  return d;
}

std::string Parser::describe_token(const Token& token) const {
  switch (token.kind) {
    case K::kLower:
    case K::kUpper:
    case K::kInt:
    case K::kFloat: {
      std::string_view shown = text(token);
      if (shown.size() > 40) return std::string(describe(token.kind));
      return fmt::format("`{}`", shown);
    }
    default:
      return std::string(describe(token.kind));
  }
}

bool Parser::expect(K kind, const char* where) {
  if (accept(kind)) return true;
  // At the start of a line the gap behind the previous token is the better place.
  Span place = tok_->newline_before() ? gap() : here();
  report(place, fmt::format("expected {} {}, found {}", describe(kind), where, describe_token(*tok_)));
  return false;
}

bool Parser::expect_close(K kind, Span opener) {
  if (accept(kind)) return true;
  report(tok_->newline_before() ? gap() : here(),
         fmt::format("expected {}, found {}", describe(kind), describe_token(*tok_)))
      .label(opener, "to close this");
  return false;
}

bool Parser::expect_greater(const char* where) {
  if (at(K::kShr) || at(K::kGreaterEq)) {
    // `>>` and `>=` split here.
    tok_->kind = at(K::kShr) ? K::kGreater : K::kAssign;
    tok_->begin++;
    tok_->flags = 0;
    last_end_ = tok_->begin;
    return true;
  }
  return expect(K::kGreater, where);
}

Ident Parser::expect_lower(const char* what) {
  if (at(K::kLower)) return take_ident();
  Diagnostic& error = report_here(fmt::format("expected {}, found {}", what, describe_token(*tok_)));
  if (at(K::kUpper)) {
    error.help("names of values, functions, fields and modules start lower-case");
    return take_ident();
  }
  if (tok_->kind >= K::kKeyword_fn) {
    error.help("this is a keyword; choose another name");
    if (!starts_declaration(*tok_)) return take_ident();
  }
  return {};
}

Ident Parser::expect_upper(const char* what) {
  if (at(K::kUpper)) return take_ident();
  Diagnostic& error = report_here(fmt::format("expected {}, found {}", what, describe_token(*tok_)));
  if (at(K::kLower)) {
    error.help("names of types, constructors and effects start upper-case");
    return take_ident();
  }
  return {};
}

bool Parser::starts_line(const Token& token) const {
  uint32_t offset = file_.offset(token.begin);
  return offset == 0 || file_.data()[offset - 1] == '\n';
}

bool Parser::starts_declaration(const Token& token) const {
  switch (token.kind) {
    case K::kKeyword_fn:
    case K::kKeyword_type:
    case K::kKeyword_effect:
    case K::kKeyword_import:
    case K::kKeyword_private:
    case K::kKeyword_let:
    case K::kAt:
      return true;
    default:
      return false;
  }
}

void Parser::skip_declaration() {
  size_t depth = 0;
  while (!at(K::kEnd)) {
    if (tok_->newline_before() && starts_declaration(*tok_) && (depth == 0 || starts_line(*tok_))) return;
    switch (tok_->kind) {
      case K::kLeftBrace:
        depth++;
        break;
      case K::kRightBrace:
        if (depth > 0) depth--;
        break;
      default:
        break;
    }
    advance();
  }
}

void Parser::skip_statement(bool moved) {
  size_t depth = 0;
  while (!at(K::kEnd)) {
    if (tok_->newline_before() && starts_declaration(*tok_) && starts_line(*tok_)) return;
    if (depth == 0) {
      if (at(K::kRightBrace)) return;
      if (at(K::kSemicolon)) return;
      if (moved && tok_->newline_before() &&
          (starts_expression(*tok_) || at(K::kKeyword_let) || at(K::kKeyword_var) || at(K::kKeyword_defer)))
        return;
    }
    count_bracket(*tok_, depth);
    moved = true;
    advance();
  }
}

/// Within a list: to the next `,` or the closing bracket, but not out of the surroundings.
void Parser::skip_item(K close) {
  size_t depth = 0;
  while (!at(K::kEnd)) {
    if (tok_->newline_before() && starts_declaration(*tok_) && (depth == 0 || starts_line(*tok_))) return;
    if (depth == 0) {
      if (at(K::kComma) || at(close)) return;
      if (at(K::kRightBrace) || at(K::kRightParen) || at(K::kRightBracket) || at(K::kStringEnd) ||
          at(K::kStringMiddle)) {
        return;
      }
      if (tok_->newline_before() && (at(K::kKeyword_let) || at(K::kKeyword_var) || at(K::kKeyword_return)))
        return;
    }
    count_bracket(*tok_, depth);
    advance();
  }
}

ParseResult parse(const SourceFile& file, Symbols& symbols, Arena& arena, Diagnostics& diagnostics,
                  ParseMode mode) {
  size_t errors = diagnostics.error_count();
  Tokens tokens = lex(file, symbols, diagnostics);
  size_t lexical = diagnostics.error_count() - errors;
  bool unterminated = tokens.unterminated;
  ParseResult result = Parser(file, std::move(tokens), symbols, arena, diagnostics, mode).run();
  result.ok = diagnostics.error_count() == errors;
  if (lexical > 0) result.incomplete = unterminated && lexical == 1;
  return result;
}

Module* parse_parts(const SourceFile& file, std::span<const Span> parts, Symbols& symbols, Arena& arena,
                    Diagnostics& diagnostics) {
  Tokens tokens = lex_parts(file, parts, symbols, diagnostics);
  return Parser(file, std::move(tokens), symbols, arena, diagnostics, ParseMode::kModule).run().module;
}

}  // namespace eddy::lang
