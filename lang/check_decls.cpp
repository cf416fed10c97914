// What declarations say: parameters' kinds, constructors, operations, signatures.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

namespace {

// The parser may or may not know these yet; the checker works either way.
template <typename D>
const Slice<Attribute>* attributes_of(const D* decl) {
  if constexpr (requires { decl->attributes; }) return &decl->attributes;
  return nullptr;
}
template <typename F>
Expr* default_of(const F& field) {
  if constexpr (requires { field.default_value; }) return field.default_value;
  return nullptr;
}

Slice<TypeParam>& params_of(TypeDef* def) {
  return def->decl->kind == DeclKind::kType ? as<TypeDecl>(def->decl)->params
                                            : as<EffectDecl>(def->decl)->params;
}

}  // namespace

bool Checker::mark_row_param(Symbol name, TypeDef* def) {
  for (uint32_t i = 0; i < def->param_names.size; i++) {
    if (def->param_names[i] == name && !def->row_params[i]) {
      def->row_params[i] = true;
      return true;
    }
  }
  return false;
}

bool Checker::mark_row_expr(RowExpr* row, TypeDef* def) {
  if (!row) return false;
  bool changed = false;
  for (TypeExpr* e : row->effects) {
    if (e->kind == TypeExprKind::kVar)
      changed |= mark_row_param(as<VarType>(e)->name, def);
    else
      changed |= mark_rows(e, def);
  }
  if (row->tail && row->tail->kind == TypeExprKind::kVar)
    changed |= mark_row_param(as<VarType>(row->tail)->name, def);
  return changed;
}

bool Checker::mark_rows(TypeExpr* type, TypeDef* def) {
  if (!type) return false;
  bool changed = false;
  switch (type->kind) {
    case TypeExprKind::kName: {
      NameType* name = as<NameType>(type);
      if (name->args.empty()) break;
      TypeDef* used = find_type(name->module, name->name);
      for (uint32_t i = 0; i < name->args.size; i++) {
        TypeExpr* arg = name->args[i];
        if (used && i < used->row_params.size && used->row_params[i] && arg->kind == TypeExprKind::kVar) {
          changed |= mark_row_param(as<VarType>(arg)->name, def);
        } else {
          changed |= mark_rows(arg, def);
        }
      }
      break;
    }
    case TypeExprKind::kTuple:
      for (TypeExpr* item : as<TupleType>(type)->items) changed |= mark_rows(item, def);
      break;
    case TypeExprKind::kFn: {
      FnType* fn = as<FnType>(type);
      for (TypeExpr* p : fn->params) changed |= mark_rows(p, def);
      changed |= mark_rows(fn->result, def);
      changed |= mark_row_expr(fn->row, def);
      break;
    }
    case TypeExprKind::kRow:
      changed |= mark_row_expr(as<RowType>(type)->row, def);
      break;
    default:
      break;
  }
  return changed;
}

// Finds out which parameters of types and effects are rows: those that stand where a row does.
void Checker::infer_kinds(ModuleInfo* m) {
  ModuleScope& scope = scope_of(m);
  std::vector<TypeDef*> open;
  for (TypeDef* def : scope.defs) {
    Slice<TypeParam>& params = params_of(def);
    def->param_names = arena_.slice<Symbol>(params.size);
    def->row_params = arena_.slice<bool>(params.size);
    for (uint32_t i = 0; i < params.size; i++) {
      def->param_names[i] = params[i].name.name;
      for (uint32_t j = 0; j < i; j++) {
        if (params[j].name.name == params[i].name.name) {
          diags_.error(params[i].name.span,
                       fmt::format("the parameter `{}` is declared twice", text(params[i].name.name)));
        }
      }
    }
    if (params.size) open.push_back(def);
  }
  for (int round = 0; round < 64; round++) {
    bool changed = false;
    for (TypeDef* def : open) {
      if (def->decl->kind == DeclKind::kType) {
        TypeDecl* decl = as<TypeDecl>(def->decl);
        for (ConstructorDecl& c : decl->constructors) {
          for (FieldDecl& f : c.fields) changed |= mark_rows(f.type, def);
        }
        changed |= mark_rows(decl->alias, def);
      } else {
        for (OperationDecl& o : as<EffectDecl>(def->decl)->operations) {
          for (Param& p : o.params) changed |= mark_rows(p.type, def);
          changed |= mark_rows(o.result, def);
        }
      }
    }
    if (!changed) break;
  }
}

