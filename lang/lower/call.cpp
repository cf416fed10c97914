// Calls of every kind. Arguments are evaluated from left to right as written, then defaults.
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

// --- arguments

Val Lowering::argument(CallArg& a, Val* piped, bool raw, Span span) {
  Val v = either_argument(a, piped, span);
  return raw ? to_raw(v) : to_tagged(v);
}

// A Float with or without its object, as it comes.
Val Lowering::either_argument(CallArg& a, Val* piped, Span span) {
  switch (a.kind) {
    case ArgKind::kGiven: return eval(a.value);
    case ArgKind::kPiped: {
      Val v = *piped;
      piped->owned = false;
      return v;
    }
    case ArgKind::kVariadic:
      return list_of({a.items.data, a.items.size}, nullptr, span, {});
    default: {
      Reg r = take();
      emit(Op::LOAD_UNIT, {r});
      return {r, true};
    }
  }
}

Val Lowering::default_argument(CallNote* note, uint32_t index, std::span<const Val> before,
                               Slice<Param> params, std::string_view callee) {
  Expr* value = note->args[index].value;
  if (is_simple_default(value)) return eval(value);
  Unit* local = p_.local_default(value);
  uint32_t function = local ? p_.unit(local) : p_.default_value(value, params, index, callee);
  std::vector<Val> boxed;
  std::vector<Reg> regs;
  for (uint32_t i = 0; i < std::min<uint32_t>(index, params.size); ++i) {
    Val v = before[i];
    if (v.reg.is_raw) {
      v = to_tagged({v.reg, false});
      boxed.push_back(v);
    }
    regs.push_back(v.reg);
  }
  if (local && local->lifted) {
    for (Local* c : local->captures()) {
      std::optional<Val> v = capture_operand(c);
      if (!v) v = read(c, {});
      boxed.push_back(*v);
      regs.push_back(v->reg);
    }
  }
  release_all(boxed);
  Reg r = take();
  at(value->span);
  emit(Op::CALL, {r, function}, regs);
  return {r, true};
}

std::vector<Val> Lowering::arguments(CallNote* note, Val* piped, Slice<Param> params, std::string_view callee,
                                     ConstructorBinding* constructor) {
  std::vector<Val> vals(note->args.size);
  auto is_raw_field = [&](uint32_t i) { return constructor && is_float(constructor->fields[i].type); };
  uint32_t count = note->order.data ? note->order.size : note->args.size;
  auto number = [&](uint32_t k) -> uint32_t { return note->order.data ? note->order[k] : k; };
  for (uint32_t k = 0; k < count; ++k) {
    uint32_t i = number(k);
    CallArg& a = note->args[i];
    if (a.kind == ArgKind::kDefault) continue;
    Val v = either_argument(a, piped, a.value ? a.value->span : Span{});
    if (is_raw_field(i)) v = to_raw(v);
    if (!v.owned && a.kind == ArgKind::kGiven) {
      for (uint32_t later = k + 1; later < count && !v.owned; ++later) {
        const CallArg& other = note->args[number(later)];
        if (other.kind == ArgKind::kGiven) v = stable(v, a.value, {other.value});
        for (const Expr* item : other.items) v = stable(v, a.value, {item});
      }
    }
    vals[i] = v;
  }
  for (uint32_t i = 0; i < note->args.size; ++i) {
    if (note->args[i].kind != ArgKind::kDefault) continue;
    Val v = default_argument(note, i, vals, params, callee);
    vals[i] = is_raw_field(i) ? to_raw(v) : v;
  }
  // Objects for Floats in one go, last: compilers see that they are for the call alone.
  for (uint32_t i = 0; i < note->args.size; ++i)
    if (!is_raw_field(i)) vals[i] = to_tagged(vals[i]);
  return vals;
}

namespace {
std::vector<Reg> registers(std::span<const Val> vals) {
  std::vector<Reg> regs;
  regs.reserve(vals.size());
  for (const Val& v : vals) regs.push_back(v.reg);
  return regs;
}
}  // namespace

