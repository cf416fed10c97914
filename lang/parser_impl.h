#pragma once

// The parser's inside, shared by parser*.cpp. A recursive-descent parser over the token array.
//
// Errors: report() starts panic mode, in which nothing more is reported; list and statement loops
// skip to where they can go on and end it. So one mistake gives one message.
//
// Depth: level_ counts the recursion of the parser, reach_ the deepest tree built so far below the
// current expression, counting also what grows to the left without recursion (x.f().g()). Neither
// may pass kMaxNesting, so later passes may recurse over the tree.

#include <fmt/format.h>

#include <string>
#include <tuple>
#include <vector>

#include "lang/lexer.h"
#include "lang/parser.h"

namespace eddy::lang {

class Parser {
 public:
  Parser(const SourceFile& file, Tokens tokens, Symbols& symbols, Arena& arena, Diagnostics& diagnostics,
         ParseMode mode);
  ParseResult run();

 private:
  using K = TokenKind;

  // What the innermost bracket says about newlines and blocks.
  struct Context {
    bool brackets = false;  // inside ( or [: newlines mean nothing
    bool head = false;      // in the head of if, while …: a `{` is its body, no trailing block
  };
  class In {
   public:
    In(Parser& parser, Context context) : parser_(parser), saved_(parser.context_) {
      parser.context_ = context;
    }
    ~In() { parser_.context_ = saved_; }
    In(const In&) = delete;
    In& operator=(const In&) = delete;

   private:
    Parser& parser_;
    Context saved_;
  };

  // One level of recursion. Check too_deep() after making one.
  class Nest {
   public:
    explicit Nest(Parser& parser) : parser_(parser) {
      if (++parser.level_ > parser.reach_) parser.reach_ = parser.level_;
    }
    ~Nest() { parser_.level_--; }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;

   private:
    Parser& parser_;
  };
  bool too_deep();

  // Elements of a list under construction, on a stack that all lists of one type share.
  template <typename T>
  class Gather {
   public:
    explicit Gather(Parser& parser)
        : arena_(parser.arena_), pool_(std::get<std::vector<T>>(parser.pools_)), base_(pool_.size()) {}
    ~Gather() { pool_.resize(base_); }
    Gather(const Gather&) = delete;
    Gather& operator=(const Gather&) = delete;
    void add(const T& item) { pool_.push_back(item); }
    size_t size() const { return pool_.size() - base_; }
    T& back() { return pool_.back(); }
    T& operator[](size_t i) { return pool_[base_ + i]; }
    void pop() { pool_.pop_back(); }
    Slice<T> slice() { return arena_.copy(pool_.data() + base_, size()); }

   private:
    Arena& arena_;
    std::vector<T>& pool_;
    size_t base_;
  };

  // Tokens
  bool at(K kind) const { return tok_->kind == kind; }
  const Token& peek(size_t n = 1) const { return tok_ + n < end_ ? tok_[n] : *end_; }
  void advance() {
    last_end_ = tok_->end;
    if (tok_ != end_) tok_++;
  }
  bool accept(K kind) {
    if (tok_->kind != kind) return false;
    advance();
    return true;
  }
  /// Takes `kind` or reports "expected `kind` <where>".
  bool expect(K kind, const char* where);
  /// The same for the bracket that closes `opener`.
  bool expect_close(K kind, Span opener);
  bool expect_greater(const char* where);
  Ident take_ident() {
    Ident ident{tok_->symbol, tok_->span()};
    advance();
    return ident;
  }
  Ident expect_lower(const char* what);
  Ident expect_upper(const char* what);
  std::string describe_token(const Token& token) const;
  std::string_view text(const Token& token) const { return file_.text(token.span()); }
  bool is_word(const Token& token, std::string_view word) const {
    return token.kind == K::kLower && text(token) == word;
  }
  Span span_from(Pos begin) const { return {begin, last_end_ > begin ? last_end_ : begin}; }
  /// Where something is missing: right behind the last token.
  Span gap() const { return {last_end_, last_end_ + 1 <= file_.end() ? last_end_ + 1 : last_end_}; }

