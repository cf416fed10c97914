#include "lang/doc.h"

#include <fmt/format.h>

#include <vector>

#include "lang/checked.h"
#include "lang/diagnostics.h"
#include "lang/parser.h"

namespace eddy::lang {

std::string doc_text(const SourceFile& file, Span doc) {
  std::string out;
  if (!doc) return out;
  std::string_view text = file.text(doc);
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    size_t marker = line.find("///");
    line.remove_prefix(marker == std::string_view::npos ? 0 : marker + 3);
    if (!line.empty() && line[0] == ' ') line.remove_prefix(1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    out += line;
    out += '\n';
  }
  if (!out.empty()) out.pop_back();
  return out;
}

std::string checked_type_of(const Symbols& symbols, const Decl& decl, size_t variable) {
  if (decl.note == nullptr) return {};
  if (decl.kind == DeclKind::kFn) {
    return decl.note->function ? show_scheme(symbols, decl.note->function->scheme) : std::string();
  }
  if (decl.kind == DeclKind::kLet && variable < decl.note->globals.size) {
    return show_scheme(symbols, decl.note->globals[variable]->scheme);
  }
  return {};
}

namespace {

/// A function type taken apart into the text of its pieces.
struct Pieces {
  std::vector<std::string> params;
  std::string result;
  std::string row;
  bool ok = false;
};

Pieces take_apart(const std::string& type) {
  Pieces pieces;
  SourceMap sources;
  Symbols symbols;
  Arena arena;
  Diagnostics diagnostics;
  const SourceFile* file = sources.add("", "type T = " + type);
  if (file == nullptr) return pieces;
  ParseResult parsed = parse(*file, symbols, arena, diagnostics);
  if (!parsed.ok || parsed.module->decls.size != 1) return pieces;
  const auto* alias = as<TypeDecl>(static_cast<const Decl*>(parsed.module->decls[0]))->alias;
  if (alias == nullptr || alias->kind != TypeExprKind::kFn) return pieces;
  const auto* fn = as<FnType>(alias);
  for (const TypeExpr* p : fn->params) pieces.params.emplace_back(file->text(p->span));
  pieces.result = file->text(fn->result->span);
  if (fn->row) pieces.row = file->text(fn->row->span);
  pieces.ok = true;
  return pieces;
}

class Documenter {
 public:
  Documenter(const Module& module, Symbols& symbols, const DocOptions& options)
      : file_(*module.file), module_(module), symbols_(symbols), options_(options) {}

  std::string run() {
    out_ = fmt::format("# {}\n", options_.title);
    paragraph(module_.doc);
    section("Types", DeclKind::kType);
    section("Effects", DeclKind::kEffect);
    section("Constants", DeclKind::kLet);
    section("Functions", DeclKind::kFn);
    return std::move(out_);
  }

 private:
  void section(std::string_view title, DeclKind kind) {
    bool any = false;
    for (const Decl* d : module_.decls) {
      if (d->kind != kind || d->is_private || d->attribute(sym::test)) continue;
      if (!any) out_ += fmt::format("\n## {}\n", title);
      any = true;
      switch (kind) {
        case DeclKind::kType:
          type(*as<TypeDecl>(d));
          break;
        case DeclKind::kEffect:
          effect(*as<EffectDecl>(d));
          break;
        case DeclKind::kLet:
          constant(*as<LetDecl>(d));
          break;
        default:
          function(*as<FnDecl>(d));
      }
    }
  }

  void entry(std::string_view name, std::string_view code) {
    out_ += fmt::format("\n### `{}`\n\n```eddy fragment\n{}\n```\n", name, code);
  }

  void paragraph(Span doc) {
    if (doc) out_ += fmt::format("\n{}\n", doc_text(file_, doc));
  }

  void item(std::string_view name, Span doc) {
    if (!doc) return;
    std::string text = doc_text(file_, doc);
    std::string indented;
    for (char c : text) {
      indented += c;
      if (c == '\n') indented += "  ";
    }
    items_ += fmt::format("- `{}`: {}\n", name, indented);
  }

  void finish_items() {
    if (!items_.empty()) out_ += "\n" + items_;
    items_.clear();
  }

  /// The declaration as written, without the doc comments inside, which follow as a list.
  std::string code(Span span) {
    std::string out;
    std::string_view text = file_.text(span);
    while (!text.empty()) {
      size_t end = text.find('\n');
      std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      size_t start = line.find_first_not_of(" \t");
      if (start != std::string_view::npos && line.substr(start, 3) == "///") continue;
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (!out.empty()) out += '\n';
      out += line;
    }
    return out;
  }

  void type(const TypeDecl& d) {
    entry(symbols_.text(d.name.name), code(d.span));
    paragraph(d.doc);
    if (d.form == TypeDeclKind::kSum) {
      for (const ConstructorDecl& c : d.constructors) item(symbols_.text(c.name.name), c.doc);
    }
    finish_items();
  }

  void effect(const EffectDecl& d) {
    entry(symbols_.text(d.name.name), code(d.span));
    paragraph(d.doc);
    for (const OperationDecl& o : d.operations) item(symbols_.text(o.name.name), o.doc);
    finish_items();
  }

  void constant(const LetDecl& d) {
    // One entry for each name that the pattern binds, where it is a plain name; else the pattern.
    std::string_view name = file_.text(d.pattern->span);
    std::string type;
    if (d.pattern->kind == PatternKind::kVariable && options_.type_of) type = options_.type_of(d, 0);
    if (type.empty() && d.type) type = file_.text(d.type->span);
    entry(name, type.empty() ? fmt::format("let {}", name) : fmt::format("let {}: {}", name, type));
    paragraph(d.doc);
  }

  void function(const FnDecl& d) {
    Pieces pieces;
    std::string whole = options_.type_of ? options_.type_of(d, 0) : std::string();
    if (!whole.empty()) pieces = take_apart(whole);
    bool inferred = pieces.ok && (pieces.params.size() == d.params.size || d.params.empty());
    std::string_view name = symbols_.text(d.name.name);
    std::string line = fmt::format("fn {}(", name);
    for (size_t i = 0; i < d.params.size; i++) {
      const Param& p = d.params[i];
      if (i > 0) line += ", ";
      line += file_.text(p.pattern->span);
      if (p.variadic && p.type) {
        line += fmt::format(": {}", file_.text(p.type->span));
      } else if (inferred) {
        std::string type = pieces.params[i];
        if (p.variadic && type.starts_with("List<")) type = type.substr(5, type.size() - 6);
        line += fmt::format(": {}", type);
      } else if (p.type) {
        line += fmt::format(": {}", file_.text(p.type->span));
      }
      if (p.variadic) line += "...";
      if (p.default_value) line += fmt::format(" = {}", file_.text(p.default_value->span));
    }
    line += ")";
    if (inferred) {
      line += fmt::format(": {}", pieces.result);
      if (!pieces.row.empty() && pieces.row != "/ {}") line += fmt::format(" {}", pieces.row);
    } else {
      if (d.result) line += fmt::format(": {}", file_.text(d.result->span));
      if (d.row) line += fmt::format(" {}", file_.text(d.row->span));
    }
    entry(name, line);
    paragraph(d.doc);
  }

  const SourceFile& file_;
  const Module& module_;
  Symbols& symbols_;
  const DocOptions& options_;
  std::string out_;
  std::string items_;
};

}  // namespace

std::string document(const Module& module, Symbols& symbols, const DocOptions& options) {
  return Documenter(module, symbols, options).run();
}

}  // namespace eddy::lang
