#include "tools/eddy/session.h"

#include <algorithm>
#include <cstdio>

#include "lang/compile.h"
#include "runtime/natives/state.h"
#include "runtime/show.h"
#include "tools/eddy/files.h"
#include "tools/eddy/program.h"
#include "tools/eddy/signals.h"
#include "vm/disassembler.h"

namespace eddy::tool {

namespace {

constexpr const char* kName = "repl";
constexpr const char* kQuery = "query_";

void pattern_names(const lang::Pattern* p, const lang::Symbols& symbols, std::vector<std::string>& out) {
  using lang::PatternKind, lang::as;
  switch (p->kind) {
    case PatternKind::kVariable:
      out.emplace_back(symbols.text(as<lang::VariablePattern>(p)->name));
      return;
    case PatternKind::kAs:
      out.emplace_back(symbols.text(as<lang::AsPattern>(p)->name.name));
      return pattern_names(as<lang::AsPattern>(p)->pattern, symbols, out);
    case PatternKind::kTuple:
      for (const lang::Pattern* item : as<lang::TuplePattern>(p)->items) pattern_names(item, symbols, out);
      return;
    case PatternKind::kConstructor:
      for (const auto& arg : as<lang::ConstructorPattern>(p)->args)
        if (arg.pattern) pattern_names(arg.pattern, symbols, out);
      return;
    default:
      return;
  }
}

bool shares_name(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](const std::string& x) { return std::find(b.begin(), b.end(), x) != b.end(); });
}

// The constant of the input's own module, or null.
lang::GlobalBinding* constant(lang::Compilation& c, std::string_view name) {
  for (lang::GlobalBinding* g : c.program.globals)
    if (g->module == c.program.root && c.symbols.text(g->name) == name) return g;
  return nullptr;
}

bool is_unit(const lang::Type* type) { return lang::rep_of(type) == lang::Rep::kUnit; }

// A type that can be written down: without variables.
bool is_closed(const std::string& type) {
  for (size_t i = 0; i < type.size(); ++i) {
    if (type[i] == '_') return false;
    if (!std::islower(static_cast<unsigned char>(type[i])) ||
        (i > 0 && (std::isalnum(static_cast<unsigned char>(type[i - 1])) || type[i - 1] == '_')))
      continue;
    if (type.compare(i, 3, "fn(") != 0) return false;
  }
  return true;
}

// A word of the text.
bool mentions(const std::string& text, const std::string& word) {
  auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    bool begins = at == 0 || !is_part(text[at - 1]);
    size_t end = at + word.size();
    if (begins && (end == text.size() || !is_part(text[end]))) return true;
  }
  return false;
}

std::string trimmed(std::string_view text) {
  size_t begin = text.find_first_not_of(" \t\r\n;");
  if (begin == std::string_view::npos) return "";
  size_t end = text.find_last_not_of(" \t\r\n;");
  return std::string(text.substr(begin, end - begin + 1));
}

}  // namespace

Session::Session(const RunFlags& flags, std::vector<std::string> paths)
    : paths_(std::move(paths)), machine_(flags, {}), timeout_(flags.timeout) {
  machine_.vm().context().heap->add_roots(&values_, [](void* owner, void* data, rt::Heap::RootVisitor visit) {
    for (rt::Value& v : *static_cast<std::vector<rt::Value>*>(owner)) visit(data, &v);
  });
  set_running(nullptr);
}

Session::~Session() { machine_.vm().context().heap->remove_roots(&values_); }

// False, and a message, where it has syntax errors.
bool Session::take_apart(const std::string& text, Input* input) {
  lang::Compilation c;
  const lang::SourceFile* file = c.sources.add(kName, text);
  if (!file) return false;
  lang::ParseResult parsed = lang::parse(*file, c.symbols, c.arena, c.diagnostics, lang::ParseMode::kScript);
  if (!parsed.ok) {
    report(c);
    return false;
  }
  size_t done = 0;
  for (const lang::Decl* d : parsed.module->decls) {
    Piece piece;
    piece.kind = d->kind;
    piece.begin = file->offset(d->span.begin);
    piece.end = file->offset(d->span.end);
    piece.entry.text = trimmed(std::string_view(text).substr(done, piece.end - done));
    done = piece.end;
    auto name = [&](const lang::Ident& ident) { return std::string(c.symbols.text(ident.name)); };
    switch (d->kind) {
      case lang::DeclKind::kLet:
        pattern_names(lang::as<lang::LetDecl>(d)->pattern, c.symbols, piece.entry.values);
        break;
      case lang::DeclKind::kFn:
        piece.entry.values.push_back(name(lang::as<lang::FnDecl>(d)->name));
        break;
      case lang::DeclKind::kType:
        piece.entry.types.push_back(name(lang::as<lang::TypeDecl>(d)->name));
        break;
      case lang::DeclKind::kEffect:
        piece.entry.types.push_back(name(lang::as<lang::EffectDecl>(d)->name));
        break;
      case lang::DeclKind::kStmt:
        piece.is_expression = lang::as<lang::StmtDecl>(d)->stmt->kind == lang::StmtKind::kExpr;
        break;
      default:
        break;
    }
    input->push_back(std::move(piece));
  }
  return true;
}

