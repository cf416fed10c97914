// Types as written, resolved.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

TypeDef* Checker::find_type(const Ident& module, const Ident& name) {
  if (!module.name) return module_type(module_, name.name);
  ModuleInfo* m = visible_module(module_, module.name);
  return m ? exported_type(m, name.name) : nullptr;
}

Type* Checker::resolve_type(TypeExpr* t) {
  if (!t) return error_;
  Type* type = error_;
  switch (t->kind) {
    case TypeExprKind::kName:
      type = resolve_name(as<NameType>(t), false);
      break;
    case TypeExprKind::kVar:
      type = type_variable(as<VarType>(t)->name, t->span, false);
      break;
    case TypeExprKind::kUnit:
      type = unit_type_;
      break;
    case TypeExprKind::kTuple: {
      TupleType* tuple = as<TupleType>(t);
      std::vector<Type*> items;
      for (TypeExpr* item : tuple->items) items.push_back(resolve_type(item));
      type = types_.con(tuple_def(tuple->items.size), items.data(), tuple->items.size);
      break;
    }
    case TypeExprKind::kFn: {
      FnType* fn = as<FnType>(t);
      std::vector<Type*> params;
      for (TypeExpr* p : fn->params) params.push_back(resolve_type(p));
      if (params.empty()) params.push_back(unit_type_);
      Type* result = fn->result ? resolve_type(fn->result) : unit_type_;
      Type* row;
      if (fn->row) {
        row = resolve_row(fn->row);
      } else if (type_mode_ == TypeMode::kAnnotation) {
        row = types_.row_var(type_level_);
        inferred_row_seen_ = true;
      } else {
        row = types_.row_empty();
      }
      type = types_.fn(params.data(), static_cast<unsigned>(params.size()), result, row);
      break;
    }
    case TypeExprKind::kHole:
      if (type_mode_ == TypeMode::kAnnotation) {
        hole_seen_ = true;
        type = types_.var(type_level_);
      } else {
        diags_.error(t->span, "a declaration must name its types")
            .here("`_` stands for a type to be inferred");
      }
      break;
    case TypeExprKind::kRow:
      diags_.error(t->span, "an effect row cannot stand here").here("expected a type");
      break;
    case TypeExprKind::kError:
      break;
  }
  t->type = type;
  return type;
}

Type* Checker::type_variable(Symbol name, Span span, bool is_row) {
  if (Type* known = type_vars_ ? type_vars_->get(name) : nullptr) {
    if (known->tag != TypeTag::Error && known->is_row != is_row) {
      diags_.error(span, fmt::format("`{}` is used both as a type and as an effect row", text(name)))
          .here(is_row ? "here it is a row" : "here it is a type");
      return error_;
    }
    return known;
  }
  Type* made;
  switch (type_mode_) {
    case TypeMode::kDeclaration:
      diags_.error(span, fmt::format("unknown type variable `{}`", text(name)))
          .here(fmt::format("not a parameter of `{}`", type_owner_ ? text(type_owner_->name) : "this type"))
          .help(type_owner_ ? fmt::format("declare it: `{}<{}>`", text(type_owner_->name), text(name))
                            : std::string("write a type"));
      made = error_;
      break;
    case TypeMode::kOperation:
      made = types_.generic(operation_vars_++, is_row, name);
      operation_rows_.push_back(is_row);
      break;
    default:
      made = types_.rigid(name, is_row, type_level_, span.begin);
      if (new_rigids_) new_rigids_->push_back(made);
      break;
  }
  if (type_vars_) (*type_vars_)[name] = made;
  return made;
}

Type* Checker::resolve_row(RowExpr* row) {
  Type* tail = types_.row_empty();
  size_t count = row->effects.size;
  if (row->tail) {
    if (row->tail->kind == TypeExprKind::kVar) {
      tail = type_variable(as<VarType>(row->tail)->name, row->tail->span, true);
    } else if (row->tail->kind == TypeExprKind::kHole && type_mode_ == TypeMode::kAnnotation) {
      tail = types_.row_var(type_level_);
      hole_seen_ = true;
    } else {
      tail = error_;
    }
  } else if (count > 0 && row->effects[count - 1]->kind == TypeExprKind::kVar) {
    // `{e}` and `{Exn, e}`: the last lower-case name is the tail.
    VarType* var = as<VarType>(row->effects[count - 1]);
    tail = type_variable(var->name, var->span, true);
    count--;
  }
  for (size_t i = count; i-- > 0;) {
    Type* effect = resolve_effect(row->effects[i]);
    if (effect->tag == TypeTag::Con)
      tail = types_.row_cons(effect, tail);
    else
      tail = error_;
  }
  return tail;
}

