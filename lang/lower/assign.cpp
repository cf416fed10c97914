// target = value, target op= value. A compound assignment reads its target first.
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

void Lowering::assign(AssignExpr* e) {
  switch (e->target->kind) {
    case ExprKind::kName:
      if (Local* l = local_of(e->target)) assign_local(l, e);
      return;
    case ExprKind::kField: {
      auto* target = as<FieldExpr>(e->target);
      CallNote* note = target->note;
      if (is_unresolved(note)) return lower(target->object, Dest::discard());
      bool is_raw = field_is_raw(note);
      Val object = stable(tagged(note->callee ? note->callee : target->object), target->object, {e->value});
      Val value;
      if (e->compound) {
        Val old = field({object.reg, false}, note, is_raw, target->name.span, {});
        value = arith_step(e->op, old, e->value, is_raw, e->op_span, {});
      } else {
        value = is_raw ? raw(e->value) : tagged(e->value);
      }
      at(e->op_span);
      TypeDef* def = note->type_def;
      vm::Label end = b_.label();
      for (uint32_t i = 0; i < def->constructors.size; ++i) {
        vm::Label next = b_.label();
        bool last = i + 1 == def->constructors.size;
        uint16_t con = p_.constructor(def->constructors[i]);
        if (!last) emit(Op::JISNT, {object.reg, con, next});
        emit(is_raw ? Op::SET_RC : Op::SET_C, {object.reg, note->fields[i], value.reg, con});
        if (!last) emit(Op::JMP, {end});
        b_.bind(next);
      }
      b_.bind(end);
      release(value);
      release(object);
      return;
    }
    case ExprKind::kIndex: {
      auto* target = as<IndexExpr>(e->target);
      if (is_unresolved(target->note)) return lower(target->object, Dest::discard());
      bool is_raw = is_float(target->type);
      Val array = stable(tagged(target->object), target->object, {target->index, e->value});
      Val number = stable(tagged(target->index), target->index, {e->value});
      Val value;
      if (e->compound) {
        Reg old = take(is_raw);
        at(target->span);
        emit(is_raw ? Op::ARRAY_GET_R : Op::ARRAY_GET, {old, array.reg, number.reg});
        value = arith_step(e->op, {old, true}, e->value, is_raw, e->op_span, {});
      } else {
        value = is_raw ? raw(e->value) : tagged(e->value);
      }
      at(target->span);
      emit(is_raw ? Op::ARRAY_SET_R : Op::ARRAY_SET, {array.reg, number.reg, value.reg});
      release(value);
      release(number);
      release(array);
      return;
    }
    default:
      return;
  }
}

void Lowering::assign_local(Local* l, AssignExpr* e) {
  if (!is_cell(l)) {
    if (!is_own(l)) return;  // cannot be: what other functions assign is a cell
    if (e->compound) {
      Val old = stable({l->reg, false}, e->target, {e->value});
      Val v = arith_step(e->op, old, e->value, l->is_float, e->op_span, l->reg);
      move(l->reg, v.reg);
      release(v);
    } else {
      into(e->value, l->reg);
    }
    return;
  }
  Val value;
  if (e->compound) {
    Val old = read(l, {});
    if (l->is_float) old = to_raw(old);
    value = to_tagged(arith_step(e->op, old, e->value, l->is_float, e->op_span, {}));
  } else {
    value = tagged(e->value);
  }
  std::optional<Val> cell = capture_operand(l);
  if (!cell) {
    release(read(l, {}));  // panics: not there yet
    release(value);
    return;
  }
  emit(Op::SET_CELL, {cell->reg, value.reg});
  release(value);
  release(*cell);
}

}  // namespace eddy::lang::lower
