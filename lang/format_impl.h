#pragma once

// The formatter's inside, shared by format*.cpp.
//
// It walks the tree for the structure and the token array for the text: every token is taken from
// the source in order, so nothing can be lost or invented except commas, semicolons and doubled
// parentheses. If tree and tokens ever disagree, `lost_` is set and the file is left as it was.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lang/ast.h"
#include "lang/format_layout.h"
#include "lang/lexer.h"

namespace eddy::lang {

class Formatter {
 public:
  Formatter(const SourceFile& file, Tokens tokens)
      : file_(file),
        tokens_(std::move(tokens.tokens)),
        comments_(std::move(tokens.comments)),
        last_end_(file.base()) {}

  /// False where the file cannot be formatted safely.
  bool run(const Module& module, std::string& out);

 private:
  using K = TokenKind;

  // Tokens and comments (format.cpp)
  const Token& token() const { return tokens_[cur_]; }
  bool at(K kind) const { return token().kind == kind; }
  /// The next token must be `kind`, but for separators, which are skipped.
  Layout* take(K kind);
  /// Whatever the next token is.
  Layout* take_any();
  void drop(K kind);
  void skip_separators();
  /// All tokens up to `end`, spaced as in types and patterns.
  Layout* copy(Pos end);
  /// From the next token to `end` exactly as in the source.
  Layout* verbatim(Pos end);
  Layout* comments_here();
  Layout* comments_before_break();

  /// What stands before an item that may have lines of its own.
  struct Lead {
    bool blank = false;    // an empty line
    bool newline = false;  // a new line, or comments
    Layout* comments = nullptr;
  };
  Lead lead();
  /// Comments behind an item, on its line. `found` is set if there are any.
  Layout* trailing(bool& found);
  bool comment_waits() const {
    return next_comment_ < comments_.size() && comments_[next_comment_].before <= cur_;
  }
  bool blank_between(Pos from, Pos to) const;
  std::string_view comment_text(const Comment& comment) const;
  Layout* comment_layout(const Comment& comment);

  // Lists
  struct Braces {
    Layout* layout;
    bool force;  // must be on several lines
  };
  /// `{ item separator item }`; on several lines if the source has an item at the start of a line.
  Braces braces(size_t count, const std::function<Layout*(size_t)>& item, std::string_view flat_separator,
                Layout* head = nullptr, std::string_view broken_separator = "");
  /// `(a, b)`, `[a, b]`.
  Layout* comma_list(K open, K close, size_t count, const std::function<Layout*(size_t)>& item,
                     bool trailing_comma = true);

  // format_expr.cpp, format_control.cpp
  Layout* expr(const Expr* e);
  Layout* core(const Expr* e);
  Layout* chain(const Expr* e);
  static const Layout* hug_candidate(const Expr* e, Layout* layout);
  Layout* call_args(Slice<Arg> args);
  Layout* operators(const Expr* e);
  Braces block(const Expr* e);
  Layout* block_group(const Expr* e);
  Layout* lambda(const LambdaExpr* e);
  Layout* trailing_block(const LambdaExpr* e);
  Layout* if_expr(const IfExpr* e);
  Layout* match_expr(const MatchExpr* e);
  Layout* handle_expr(const HandleExpr* e);
  Layout* stmt(const Stmt* s);
  Layout* arrow_body(const Expr* body);
  Layout* param(const Param& p);
  Layout* signature(Slice<Param> params, const TypeExpr* result, const RowExpr* row);

  // format_decl.cpp
  Layout* decl(const Decl* d);
  Layout* modifiers(const Decl* d);
  Layout* fn(const FnDecl* d);
  Layout* import(const ImportDecl* d);
  Layout* type(const TypeDecl* d);
  Layout* effect(const EffectDecl* d);
  Layout* type_params(Slice<TypeParam> params);
  Layout* fields(Slice<FieldDecl> fields);

  const SourceFile& file_;
  std::vector<Token, BlockAllocator<Token>> tokens_;
  std::vector<Comment> comments_;
  size_t cur_ = 0;
  size_t next_comment_ = 0;
  Pos last_end_;
  bool lost_ = false;
  bool hug_next_ =
      false;  // the next expression, if it is a literal of data, may break inside its surroundings' line

  std::optional<Arena> arena_;
  std::optional<LayoutBuilder> b_;
};

}  // namespace eddy::lang
