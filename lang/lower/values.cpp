// The dispatch over all kinds of expressions; literals and names.
#include "lang/lower/big_literal.h"
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

namespace {
bool is_control(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kCall:
    case ExprKind::kMethodCall:
    case ExprKind::kPipe:
    case ExprKind::kLogical:
    case ExprKind::kBlock:
    case ExprKind::kIf:
    case ExprKind::kMatch:
    case ExprKind::kWhile:
    case ExprKind::kFor:
    case ExprKind::kLoop:
    case ExprKind::kBreak:
    case ExprKind::kContinue:
    case ExprKind::kReturn:
    case ExprKind::kHandle:
    case ExprKind::kMask:
    case ExprKind::kAssign:
      return true;
    default:
      return false;
  }
}
}  // namespace

void Lowering::lower(Expr* e, Dest d) {
  if (!live()) return;
  if (d.is_return() && u_.clause_kind == rt::ClauseKind::TailOrAbort && u_.kind == UnitKindOf::kClause &&
      return_in_clause(e))
    return;
  switch (e->kind) {
    case ExprKind::kCall:
      if (is_unresolved(as<CallExpr>(e)->note))
        never(as<CallExpr>(e)->callee, d);
      else
        call(as<CallExpr>(e)->note, e, e->span, d);
      return;
    case ExprKind::kMethodCall:
      if (is_unresolved(as<MethodCallExpr>(e)->note))
        never(as<MethodCallExpr>(e)->object, d);
      else
        call(as<MethodCallExpr>(e)->note, e, as<MethodCallExpr>(e)->name.span, d);
      return;
    case ExprKind::kPipe:
      pipe(as<PipeExpr>(e), d);
      return;
    case ExprKind::kLogical:
      logical(as<LogicalExpr>(e), d);
      return;
    case ExprKind::kBlock:
      block(as<BlockExpr>(e), d);
      return;
    case ExprKind::kIf:
      if_(as<IfExpr>(e), d);
      return;
    case ExprKind::kMatch:
      match(as<MatchExpr>(e), d);
      return;
    case ExprKind::kLoop:
      loop(as<LoopExpr>(e), d);
      return;
    case ExprKind::kHandle:
      handle(as<HandleExpr>(e), d);
      return;
    case ExprKind::kMask:
      mask(as<MaskExpr>(e), d);
      return;
    case ExprKind::kBreak:
      break_(as<BreakExpr>(e));
      return;
    case ExprKind::kContinue:
      continue_(as<ContinueExpr>(e));
      return;
    case ExprKind::kReturn:
      return_(as<ReturnExpr>(e));
      return;
    case ExprKind::kWhile:
      while_(as<WhileExpr>(e));
      break;
    case ExprKind::kFor:
      for_(as<ForExpr>(e));
      break;
    case ExprKind::kAssign:
      assign(as<AssignExpr>(e));
      break;
    case ExprKind::kUnit:
      break;
    default: {
      if (d.is_discard()) {
        switch (e->kind) {
          case ExprKind::kBool:
          case ExprKind::kInt:
          case ExprKind::kFloat:
          case ExprKind::kChar:
          case ExprKind::kString:
          case ExprKind::kLambda:
            return;
          case ExprKind::kName:
            if (Binding* b = as<NameExpr>(e)->binding; b->kind == BindingKind::kLocal) return;
            break;
          default:
            break;
        }
        release(eval(e));
      } else if (d.is_into()) {
        finish(eval(e, d.reg), d);
      } else {
        finish(eval(e), d);
      }
      return;
    }
  }
  // What has the value ().
  if (d.is_into()) {
    if (live()) emit(Op::LOAD_UNIT, {d.reg});
  } else if (d.is_return() && live()) {
    return_unit();
  }
}

// What `e`, which does not come back, would have been the start of.
void Lowering::never(Expr* e, Dest d) {
  Val v = eval(e);
  if (!d.is_into() || v.reg.is_raw == d.reg.is_raw)
    finish(v, d);
  else
    release(v);
}