  // Errors
  /// How Eddy says what another language writes with this token; null: nothing known.
  const char* foreign(const Token& token) const;
  Diagnostic& report(Span span, std::string message);
  Diagnostic& report_here(std::string message) { return report(here(), std::move(message)); }
  /// The current token; at the end of the file the last one's end.
  Span here() const { return at(K::kEnd) ? gap() : tok_->span(); }
  bool starts_line(const Token& token) const;
  bool starts_declaration(const Token& token) const;
  void skip_declaration();
  /// `moved`: something of the statement was read, so one may begin at the current token.
  void skip_statement(bool moved);
  void skip_item(K close);
  void recovered() { panicking_ = false; }

  template <typename T>
  T* make(ExprKind kind, Pos begin) {
    T* node = arena_.make<T>();
    node->kind = kind;
    node->span = span_from(begin);
    return node;
  }
  Expr* error_expr(Pos begin) { return make<Expr>(ExprKind::kError, begin); }

  // `item , item , … close`, the opener already taken. item() parses one and says whether to go on.
  template <typename Item>
  void list(K close, Span opener, const char* what, Item item);

  // parser_decl.cpp, parser_type_decl.cpp
  Decl* declaration();
  Decl* import_decl();
  Decl* let_decl();
  FnDecl* fn_decl(Pos begin, Slice<Attribute> attributes);
  Decl* type_decl();
  Decl* effect_decl();
  Slice<Attribute> attributes();
  Slice<Param> params(const char* what, bool allow_defaults);
  Param param(bool allow_defaults);
  Slice<TypeParam> type_params();
  Slice<FieldDecl> fields();
  void function_rest(Slice<Param>& params, TypeExpr*& result, RowExpr*& row, bool allow_defaults);
  Expr* function_body();
  void wrong_keyword(const Token& token);
  Span doc_before(const Token& token);

  // parser_type.cpp
  TypeExpr* type();
  TypeExpr* type_inner();
  RowExpr* row();
  TypeExpr* named_type();
  void type_args(Slice<TypeExpr*>& out);
  TypeExpr* type_arg();
  template <typename T>
  T* make_type(TypeExprKind kind, Pos begin);

  // parser_pattern.cpp
  Pattern* pattern();
  Pattern* pattern_alternative();
  Pattern* pattern_primary();
  Pattern* constructor_pattern(Ident module);
  Pattern* list_pattern();
  Pattern* paren_pattern();
  Pattern* literal_pattern();
  template <typename T>
  T* make_pattern(PatternKind kind, Pos begin);

  // parser_operators.cpp, parser_expr.cpp
  Expr* expression();
  Expr* head_expression();
  Expr* binary(int least);
  Expr* binary_run(Expr* first, Pos begin, int level);
  Expr* unary();
  Expr* postfix();
  Expr* primary();
  Expr* dot(Expr* object, Pos begin);
  Slice<Arg> args(Span opener, Gather<Arg>& gathered);
  bool trailing_block_follows() const;
  bool trailing_block_has_params() const;
  Arg trailing_block();
  Expr* parens();
  Expr* list_literal();
  Expr* array_literal();
  Expr* lambda();
  Expr* name();
  Expr* expected_expression();
  bool starts_expression(const Token& token) const;
  void check_assign_target(Expr* target);

  // parser_literal.cpp
  Expr* literal();
  Expr* int_literal();
  Expr* string();
  Expr* interpolation();

  // parser_statement.cpp, parser_control.cpp, parser_handler.cpp
  Expr* block(const char* what);
  Expr* block_rest(Span opener, Pos begin);
  Expr* if_expr();
  Expr* condition(const char* what);
  Expr* match_expr();
  Expr* while_expr();
  Expr* for_expr();
  Expr* loop_expr();
  Expr* jump();
  Expr* handle_expr();
  Clause clause();
  Expr* mask_expr();
  Stmt* statement();
  void end_statement(Stmt* stmt, const Token* begin);
  void stray_after(Stmt* stmt);
  template <typename T>
  T* make_stmt(StmtKind kind, Pos begin);
  bool leaves_block(Span opener);
  template <typename Ends, typename Item>
  void braced(Span opener, Ends ends, Item item);

