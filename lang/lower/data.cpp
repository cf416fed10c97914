// Constructors, tuples, lists, arrays: making them, and reading fields and elements.
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

namespace {
constexpr unsigned kMostRegistersOfAList = 64;
}

Val Lowering::construct(ConstructorBinding* c, std::span<const Val> fields, std::optional<Reg> want) {
  uint16_t id = p_.constructor(c);
  if (c->fields.empty()) {
    Reg r = pick(want, false);
    emit(Op::LOAD_CON, {r, id});
    return result(want, r);
  }
  std::vector<Reg> regs;
  for (const Val& v : fields) {
    release(v);
    regs.push_back(v.reg);
  }
  Reg r = pick(want, false);
  emit(Op::MAKE, {r, id}, regs);
  return result(want, r);
}

Val Lowering::tuple(TupleExpr* e, std::optional<Reg> want) {
  std::vector<Val> vals;
  std::vector<Reg> regs;
  for (uint32_t i = 0; i < e->items.size; ++i) {
    Val v = tagged(e->items[i]);
    for (uint32_t k = i + 1; k < e->items.size && !v.owned; ++k) v = stable(v, e->items[i], {e->items[k]});
    vals.push_back(v);
    regs.push_back(v.reg);
  }
  release_all(vals);
  Reg r = pick(want, false);
  emit(Op::MAKE, {r, rt::con::tuple(e->items.size)}, regs);
  return result(want, r);
}

Val Lowering::list(ListExpr* e, std::optional<Reg> want) {
  return list_of({e->items.data, e->items.size}, e->rest, e->span, want);
}

Val Lowering::list_of(std::span<Expr* const> items, Expr* rest, Span span, std::optional<Reg> want) {
  if (items.empty()) {
    if (rest) return eval(rest, want);
    Reg r = pick(want, false);
    emit(Op::LOAD_CON, {r, rt::con::Nil});
    return result(want, r);
  }
  if (items.size() > kMostRegistersOfAList) {
    Val elements = array_of(items, {});
    Val tail{};
    if (rest) tail = tagged(rest);
    std::vector<Reg> args{elements.reg};
    if (!rest) {
      release(elements);
      Reg r = pick(want, false);
      native("array.to_list", args, span, Dest::into(r));
      return result(want, r);
    }
    Reg list = take();
    native("array.to_list", args, span, Dest::into(list));
    release(elements);
    release(tail);
    b_.give(list);
    Reg r = pick(want, false);
    std::vector<Reg> both{list, tail.reg};
    call_std(p_.checked().list_append, both, span, Dest::into(r));
    return result(want, r);
  }
  std::vector<Val> vals;
  for (size_t i = 0; i < items.size(); ++i) {
    Val v = tagged(items[i]);
    for (size_t k = i + 1; k < items.size() && !v.owned; ++k) v = stable(v, items[i], {items[k]});
    if (rest && !v.owned) v = stable(v, items[i], {rest});
    vals.push_back(v);
  }
  Val tail;
  if (rest) {
    tail = tagged(rest);
  } else {
    tail = {take(), true};
    emit(Op::LOAD_CON, {tail.reg, rt::con::Nil});
  }
  for (size_t i = vals.size(); i-- > 0;) {
    release(vals[i]);
    release(tail);
    Reg regs[2] = {vals[i].reg, tail.reg};
    Reg r = i == 0 ? pick(want, false) : take();
    emit(Op::MAKE, {r, rt::con::Cons}, regs);
    tail = {r, true};
  }
  return result(want, tail.reg);
}

Val Lowering::array(ArrayExpr* e, std::optional<Reg> want) {
  return array_of({e->items.data, e->items.size}, want);
}

