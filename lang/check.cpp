// The checker from end to end: modules in order, then what the program reaches.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

Checker::Checker(Compilation& compilation, const FrontEndOptions& options)
    : out_(compilation),
      options_(options),
      symbols_(compilation.symbols),
      arena_(compilation.arena),
      diags_(compilation.diagnostics),
      types_(compilation.arena),
      unifier_(types_),
      loader_(compilation.symbols, compilation.arena, compilation.sources, compilation.diagnostics,
              options.paths, options.whole_library) {
  make_builtins();
}

void Checker::run(std::string path, std::string text) {
  CheckedProgram& program = out_.program;
  prelude_ = loader_.load_std("prelude");
  ModuleInfo* root = loader_.load_root(std::move(path), std::move(text), options_.mode);
  if (!root) return;
  program.root = root;
  program.emit = emit_def_;
  make_script(root);
  declare_loaded();
  // Only with a faultless syntax: half a tree would bring errors that are none.
  if (!diags_.has_errors()) {
    size_t count = loader_.order().size();  // what inference loads later is the library, checked on demand
    for (size_t i = 0; i < count; i++) {
      ModuleInfo* m = loader_.order()[i];
      if (!m->is_std || m == root) check_module(m);
    }
    find_main();
    if (!diags_.has_errors()) {
      check_main_effects();
      reach();
    }
  }
  program.modules = loader_.order();
}

// In a script the statements are the body of `main`.
void Checker::make_script(ModuleInfo* m) {
  if (options_.mode != ParseMode::kScript) return;
  std::vector<Stmt*> stmts;
  std::vector<Decl*> decls;
  Span span;
  for (Decl* d : m->tree->decls) {
    if (d->kind == DeclKind::kStmt) {
      out_.program.script.push_back(as<StmtDecl>(d));
      stmts.push_back(as<StmtDecl>(d)->stmt);
      span = join(span, d->span);
    } else {
      decls.push_back(d);
    }
  }
  if (stmts.empty()) return;
  BlockExpr* block = arena_.make<BlockExpr>();
  block->kind = ExprKind::kBlock;
  block->span = span;
  block->stmts = arena_.copy(stmts);
  FnDecl* main = arena_.make<FnDecl>();
  main->kind = DeclKind::kFn;
  main->span = span;
  main->name = {sym::main, span};
  main->body = block;
  decls.push_back(main);
  m->tree->decls = arena_.copy(decls);
}

void Checker::find_main() {
  CheckedProgram& program = out_.program;
  Binding* b = scope_of(program.root).values.get(sym::main);
  if (!b || b->kind != BindingKind::kFunction) {
    if (options_.need_main && !diags_.has_errors()) {
      diags_.error(b ? b->span : Span{}, "the program has no function `main`")
          .help("add `fn main() { … }`: it is where the program begins");
    }
    return;
  }
  program.main = static_cast<FunctionBinding*>(b);
  Type* type = program.main->scheme.type ? prune(program.main->scheme.type) : error_;
  program.main_takes_args = program.main->decl->params.size == 1;
  program.main_returns_int = type->tag == TypeTag::Fn && prune(type->result()) == int_;
}

void Checker::mark_type(TypeDef* def) {
  if (def->reachable) return;
  def->reachable = true;
  (def->kind == TypeDefKind::kEffect ? out_.program.effects : out_.program.types).push_back(def);
}

// Functions and constants that the program can come to; the library's are checked on the way.
void Checker::reach() {
  CheckedProgram& program = out_.program;
  std::vector<Binding*> work;
  std::vector<LetDecl*> lets;
  auto add_function = [&](FunctionBinding* f) {
    if (f->reachable) return;
    f->reachable = true;
    work.push_back(f);
  };
  auto add_let = [&](LetDecl* let) {
    if (let->note->reachable) return;
    let->note->reachable = true;
    lets.push_back(let);
  };
  for (ModuleInfo* m : loader_.order()) {
    if ((m->is_std && m != program.root) || !m->scope) continue;
    for (Decl* d : m->tree->decls) {
      if (d->kind == DeclKind::kLet) add_let(as<LetDecl>(d));
    }
    if (m != program.root && program.main && !options_.tests) continue;
    for (FunctionBinding* f : scope_of(m).functions) {
      if (f->is_test && m == program.root) {
        program.tests.push_back(f);
        if (options_.tests) add_function(f);
      }
      if (!program.main && !options_.tests) add_function(f);  // a library on its own
    }
  }
  if (program.main) add_function(program.main);
  size_t done_lets = 0;
  auto follow = [&](void* uses) {
    for (UseNode* u = static_cast<UseNode*>(uses); u; u = u->next) {
      if (u->binding->kind == BindingKind::kFunction) add_function(static_cast<FunctionBinding*>(u->binding));
      if (u->binding->kind == BindingKind::kGlobal) add_let(static_cast<GlobalBinding*>(u->binding)->decl);
    }
  };
  while (!work.empty() || done_lets < lets.size()) {
    if (done_lets < lets.size()) {
      LetDecl* let = lets[done_lets++];
      check_global(let);
      follow(let->note->uses);
      continue;
    }
    FunctionBinding* f = static_cast<FunctionBinding*>(work.back());
    work.pop_back();
    check_body(f);
    if (f->is_memo) {
      if (!program.mutmap_new) {
        program.mutmap_new = std_function("mutmap", "new");
        program.mutmap_get = std_function("mutmap", "get");
        program.mutmap_insert = std_function("mutmap", "insert");
      }
      for (FunctionBinding* g : {program.mutmap_new, program.mutmap_get, program.mutmap_insert}) {
        if (g) add_function(g);
      }
    }
    f->index = static_cast<uint32_t>(program.functions.size());
    program.functions.push_back(f);
    follow(f->uses);
  }
  // Evaluation order: modules after what they import, and within one as written.
  for (ModuleInfo* m : loader_.order()) {
    if (!m->scope) continue;
    for (Decl* d : m->tree->decls) {
      if (d->kind != DeclKind::kLet || !d->note->reachable) continue;
      program.initialisers.push_back({m, as<LetDecl>(d)});
      for (GlobalBinding* g : d->note->globals) {
        g->index = static_cast<uint32_t>(program.globals.size());
        g->reachable = true;
        program.globals.push_back(g);
      }
    }
  }
}

std::unique_ptr<Compilation> check_text(std::string path, std::string text, const FrontEndOptions& options) {
  auto compilation = std::make_unique<Compilation>();
  compilation->state = std::make_shared<Checker>(*compilation, options);
  std::static_pointer_cast<Checker>(compilation->state)->run(std::move(path), std::move(text));
  return compilation;
}

std::unique_ptr<Compilation> check_file(const std::string& path, const FrontEndOptions& options) {
  ReadResult read = read_source(path);
  if (read.ok) return check_text(path, std::move(read.text), options);
  auto compilation = std::make_unique<Compilation>();
  compilation->diagnostics.error({}, fmt::format("cannot read `{}`: {}", path, read.error));
  return compilation;
}

}  // namespace eddy::lang
