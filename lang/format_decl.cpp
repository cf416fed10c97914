#include "lang/format_impl.h"

namespace eddy::lang {

/// Attributes and `private`. An attribute keeps its own line if it has one.
Layout* Formatter::modifiers(const Decl* d) {
  std::vector<Layout*> parts;
  size_t next = 0;
  auto separate = [&] {
    if (token().newline_before() || comment_waits()) {
      bool found = false;
      if (Layout* suffix = trailing(found)) parts.push_back(suffix);
      parts.push_back(b_->hard_line());
      Lead before = lead();
      if (before.comments) parts.push_back(before.comments);
    } else {
      parts.push_back(b_->text(" "));
    }
  };
  while (!lost_ && (at(K::kAt) || at(K::kKeyword_private))) {
    if (at(K::kKeyword_private)) {
      parts.push_back(take_any());
      parts.push_back(b_->text(" "));
      continue;
    }
    if (next >= d->attributes.size) {
      lost_ = true;
      break;
    }
    const Attribute& attribute = d->attributes[next++];
    parts.push_back(take(K::kAt));
    parts.push_back(take_any());
    if (at(K::kLeftParen) && token().begin < attribute.span.end) {
      parts.push_back(comma_list(K::kLeftParen, K::kRightParen, attribute.args.size,
                                 [&](size_t i) { return expr(attribute.args[i]); }));
    }
    separate();
  }
  return b_->concat(parts);
}

Layout* Formatter::decl(const Decl* d) {
  if (d->kind == DeclKind::kFn) return fn(as<FnDecl>(d));
  Layout* before = modifiers(d);
  Layout* body = nullptr;
  switch (d->kind) {
    case DeclKind::kImport:
      body = import(as<ImportDecl>(d));
      break;
    case DeclKind::kType:
      body = type(as<TypeDecl>(d));
      break;
    case DeclKind::kEffect:
      body = effect(as<EffectDecl>(d));
      break;
    case DeclKind::kLet: {
      const auto* let = as<LetDecl>(d);
      LetStmt statement{};
      statement.kind = StmtKind::kLet;
      statement.pattern = let->pattern;
      statement.type = let->type;
      statement.value = let->value;
      body = stmt(&statement);
      break;
    }
    default:
      lost_ = true;
      body = b_->nothing();
  }
  return b_->concat({before, body});
}

Layout* Formatter::fn(const FnDecl* d) {
  std::vector<Layout*> parts = {modifiers(d)};
  parts.push_back(take(K::kKeyword_fn));
  parts.push_back(b_->text(" "));
  parts.push_back(take(K::kLower));
  parts.push_back(signature(d->params, d->result, d->row));
  if (d->body == nullptr) return b_->concat(parts);
  parts.push_back(b_->text(" "));
  if (at(K::kArrow)) {
    parts.push_back(take(K::kArrow));
    parts.push_back(arrow_body(d->body));
  } else {
    parts.push_back(block_group(d->body));
  }
  return b_->concat(parts);
}

Layout* Formatter::import(const ImportDecl* d) {
  std::vector<Layout*> parts = {take(K::kKeyword_import), b_->text(" ")};
  for (size_t i = 0; i < d->path.size; i++) {
    if (i > 0) parts.push_back(take(K::kSlash));
    parts.push_back(take_any());
  }
  if (d->alias.name) {
    parts.push_back(b_->text(" "));
    parts.push_back(take(K::kKeyword_as));
    parts.push_back(b_->text(" "));
    parts.push_back(take(K::kLower));
  }
  if (d->has_names) {
    Layout* open = b_->concat({b_->text(" "), take(K::kLeftBrace)});
    Braces names = braces(
        d->names.size,
        [&](size_t i) {
          Layout* name = take_any();
          if (!d->names[i].alias.name) return name;
          Layout* as_ = take(K::kKeyword_as);
          return b_->concat({name, b_->text(" "), as_, b_->text(" "), take_any()});
        },
        ",", open, ",");
    parts.push_back(b_->block(names.layout, names.layout->has_hard));
  }
  return b_->concat(parts);
}

Layout* Formatter::type_params(Slice<TypeParam> params) {
  if (params.empty()) return b_->nothing();
  std::vector<Layout*> parts = {take(K::kLess)};
  for (size_t i = 0; i < params.size; i++) {
    if (i > 0) parts.push_back(b_->text(", "));
    parts.push_back(take(K::kLower));
  }
  parts.push_back(take(K::kGreater));
  return b_->concat(parts);
}

Layout* Formatter::fields(Slice<FieldDecl> fields) {
  return comma_list(K::kLeftParen, K::kRightParen, fields.size, [&](size_t i) {
    const FieldDecl& f = fields[i];
    std::vector<Layout*> parts;
    if (f.is_var) {
      parts.push_back(take(K::kKeyword_var));
      parts.push_back(b_->text(" "));
    }
    parts.push_back(take(K::kLower));
    parts.push_back(take(K::kColon));
    parts.push_back(b_->text(" "));
    parts.push_back(copy(f.type->span.end));
    if (f.default_value) {
      parts.push_back(b_->text(" "));
      parts.push_back(take(K::kAssign));
      parts.push_back(b_->text(" "));
      parts.push_back(expr(f.default_value));
    }
    return b_->concat(parts);
  });
}

Layout* Formatter::type(const TypeDecl* d) {
  std::vector<Layout*> parts = {take(K::kKeyword_type), b_->text(" "), take(K::kUpper),
                                type_params(d->params)};
  switch (d->form) {
    case TypeDeclKind::kRecord:
      parts.push_back(fields(d->constructors[0].fields));
      break;
    case TypeDeclKind::kAlias:
      parts.push_back(b_->text(" "));
      parts.push_back(take(K::kAssign));
      parts.push_back(b_->text(" "));
      parts.push_back(copy(d->alias->span.end));
      break;
    case TypeDeclKind::kOpaque:
      break;
    case TypeDeclKind::kSum: {
      parts.push_back(b_->text(" "));
      Braces inner = braces(
          d->constructors.size,
          [&](size_t i) {
            const ConstructorDecl& c = d->constructors[i];
            Layout* name = take(K::kUpper);
            if (!at(K::kLeftParen)) return name;
            return b_->concat({name, fields(c.fields)});
          },
          " ");
      parts.push_back(b_->block(inner.layout, inner.force));
      break;
    }
  }
  return b_->concat(parts);
}

Layout* Formatter::effect(const EffectDecl* d) {
  std::vector<Layout*> parts = {take(K::kKeyword_effect), b_->text(" "), take(K::kUpper),
                                type_params(d->params), b_->text(" ")};
  Braces inner = braces(
      d->operations.size,
      [&](size_t i) {
        const OperationDecl& o = d->operations[i];
        std::vector<Layout*> op;
        if (o.multi) {
          op.push_back(take(K::kKeyword_multi));
          op.push_back(b_->text(" "));
        }
        op.push_back(take(K::kLower));
        op.push_back(signature(o.params, o.result, nullptr));
        return b_->concat(op);
      },
      ";");
  parts.push_back(b_->block(inner.layout, inner.force));
  return b_->concat(parts);
}

}  // namespace eddy::lang
