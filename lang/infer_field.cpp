// Fields, tuple items, indexing.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

// The type of a field that every constructor has; null where there is none. Fills the note's field numbers.
Type* Checker::field_type(Type* object, const Ident& name, CallNote* note) {
  TypeDef* def = object->def;
  if (def->constructors.empty()) return nullptr;
  if (def->is_private && def->module != module_) return nullptr;
  Type* type = nullptr;
  bool is_var = true;
  for (ConstructorBinding* c : def->constructors) {
    int i = c->field(name.name);
    if (i < 0) return nullptr;
    is_var &= c->fields[i].is_var;
    if (!type) type = c->fields[i].type;
  }
  Slice<uint16_t> fields = arena_.slice<uint16_t>(def->constructors.size);
  for (uint32_t k = 0; k < def->constructors.size; k++) {
    fields[k] = static_cast<uint16_t>(def->constructors[k]->field(name.name));
  }
  type = substitute(types_, type, object->args());
  for (uint32_t k = 1; k < def->constructors.size; k++) {
    Type* other = substitute(types_, def->constructors[k]->fields[fields[k]].type, object->args());
    if (!unifier_.unify(type, other)) return nullptr;
  }
  note->fields = fields;
  note->type_def = def;
  note->is_var_field = is_var;
  mark_type(def);
  return type;
}

Type* Checker::access_field(FieldExpr* e, Type* object, bool is_lvalue) {
  CallNote* note = e->note;
  if (object->tag == TypeTag::Error || object == never_) return object;
  if (object->tag == TypeTag::Con && object->def->kind == TypeDefKind::kData) {
    if (Type* type = field_type(object, e->name, note)) {
      note->kind = CallKind::kField;
      note->callee = e->object;
      if (is_lvalue && !note->is_var_field) {
        Diagnostic& d =
            diags_.error(e->name.span, fmt::format("the field `{}` cannot be assigned", text(e->name.name)));
        const FieldDef& f = object->def->constructors[0]->fields[note->fields[0]];
        if (f.span) d.label(f.span, "declared here");
        d.help(fmt::format("declare it as `var {}`", text(e->name.name)));
      }
      return type;
    }
  }
  std::string_view name = text(e->name.name);
  Diagnostic& d = diags_.error(e->name.span, fmt::format("`{}` has no field `{}`", show(object), name));
  d.label(e->object->span, fmt::format("this is `{}`", show(object)));
  Names names;
  bool some = false;
  if (object->tag == TypeTag::Con) {
    for (ConstructorBinding* c : object->def->constructors) {
      for (const FieldDef& f : c->fields) {
        if (f.name) names.push_back(text(f.name));
        some |= f.name == e->name.name;
      }
    }
    for (OperationBinding* o : object->def->operations) {
      if (o->name == e->name.name) {
        d.help(fmt::format("`{}` is an operation: call it, `.{}(…)`", name, name));
        return error_;
      }
    }
  }
  if (some) {
    d.note(fmt::format("only some constructors of `{}` have it: use `match`", show(object)));
    return error_;
  }
  Pending p{};
  p.name = e->name;
  p.scope = local(e->name.name);
  if (Binding* b = method_candidate(p, object)) {
    d.help(fmt::format("`{}` is a function: call it, `.{}()`", name, name));
    (void)b;
    return error_;
  }
  suggest(d, name, names);
  return error_;
}

// The type of what a field or an item is taken of; a variable only where nothing tells it yet.
Type* Checker::known_object(Expr* object) {
  Type* type = prune(infer(object));
  if (!is_var(type) || pending_.empty()) return type;
  settle(pending_.size() > 64 ? pending_.size() - 64 : 0, level_, false, true);
  return prune(type);
}

Type* Checker::wait_for_object(Pending::Kind kind, Expr* e, Expr* object, Type* type, Span at,
                               bool is_lvalue) {
  Pending p{};
  p.kind = kind;
  p.expr = e;
  p.subject = type;
  p.result = fresh();
  p.span = at;
  if (kind == Pending::kField) p.name = as<FieldExpr>(e)->name;
  p.is_lvalue = is_lvalue;
  p.receiver = object;
  add_pending(p);
  return p.result;
}