Val Lowering::array_of(std::span<Expr* const> items, std::optional<Reg> want) {
  if (items.size() <= kMostRegistersOfAList) {
    std::vector<Val> vals;
    std::vector<Reg> regs;
    for (size_t i = 0; i < items.size(); ++i) {
      Val v = tagged(items[i]);
      for (size_t k = i + 1; k < items.size() && !v.owned; ++k) v = stable(v, items[i], {items[k]});
      vals.push_back(v);
      regs.push_back(v.reg);
    }
    release_all(vals);
    Reg r = pick(want, false);
    emit(Op::MAKE_ARRAY, {r}, regs);
    return result(want, r);
  }
  // Too many to hold in registers at once: stored one by one. The first decides what kind of array it is.
  Reg out = take();
  Val first = tagged(items[0]);
  Val length = load_int(static_cast<int64_t>(items.size()), {});
  std::vector<Reg> args{length.reg, first.reg};
  native("array.new", args, items[0]->span, Dest::into(out));
  release(length);
  release(first);
  for (size_t i = 1; i < items.size(); ++i) {
    Val v = tagged(items[i]);
    Val number = load_int(static_cast<int64_t>(i), {});
    emit(Op::ARRAY_SET, {out, number.reg, v.reg});
    release(number);
    release(v);
  }
  return {out, true};
}

// --- fields and elements

bool Lowering::field_is_raw(const CallNote* note) const {
  if (note->kind != CallKind::kField && note->kind != CallKind::kFieldClosure) return false;
  if (!note->type_def || note->type_def->constructors.empty() || note->fields.empty()) return false;
  return is_float(note->type_def->constructors[0]->fields[note->fields[0]].type);
}

Val Lowering::field(Val object, const CallNote* note, bool raw, Span span, std::optional<Reg> want) {
  if (note->kind == CallKind::kTupleField) raw = false;
  TypeDef* def = note->type_def;
  at(span);
  uint32_t count = def->constructors.size;
  Op checked = raw ? Op::GET_RC : Op::GET_C;
  if (count == 1) {
    release(object);
    Reg r = pick(want, raw);
    emit(checked, {r, object.reg, note->fields[0], p_.constructor(def->constructors[0])});
    return result(want, r);
  }
  Reg r = pick(want, raw);
  bool own = !(want && *want == r);
  if (!own && r == object.reg) {  // still read after it would be written
    r = take(raw);
    own = true;
  }
  vm::Label end = b_.label();
  for (uint32_t i = 0; i < count; ++i) {
    uint16_t con = p_.constructor(def->constructors[i]);
    if (i + 1 == count) {
      emit(checked, {r, object.reg, note->fields[i], con});
    } else {
      vm::Label next = b_.label();
      emit(Op::JISNT, {object.reg, con, next});
      emit(raw ? Op::GET_R : Op::GET, {r, object.reg, note->fields[i]});
      emit(Op::JMP, {end});
      b_.bind(next);
    }
  }
  b_.bind(end);
  release(object);
  return {r, own};
}

Val Lowering::index(IndexExpr* e, std::optional<Reg> want) {
  Val object = stable(tagged(e->object), e->object, {e->index});
  Val index = tagged(e->index);
  release(object);
  release(index);
  at(e->span);
  Reg regs[2] = {object.reg, index.reg};
  switch (e->note->kind) {
    case CallKind::kIndexArray: {
      bool raw = is_float(e->type);
      Reg r = pick(want, raw);
      emit(raw ? Op::ARRAY_GET_R : Op::ARRAY_GET, {r, object.reg, index.reg});
      return result(want, r);
    }
    case CallKind::kIndexString: {
      Reg r = pick(want, false);
      native("string.at", regs, e->span, Dest::into(r));
      return result(want, r);
    }
    default: {
      Reg r = pick(want, false);
      FunctionBinding* f = e->note->kind == CallKind::kIndexList ? p_.checked().list_at : p_.checked().map_at;
      call_std(f, regs, e->span, Dest::into(r));
      return result(want, r);
    }
  }
}

}  // namespace eddy::lang::lower
