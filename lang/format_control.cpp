// Blocks, functions, control flow, handlers, statements.

#include "lang/format_impl.h"

namespace eddy::lang {

Formatter::Braces Formatter::block(const Expr* e) {
  if (e->kind != ExprKind::kBlock) {
    lost_ = true;
    return {b_->nothing(), false};
  }
  const auto* body = as<BlockExpr>(e);
  size_t count = body->stmts.size + (body->value ? 1 : 0);
  return braces(
      count, [&](size_t i) { return i < body->stmts.size ? stmt(body->stmts[i]) : expr(body->value); }, ";");
}

Layout* Formatter::block_group(const Expr* e) {
  Braces inner = block(e);
  return b_->block(inner.layout, inner.force);
}

/// What follows `=>`: on the same line, or indented on the next.
Layout* Formatter::arrow_body(const Expr* body) {
  std::vector<Layout*> parts = {comments_before_break(), b_->line()};
  Layout* value = expr(body);
  const Layout* literal = hug_candidate(body, value);
  parts.push_back(value);
  Layout* arrow = b_->arrow(b_->indent(b_->concat(parts)));
  arrow->hug = literal;
  return arrow;
}

Layout* Formatter::param(const Param& p) {
  std::vector<Layout*> parts = {copy(p.pattern->span.end)};
  if (p.type) {
    parts.push_back(take(K::kColon));
    parts.push_back(b_->text(" "));
    parts.push_back(copy(p.type->span.end));
  }
  if (p.variadic) parts.push_back(take(K::kEllipsis));
  if (p.default_value) {
    parts.push_back(b_->text(" "));
    parts.push_back(take(K::kAssign));
    parts.push_back(b_->text(" "));
    parts.push_back(expr(p.default_value));
  }
  return b_->concat(parts);
}

Layout* Formatter::signature(Slice<Param> params, const TypeExpr* result, const RowExpr* row) {
  std::vector<Layout*> parts;
  parts.push_back(
      comma_list(K::kLeftParen, K::kRightParen, params.size, [&](size_t i) { return param(params[i]); }));
  if (result) {
    parts.push_back(take(K::kColon));
    parts.push_back(b_->text(" "));
    parts.push_back(copy(result->span.end));
  }
  if (row) {
    parts.push_back(b_->text(" "));
    parts.push_back(copy(row->span.end));
  }
  return b_->concat(parts);
}

Layout* Formatter::lambda(const LambdaExpr* e) {
  Layout* keyword = take(K::kKeyword_fn);
  Layout* head = signature(e->params, e->result, e->row);
  if (at(K::kLeftBrace)) return b_->concat({keyword, head, b_->text(" "), block_group(e->body)});
  Layout* arrow = take(K::kArrow);
  return b_->concat({keyword, head, b_->text(" "), arrow, arrow_body(e->body)});
}

/// All branches on one line, or all on several.
Layout* Formatter::if_expr(const IfExpr* e) {
  std::vector<Layout*> parts;
  bool force = false;
  auto branch = [&](const Expr* body) {
    Braces inner = block(body);
    force |= inner.force;
    parts.push_back(inner.layout);
  };
  for (size_t i = 0; i < e->branches.size; i++) {
    if (i > 0) {
      parts.push_back(b_->text(" "));
      parts.push_back(take(K::kKeyword_else));
      parts.push_back(b_->text(" "));
    }
    parts.push_back(take(K::kKeyword_if));
    parts.push_back(b_->text(" "));
    parts.push_back(b_->group(expr(e->branches[i].condition)));
    parts.push_back(b_->text(" "));
    branch(e->branches[i].body);
  }
  if (e->otherwise) {
    parts.push_back(b_->text(" "));
    parts.push_back(take(K::kKeyword_else));
    parts.push_back(b_->text(" "));
    branch(e->otherwise);
  }
  return b_->block(b_->concat(parts), force);
}

Layout* Formatter::match_expr(const MatchExpr* e) {
  Layout* keyword = take(K::kKeyword_match);
  Layout* subject = expr(e->subject);
  Braces arms = braces(
      e->arms.size,
      [&](size_t i) {
        const MatchArm& arm = e->arms[i];
        std::vector<Layout*> parts = {copy(arm.pattern->span.end)};
        if (arm.guard) {
          parts.push_back(b_->text(" "));
          parts.push_back(take(K::kKeyword_if));
          parts.push_back(b_->text(" "));
          parts.push_back(expr(arm.guard));
        }
        parts.push_back(b_->text(" "));
        parts.push_back(take(K::kArrow));
        parts.push_back(arrow_body(arm.body));
        return b_->concat(parts);
      },
      ",");
  return b_->concat({keyword, b_->text(" "), subject, b_->text(" "), b_->block(arms.layout, arms.force)});
}

Layout* Formatter::handle_expr(const HandleExpr* e) {
  std::vector<Layout*> parts = {take(K::kKeyword_handle), b_->text(" ")};
  bool force = false;
  if (e->name.name) {
    parts.push_back(take(K::kLower));
    parts.push_back(take(K::kColon));
    parts.push_back(b_->text(" "));
    parts.push_back(copy(e->effect->span.end));
    parts.push_back(b_->text(" "));
  }
  if (e->body->kind == ExprKind::kBlock && e->body->parens == 0) {
    parts.push_back(block_group(e->body));
  } else {
    parts.push_back(expr(e->body));
  }
  parts.push_back(b_->text(" "));
  parts.push_back(take(K::kKeyword_with));
  parts.push_back(b_->text(" "));
  Braces clauses = braces(
      e->clauses.size,
      [&](size_t i) {
        const Clause& c = e->clauses[i];
        std::vector<Layout*> head;
        if (c.mode != ClauseMode::kGeneral) {
          head.push_back(take_any());
          head.push_back(b_->text(" "));
        }
        if (c.kind != ClauseKind::kOperation) {
          head.push_back(take_any());
          if (c.kind == ClauseKind::kReturn) {
            head.push_back(b_->text(" "));
            head.push_back(param(c.params[0]));
          }
        } else {
          while (c.effect.name && token().begin < c.name.span.begin && !lost_) head.push_back(take_any());
          head.push_back(take(K::kLower));
          head.push_back(comma_list(K::kLeftParen, K::kRightParen, c.params.size,
                                    [&](size_t p) { return param(c.params[p]); }));
        }
        head.push_back(b_->text(" "));
        head.push_back(take(K::kArrow));
        head.push_back(arrow_body(c.body));
        return b_->concat(head);
      },
      ",");
  force |= clauses.force;
  parts.push_back(b_->block(clauses.layout, force));
  return b_->concat(parts);
}

Layout* Formatter::stmt(const Stmt* s) {
  auto binding = [&](K keyword, Pos name_end, const TypeExpr* type, const Expr* value) {
    std::vector<Layout*> parts = {take(keyword), b_->text(" "), copy(name_end)};
    if (type) {
      parts.push_back(take(K::kColon));
      parts.push_back(b_->text(" "));
      parts.push_back(copy(type->span.end));
    }
    parts.push_back(b_->text(" "));
    parts.push_back(take(K::kAssign));
    parts.push_back(b_->text(" "));
    parts.push_back(expr(value));
    return b_->concat(parts);
  };
  switch (s->kind) {
    case StmtKind::kLet: {
      const auto* let = as<LetStmt>(s);
      return binding(K::kKeyword_let, let->pattern->span.end, let->type, let->value);
    }
    case StmtKind::kVar: {
      const auto* var = as<VarStmt>(s);
      return binding(K::kKeyword_var, var->name.span.end, var->type, var->value);
    }
    case StmtKind::kFn:
      return fn(as<FnStmt>(s)->fn);
    case StmtKind::kDefer: {
      Layout* keyword = take(K::kKeyword_defer);
      return b_->concat({keyword, b_->text(" "), expr(as<DeferStmt>(s)->value)});
    }
    case StmtKind::kExpr:
      return expr(as<ExprStmt>(s)->value);
  }
  return b_->nothing();
}

}  // namespace eddy::lang