void Checker::declare_types(ModuleInfo* m) {
  ModuleInfo* saved = module_;
  auto* saved_vars = type_vars_;
  TypeMode saved_mode = type_mode_;
  TypeDef* saved_owner = type_owner_;
  module_ = m;
  infer_kinds(m);
  for (TypeDef* def : scope_of(m).defs) {
    if (def->decl->kind == DeclKind::kType) {
      TypeDecl* decl = as<TypeDecl>(def->decl);
      if (const Slice<Attribute>* attributes = attributes_of(decl)) {
        for (const Attribute& a : *attributes) {
          if (text(a.name.name) == "methods" && !a.args.empty() && a.args[0]->kind == ExprKind::kString) {
            def->methods = symbols_.intern(as<StringExpr>(a.args[0])->value);
          }
        }
      }
      if (def->kind == TypeDefKind::kAlias)
        resolve_alias(def);
      else
        declare_constructors(def);
    } else {
      declare_operations(def);
    }
  }
  module_ = saved;
  type_vars_ = saved_vars;
  type_mode_ = saved_mode;
  type_owner_ = saved_owner;
}

void Checker::resolve_alias(TypeDef* def) {
  enum : uint32_t { kFresh, kRunning, kDone };
  if (def->kind != TypeDefKind::kAlias || def->state == kDone) return;
  if (def->state == kRunning) {
    diags_.error(def->span, fmt::format("the alias `{}` stands for itself", text(def->name)))
        .help("an alias only abbreviates; a recursive type needs constructors");
    def->state = kDone;
    def->alias = nullptr;
    return;
  }
  def->state = kRunning;
  ModuleInfo* saved_module = module_;
  auto* saved_vars = type_vars_;
  TypeMode saved_mode = type_mode_;
  TypeDef* saved_owner = type_owner_;
  SymbolMap<Type*> vars;
  for (uint32_t i = 0; i < def->param_names.size; i++) {
    vars[def->param_names[i]] = types_.generic(i, def->row_params[i], def->param_names[i]);
  }
  module_ = def->module;
  type_vars_ = &vars;
  type_mode_ = TypeMode::kDeclaration;
  type_owner_ = def;
  Type* type = resolve_type(as<TypeDecl>(def->decl)->alias);
  if (def->state == kRunning) {
    def->alias = type;
    def->state = kDone;
  }
  module_ = saved_module;
  type_vars_ = saved_vars;
  type_mode_ = saved_mode;
  type_owner_ = saved_owner;
}

void Checker::declare_constructors(TypeDef* def) {
  SymbolMap<Type*> vars;
  std::vector<Type*> params;
  for (uint32_t i = 0; i < def->param_names.size; i++) {
    params.push_back(types_.generic(i, def->row_params[i], def->param_names[i]));
    vars[def->param_names[i]] = params.back();
  }
  type_vars_ = &vars;
  type_mode_ = TypeMode::kDeclaration;
  type_owner_ = def;
  Type* self = types_.con(def, params.data(), static_cast<unsigned>(params.size()));
  Slice<bool> rows = def->row_params;
  for (ConstructorBinding* c : def->constructors) {
    Slice<FieldDecl>& fields = c->decl->fields;
    c->fields = arena_.slice<FieldDef>(fields.size);
    std::vector<Type*> types;
    for (uint32_t i = 0; i < fields.size; i++) {
      FieldDef& f = c->fields[i];
      f.name = fields[i].name.name;
      f.type = resolve_type(fields[i].type);
      f.is_var = fields[i].is_var;
      f.span = fields[i].span;
      f.default_value = default_of(fields[i]);
      types.push_back(f.type);
      for (uint32_t j = 0; j < i && f.name; j++) {
        if (c->fields[j].name == f.name) {
          diags_.error(fields[i].span, fmt::format("the field `{}` is declared twice", text(f.name)));
        }
      }
    }
    c->scheme.type = types.empty() ? self
                                   : types_.fn(types.data(), static_cast<unsigned>(types.size()), self,
                                               types_.row_empty());
    c->scheme.count = static_cast<uint32_t>(params.size());
    c->scheme.rows = rows.data;
  }
}

