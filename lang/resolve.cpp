// Scopes of modules and what names mean in them.
#include <fmt/format.h>

#include <algorithm>

#include "lang/checker.h"

namespace eddy::lang {

namespace {

struct Known {
  const char* name;
  BuiltinType builtin;
  TypeDefKind kind;
};

const Known kKnown[] = {
    {"Int", BuiltinType::kInt, TypeDefKind::kOpaque},       {"Float", BuiltinType::kFloat, TypeDefKind::kOpaque},
    {"Bool", BuiltinType::kBool, TypeDefKind::kOpaque},     {"Char", BuiltinType::kChar, TypeDefKind::kOpaque},
    {"String", BuiltinType::kString, TypeDefKind::kOpaque}, {"Unit", BuiltinType::kUnit, TypeDefKind::kOpaque},
    {"Never", BuiltinType::kNever, TypeDefKind::kOpaque},   {"List", BuiltinType::kList, TypeDefKind::kData},
    {"Array", BuiltinType::kArray, TypeDefKind::kOpaque},   {"Option", BuiltinType::kOption, TypeDefKind::kData},
    {"Result", BuiltinType::kResult, TypeDefKind::kData},   {"Ref", BuiltinType::kRef, TypeDefKind::kData},
    {"Range", BuiltinType::kRange, TypeDefKind::kData},     {"Panic", BuiltinType::kPanic, TypeDefKind::kData},
    {"Emit", BuiltinType::kEmit, TypeDefKind::kEffect},     {"Exn", BuiltinType::kExn, TypeDefKind::kEffect},
    {"IO", BuiltinType::kIO, TypeDefKind::kEffect},
};

// Modules in scope without an import.
const char* const kAmbient[] = {"int", "float", "char", "string", "list", "array", "option", "result"};

}  // namespace

void Checker::make_builtins() {
  for (const Known& k : kKnown) {
    TypeDef* def = arena_.make<TypeDef>();
    def->kind = k.kind;
    def->builtin = k.builtin;
    def->name = symbols_.intern(k.name);
    builtin_[def->name] = def;
  }
  auto get = [&](const char* name) { return builtin_.get(symbols_.intern(name)); };
  int_def_ = get("Int"), float_def_ = get("Float"), bool_def_ = get("Bool"), char_def_ = get("Char");
  string_def_ = get("String"), unit_def_ = get("Unit"), never_def_ = get("Never"), list_def_ = get("List");
  array_def_ = get("Array"), option_def_ = get("Option"), result_def_ = get("Result"), ref_def_ = get("Ref");
  range_def_ = get("Range"), panic_def_ = get("Panic"), emit_def_ = get("Emit"), exn_def_ = get("Exn");
  io_def_ = get("IO");
  int_ = con(int_def_), float_ = con(float_def_), bool_ = con(bool_def_), char_ = con(char_def_);
  string_ = con(string_def_), unit_type_ = con(unit_def_), never_ = con(never_def_);
  error_ = types_.error();
  io_row_ = types_.row_cons(con(io_def_), types_.row_empty());
}

TypeDef* Checker::tuple_def(unsigned arity) {
  if (tuple_defs_.size() <= arity) tuple_defs_.resize(arity + 1);
  TypeDef*& def = tuple_defs_[arity];
  if (!def) {
    def = arena_.make<TypeDef>();
    def->kind = TypeDefKind::kTuple;
    def->arity = arity;
    def->row_params = arena_.slice<bool>(arity);
  }
  return def;
}

ModuleInfo* Checker::module_of(const Binding* b) const {
  switch (b->kind) {
    case BindingKind::kFunction: return static_cast<const FunctionBinding*>(b)->module;
    case BindingKind::kGlobal: return static_cast<const GlobalBinding*>(b)->module;
    case BindingKind::kConstructor: return static_cast<const ConstructorBinding*>(b)->type_def->module;
    case BindingKind::kOperation: return static_cast<const OperationBinding*>(b)->effect->module;
    default: return nullptr;
  }
}

bool Checker::is_private(const Binding* b) const {
  switch (b->kind) {
    case BindingKind::kFunction: return static_cast<const FunctionBinding*>(b)->decl->is_private;
    case BindingKind::kGlobal: return static_cast<const GlobalBinding*>(b)->decl->is_private;
    case BindingKind::kConstructor: return static_cast<const ConstructorBinding*>(b)->type_def->is_private;
    case BindingKind::kOperation: return static_cast<const OperationBinding*>(b)->effect->is_private;
    default: return false;
  }
}

// Creates the bindings of a module's own declarations; types and signatures come later.
void Checker::declare_module(ModuleInfo* m) {
  scopes_.push_back(std::make_unique<ModuleScope>());
  m->scope = scopes_.back().get();
  ModuleScope& scope = scope_of(m);
  auto clash = [&](Span span, Symbol name, Span before, const char* what) {
    diags_.error(span, fmt::format("the {} `{}` is declared twice", what, text(name)))
        .here("declared again here")
        .label(before, "first declared here");
  };
  auto add_value = [&](Binding* b, const char* what) {
    Binding*& place = scope.values[b->name];
    if (place) {
      if (b->kind == BindingKind::kOperation && place->kind == BindingKind::kOperation &&
          static_cast<OperationBinding*>(b)->effect != static_cast<OperationBinding*>(place)->effect) {
        return;  // two effects may share an operation's name
      }
      clash(b->span, b->name, place->span, what);
      return;
    }
    place = b;
  };
  auto add_type = [&](TypeDef* def, const char* what) {
    TypeDef*& place = scope.types[def->name];
    if (place) clash(def->span, def->name, place->span, what);
    else place = def;
    scope.defs.push_back(def);
  };
  auto new_def = [&](const Ident& name, TypeDefKind kind, Decl* decl) {
    TypeDef* def = m->is_prelude ? builtin_.get(name.name) : nullptr;
    if (!def) def = arena_.make<TypeDef>();
    def->kind = kind;
    def->name = name.name;
    def->module = m;
    def->span = name.span;
    def->is_private = decl->is_private;
    def->decl = decl;
    decl->note = arena_.make<DeclNote>();
    decl->note->type = def;
    return def;
  };

  for (Decl* decl : m->tree->decls) {
    switch (decl->kind) {
      case DeclKind::kFn: {
        FnDecl* fn = as<FnDecl>(decl);
        FunctionBinding* b = arena_.make<FunctionBinding>();
        b->kind = BindingKind::kFunction;
        b->name = fn->name.name;
        b->span = fn->name.span;
        b->decl = fn;
        b->module = m;
        for (const Attribute& a : fn->attributes) {
          std::string_view name = text(a.name.name);
          std::string_view value;
          if (!a.args.empty() && a.args[0]->kind == ExprKind::kString) value = as<StringExpr>(a.args[0])->value;
          if (name == "native" && m->is_std) b->native = value;
          else if (name == "intrinsic" && m->is_std) b->intrinsic = value;
          else if (name == "test") b->is_test = true;
          else if (name == "memo") b->is_memo = true;
          else {
            Diagnostic& d = diags_.error(a.span, fmt::format("there is no attribute `@{}`", name));
            suggest(d, name, {"test", "memo"});
          }
        }
        if (!fn->body && b->native.empty() && b->intrinsic.empty()) {
          diags_.error(fn->name.span, fmt::format("the function `{}` has no body", text(b->name)))
              .help("add `{ … }` or `=> …`");
        }
        decl->note = arena_.make<DeclNote>();
        decl->note->function = b;
        add_value(b, "function");
        scope.functions.push_back(b);
        break;
      }
      case DeclKind::kLet: {
        LetDecl* let = as<LetDecl>(decl);
        std::vector<std::pair<Symbol, Span>> names;
        pattern_variables(let->pattern, names);
        std::vector<GlobalBinding*> globals;
        for (auto& [name, span] : names) {
          GlobalBinding* b = arena_.make<GlobalBinding>();
          b->kind = BindingKind::kGlobal;
          b->name = name;
          b->span = span;
          b->decl = let;
          b->module = m;
          add_value(b, "constant");
          globals.push_back(b);
          scope.globals.push_back(b);
        }
        decl->note = arena_.make<DeclNote>();
        decl->note->globals = arena_.copy(globals);
        break;
      }
      case DeclKind::kType: {
        TypeDecl* type = as<TypeDecl>(decl);
        TypeDefKind kind = type->form == TypeDeclKind::kAlias    ? TypeDefKind::kAlias
                           : type->form == TypeDeclKind::kOpaque ? TypeDefKind::kOpaque
                                                                 : TypeDefKind::kData;
        TypeDef* def = new_def(type->name, kind, decl);
        if (type->form == TypeDeclKind::kOpaque && !m->is_std) {
          diags_.error(type->name.span, fmt::format("the type `{}` has no constructors", text(def->name)))
              .help("list them: `type T { A  B(x: Int) }`, or give a record's fields: `type T(x: Int)`");
        }
        add_type(def, "type");
        std::vector<ConstructorBinding*> constructors;
        for (ConstructorDecl& c : type->constructors) {
          ConstructorBinding* b = arena_.make<ConstructorBinding>();
          b->kind = BindingKind::kConstructor;
          b->name = c.name.name;
          b->span = c.name.span;
          b->type_def = def;
          b->index = static_cast<uint32_t>(constructors.size());
          b->decl = &c;
          c.binding = b;
          constructors.push_back(b);
          add_value(b, "constructor");
        }
        def->constructors = arena_.copy(constructors);
        if (m->is_std && def->name == sym::Map && m->name == "std/map") def->builtin = BuiltinType::kMap;
        if (m->is_std && def->name == sym::Set && m->name == "std/set") def->builtin = BuiltinType::kSet;
        break;
      }
      case DeclKind::kEffect: {
        EffectDecl* effect = as<EffectDecl>(decl);
        TypeDef* def = new_def(effect->name, TypeDefKind::kEffect, decl);
        add_type(def, "effect");
        std::vector<OperationBinding*> operations;
        for (OperationDecl& o : effect->operations) {
          OperationBinding* b = arena_.make<OperationBinding>();
          b->kind = BindingKind::kOperation;
          b->name = o.name.name;
          b->span = o.name.span;
          b->effect = def;
          b->index = static_cast<uint32_t>(operations.size());
          b->multi = o.multi;
          b->decl = &o;
          o.binding = b;
          operations.push_back(b);
          add_value(b, "operation");
          scope.operations[b->name].push_back(b);
        }
        def->operations = arena_.copy(operations);
        break;
      }
      case DeclKind::kImport:
      case DeclKind::kStmt:
        break;
    }
  }
}

void Checker::open_module(ModuleScope& into, ModuleInfo* from) {
  ModuleScope& theirs = scope_of(from);
  for (TypeDef* def : theirs.defs) {
    if (def->is_private) continue;
    into.open_types[def->name] = def;
    for (ConstructorBinding* c : def->constructors) into.open[c->name] = c;
    for (OperationBinding* o : def->operations) into.open_operations[o->name] = o;
  }
}

void Checker::import_name(ModuleInfo* into, ModuleInfo* from, const ImportName& name) {
  ModuleScope& scope = scope_of(into);
  Symbol as_name = name.alias.name ? name.alias.name : name.name.name;
  Binding* value = exported_value(from, name.name.name);
  TypeDef* type = exported_type(from, name.name.name);
  if (!value && !type && from->is_std && prelude_) {
    // `import std/option { Some }`: what belongs to the module, but lives in the prelude.
    value = exported_value(prelude_, name.name.name);
    type = exported_type(prelude_, name.name.name);
  }
  if (value) scope.named[as_name] = value;
  if (type) {
    scope.named_types[as_name] = type;
    // An effect's operations come with it, at the last rank.
    for (OperationBinding* o : type->operations) scope.open_operations[o->name] = o;
  }
  if (value || type) return;
  ModuleScope& theirs = scope_of(from);
  bool hidden = theirs.values.get(name.name.name) || theirs.types.get(name.name.name);
  Diagnostic& d = diags_.error(name.name.span, hidden ? fmt::format("`{}` is private to the module `{}`",
                                                                    text(name.name.name), from->name)
                                                      : fmt::format("the module `{}` has no `{}`", from->name,
                                                                    text(name.name.name)));
  if (hidden) return;
  Names names;
  for (auto& e : theirs.values.slots()) {
    if (e.key && !is_private(e.value)) names.push_back(text(e.key));
  }
  for (auto& e : theirs.types.slots()) {
    if (e.key && !e.value->is_private) names.push_back(text(e.key));
  }
  suggest(d, text(name.name.name), names);
}

void Checker::declare_imports(ModuleInfo* m) {
  ModuleScope& scope = scope_of(m);
  for (Decl* decl : m->tree->decls) {
    if (decl->kind != DeclKind::kImport) continue;
    ImportDecl* import = as<ImportDecl>(decl);
    ModuleInfo* from = loader_.imported(import);
    if (import->path.empty()) continue;
    Symbol name = import->alias.name ? import->alias.name : import->path.back().name;
    import->note = arena_.make<DeclNote>();
    import->note->import = from;
    if (!from) {
      scope.modules[name] = nullptr;  // reported; uses of it are not reported again
      continue;
    }
    scope.modules[name] = from;
    scope.imports.push_back(from);
    if (!import->has_names) {
      open_module(scope, from);
      continue;
    }
    for (const ImportName& n : import->names) import_name(m, from, n);
  }
}

// Declares modules that the loader has read since the last time.
void Checker::declare_loaded() {
  size_t from = declared_;
  declared_ = loader_.order().size();
  for (size_t i = from; i < declared_; i++) declare_module(loader_.order()[i]);
  for (size_t i = from; i < declared_; i++) declare_imports(loader_.order()[i]);
  for (size_t i = from; i < declared_; i++) declare_types(loader_.order()[i]);
}

ModuleInfo* Checker::std_module(std::string_view name) {
  ModuleInfo* m = loader_.load_std(name);
  if (m && !m->scope) declare_loaded();
  return m;
}

Binding* Checker::exported_value(ModuleInfo* m, Symbol name) {
  Binding* b = scope_of(m).values.get(name);
  return b && !is_private(b) ? b : nullptr;
}

TypeDef* Checker::exported_type(ModuleInfo* m, Symbol name) {
  TypeDef* t = scope_of(m).types.get(name);
  return t && !t->is_private ? t : nullptr;
}

Binding* Checker::module_value(ModuleInfo* m, Symbol name) {
  ModuleScope& s = scope_of(m);
  if (Binding* b = s.values.get(name)) return b;
  if (s.named.size()) {
    if (Binding* b = s.named.get(name)) return b;
  }
  if (s.open.size()) {
    if (Binding* b = s.open.get(name)) return b;
  }
  if (prelude_ && m != prelude_) {
    if (Binding* b = scope_of(prelude_).values.get(name); b && !is_private(b)) return b;
  }
  if (s.open_operations.size()) {
    if (Binding* b = s.open_operations.get(name)) return b;
  }
  if (symbols_.is_upper(name)) {
    if (TypeDef* def = ambient_type(name)) return exported_value(def->module, name);
  }
  return nullptr;
}

TypeDef* Checker::module_type(ModuleInfo* m, Symbol name) {
  ModuleScope& s = scope_of(m);
  if (TypeDef* t = s.types.get(name)) return t;
  if (TypeDef* t = s.named_types.get(name)) return t;
  if (TypeDef* t = s.open_types.get(name)) return t;
  if (prelude_) {
    if (TypeDef* t = scope_of(prelude_).types.get(name); t && !t->is_private) return t;
  }
  if (TypeDef* t = builtin_.get(name)) return t;
  return ambient_type(name);
}

// Types and constructors of the modules that are in scope without an import, by name: behind everything else.
TypeDef* Checker::ambient_type(Symbol name) {
  std::string_view t = text(name);
  if (t != "StringBuilder") return nullptr;  // the only one of theirs that is not in the prelude
  ModuleInfo* m = std_module("string");
  return m ? exported_type(m, name) : nullptr;
}

ModuleInfo* Checker::visible_module(ModuleInfo* from, Symbol name) {
  ModuleScope& s = scope_of(from);
  if (ModuleInfo** m = s.modules.find(name)) return *m;
  std::string_view t = text(name);
  for (const char* ambient : kAmbient) {
    if (t == ambient) {
      ModuleInfo* m = std_module(t);
      scope_of(from).modules[name] = m;
      return m;
    }
  }
  return nullptr;
}

Binding* Checker::lookup_value(Symbol name) {
  if (LocalBinding* b = local(name)) return b;
  return module_value(module_, name);
}

// Operations called `name` that a clause in module `m` may mean: the nearest rank that has any.
void Checker::operation_candidates(ModuleInfo* m, Symbol name, std::vector<OperationBinding*>& out) {
  ModuleScope& s = scope_of(m);
  if (auto* own = s.operations.find(name)) {
    out = *own;
    return;
  }
  auto add_from = [&](TypeDef* def) {
    for (OperationBinding* o : def->operations) {
      if (o->name == name && std::find(out.begin(), out.end(), o) == out.end()) out.push_back(o);
    }
  };
  for (auto& e : s.named.slots()) {
    if (e.key == name && e.value->kind == BindingKind::kOperation) {
      out.push_back(static_cast<OperationBinding*>(e.value));
    }
  }
  for (auto& e : s.named_types.slots()) {
    if (e.key) add_from(e.value);
  }
  if (!out.empty()) return;
  for (ModuleInfo* i : s.imports) {
    for (TypeDef* def : scope_of(i).defs) {
      if (!def->is_private) add_from(def);
    }
  }
  if (!out.empty()) return;
  if (prelude_) {
    if (auto* theirs = scope_of(prelude_).operations.find(name)) out = *theirs;
  }
}

FunctionBinding* Checker::std_function(std::string_view module, std::string_view name) {
  ModuleInfo* m = std_module(module);
  if (!m) return nullptr;
  Binding* b = scope_of(m).values.get(symbols_.intern(name));
  return b && b->kind == BindingKind::kFunction ? static_cast<FunctionBinding*>(b) : nullptr;
}

Checker::Names Checker::visible_values() {
  Names names;
  if (!can_suggest()) return names;
  for (LocalBinding* b : scope_) names.push_back(text(b->name));
  ModuleScope& s = scope_of(module_);
  for (auto* map : {&s.values, &s.named, &s.open, &s.open_operations}) {
    for (auto& e : map->slots()) {
      if (e.key) names.push_back(text(e.key));
    }
  }
  if (prelude_) {
    for (auto& e : scope_of(prelude_).values.slots()) {
      if (e.key && !is_private(e.value)) names.push_back(text(e.key));
    }
  }
  return names;
}

Checker::Names Checker::visible_types() {
  Names names;
  if (!can_suggest()) return names;
  ModuleScope& s = scope_of(module_);
  for (auto* map : {&s.types, &s.named_types, &s.open_types}) {
    for (auto& e : map->slots()) {
      if (e.key) names.push_back(text(e.key));
    }
  }
  for (auto& e : builtin_.slots()) {
    if (e.key) names.push_back(text(e.key));
  }
  return names;
}

// Suggestions cost a look at every name in scope: the first reports, which are the ones shown, have them.
bool Checker::can_suggest() const { return diags_.error_count() <= 60; }

void Checker::suggest(Diagnostic& d, std::string_view name, const Names& among) {
  if (!can_suggest()) return;
  std::string_view near = closest(name, among);
  if (!near.empty() && near != name) d.help(fmt::format("did you mean `{}`?", near));
}

}  // namespace eddy::lang
