// Functions of the library that are instructions (std/natives.md, "Intrinsics").
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

bool Lowering::intrinsic(FunctionBinding* f, CallNote* note, Span span, Dest d, Val* piped) {
  std::string_view name = f->intrinsic;
  if (note->args.size != 1) return false;
  CallArg& a = note->args[0];
  std::optional<Reg> want;
  if (d.is_into()) want = d.reg;
  auto tagged_operand = [&] { return argument(a, piped, false, span); };
  auto raw_operand = [&] { return argument(a, piped, true, span); };
  auto unary = [&](Op op, bool raw_in, bool raw_out) {
    Val v = raw_in ? raw_operand() : tagged_operand();
    release(v);
    Reg r = pick(want, raw_out);
    at(span);
    emit(op, {r, v.reg});
    finish(result(want, r), d);
    return true;
  };
  if (name == "panic") {
    Val v = tagged_operand();
    at(span);
    emit(Op::PANIC, {v.reg});
    release(v);
    return true;
  }
  if (name == "attempt") {
    Val action = tagged_operand();
    attempt(action, span, d);
    return true;
  }
  if (name == "drop") {
    Val v = tagged_operand();
    release(v);
    at(span);
    emit(Op::DROP, {v.reg});
    if (d.is_into())
      emit(Op::LOAD_UNIT, {d.reg});
    else if (d.is_return() && live())
      return_unit();
    return true;
  }
  if (name == "abs") {
    const Type* type = note->fn_type && prune(note->fn_type)->tag == TypeTag::Fn
                           ? prune(note->fn_type)->param(0)
                       : a.value ? a.value->type
                                 : nullptr;
    bool floats = type && is_float(type);
    return unary(floats ? Op::FABS : Op::ABS, floats, floats);
  }
  if (name == "not") return unary(Op::NOT, false, false);
  if (name == "array.length") return unary(Op::ARRAY_LEN, false, false);
  if (name == "int.to_float") return unary(Op::INT_TO_FLOAT, false, true);
  if (name == "float.abs") return unary(Op::FABS, true, true);
  if (name == "float.sqrt") return unary(Op::FSQRT, true, true);
  return false;
}

void Lowering::attempt(Val action, Span span, Dest d) {
  Region region{Region::Kind::kAttempt, b_.take_pair(), b_.take_pair(true)};
  vm::Label caught = b_.label(), end = b_.label();
  Reg r = d.is_into() && !d.reg.is_raw && d.fresh ? d.reg : take();
  at(span);
  emit(Op::ATTEMPT, {region.t, region.z, caught});
  open(region);
  emit(Op::CALL_CLOSURE, {r, action.reg, 0});
  end_region(region);
  regions_.pop_back();
  Reg ok[1] = {r};
  emit(Op::MAKE, {r, rt::con::Ok}, ok);
  emit(Op::JMP, {end});
  b_.bind(caught);
  Reg texts[2] = {region.t, Reg{region.t.index + 1, false}};
  emit(Op::MAKE, {r, rt::con::Panic}, texts);
  emit(Op::MAKE, {r, rt::con::Err}, ok);
  b_.bind(end);
  give_region(region);
  release(action);
  finish({r, !(d.is_into() && d.reg == r)}, d);
}

}  // namespace eddy::lang::lower