void Checker::declare_operations(TypeDef* def) {
  for (OperationBinding* o : def->operations) {
    SymbolMap<Type*> vars;
    std::vector<Type*> params;
    operation_rows_.clear();
    for (uint32_t i = 0; i < def->param_names.size; i++) {
      params.push_back(types_.generic(i, def->row_params[i], def->param_names[i]));
      vars[def->param_names[i]] = params.back();
      operation_rows_.push_back(def->row_params[i]);
    }
    operation_vars_ = static_cast<uint32_t>(params.size());
    type_vars_ = &vars;
    type_mode_ = TypeMode::kOperation;
    type_owner_ = def;
    std::vector<Type*> types;
    std::vector<Symbol> names;
    for (Param& p : o->decl->params) {
      Symbol name = p.pattern && p.pattern->kind == PatternKind::kVariable
                        ? as<VariablePattern>(p.pattern)->name
                        : Symbol{};
      p.resolved = p.type ? resolve_type(p.type) : error_;
      if (!p.type)
        diags_.error(p.span, "a parameter of an operation needs a type").help("write `name: Type`");
      types.push_back(p.resolved);
      names.push_back(name);
    }
    uint32_t before_result = operation_vars_;
    Type* result = o->decl->result ? resolve_type(o->decl->result) : unit_type_;
    o->params = arena_.copy(names);
    o->own_vars = operation_vars_ - def->param_names.size;
    // A result variable that nothing else mentions promises any type at all: only never returning keeps it.
    o->free_result = (result->tag == TypeTag::Generic && result->count >= before_result) || result == never_;
    if (types.empty()) types.push_back(unit_type_);
    Type* effect = types_.con(def, params.data(), static_cast<unsigned>(params.size()));
    o->scheme.type = types_.fn(types.data(), static_cast<unsigned>(types.size()), result,
                               types_.row_cons(effect, types_.row_empty()));
    o->scheme.count = operation_vars_;
    Slice<bool> rows = arena_.slice<bool>(operation_vars_);
    for (uint32_t i = 0; i < operation_vars_; i++) rows[i] = operation_rows_[i];
    o->scheme.rows = rows.data;
  }
}

// Fills type, rigids, determined (and then scheme) from what the declaration says.
void Checker::signature_type(GroupMember& m, bool trusted) {
  FnDecl* decl = m.decl;
  inferred_row_seen_ = hole_seen_ = false;
  auto* saved_rigids = new_rigids_;
  new_rigids_ = &m.rigids;
  type_mode_ = TypeMode::kAnnotation;
  type_level_ = m.level;
  bool determined = true;
  Type* inline_params[8];
  std::vector<Type*> many;
  uint32_t count = decl->params.size;
  Type** params = inline_params;
  if (count > 8) {
    many.resize(count);
    params = many.data();
  }
  for (uint32_t i = 0; i < count; i++) {
    Param& p = decl->params[i];
    Type* type;
    if (p.type) {
      type = resolve_type(p.type);
    } else {
      type = types_.var(m.level);
      determined = false;
    }
    if (p.variadic) type = types_.con(list_def_, {type});
    p.resolved = type;
    params[i] = type;
  }
  if (count == 0) params[count++] = unit_type_;
  Type* result;
  if (decl->result) {
    result = resolve_type(decl->result);
  } else if (!decl->body) {
    result = unit_type_;
  } else {
    result = types_.var(m.level);
    determined = false;
  }
  Type* row;
  if (decl->row) {
    row = resolve_row(decl->row);
  } else if (!decl->body || (trusted && determined && !inferred_row_seen_ && !hole_seen_)) {
    row = types_.row_empty();
  } else {
    row = types_.row_var(m.level);
    determined = false;
  }
  // A native has no body to infer from: what is left open may be anything.
  m.determined = !decl->body || (determined && !inferred_row_seen_ && !hole_seen_);
  m.type = types_.fn(params, count, result, row);
  if (m.determined) {
    Generaliser g(types_, m.level - 1);
    Type* closed = g.close(m.type);
    m.scheme = g.scheme(closed);
  }
  new_rigids_ = saved_rigids;
}

// The signature of a top-level function, as far as it is written.
void Checker::signature(FunctionBinding* f) {
  if (f->member) return;
  members_.push_back(std::make_unique<GroupMember>());
  GroupMember* m = members_.back().get();
  f->member = m;
  m->decl = f->decl;
  m->binding = f;
  m->level = kTopLevel;
  ModuleInfo* saved = module_;
  auto* saved_vars = type_vars_;
  module_ = f->module;
  type_vars_ = &m->vars;
  signature_type(*m, f->module->is_std);
  if (m->determined) f->scheme = m->scheme;
  module_ = saved;
  type_vars_ = saved_vars;
}

void Checker::global_signature(GlobalBinding* g) {
  if (g->scheme.type || !g->decl->type || g->decl->pattern->kind != PatternKind::kVariable) return;
  ModuleInfo* saved = module_;
  auto* saved_vars = type_vars_;
  SymbolMap<Type*> vars;
  module_ = g->module;
  type_vars_ = &vars;
  type_mode_ = TypeMode::kAnnotation;
  type_level_ = kTopLevel;
  inferred_row_seen_ = hole_seen_ = false;
  Type* type = resolve_type(g->decl->type);
  module_ = saved;
  type_vars_ = saved_vars;
  if (inferred_row_seen_ || hole_seen_ || vars.size()) return;
  g->scheme.type = type;
}

}  // namespace eddy::lang
