// Constructors, operations, natives and intrinsics as function values.
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

vm::FunctionData Lowering::wrap(Binding* target, bool floats) {
  std::vector<Reg> args;
  auto params = [&](size_t count) {
    for (size_t i = 0; i < count; ++i) args.push_back(take());
    b_.data().params = static_cast<uint16_t>(count);
  };
  at(target->span);
  switch (target->kind) {
    case BindingKind::kConstructor: {
      auto* c = static_cast<ConstructorBinding*>(target);
      params(c->fields.size);
      std::vector<Val> fields;
      for (uint32_t i = 0; i < c->fields.size; ++i) {
        Val v{args[i], false};
        fields.push_back(is_float(c->fields[i].type) ? to_raw(v) : v);
      }
      finish(construct(c, fields, {}), Dest::ret());
      break;
    }
    case BindingKind::kOperation: {
      auto* op = static_cast<OperationBinding*>(target);
      params(op->params.size);
      perform(op, args, false, target->span, Dest::ret());
      break;
    }
    case BindingKind::kFunction: {
      auto* f = static_cast<FunctionBinding*>(target);
      params(f->decl->params.size);
      if (!f->native.empty()) {
        native(f->native, args, target->span, Dest::ret());
        break;
      }
      std::string_view name = f->intrinsic;
      auto unary = [&](Op op, bool raw_in, bool raw_out) {
        Val v{args[0], false};
        if (raw_in) v = to_raw(v);
        Reg r = take(raw_out);
        emit(op, {r, v.reg});
        finish({r, true}, Dest::ret());
      };
      if (name == "panic")
        emit(Op::PANIC, {args[0]});
      else if (name == "attempt")
        attempt({args[0], false}, target->span, Dest::ret());
      else if (name == "drop") {
        emit(Op::DROP, {args[0]});
        emit(Op::RET_UNIT);
      } else if (name == "abs")
        unary(floats ? Op::FABS : Op::ABS, floats, floats);
      else if (name == "not")
        unary(Op::NOT, false, false);
      else if (name == "array.length")
        unary(Op::ARRAY_LEN, false, false);
      else if (name == "int.to_float")
        unary(Op::INT_TO_FLOAT, false, true);
      else if (name == "float.abs")
        unary(Op::FABS, true, true);
      else if (name == "float.sqrt")
        unary(Op::FSQRT, true, true);
      else
        emit(Op::RET_UNIT);
      break;
    }
    default:
      emit(Op::RET_UNIT);
      break;
  }
  return b_.build(p_.module().sites);
}

}  // namespace eddy::lang::lower