  const SourceFile& file_;
  Tokens tokens_;
  Symbols& symbols_;
  Arena& arena_;
  Diagnostics& diagnostics_;
  ParseMode mode_;

  Token* tok_;
  Token* end_;  // the kEnd token
  Pos last_end_;
  Context context_;
  uint32_t level_ = 0;
  uint32_t reach_ = 0;
  bool panicking_ = false;
  bool stopped_ = false;  // nested too deeply: nothing more is read or reported
  bool reported_ = false;
  bool only_at_end_ = true;  // every error so far was that the text ended
  const Token* last_error_ = nullptr;
  Diagnostic unreported_;

  std::tuple<std::vector<Expr*>, std::vector<Arg>, std::vector<Stmt*>, std::vector<ArithStep>,
             std::vector<PipeStage>, std::vector<MatchArm>, std::vector<Clause>, std::vector<Param>,
             std::vector<Pattern*>, std::vector<PatternArg>, std::vector<TypeExpr*>, std::vector<IfBranch>,
             std::vector<StringPart>, std::vector<Decl*>, std::vector<Attribute>,
             std::vector<ConstructorDecl>, std::vector<FieldDecl>, std::vector<OperationDecl>,
             std::vector<TypeParam>, std::vector<Ident>, std::vector<ImportName>>
      pools_;
};

template <typename Item>
void Parser::list(K close, Span opener, const char* what, Item item) {
  In in(*this, Context{close != K::kRightBrace, false});
  while (!at(close) && !at(K::kEnd)) {
    const Token* before = tok_;
    item();
    if (accept(K::kComma)) {
      recovered();
      continue;
    }
    if (at(close)) break;
    if (!panicking_) {
      Diagnostic& error = report_here(
          fmt::format("expected `,` or {} after {}, found {}", describe(close), what, describe_token(*tok_)));
      error.label(opener, "opened here");
      if (const char* help = foreign(*tok_)) {
        error.help(help);
      } else if (at(K::kLeftBrace) && tok_[-1].kind == K::kLower) {
        error.help(
            fmt::format("a trailing block follows a call's parentheses: `{}() {{ … }}`", text(tok_[-1])));
      }
    }
    skip_item(close);
    if (accept(K::kComma)) {
      recovered();
      continue;
    }
    if (tok_ == before && !at(close)) break;
    if (!at(close)) break;
  }
  if (at(close)) recovered();
  expect_close(close, opener);
}

/// Arms, clauses, constructors, operations: behind their `{` and up to its `}`, or to where `ends` says that
/// it must have been forgotten. After an error in one the next line goes on.
template <typename Ends, typename Item>
void Parser::braced(Span opener, Ends ends, Item item) {
  while (!at(K::kRightBrace) && !at(K::kEnd)) {
    if (accept(K::kComma) || accept(K::kSemicolon)) continue;
    if (ends()) break;
    const Token* before = tok_;
    item();
    if (panicking_) {
      skip_statement(tok_ != before);
      recovered();
      if (tok_ == before) advance();
    }
  }
  if (at(K::kRightBrace)) recovered();
  expect_close(K::kRightBrace, opener);
}

template <typename T>
T* Parser::make_type(TypeExprKind kind, Pos begin) {
  T* node = arena_.make<T>();
  node->kind = kind;
  node->span = span_from(begin);
  return node;
}

template <typename T>
T* Parser::make_pattern(PatternKind kind, Pos begin) {
  T* node = arena_.make<T>();
  node->kind = kind;
  node->span = span_from(begin);
  return node;
}

template <typename T>
T* Parser::make_stmt(StmtKind kind, Pos begin) {
  T* node = arena_.make<T>();
  node->kind = kind;
  node->span = span_from(begin);
  return node;
}

}  // namespace eddy::lang