// --- the instructions

void Lowering::call_known(uint32_t function, std::span<const Reg> args, Span span, Dest d) {
  at(span);
  if (d.is_return() && in_tail() && !tail_forbidden()) {
    leave_to(0);
    emit(Op::TAIL_CALL, {function}, args);
    return;
  }
  Reg r = d.is_into() && !d.reg.is_raw ? d.reg : take();
  emit(Op::CALL, {r, function}, args);
  finish({r, !(d.is_into() && d.reg == r)}, d);
}

void Lowering::call_closure(Reg callee, std::span<const Reg> args, Span span, Dest d) {
  at(span);
  if (d.is_return() && in_tail() && !tail_forbidden()) {
    leave_to(0);
    emit(Op::TAIL_CLOSURE, {callee, 0}, args);
    return;
  }
  Reg r = d.is_into() && !d.reg.is_raw ? d.reg : take();
  emit(Op::CALL_CLOSURE, {r, callee, 0}, args);
  finish({r, !(d.is_into() && d.reg == r)}, d);
}

void Lowering::native(std::string_view name, std::span<const Reg> args, Span span, Dest d) {
  at(span);
  Reg r = d.is_into() && !d.reg.is_raw ? d.reg : take();
  emit(Op::NATIVE, {r, p_.native(name)}, args);
  finish({r, !(d.is_into() && d.reg == r)}, d);
}

void Lowering::call_std(FunctionBinding* f, std::span<const Reg> args, Span span, Dest d) {
  if (!f) return;
  if (!f->native.empty())
    native(f->native, args, span, d);
  else
    call_known(p_.function(f), args, span, d);
}

void Lowering::perform(OperationBinding* op, std::span<const Reg> args, bool named, Span span, Dest d) {
  at(span);
  Reg r = d.is_into() && !d.reg.is_raw ? d.reg : take();
  emit(named ? Op::PERFORM_NAMED : Op::PERFORM, {r, op->index, p_.effect(op->effect)}, args);
  finish({r, !(d.is_into() && d.reg == r)}, d);
}

// A clause that has yet to give up its resumption when its value is there cannot leave its frame to a callee.
bool Lowering::tail_forbidden() const {
  if (u_.kind == UnitKindOf::kCleanup || u_.kind == UnitKindOf::kLoopBody) return true;
  if (u_.kind != UnitKindOf::kClause) return false;
  bool captures = u_.clause_kind == rt::ClauseKind::Once || u_.clause_kind == rt::ClauseKind::Multi;
  return captures && u_.resume && !u_.resume_escapes && !resumed_;
}

// --- by what is called

void Lowering::call(CallNote* note, Expr* e, Span span, Dest d, Val* piped) {
  if (note->args.size > kMostArguments) {
    p_.too_large(span, "a call with so many arguments cannot be compiled");
    return;
  }
  switch (note->kind) {
    case CallKind::kFunction:
      call_function(static_cast<FunctionBinding*>(note->target), note, span, d, piped);
      return;
    case CallKind::kConstructor: {
      auto* c = static_cast<ConstructorBinding*>(note->target);
      std::vector<Val> vals = arguments(note, piped, {}, p_.text(c->name), c);
      std::optional<Reg> want;
      if (d.is_into()) want = d.reg;
      finish(construct(c, vals, want), d);
      return;
    }
    case CallKind::kOperation: {
      std::vector<Val> vals = arguments(note, piped, {}, {});
      std::vector<Reg> regs = registers(vals);
      release_all(vals);
      perform(static_cast<OperationBinding*>(note->target), regs, false, span, d);
      return;
    }
    case CallKind::kNamedOperation: {
      Val handler = settle(tagged(note->callee), note->callee);
      std::vector<Val> vals = arguments(note, piped, {}, {});
      std::vector<Reg> regs = registers(vals);
      regs.insert(regs.begin(), handler.reg);
      release_all(vals);
      release(handler);
      perform(static_cast<OperationBinding*>(note->target), regs, true, span, d);
      return;
    }
    case CallKind::kLocalFn:
      call_local_fn(static_cast<LocalBinding*>(note->target), note, span, d, piped);
      return;
    case CallKind::kFieldClosure:
    case CallKind::kClosure: {
      if (note->is_resume && note->kind == CallKind::kClosure) {
        resume(note, e, span, d, piped);
        return;
      }
      Val callee;
      if (note->kind == CallKind::kClosure) {
        callee = settle(tagged(note->callee), note->callee);
      } else {
        Val object = tagged(note->callee);
        callee = to_tagged(field(object, note, field_is_raw(note), span, {}));
      }
      std::vector<Val> vals;
      // A left-out () need not be passed.
      if (note->args.size != 1 || note->args[0].kind != ArgKind::kUnit) vals = arguments(note, piped, {}, {});
      std::vector<Reg> regs = registers(vals);
      release_all(vals);
      release(callee);
      call_closure(callee.reg, regs, span, d);
      return;
    }
    default:
      return;
  }
}