std::unique_ptr<lang::Compilation> Session::check(const std::string& text, const Input& input) {
  bool has_statements =
      std::any_of(input.begin(), input.end(), [](const Piece& p) { return p.kind == lang::DeclKind::kStmt; });
  lang::FrontEndOptions options;
  options.paths = paths_;
  options.mode = lang::ParseMode::kScript;
  for (;;) {
    std::string all = text + "\n";
    std::vector<std::pair<size_t, size_t>> places;  // where an entry's text ends, and which it is
    for (size_t i = 0; i < entries_.size(); ++i) {
      const Entry& e = entries_[i];
      bool replaced = std::any_of(input.begin(), input.end(), [&](const Piece& p) {
        return shares_name(p.entry.values, e.values) || shares_name(p.entry.types, e.types) ||
               p.entry.text == e.text;
      });
      // The statements of an input become a function `main` of their own.
      if (replaced || (has_statements && shares_name(e.values, {"main"}))) continue;
      all += e.text + "\n";
      places.emplace_back(all.size(), i);
    }
    auto compilation = lang::check_text(kName, std::move(all), options);
    if (compilation->ok()) {
      report(*compilation);
      return compilation;
    }
    // Errors only in what stood there before: it does not fit what is new.
    std::set<size_t> misfits;
    bool own_errors = false;
    for (const lang::Diagnostic& d : compilation->diagnostics.items()) {
      if (d.severity != lang::Severity::kError) continue;
      const lang::SourceFile* file = compilation->sources.find(d.span.begin);
      size_t at = file && file->path() == kName ? file->offset(d.span.begin) : 0;
      auto found = std::upper_bound(places.begin(), places.end(), std::pair{at, SIZE_MAX});
      if (at <= text.size() || found == places.end())
        own_errors = true;
      else
        misfits.insert(found->second);
    }
    if (own_errors || misfits.empty()) {
      report(*compilation);
      return nullptr;
    }
    for (auto it = misfits.rbegin(); it != misfits.rend(); ++it) {
      const Entry& e = entries_[*it];
      for (const auto& names : {e.values, e.types})
        for (const std::string& name : names) complain("`" + name + "` does not fit this and is forgotten");
      entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(*it));
    }
  }
}

void Session::drop_known_initialisers(lang::Compilation& compilation, size_t input_size) {
  auto is_known = [&](const lang::GlobalInit& init) {
    bool own = init.module == compilation.program.root;
    if (own && init.module->file->offset(init.decl->span.begin) < input_size) return false;
    if (init.decl->note->globals.size == 0) return own || started_modules_.count(init.module->name) != 0;
    for (const lang::GlobalBinding* g : init.decl->note->globals)
      if (!slots_.count(init.module->name + "." + std::string(compilation.symbols.text(g->name))))
        return false;
    return true;
  };
  auto& all = compilation.program.initialisers;
  all.erase(std::remove_if(all.begin(), all.end(), is_known), all.end());
}

bool Session::finished(const vm::RunResult& result) {
  if (result.outcome == vm::Outcome::Finished) {
    std::string ignored;
    rt::flush_output(machine_.vm().context(), &ignored);
    return true;
  }
  int status = machine_.report(result, false);
  if (result.outcome == vm::Outcome::Interrupted) complain("interrupted");
  if (result.outcome == vm::Outcome::Exited || result.outcome == vm::Outcome::LimitHit) {
    over_ = true;
    status_ = status;
  }
  return false;
}

void Session::save_values(const vm::LoadedModule& module, const std::string& root) {
  const rt::Context& ctx = machine_.vm().context();
  for (size_t i = 0; i < module.source.globals.size(); ++i) {
    rt::Value value = ctx.globals[module.first_global + i];
    if (value == rt::kHole) continue;
    auto [slot, fresh] = slots_.try_emplace(module.source.globals[i], values_.size());
    if (fresh)
      values_.push_back(value);
    else
      values_[slot->second] = value;
  }
}

