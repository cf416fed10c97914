// Declarations of types and effects.

#include "lang/parser_impl.h"

namespace eddy::lang {

Slice<TypeParam> Parser::type_params() {
  if (!at(K::kLess)) return {};
  advance();
  Gather<TypeParam> params(*this);
  while (!at(K::kGreater) && !at(K::kEnd)) {
    if (at(K::kUpper)) {
      report_here("a type parameter is lower-case").help("write `type Box<a>(value: a)`");
      params.add({take_ident()});
      recovered();
    } else {
      params.add({expect_lower("a type parameter")});
    }
    if (!accept(K::kComma)) break;
  }
  expect_greater("after type parameters");
  return params.slice();
}

Slice<FieldDecl> Parser::fields() {
  Span opener = tok_->span();
  advance();
  Gather<FieldDecl> fields(*this);
  list(K::kRightParen, opener, "a field", [&] {
    FieldDecl field;
    Pos begin = tok_->begin;
    field.is_var = accept(K::kKeyword_var);
    bool unnamed = (at(K::kUpper) || at(K::kLeftParen) || at(K::kKeyword_fn)) ||
                   (at(K::kLower) && (peek().kind == K::kComma || peek().kind == K::kRightParen));
    if (unnamed) {
      report_here(fmt::format("a field needs a name, found {}", describe_token(*tok_)))
          .help("write `name: Type`, as in `Node(left: Tree, value: Int)`");
      type();
      recovered();
      return;
    }
    field.name = expect_lower("a field's name");
    field.type =
        expect(K::kColon, "after a field's name") ? type() : make_type<TypeExpr>(TypeExprKind::kError, begin);
    if (accept(K::kAssign)) field.default_value = expression();
    field.span = span_from(begin);
    fields.add(field);
  });
  return fields.slice();
}

Decl* Parser::type_decl() {
  In in(*this, Context{false, false});
  Pos begin = tok_->begin;
  Span doc = doc_before(*tok_);
  advance();
  TypeDecl* node = arena_.make<TypeDecl>();
  node->kind = DeclKind::kType;
  node->name = expect_upper("a type's name");
  node->params = type_params();
  if (at(K::kLeftParen)) {
    node->form = TypeDeclKind::kRecord;
    Gather<ConstructorDecl> constructors(*this);
    ConstructorDecl constructor;
    constructor.name = node->name;
    constructor.doc = doc;
    constructor.fields = fields();
    constructor.span = span_from(begin);
    constructors.add(constructor);
    node->constructors = constructors.slice();
  } else if (accept(K::kAssign)) {
    node->form = TypeDeclKind::kAlias;
    node->alias = type();
    if (at(K::kPipe) || (at(K::kLeftParen) && !panicking_)) {
      report_here("alternatives stand in braces")
          .help("write `type Shape { Circle(r: Float)  Square(side: Float) }`");
    }
  } else if (at(K::kLeftBrace)) {
    Span opener = tok_->span();
    advance();
    Gather<ConstructorDecl> constructors(*this);
    auto ends = [&] {
      if (at(K::kPipe)) {
        report_here("constructors are not separated by `|`")
            .help("write them one after the other, or with `,` between");
        advance();
        recovered();
      }
      return tok_->newline_before() && starts_declaration(*tok_);
    };
    braced(opener, ends, [&] {
      ConstructorDecl constructor;
      constructor.doc = doc_before(*tok_);
      Pos constructor_begin = tok_->begin;
      if (at(K::kLower) && peek().kind == K::kColon) {
        report_here("fields stand in parentheses").help("write `type Point(x: Int, y: Int)`");
        while (!at(K::kRightBrace) && !at(K::kEnd) && !(tok_->newline_before() && starts_declaration(*tok_)))
          advance();
        return;
      }
      constructor.name = expect_upper("a constructor");
      if (at(K::kLeftParen)) constructor.fields = fields();
      constructor.span = span_from(constructor_begin);
      if (constructor.name.name) constructors.add(constructor);
    });
    node->constructors = constructors.slice();
  } else {
    node->form = TypeDeclKind::kOpaque;
  }
  node->span = span_from(begin);
  return node;
}

Decl* Parser::effect_decl() {
  In in(*this, Context{false, false});
  Pos begin = tok_->begin;
  advance();
  EffectDecl* node = arena_.make<EffectDecl>();
  node->kind = DeclKind::kEffect;
  node->name = expect_upper("an effect's name");
  node->params = type_params();
  Span opener = tok_->span();
  Gather<OperationDecl> operations(*this);
  if (expect(K::kLeftBrace, "and operations after the effect's name")) {
    auto ends = [&] {
      if (at(K::kKeyword_fn)) return starts_line(*tok_);
      return tok_->newline_before() && starts_declaration(*tok_);
    };
    braced(opener, ends, [&] {
      OperationDecl operation;
      operation.doc = doc_before(*tok_);
      Pos operation_begin = tok_->begin;
      operation.multi = accept(K::kKeyword_multi);
      if (at(K::kKeyword_fn) || at(K::kKeyword_fun)) {
        report_here(fmt::format("an operation does not begin with {}", describe_token(*tok_)))
            .help("write `name(x: Int): Int`, with `multi` in front if it may be resumed more than once");
        advance();
        recovered();
      }
      operation.name = expect_lower("an operation's name");
      if (at(K::kLeftParen)) {
        operation.params = params("of an operation", false);
      } else if (!panicking_) {
        report_here(fmt::format("expected `(` after the operation's name, found {}", describe_token(*tok_)))
            .help("an operation without parameters is written `name(): Result`");
        if (at(K::kColon)) recovered();
      }
      if (at(K::kThinArrow)) {
        report_here("an operation's result follows `:`");
        advance();
        recovered();
        operation.result = type();
      } else if (!panicking_ && expect(K::kColon, "and the operation's result")) {
        operation.result = type();
      }
      if (at(K::kSlash) && !panicking_) {
        report_here("an operation declares no effects")
            .help("what its clauses perform belongs to the `handle`");
        row();
        recovered();
      }
      operation.span = span_from(operation_begin);
      if (operation.name.name) operations.add(operation);
    });
  }
  node->operations = operations.slice();
  node->span = span_from(begin);
  return node;
}

}  // namespace eddy::lang