Type* Checker::infer_field(FieldExpr* e, bool is_lvalue) {
  e->note = new_note();
  if (Binding* scope = qualifier(e->object)) {
    Binding* behind = scope->kind == BindingKind::kModule ? module_value(module_, scope->name) : nullptr;
    Binding* b = member_of(scope, e->name, !behind);
    if (b || !behind) {
      if (!b) return error_;
      if (e->object->kind == ExprKind::kName) as<NameExpr>(e->object)->binding = scope;
      e->note->kind = CallKind::kValue;
      e->note->target = b;
      if (is_lvalue) diags_.error(e->span, fmt::format("`{}` cannot be assigned", text(e->name.name)));
      return name_type(b, e->name.span);
    }
  }
  Type* object = known_object(e->object);
  if (is_var(object)) {
    return wait_for_object(Pending::kField, e, e->object, object, e->name.span, is_lvalue);
  }
  return access_field(e, object, is_lvalue);
}

Type* Checker::access_tuple(TupleIndexExpr* e, Type* object) {
  if (object->tag == TypeTag::Error || object == never_) return object;
  if (object->tag == TypeTag::Con && object->def->kind == TypeDefKind::kTuple) {
    if (e->index < object->count) return object->arg(e->index);
    diags_.error(e->span, fmt::format("`{}` has no item {}", show(object), e->index))
        .here(fmt::format("its items are 0 to {}", object->count - 1));
    return error_;
  }
  diags_.error(e->span, fmt::format("`{}` is not a tuple", show(object)))
      .label(e->object->span, fmt::format("this is `{}`", show(object)));
  return error_;
}

Type* Checker::infer_tuple_index(TupleIndexExpr* e) {
  Type* object = known_object(e->object);
  if (is_var(object)) return wait_for_object(Pending::kTupleField, e, e->object, object, e->span, false);
  return access_tuple(e, object);
}

Type* Checker::access_index(IndexExpr* e, Type* object, bool is_lvalue) {
  CallNote* note = e->note;
  if (object->tag == TypeTag::Error || object == never_) return object;
  Type* key = int_;
  Type* value = nullptr;
  if (object->tag == TypeTag::Con) {
    switch (object->def->builtin) {
      case BuiltinType::kArray:
        note->kind = CallKind::kIndexArray;
        value = object->arg(0);
        break;
      case BuiltinType::kList:
        note->kind = CallKind::kIndexList;
        value = object->arg(0);
        if (!out_.program.list_at) out_.program.list_at = std_function("list", "at");
        if (out_.program.list_at) use(out_.program.list_at);
        break;
      case BuiltinType::kString:
        note->kind = CallKind::kIndexString;
        value = char_;
        break;
      case BuiltinType::kMap:
        note->kind = CallKind::kIndexMap;
        key = object->arg(0);
        value = object->arg(1);
        if (!out_.program.map_at) out_.program.map_at = std_function("map", "at");
        if (out_.program.map_at) use(out_.program.map_at);
        break;
      default:
        break;
    }
  }
  if (!value) {
    Diagnostic& d = diags_.error(e->span, fmt::format("`{}` cannot be indexed", show(object)));
    d.label(e->object->span, fmt::format("this is `{}`", show(object)));
    if (object->tag == TypeTag::Con && object->def->kind == TypeDefKind::kTuple)
      d.help("a tuple's items are `.0`, `.1` …");
    else
      d.note("`x[i]` works on Array, List, String and Map");
    return error_;
  }
  coerce(e->index, e->index->type, key, Reason{Reason::kIndex, 0, e->object->span, nullptr});
  if (is_lvalue && note->kind != CallKind::kIndexArray) {
    diags_.error(e->span, fmt::format("the elements of `{}` cannot be assigned", show(object)))
        .help(note->kind == CallKind::kIndexMap ? "a Map does not change: `m = m.insert(key, value)`"
                                                : "only an Array's elements change in place");
  }
  return value;
}

Type* Checker::infer_index(IndexExpr* e, bool is_lvalue) {
  e->note = new_note();
  Type* object = known_object(e->object);
  infer(e->index);
  if (is_var(object)) return wait_for_object(Pending::kIndex, e, e->object, object, e->span, is_lvalue);
  return access_index(e, object, is_lvalue);
}

}  // namespace eddy::lang