bool Session::execute(lang::Compilation& compilation, size_t input_size) {
  drop_known_initialisers(compilation, input_size);
  std::optional<vm::Module> module = lang::compile(compilation);
  if (!module) {
    report(compilation);
    return false;
  }
  if (!verify_module(*module, "internal error: the compiler made this")) return false;
  bool runs_main = !compilation.program.script.empty() && module->main >= 0;
  std::string problem;
  vm::LoadedModule* loaded = machine_.vm().load(std::move(*module), &problem);
  if (!loaded) {
    complain(problem);
    return false;
  }
  rt::Context& ctx = machine_.vm().context();
  for (size_t i = 0; i < loaded->source.globals.size(); ++i) {
    auto known = slots_.find(loaded->source.globals[i]);
    if (known != slots_.end()) ctx.globals[loaded->first_global + i] = values_[known->second];
  }
  // What this input evaluates has no value before.
  for (const lang::GlobalInit& init : compilation.program.initialisers)
    for (const lang::GlobalBinding* g : init.decl->note->globals) {
      std::string name = init.module->name + "." + std::string(compilation.symbols.text(g->name));
      auto& names = loaded->source.globals;
      auto found = std::find(names.begin(), names.end(), name);
      if (found != names.end())
        ctx.globals[loaded->first_global + static_cast<size_t>(found - names.begin())] = rt::kHole;
    }
  set_running(&machine_.vm());
  start_clock(timeout_);
  vm::RunResult result = machine_.vm().initialise(loaded);
  if (result.outcome == vm::Outcome::Finished && runs_main) result = machine_.vm().run_main(loaded);
  stop_clock();
  set_running(nullptr);
  forget_interrupts();
  bool done = finished(result);
  for (const lang::ModuleInfo* m : compilation.program.modules)
    if (m != compilation.program.root) started_modules_.insert(m->name);
  save_values(*loaded, compilation.program.root->name);
  return done;
}

void Session::replace(const Entry& entry) {
  auto same = [&](const Entry& e) {
    return e.text == entry.text || shares_name(e.values, entry.values) || shares_name(e.types, entry.types);
  };
  entries_.erase(std::remove_if(entries_.begin(), entries_.end(), same), entries_.end());
  entries_.push_back(entry);
}

void Session::remember(Input& input, lang::Compilation& compilation) {
  for (Piece& piece : input) {
    if (piece.kind == lang::DeclKind::kStmt && piece.result.empty()) continue;
    bool is_type = !piece.entry.types.empty();
    if (is_type) {
      // Values of the type that is replaced would be taken for the new one's.
      const std::string& type = piece.entry.types[0];
      bool known = std::any_of(entries_.begin(), entries_.end(),
                               [&](const Entry& e) { return shares_name(e.types, {type}); });
      auto holds_old = [&](const Entry& e) {
        bool holds = !e.values.empty() && e.text.rfind("let ", 0) == 0 &&
                     std::any_of(entries_.begin(), entries_.end(), [&](const Entry& t) {
                       return !t.types.empty() && mentions(e.text, t.types[0]);
                     });
        if (holds) complain("`" + e.values[0] + "` holds a value of the old type and is forgotten");
        return holds;
      };
      if (known) entries_.erase(std::remove_if(entries_.begin(), entries_.end(), holds_old), entries_.end());
    }
    if (piece.kind != lang::DeclKind::kLet && piece.result.empty()) {
      replace(piece.entry);
      continue;
    }
    // A constant is remembered by its type: its value is there, and its initialiser never runs again.
    bool all_closed = true;
    for (const std::string& name : piece.entry.values) {
      lang::GlobalBinding* g = constant(compilation, name);
      bool has_value = slots_.count(std::string(compilation.program.root->name) + "." + name) != 0;
      if (!g || !has_value) continue;
      std::string type = lang::show_scheme(compilation.symbols, g->scheme);
      if (!is_closed(type)) {
        all_closed = false;
        continue;
      }
      replace({"let " + name + ": " + type + " = loop { }", {name}, {}});
    }
    if (!all_closed && piece.result.empty()) replace(piece.entry);
  }
}

// Types may be out of scope by name. What cannot be remembered is not.
void Session::settle_types(size_t first) {
  if (first >= entries_.size()) return;
  check("", {});
}

