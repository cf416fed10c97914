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
    {"Int", BuiltinType::kInt, TypeDefKind::kOpaque},
    {"Float", BuiltinType::kFloat, TypeDefKind::kOpaque},
    {"Bool", BuiltinType::kBool, TypeDefKind::kOpaque},
    {"Char", BuiltinType::kChar, TypeDefKind::kOpaque},
    {"String", BuiltinType::kString, TypeDefKind::kOpaque},
    {"Unit", BuiltinType::kUnit, TypeDefKind::kOpaque},
    {"Never", BuiltinType::kNever, TypeDefKind::kOpaque},
    {"List", BuiltinType::kList, TypeDefKind::kData},
    {"Array", BuiltinType::kArray, TypeDefKind::kOpaque},
    {"Option", BuiltinType::kOption, TypeDefKind::kData},
    {"Result", BuiltinType::kResult, TypeDefKind::kData},
    {"Ref", BuiltinType::kRef, TypeDefKind::kData},
    {"Range", BuiltinType::kRange, TypeDefKind::kData},
    {"Panic", BuiltinType::kPanic, TypeDefKind::kData},
    {"Emit", BuiltinType::kEmit, TypeDefKind::kEffect},
    {"Exn", BuiltinType::kExn, TypeDefKind::kEffect},
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
    case BindingKind::kFunction:
      return static_cast<const FunctionBinding*>(b)->module;
    case BindingKind::kGlobal:
      return static_cast<const GlobalBinding*>(b)->module;
    case BindingKind::kConstructor:
      return static_cast<const ConstructorBinding*>(b)->type_def->module;
    case BindingKind::kOperation:
      return static_cast<const OperationBinding*>(b)->effect->module;
    default:
      return nullptr;
  }
}

bool Checker::is_private(const Binding* b) const {
  switch (b->kind) {
    case BindingKind::kFunction:
      return static_cast<const FunctionBinding*>(b)->decl->is_private;
    case BindingKind::kGlobal:
      return static_cast<const GlobalBinding*>(b)->decl->is_private;
    case BindingKind::kConstructor:
      return static_cast<const ConstructorBinding*>(b)->type_def->is_private;
    case BindingKind::kOperation:
      return static_cast<const OperationBinding*>(b)->effect->is_private;
    default:
      return false;
  }
}

ModuleInfo* Checker::std_module(std::string_view name) {
  ModuleInfo* m = loader_.load_std(name);
  if (m && !m->scope) declare_loaded();
  return m;
}

Binding* Checker::exported_value(ModuleInfo* m, Symbol name) {
  Binding* b = own_value(m, name);
  return b && !is_private(b) ? b : nullptr;
}

TypeDef* Checker::exported_type(ModuleInfo* m, Symbol name) {
  TypeDef* t = scope_of(m).types.get(name);
  return t && !t->is_private ? t : nullptr;
}

Binding* Checker::module_value(ModuleInfo* m, Symbol name) {
  ModuleScope& s = scope_of(m);
  if (Binding* b = own_value(m, name)) return b;
  if (s.named.size()) {
    if (Binding* b = s.named.get(name)) return b;
  }
  if (s.open.size()) {
    if (Binding* b = s.open.get(name)) return b;
  }
  if (prelude_ && m != prelude_) {
    if (Binding* b = exported_value(prelude_, name)) return b;
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
  Binding* b = own_value(m, symbols_.intern(name));
  return b && b->kind == BindingKind::kFunction ? static_cast<FunctionBinding*>(b) : nullptr;
}

Checker::Names Checker::visible_values() {
  Names names;
  if (!can_suggest()) return names;
  for (LocalBinding* b : scope_) names.push_back(text(b->name));
  ModuleScope& s = scope_of(module_);
  const SymbolMap<Binding*>* maps[] = {&own_values(module_), &s.named, &s.open, &s.open_operations};
  for (const auto* map : maps) {
    for (auto& e : map->slots()) {
      if (e.key) names.push_back(text(e.key));
    }
  }
  if (prelude_) {
    for (auto& e : own_values(prelude_).slots()) {
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