void Lowering::finish(Val v, Dest d) {
  switch (d.kind) {
    case Dest::Kind::kDiscard:
      release(v);
      return;
    case Dest::Kind::kInto:
      move(d.reg, v.reg);
      release(v);
      return;
    case Dest::Kind::kReturn:
      v = to_tagged(v);
      return_value(v.reg);
      release(v);
      return;
  }
}

Val Lowering::eval(Expr* e, std::optional<Reg> want) {
  if (is_control(e)) {
    if (e->kind == ExprKind::kBlock && as<BlockExpr>(e)->stmts.empty() && as<BlockExpr>(e)->value)
      return eval(as<BlockExpr>(e)->value, want);
    Reg r = pick(want, is_float(e->type));
    bool given = want && *want == r;
    lower(e, given ? Dest::into(r) : Dest::fresh_in(r));
    return {r, !given};
  }
  switch (e->kind) {
    case ExprKind::kName:
      return name(as<NameExpr>(e), want);
    case ExprKind::kUnit:
    case ExprKind::kBool:
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kChar:
    case ExprKind::kString:
      return literal(e, want);
    case ExprKind::kInterpolation:
      return interpolation(as<InterpolationExpr>(e), want);
    case ExprKind::kTuple:
      return tuple(as<TupleExpr>(e), want);
    case ExprKind::kList:
      return list(as<ListExpr>(e), want);
    case ExprKind::kArray:
      return array(as<ArrayExpr>(e), want);
    case ExprKind::kField: {
      CallNote* note = as<FieldExpr>(e)->note;
      Span span = as<FieldExpr>(e)->name.span;
      if (is_unresolved(note)) return eval(as<FieldExpr>(e)->object);
      if (note->kind == CallKind::kValue) return binding_value(note->target, e->type, span, want);
      Val object = tagged(note->callee ? note->callee : as<FieldExpr>(e)->object);
      return field(object, note, field_is_raw(note), span, want);
    }
    case ExprKind::kTupleIndex: {
      auto* t = as<TupleIndexExpr>(e);
      Val object = tagged(t->object);
      TypeDef* def = def_of(t->object->type);
      unsigned arity = def ? def->arity : 2;
      release(object);
      Reg r = pick(want, false);
      at(e->span);
      emit(Op::GET_C, {r, object.reg, t->index, rt::con::tuple(arity)});
      return result(want, r);
    }
    case ExprKind::kIndex:
      if (is_unresolved(as<IndexExpr>(e)->note)) return eval(as<IndexExpr>(e)->object);
      return index(as<IndexExpr>(e), want);
    case ExprKind::kUnary:
      return unary(as<UnaryExpr>(e), want);
    case ExprKind::kArith:
      return arith(as<ArithExpr>(e), want);
    case ExprKind::kCompare:
      return compare(as<CompareExpr>(e), want);
    case ExprKind::kConcat:
      return concat(as<ConcatExpr>(e), want);
    case ExprKind::kRange:
      return range(as<RangeExpr>(e), want);
    case ExprKind::kLambda:
      return make_closure(static_cast<Unit*>(as<LambdaExpr>(e)->note->lowered), want);
    default: {
      Reg r = pick(want, false);
      emit(Op::LOAD_UNIT, {r});
      return result(want, r);
    }
  }
}

// --- literals

Val Lowering::literal(Expr* e, std::optional<Reg> want) {
  switch (e->kind) {
    case ExprKind::kBool: {
      Reg r = pick(want, false);
      emit(Op::LOAD_BOOL, {r, as<BoolExpr>(e)->value ? 1 : 0});
      return result(want, r);
    }
    case ExprKind::kInt: {
      auto* i = as<IntExpr>(e);
      return i->is_big() ? big_int(i, false, want) : load_int(i->value, want);
    }
    case ExprKind::kFloat: {
      Reg r = pick(want, true);
      emit(Op::LOAD_FLOAT, {r, std::bit_cast<int64_t>(as<FloatExpr>(e)->value)});
      return result(want, r);
    }
    case ExprKind::kChar: {
      Reg r = pick(want, false);
      emit(Op::LOAD_CHAR, {r, as<CharExpr>(e)->value});
      return result(want, r);
    }
    case ExprKind::kString:
      return load_string(as<StringExpr>(e)->value, want);
    default: {
      Reg r = pick(want, false);
      emit(Op::LOAD_UNIT, {r});
      return result(want, r);
    }
  }
}