void Session::announce(const Input& input, lang::Compilation& compilation) {
  std::string out;
  for (const Piece& piece : input) {
    if (piece.kind == lang::DeclKind::kFn) {
      for (const lang::FunctionBinding* f : compilation.program.functions)
        if (f->module == compilation.program.root &&
            compilation.symbols.text(f->name) == piece.entry.values[0])
          out += piece.entry.values[0] + " : " + lang::show_scheme(compilation.symbols, f->scheme) + "\n";
    }
    bool is_result = !piece.result.empty();
    if (piece.kind != lang::DeclKind::kLet && !is_result) continue;
    for (const std::string& name : piece.entry.values) {
      lang::GlobalBinding* g = constant(compilation, name);
      auto slot = slots_.find(std::string(kName) + "." + name);
      if (!g || slot == slots_.end() || (is_result && is_unit(g->scheme.type))) continue;
      if (!is_result) out += name + " = ";
      if (!rt::append_show(machine_.vm().context(), out, values_[slot->second])) out += "…";
      machine_.vm().context().panicking = false;
      out += " : " + lang::show_scheme(compilation.symbols, g->scheme) + "\n";
    }
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
}

bool Session::evaluate(const std::string& text) {
  Input input;
  if (!take_apart(text, &input)) return false;
  std::unique_ptr<lang::Compilation> compilation = check(text, input);
  if (!compilation) return false;
  // Statements that are expressions become constants, which keep their values.
  bool plain = std::any_of(input.begin(), input.end(), [](const Piece& p) {
    return p.kind == lang::DeclKind::kStmt && !p.is_expression;
  });
  bool any = std::any_of(input.begin(), input.end(), [](const Piece& p) { return p.is_expression; });
  std::string code = text;
  if (!plain && any) {
    code.clear();
    size_t done = 0;
    for (Piece& p : input) {
      if (!p.is_expression) continue;
      p.result = "it" + std::to_string(++results_);
      p.entry.values = {p.result};
      code += text.substr(done, p.begin - done) + "let " + p.result + " = { " +
              text.substr(p.begin, p.end - p.begin) + "\n}";
      done = p.end;
    }
    code += text.substr(done);
    compilation = check(code, input);
    if (!compilation) return false;
  }
  bool done = execute(*compilation, code.size());
  if (done) announce(input, *compilation);
  size_t before = entries_.size();
  remember(input, *compilation);
  settle_types(before);
  return done;
}

bool Session::load(const std::string& file) {
  std::string text;
  if (!read_file(file, &text)) return false;
  lang::FrontEndOptions options;
  options.paths = paths_;
  auto compilation = lang::check_text(file, text, options);
  report(*compilation);
  if (!compilation->ok()) return false;
  size_t slash = file.find_last_of('/');
  std::string folder = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  if (std::find(paths_.begin(), paths_.end(), folder) == paths_.end()) paths_.push_back(folder);
  return evaluate(text);
}

// `attribute`: "@test ", so that it is lowered, or "", so that it may perform what nobody handles.
std::unique_ptr<lang::Compilation> Session::check_query(const std::string& expression,
                                                        const std::string& attribute) {
  Input input;
  if (!take_apart(expression, &input)) return nullptr;
  return check(attribute + "fn " + kQuery + "() => {\n" + expression + "\n}", {});
}

bool Session::print_type(const std::string& expression) {
  auto compilation = check_query(expression);
  if (!compilation) return false;
  for (const lang::FunctionBinding* f : compilation->program.functions) {
    if (compilation->symbols.text(f->name) != kQuery) continue;
    lang::Scheme result = f->scheme;
    result.type = lang::prune(lang::prune(result.type)->result());
    std::printf("%s\n", lang::show_scheme(compilation->symbols, result).c_str());
  }
  return true;
}

bool Session::print_effects(const std::string& expression) {
  auto compilation = check_query(expression);
  if (!compilation) return false;
  for (const lang::FunctionBinding* f : compilation->program.functions) {
    if (compilation->symbols.text(f->name) != kQuery) continue;
    lang::Type* type = lang::prune(f->scheme.type);
    lang::Type* result = lang::prune(type->result());
    // Of a function, what calling it performs is what is meant.
    if (result->tag == lang::TypeTag::Fn) type = result;
    lang::Scheme row = f->scheme;
    row.type = lang::prune(type->row());
    std::printf("%s\n", lang::show_scheme(compilation->symbols, row).c_str());
  }
  return true;
}

bool Session::print_bytecode(const std::string& expression) {
  auto compilation = check_query(expression, "@test ");
  if (!compilation) return false;
  std::optional<vm::Module> module = lang::compile(*compilation);
  if (!module) {
    report(*compilation);
    return false;
  }
  std::string wanted = trimmed(expression);
  auto named = [&](const std::string& name) {
    return std::any_of(module->functions.begin(), module->functions.end(),
                       [&](const vm::FunctionData& f) { return f.name == name; });
  };
  if (!named(wanted)) wanted = kQuery;
  vm::DisassembleOptions options;
  options.filter = [&](const vm::FunctionData& f) {
    return f.name == wanted || f.name.rfind(wanted + ".", 0) == 0;
  };
  std::string listing = vm::disassemble(*module, options);
  std::fwrite(listing.data(), 1, listing.size(), stdout);
  return true;
}

}  // namespace eddy::tool
