// Bindings for what modules declare, and what their imports bring into scope.
#include <fmt/format.h>

#include "lang/checker.h"
#include "std/embedded.h"

namespace eddy::lang {

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
    if (place)
      clash(def->span, def->name, place->span, what);
    else
      place = def;
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
      case DeclKind::kFn:
        add_value(declare_function(m, as<FnDecl>(decl)), "function");
        break;
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

FunctionBinding* Checker::declare_function(ModuleInfo* m, FnDecl* fn) {
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
    if (name == "native" && m->is_std)
      b->native = value;
    else if (name == "intrinsic" && m->is_std)
      b->intrinsic = value;
    else if (name == "test")
      b->is_test = true;
    else if (name == "memo")
      b->is_memo = true;
    else {
      Diagnostic& d = diags_.error(a.span, fmt::format("there is no attribute `@{}`", name));
      suggest(d, name, {"test", "memo"});
    }
  }
  if (!fn->body && b->native.empty() && b->intrinsic.empty()) {
    diags_.error(fn->name.span, fmt::format("the function `{}` has no body", text(b->name)))
        .help("add `{ … }` or `=> …`");
  }
  fn->note = arena_.make<DeclNote>();
  fn->note->function = b;
  scope_of(m).functions.push_back(b);
  return b;
}

Binding* Checker::own_value(ModuleInfo* m, Symbol name) {
  SymbolMap<Binding*>& values = scope_of(m).values;
  if (Binding* b = values.get(name)) return b;
  FnDecl* fn = loader_.library_function(m, text(name));
  return fn ? values[name] = declare_function(m, fn) : nullptr;
}

const SymbolMap<Binding*>& Checker::own_values(ModuleInfo* m) {
  if (m->library) {
    for (const std_lib::EmbeddedFunction& f : m->library->functions) own_value(m, symbols_.intern(f.name));
  }
  return scope_of(m).values;
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
  bool hidden = own_value(from, name.name.name) || theirs.types.get(name.name.name);
  Diagnostic& d = diags_.error(
      name.name.span,
      hidden ? fmt::format("`{}` is private to the module `{}`", text(name.name.name), from->name)
             : fmt::format("the module `{}` has no `{}`", from->name, text(name.name.name)));
  if (hidden) return;
  Names names;
  for (auto& e : own_values(from).slots()) {
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

}  // namespace eddy::lang