Val Lowering::load_int(int64_t value, std::optional<Reg> want) {
  Reg r = pick(want, false);
  if (value >= INT32_MIN && value <= INT32_MAX)
    emit(Op::LOAD_INT, {r, value});
  else
    emit(Op::LOAD_K, {r, p_.integer(std::to_string(value))});
  return result(want, r);
}

Val Lowering::big_int(const IntExpr* e, bool negative, std::optional<Reg> want) {
  Reg r = pick(want, false);
  emit(Op::LOAD_K, {r, p_.integer((negative ? "-" : "") + to_decimal(e->digits, e->base))});
  return result(want, r);
}

Val Lowering::load_string(std::string_view text, std::optional<Reg> want) {
  Reg r = pick(want, false);
  emit(Op::LOAD_K, {r, p_.string(text)});
  return result(want, r);
}

// --- names

Local* Lowering::local_of(const Expr* e) const {
  if (e->kind != ExprKind::kName) return nullptr;
  const Binding* b = as<NameExpr>(e)->binding;
  if (!b || b->kind != BindingKind::kLocal) return nullptr;
  return static_cast<Local*>(static_cast<const LocalBinding*>(b)->lowered);
}

Val Lowering::name(NameExpr* e, std::optional<Reg> want) {
  if (e->binding->kind == BindingKind::kLocal) {
    Local* l = local_of(e);
    if (l->kind == Local::Kind::kFn && (l->fn->plain || !l->defined)) {
      if (l->fn->plain) return make_closure(l->fn, want);
    }
    at(e->span);
    return read(l, want);
  }
  return binding_value(e->binding, e->type, e->span, want);
}

Val Lowering::read(Local* l, std::optional<Reg> want) {
  std::optional<Val> v = is_own(l) && l->defined ? Val{l->reg, false} : capture_operand(l);
  if (!v) {
    // A function of the block ran before the variable was there.
    std::string message(l->binding ? p_.text(l->binding->name) : std::string_view("a variable"));
    Val text = load_string(message + " is used before it is defined", {});
    emit(Op::PANIC, {text.reg});
    release(text);
    Reg r = pick(want, l->is_float);
    return result(want, r);
  }
  if (is_cell(l)) {
    release(*v);
    Reg r = pick(want, false);
    emit(Op::GET_CELL, {r, v->reg});
    return result(want, r);
  }
  // What GET_UP fetched goes straight where it is wanted.
  return *v;
}

Val Lowering::binding_value(Binding* b, const Type* type, Span span, std::optional<Reg> want) {
  Reg r = pick(want, false);
  switch (b->kind) {
    case BindingKind::kFunction: {
      auto* f = static_cast<FunctionBinding*>(b);
      uint32_t function = f->decl->body ? p_.function(f) : p_.wrapper(f, type);
      emit(Op::LOAD_FN, {r, function});
      break;
    }
    case BindingKind::kGlobal:
      at(span);
      emit(Op::LOAD_GLOBAL, {r, p_.global(static_cast<GlobalBinding*>(b))});
      break;
    case BindingKind::kConstructor: {
      auto* c = static_cast<ConstructorBinding*>(b);
      if (c->fields.empty())
        emit(Op::LOAD_CON, {r, p_.constructor(c)});
      else
        emit(Op::LOAD_FN, {r, p_.wrapper(c, type)});
      break;
    }
    case BindingKind::kOperation:
      emit(Op::LOAD_FN, {r, p_.wrapper(b, type)});
      break;
    default:
      emit(Op::LOAD_UNIT, {r});
      break;
  }
  return result(want, r);
}

}  // namespace eddy::lang::lower