Type* Checker::resolve_effect(TypeExpr* t) {
  if (t->kind == TypeExprKind::kName) {
    Type* effect = resolve_name(as<NameType>(t), true);
    t->type = effect;
    return effect;
  }
  if (t->kind != TypeExprKind::kError) {
    diags_.error(t->span, t->kind == TypeExprKind::kVar
                              ? "a row variable stands after `|`, at the end of a row"
                              : "expected an effect");
  }
  return error_;
}

Type* Checker::resolve_type_arg(TypeExpr* t, bool is_row) {
  if (!is_row) return resolve_type(t);
  Type* row = error_;
  switch (t->kind) {
    case TypeExprKind::kRow:
      row = resolve_row(as<RowType>(t)->row);
      break;
    case TypeExprKind::kVar:
      row = type_variable(as<VarType>(t)->name, t->span, true);
      break;
    case TypeExprKind::kName: {
      Type* effect = resolve_effect(t);
      row = effect->tag == TypeTag::Con ? types_.row_cons(effect, types_.row_empty()) : error_;
      break;
    }
    case TypeExprKind::kHole:
      if (type_mode_ == TypeMode::kAnnotation) {
        hole_seen_ = true;
        row = types_.row_var(type_level_);
      }
      break;
    case TypeExprKind::kError:
      break;
    default:
      diags_.error(t->span, "expected an effect row").help("write one in braces: `{IO}`, `{}`, `{Exn | e}`");
      break;
  }
  t->type = row;
  return row;
}

Type* Checker::resolve_name(NameType* t, bool as_effect) {
  TypeDef* def = find_type(t->module, t->name);
  std::string_view name = text(t->name.name);
  if (!def) {
    if (t->module.name) {
      ModuleInfo** seen = scope_of(module_).modules.find(t->module.name);
      if (seen && !*seen) return error_;  // its import was reported
      ModuleInfo* m = visible_module(module_, t->module.name);
      if (!m) {
        diags_.error(t->module.span, fmt::format("there is no module `{}` here", text(t->module.name)))
            .help(fmt::format("import it: `import …/{}`", text(t->module.name)));
      } else if (scope_of(m).types.get(t->name.name)) {
        diags_.error(t->name.span, fmt::format("the type `{}` is private to the module `{}`", name, m->name));
      } else {
        Diagnostic& d =
            diags_.error(t->name.span, fmt::format("the module `{}` has no type `{}`", m->name, name));
        Names names;
        for (auto& entry : scope_of(m).types.slots()) {
          if (entry.key && !entry.value->is_private) names.push_back(text(entry.key));
        }
        suggest(d, name, names);
      }
      return error_;
    }
    Diagnostic& d =
        diags_.error(t->name.span, fmt::format("unknown {} `{}`", as_effect ? "effect" : "type", name));
    d.here("not found in this scope");
    if (name == "Map" || name == "Set") {
      d.help(fmt::format("add `import std/{}`", name == "Map" ? "map" : "set"));
    } else {
      suggest(d, name, visible_types());
    }
    return error_;
  }
  t->note = arena_.make<TypeNote>();
  t->note->def = def;
  if (as_effect && def->kind == TypeDefKind::kAlias) resolve_alias(def);
  if (as_effect && def->kind != TypeDefKind::kEffect) {
    diags_.error(t->name.span, fmt::format("`{}` is a type, not an effect", name))
        .here("only effects stand in a row");
    return error_;
  }
  unsigned wanted = def->row_params.size;
  unsigned given = t->args.size;
  if (given != wanted) {
    // An effect may leave its arguments to inference where types are inferred.
    bool infer = given == 0 && type_mode_ == TypeMode::kAnnotation && def->kind == TypeDefKind::kEffect;
    if (!infer) {
      Diagnostic& d = diags_.error(t->span, fmt::format("`{}` takes {} type argument{}, not {}", name, wanted,
                                                        wanted == 1 ? "" : "s", given));
      declared_at(d, def->span, "declared here", nullptr);
      if (given == 0) {
        std::string params;
        for (Symbol p : def->param_names) params += (params.empty() ? "" : ", ") + std::string(text(p));
        d.help(fmt::format("write `{}<{}>`", name, params));
      }
      return error_;
    }
    hole_seen_ = true;
    std::vector<Type*> args;
    for (bool is_row : def->row_params) {
      args.push_back(is_row ? types_.row_var(type_level_) : types_.var(type_level_));
    }
    return types_.con(def, args.data(), wanted);
  }
  if (given == 0 && def->kind != TypeDefKind::kAlias) return con(def);
  std::vector<Type*> args;
  args.reserve(given);
  for (unsigned i = 0; i < given; i++) args.push_back(resolve_type_arg(t->args[i], def->row_params[i]));
  if (def->kind == TypeDefKind::kAlias) {
    resolve_alias(def);
    if (!def->alias) return error_;
    return substitute(types_, def->alias, args.data());
  }
  return types_.con(def, args.data(), given);
}

}  // namespace eddy::lang
