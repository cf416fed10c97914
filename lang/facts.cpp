// What the lowering asks of finished types.
#include "lang/checked.h"

namespace eddy::lang {

namespace {

Type* pruned(const Type* t) { return prune(const_cast<Type*>(t)); }

bool is_multi(const TypeDef* effect) {
  for (const OperationBinding* op : effect->operations) {
    if (op->multi) return true;
  }
  return false;
}

}  // namespace

RowFacts row_facts(const Type* row) {
  RowFacts facts;
  if (!row) return facts;
  Type* at = pruned(row);
  for (; at->tag == TypeTag::RowCons; at = prune(at->rest())) {
    Type* effect = prune(at->effect());
    if (effect->tag != TypeTag::Con || effect->def->builtin == BuiltinType::kIO) continue;
    facts.performs = true;
    facts.multi |= is_multi(effect->def);
  }
  if (at->tag != TypeTag::RowEmpty) facts = {true, true, true};
  return facts;
}

RowFacts call_facts(const CallNote& note) {
  // A closed signature is exact; its instance at a call is as well. An instantiated tail has been made equal
  // to the caller's row, which is all that is known of it.
  if (note.kind == CallKind::kFunction && note.target) {
    Type* fn = prune(static_cast<const FunctionBinding*>(note.target)->scheme.type);
    if (fn->tag == TypeTag::Fn && row_tail(fn->row())->tag == TypeTag::RowEmpty) return row_facts(fn->row());
  }
  if (note.kind == CallKind::kConstructor) return {};
  return row_facts(note.row);
}

Rep rep_of(const Type* type) {
  if (!type) return Rep::kUnknown;
  Type* t = pruned(type);
  if (t->tag == TypeTag::Fn) return Rep::kFn;
  if (t->tag != TypeTag::Con) return Rep::kUnknown;
  const TypeDef* def = t->def;
  switch (def->builtin) {
    case BuiltinType::kInt:
      return Rep::kInt;
    case BuiltinType::kFloat:
      return Rep::kFloat;
    case BuiltinType::kBool:
      return Rep::kBool;
    case BuiltinType::kChar:
      return Rep::kChar;
    case BuiltinType::kString:
      return Rep::kString;
    case BuiltinType::kUnit:
      return Rep::kUnit;
    case BuiltinType::kNever:
      return Rep::kNever;
    default:
      break;
  }
  switch (def->kind) {
    case TypeDefKind::kData:
      return Rep::kData;
    case TypeDefKind::kOpaque:
      return Rep::kOpaque;
    case TypeDefKind::kTuple:
      return Rep::kTuple;
    case TypeDefKind::kEffect:
      return Rep::kHandler;
    case TypeDefKind::kAlias:
      break;
  }
  return Rep::kUnknown;
}

TypeDef* def_of(const Type* type) { return type ? outermost(const_cast<Type*>(type)) : nullptr; }

Type* arg_of(const Type* type, unsigned i) {
  Type* t = pruned(type);
  return i < t->count ? prune(t->arg(i)) : nullptr;
}

}  // namespace eddy::lang
