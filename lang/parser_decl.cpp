#include <algorithm>

#include "lang/parser_impl.h"

namespace eddy::lang {

/// The run of `///` lines right above a token.
Span Parser::doc_before(const Token& token) {
  if (!(token.flags & Token::kCommentBefore)) return {};
  auto index = static_cast<uint32_t>(&token - tokens_.tokens.data());
  const auto& comments = tokens_.comments;
  auto after = std::upper_bound(comments.begin(), comments.end(), index,
                                [](uint32_t i, const Comment& c) { return i < c.before; });
  Span doc;
  uint32_t next_line = file_.line(token.begin);
  while (after != comments.begin()) {
    const Comment& c = *--after;
    if (c.before != index || c.kind != CommentKind::kDoc || file_.line(c.span.begin) + 1 != next_line) break;
    doc = join(c.span, doc);
    next_line--;
  }
  return doc;
}

Slice<Attribute> Parser::attributes() {
  if (!at(K::kAt)) return {};
  Gather<Attribute> attributes(*this);
  while (at(K::kAt) && !panicking_) {
    Attribute attribute;
    Pos begin = tok_->begin;
    advance();
    attribute.name = expect_lower("an attribute's name after `@`");
    if (at(K::kLeftParen) && !tok_->space_before()) {
      Span opener = tok_->span();
      advance();
      Gather<Expr*> args(*this);
      list(K::kRightParen, opener, "an attribute's argument", [&] {
        switch (tok_->kind) {
          case K::kInt:
          case K::kFloat:
          case K::kChar:
          case K::kString:
          case K::kKeyword_true:
          case K::kKeyword_false:
            args.add(literal());
            break;
          default:
            report_here(fmt::format("expected a literal, found {}", describe_token(*tok_)));
        }
      });
      attribute.args = args.slice();
    }
    attribute.span = span_from(begin);
    attributes.add(attribute);
  }
  return attributes.slice();
}

Decl* Parser::declaration() {
  Span doc = doc_before(*tok_);
  Slice<Attribute> attached = attributes();
  Pos begin = tok_->begin;
  bool is_private = false;
  if (at(K::kKeyword_private)) {
    advance();
    is_private = true;
  }
  if (at(K::kAt)) {
    Slice<Attribute> more = attributes();
    Gather<Attribute> all(*this);
    for (const Attribute& a : attached) all.add(a);
    for (const Attribute& a : more) all.add(a);
    attached = all.slice();
  }
  Decl* decl = nullptr;
  wrong_keyword(*tok_);
  switch (tok_->kind) {
    case K::kKeyword_import:
      decl = import_decl();
      break;
    case K::kKeyword_let:
      decl = let_decl();
      break;
    case K::kKeyword_type:
      decl = type_decl();
      break;
    case K::kKeyword_effect:
      decl = effect_decl();
      break;
    case K::kKeyword_fn:
      if (mode_ == ParseMode::kScript && peek().kind == K::kLeftParen) break;
      decl = fn_decl(begin, attached);
      break;
    default:
      break;
  }
  if (decl != nullptr) {
    decl->is_private = is_private;
    decl->doc = doc;
    decl->span = span_from(begin);
    decl->attributes = attached;
    bool of_function = decl->attribute(sym::test) != nullptr || decl->attribute(sym::memo) != nullptr;
    bool may_have = decl->kind == DeclKind::kFn || (decl->kind == DeclKind::kType && !of_function);
    if (attached.size > 0 && !may_have) {
      report(attached[0].span,
             fmt::format("`@{}` stands before functions only", symbols_.text(attached[0].name.name)));
      recovered();
    }
    if (is_private && decl->kind == DeclKind::kImport) {
      report({begin, begin + 7}, "an import is always private").help("leave out `private`");
      recovered();
    }
    // Declarations that end in an expression or a type end with their line.
    if (!panicking_ && !tok_->newline_before() && !at(K::kSemicolon) && !at(K::kEnd) &&
        !starts_declaration(*tok_)) {
      LetStmt probe{};
      probe.kind = StmtKind::kLet;
      if (at(K::kRightBrace)) {
        report_here("unmatched `}`");
      } else {
        stray_after(&probe);
      }
    }
    return decl;
  }
  if (attached.size > 0 || is_private) {
    report_here(fmt::format("expected a declaration after {}, found {}",
                            is_private ? "`private`" : "an attribute", describe_token(*tok_)));
    return nullptr;
  }
  if (mode_ == ParseMode::kScript && !at(K::kRightBrace)) {
    StmtDecl* node = arena_.make<StmtDecl>();
    node->kind = DeclKind::kStmt;
    const Token* first = tok_;
    node->stmt = statement();
    node->span = span_from(begin);
    end_statement(node->stmt, first);
    return node;
  }
  if (at(K::kRightBrace) || at(K::kRightParen) || at(K::kRightBracket)) {
    report_here(fmt::format("unmatched {}", describe(tok_->kind)));
    return nullptr;
  }
  Diagnostic& error = report_here(fmt::format("expected a declaration, found {}", describe_token(*tok_)));
  if (at(K::kKeyword_var)) {
    error.help("there are no global variables; use `let`, or `let x = ref(…)` for a value that changes");
  } else if (starts_expression(*tok_)) {
    error.help("code stands in functions; a program starts at `fn main() { … }`");
  }
  return nullptr;
}

/// A word from another language where a declaration begins: reported, and read as ours.
void Parser::wrong_keyword(const Token& token) {
  if (token.kind == K::kKeyword_fun && peek().kind == K::kLower) {
    report_here("`fun` begins a handler's clause, not a function").help("functions are declared with `fn`");
    tok_->kind = K::kKeyword_fn;
    recovered();
    return;
  }
  if (token.kind != K::kLower || (peek().kind != K::kLower && peek().kind != K::kUpper)) return;
  struct Wrong {
    std::string_view word;
    K meant;
    std::string_view help;
  };
  static constexpr Wrong kWrong[] = {
      {"function", K::kKeyword_fn, "functions are declared with `fn`"},
      {"func", K::kKeyword_fn, "functions are declared with `fn`"},
      {"def", K::kKeyword_fn, "functions are declared with `fn`"},
      {"proc", K::kKeyword_fn, "functions are declared with `fn`"},
      {"struct", K::kKeyword_type, "types are declared with `type`: `type Point(x: Int, y: Int)`"},
      {"class", K::kKeyword_type, "types are declared with `type`: `type Counter(var hits: Int)`"},
      {"record", K::kKeyword_type, "types are declared with `type`: `type Point(x: Int, y: Int)`"},
      {"enum", K::kKeyword_type, "types are declared with `type`: `type Color { Red  Green }`"},
      {"data", K::kKeyword_type, "types are declared with `type`: `type Color { Red  Green }`"},
      {"interface", K::kKeyword_effect, "operations are declared with `effect`"},
      {"const", K::kKeyword_let, "values are declared with `let`"},
      {"val", K::kKeyword_let, "values are declared with `let`"},
      {"use", K::kKeyword_import, "modules are imported with `import`"},
      {"include", K::kKeyword_import, "modules are imported with `import`"},
      {"public", K::kEnd, "everything is public unless it is marked `private`"},
      {"pub", K::kEnd, "everything is public unless it is marked `private`"},
  };
  std::string_view word = text(token);
  for (const Wrong& wrong : kWrong) {
    if (wrong.word != word || wrong.meant == K::kEnd) continue;
    report_here(fmt::format("unknown keyword `{}`", word)).help(std::string(wrong.help));
    tok_->kind = wrong.meant;
    recovered();
    return;
  }
  if (mode_ == ParseMode::kScript) return;
  static const std::vector<std::string_view> keywords = {"fn", "let", "type", "effect", "import", "private"};
  std::string_view meant = closest(word, keywords);
  if (meant.empty() || meant == "private") return;
  report_here(fmt::format("unknown keyword `{}`", word)).help(fmt::format("did you mean `{}`?", meant));
  tok_->kind = meant == "fn"       ? K::kKeyword_fn
               : meant == "let"    ? K::kKeyword_let
               : meant == "type"   ? K::kKeyword_type
               : meant == "effect" ? K::kKeyword_effect
                                   : K::kKeyword_import;
  recovered();
}

Decl* Parser::import_decl() {
  Pos begin = tok_->begin;
  advance();
  ImportDecl* node = arena_.make<ImportDecl>();
  node->kind = DeclKind::kImport;
  Gather<Ident> path(*this);
  if (at(K::kString)) {
    report_here("an import is not a string").help("write `import std/list`, `import shapes/circle`");
    advance();
    recovered();
    node->span = span_from(begin);
    return node;
  }
  do {
    if (at(K::kDot) && path.size() > 0) break;
    // A keyword is a fine name for a file.
    if (at(K::kLower) || tok_->kind >= K::kKeyword_fn) {
      path.add(take_ident());
    } else {
      path.add(expect_lower("a module's name"));
    }
  } while (accept(K::kSlash));
  if (at(K::kDot) && !panicking_) {
    report_here("a module's path is written with `/`").help("write `import std/list`, without `.eddy`");
    while (!at(K::kEnd) && !tok_->newline_before()) advance();
    recovered();
  }
  node->path = path.slice();
  if (accept(K::kKeyword_as)) node->alias = expect_lower("a name after `as`");
  if (at(K::kLeftBrace) && !tok_->newline_before()) {
    Span opener = tok_->span();
    advance();
    node->has_names = true;
    Gather<ImportName> names(*this);
    list(K::kRightBrace, opener, "an imported name", [&] {
      ImportName name;
      if (!at(K::kLower) && !at(K::kUpper)) {
        report_here(fmt::format("expected a name to import, found {}", describe_token(*tok_)));
        return;
      }
      name.name = take_ident();
      if (accept(K::kKeyword_as)) {
        name.alias = symbols_.is_upper(name.name.name) ? expect_upper("a name after `as`")
                                                       : expect_lower("a name after `as`");
      }
      names.add(name);
    });
    node->names = names.slice();
  }
  node->span = span_from(begin);
  return node;
}

Decl* Parser::let_decl() {
  In in(*this, Context{false, false});
  Pos begin = tok_->begin;
  LetStmt* let = as<LetStmt>(statement());
  LetDecl* node = arena_.make<LetDecl>();
  node->kind = DeclKind::kLet;
  node->pattern = let->pattern;
  node->type = let->type;
  node->value = let->value;
  node->span = span_from(begin);
  return node;
}

FnDecl* Parser::fn_decl(Pos begin, Slice<Attribute> attributes) {
  In in(*this, Context{false, false});
  advance();
  FnDecl* node = arena_.make<FnDecl>();
  node->kind = DeclKind::kFn;
  node->attributes = attributes;
  node->name = expect_lower("a function's name");
  if (at(K::kLess)) {
    report_here("functions take no type parameters")
        .help("a lower-case name in a type is a type variable: `fn id(x: a): a`");
    Slice<TypeExpr*> ignored;
    type_args(ignored);
    recovered();
  }
  function_rest(node->params, node->result, node->row, true);
  bool native = node->attribute(sym::native) != nullptr || node->attribute(sym::intrinsic) != nullptr;
  if (at(K::kArrow) || at(K::kLeftBrace) || !native) node->body = function_body();
  node->span = span_from(begin);
  return node;
}

/// `(params): result / row`
void Parser::function_rest(Slice<Param>& out, TypeExpr*& result, RowExpr*& row_out, bool allow_defaults) {
  if (at(K::kLeftParen)) {
    out = params("of a function", allow_defaults);
  } else {
    report(tok_->newline_before() ? gap() : here(),
           fmt::format("expected `(` and parameters, found {}", describe_token(*tok_)))
        .help("a function without parameters is written `fn name() { … }`");
    if (at(K::kLeftBrace) || at(K::kArrow) || at(K::kColon)) recovered();
  }
  if (at(K::kThinArrow)) {
    report_here("a result type follows `:`").help("write `fn f(x: Int): Int`");
    advance();
    recovered();
    result = type();
  } else if (accept(K::kColon)) {
    result = type();
  }
  if (at(K::kSlash)) row_out = row();
}

Expr* Parser::function_body() {
  Pos begin = tok_->begin;
  if (accept(K::kArrow)) return expression();
  if (at(K::kLeftBrace)) return block("before a function's body");
  if (at(K::kAssign) || at(K::kThinArrow)) {
    report_here(fmt::format("expected `=>` before a function's body, found {}", describe_token(*tok_)))
        .help("write `fn f(x) => expression` or `fn f(x) { … }`");
    advance();
    recovered();
    return expression();
  }
  report(tok_->newline_before() ? gap() : here(),
         fmt::format("expected a function's body, found {}", describe_token(*tok_)))
      .help("write `=> expression` or a block `{ … }`");
  if (starts_declaration(*tok_) && tok_->newline_before()) recovered();
  return error_expr(begin);
}

Slice<Param> Parser::params(const char* what, bool allow_defaults) {
  Span opener = tok_->span();
  advance();
  Gather<Param> params(*this);
  list(K::kRightParen, opener, "a parameter", [&] { params.add(param(allow_defaults)); });
  (void)what;
  for (size_t i = 0; i + 1 < params.size(); i++) {
    if (params[i].variadic && !panicking_) {
      report(params[i].span, "only the last parameter can be variadic");
      recovered();
      break;
    }
  }
  return params.slice();
}

Param Parser::param(bool allow_defaults) {
  Pos begin = tok_->begin;
  Param param;
  if (at(K::kKeyword_var) || is_word(*tok_, "mut")) {
    if (at(K::kKeyword_var) || peek().kind == K::kLower) {
      report_here("parameters do not change").help("copy it: `var n = n`");
      advance();
      recovered();
    }
  }
  param.pattern = pattern();
  if (accept(K::kColon)) {
    param.type = type();
  } else if (at(K::kUpper) && param.pattern->kind == PatternKind::kVariable && !panicking_) {
    report_here(fmt::format("expected `:` between a parameter and its type, found {}", describe_token(*tok_)))
        .help(fmt::format("write `{}: {}`", file_.text(param.pattern->span), text(*tok_)));
    recovered();
    param.type = type();
  }
  if (at(K::kEllipsis)) {
    if (!allow_defaults) {
      report_here("only functions that are declared have variadic parameters");
      recovered();
    }
    advance();
    param.variadic = true;
  }
  if (at(K::kAssign)) {
    if (!allow_defaults) {
      report_here("only functions that are declared have default arguments");
      recovered();
    }
    advance();
    param.default_value = expression();
  }
  param.span = span_from(begin);
  return param;
}

}  // namespace eddy::lang