void Lowering::call_function(FunctionBinding* f, CallNote* note, Span span, Dest d, Val* piped) {
  if (!f->intrinsic.empty() && intrinsic(f, note, span, d, piped)) return;
  Slice<Param> params = f->decl->params;
  if (f->native.empty() && !f->is_memo && is_self_tail(f->note, d)) {
    self_tail_call(note, piped, params, p_.text(f->name));
    return;
  }
  std::vector<Val> vals = arguments(note, piped, params, p_.text(f->name));
  std::vector<Reg> regs = registers(vals);
  release_all(vals);
  if (!f->native.empty()) {
    native(f->native, regs, span, d);
  } else if (d.is_return() && keeps_caller(f, note)) {
    Reg r = take();
    call_known(p_.function(f), regs, span, Dest::into(r));
    finish({r, true}, d);
  } else {
    call_known(p_.function(f), regs, span, d);
  }
}

namespace {
// Whether a value of the type can hold nothing that a function could call: by what is built in alone.
bool is_plain_data(const Type* t, unsigned depth) {
  t = prune(const_cast<Type*>(t));
  switch (t->tag) {
    case TypeTag::Generic:
    case TypeTag::Rigid:
    case TypeTag::Var:
      return true;
    case TypeTag::Con: {
      if (depth == 0 || (t->def->builtin == BuiltinType::kNone && t->def->kind != TypeDefKind::kTuple))
        return false;
      for (uint32_t i = 0; i < t->count; ++i) {
        if (!is_plain_data(t->arg(i), depth - 1)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}
}  // namespace

// A call in tail position of a library function that calls nothing of the program's: the stack cannot grow by it,
// and a trace shows who called it (`assert`, `unwrap`).
bool Lowering::keeps_caller(const FunctionBinding* f, const CallNote* note) const {
  if (p_.in_std() || !f->module || !f->module->is_std || call_facts(*note).performs) return false;
  const Type* type = prune(f->scheme.type);
  if (type->tag != TypeTag::Fn) return false;
  for (unsigned i = 0; i < type->param_count(); ++i) {
    if (!is_plain_data(type->param(i), 3)) return false;
  }
  return true;
}

void Lowering::call_local_fn(LocalBinding* b, CallNote* note, Span span, Dest d, Val* piped) {
  Local* l = static_cast<Local*>(b->lowered);
  Unit* fn = l->fn;
  Slice<Param> params = b->decl ? b->decl->params : Slice<Param>{};
  if (is_self_tail(fn->note, d)) {
    self_tail_call(note, piped, params, fn->name);
    return;
  }
  if (!fn->plain && !fn->lifted) {
    Val callee = read(l, {});
    std::vector<Val> vals = arguments(note, piped, params, fn->name);
    std::vector<Reg> regs = registers(vals);
    release_all(vals);
    release(callee);
    call_closure(callee.reg, regs, span, d);
    return;
  }
  std::vector<Val> vals = arguments(note, piped, params, fn->name);
  if (fn->lifted) {
    // What it captures goes along.
    for (Local* c : fn->captures()) {
      std::optional<Val> v = capture_operand(c);
      if (!v) v = read(c, {});  // panics: not there yet
      vals.push_back(*v);
    }
  }
  std::vector<Reg> regs = registers(vals);
  release_all(vals);
  call_known(p_.unit(fn), regs, span, d);
}

// --- a function that calls itself last is a loop

bool Lowering::is_self_tail(const FnNote* callee, Dest d) const {
  return d.is_return() && in_tail() && has_start_ && callee && callee == u_.note && !tail_forbidden();
}

void Lowering::self_tail_call(CallNote* note, Val* piped, Slice<Param> params, std::string_view callee) {
  uint32_t count = note->args.size;
  bool plain = !note->order.data;
  for (const CallArg& a : note->args) plain &= a.kind == ArgKind::kGiven;
  if (!plain) {
    std::vector<Val> vals = arguments(note, piped, params, callee);
    // All are there before the first is moved: one may be another's old value.
    for (uint32_t i = 0; i < count; ++i) {
      if (param_registers_[i].index == ~0u || vals[i].owned) continue;
      if (!(vals[i].reg == param_registers_[i])) vals[i] = keep(vals[i]);
    }
    for (uint32_t i = 0; i < count; ++i) {
      if (param_registers_[i].index != ~0u) move(param_registers_[i], vals[i].reg);
    }
    release_all(vals);
  } else {
    struct Pending {
      Reg to;
      Val v;
    };
    std::vector<Pending> pending;
    for (uint32_t i = 0; i < count; ++i) {
      Expr* value = note->args[i].value;
      Reg to = param_registers_[i];
      if (to.index == ~0u) {
        lower(value, Dest::discard());
        continue;
      }
      bool read_later = false;
      for (uint32_t k = i + 1; k < count && !read_later; ++k) {
        int budget = 60;
        read_later = mentions(note->args[k].value, to, budget);
      }
      // A variable that keeps its value, or one that was given another's register, is no later reader of it.
      for (const Pending& p : pending) read_later |= !p.v.owned && p.v.reg == to;
      if (!read_later) {
        into(value, to);
        continue;
      }
      Val v = eval(value);
      if (v.reg == to) continue;
      if (!v.owned) {
        // Another parameter's old value: it must survive that one's move.
        v = keep(v);
      }
      pending.push_back({to, v});
    }
    for (Pending& p : pending) {
      move(p.to, p.v.reg);
      release(p.v);
    }
  }
  leave_to(0);
  emit(Op::LOOP, {start_});
}

// --- pipes

void Lowering::pipe(PipeExpr* e, Dest d) {
  Val v = eval(e->first);
  v = settle(v, e->first);
  for (uint32_t i = 0; i < e->stages.size; ++i) {
    PipeStage& stage = e->stages[i];
    bool last = i + 1 == e->stages.size;
    Reg r{};
    Dest to = d;
    if (!last) {
      r = take(is_float(stage.type));
      to = Dest::fresh_in(r);
    }
    Val given = v;
    CallNote* note = stage.note;
    Span span = stage.value->span;
    if (!note) {
      if (stage.value->kind == ExprKind::kCall)
        note = as<CallExpr>(stage.value)->note;
      else if (stage.value->kind == ExprKind::kMethodCall) {
        note = as<MethodCallExpr>(stage.value)->note;
        span = as<MethodCallExpr>(stage.value)->name.span;
      }
    }
    if (!live()) return;
    if (is_unresolved(note)) {  // what was to be called never comes to be
      Expr* callee = stage.value;
      if (!stage.note && callee->kind == ExprKind::kCall)
        callee = as<CallExpr>(callee)->callee;
      else if (!stage.note && callee->kind == ExprKind::kMethodCall)
        callee = as<MethodCallExpr>(callee)->object;
      never(callee, to);
      return;
    }
    call(note, stage.value, span, to, &given);
    release(given);
    v = {r, true};
  }
}

}  // namespace eddy::lang::lower
