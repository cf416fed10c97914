// Expressions that are values: literals, names, data, fields. And the dispatch over all kinds.
#include "lang/lower/big_literal.h"
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

namespace {
constexpr unsigned kMostRegistersOfAList = 64;

bool is_control(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kCall: case ExprKind::kMethodCall: case ExprKind::kPipe: case ExprKind::kLogical:
    case ExprKind::kBlock: case ExprKind::kIf: case ExprKind::kMatch: case ExprKind::kWhile: case ExprKind::kFor:
    case ExprKind::kLoop: case ExprKind::kBreak: case ExprKind::kContinue: case ExprKind::kReturn:
    case ExprKind::kHandle: case ExprKind::kMask: case ExprKind::kAssign:
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
    case ExprKind::kCall: call(as<CallExpr>(e)->note, e, e->span, d); return;
    case ExprKind::kMethodCall: call(as<MethodCallExpr>(e)->note, e, as<MethodCallExpr>(e)->name.span, d); return;
    case ExprKind::kPipe: pipe(as<PipeExpr>(e), d); return;
    case ExprKind::kLogical: logical(as<LogicalExpr>(e), d); return;
    case ExprKind::kBlock: block(as<BlockExpr>(e), d); return;
    case ExprKind::kIf: if_(as<IfExpr>(e), d); return;
    case ExprKind::kMatch: match(as<MatchExpr>(e), d); return;
    case ExprKind::kLoop: loop(as<LoopExpr>(e), d); return;
    case ExprKind::kHandle: handle(as<HandleExpr>(e), d); return;
    case ExprKind::kMask: mask(as<MaskExpr>(e), d); return;
    case ExprKind::kBreak: break_(as<BreakExpr>(e)); return;
    case ExprKind::kContinue: continue_(as<ContinueExpr>(e)); return;
    case ExprKind::kReturn: return_(as<ReturnExpr>(e)); return;
    case ExprKind::kWhile: while_(as<WhileExpr>(e)); break;
    case ExprKind::kFor: for_(as<ForExpr>(e)); break;
    case ExprKind::kAssign: assign(as<AssignExpr>(e)); break;
    case ExprKind::kUnit: break;
    default: {
      if (d.is_discard()) {
        switch (e->kind) {
          case ExprKind::kBool: case ExprKind::kInt: case ExprKind::kFloat: case ExprKind::kChar:
          case ExprKind::kString: case ExprKind::kLambda:
            return;
          case ExprKind::kName:
            if (Binding* b = as<NameExpr>(e)->binding; b->kind == BindingKind::kLocal) return;
            break;
          default: break;
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

void Lowering::finish(Val v, Dest d) {
  switch (d.kind) {
    case Dest::Kind::kDiscard: release(v); return;
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
    case ExprKind::kName: return name(as<NameExpr>(e), want);
    case ExprKind::kUnit: case ExprKind::kBool: case ExprKind::kInt: case ExprKind::kFloat: case ExprKind::kChar:
    case ExprKind::kString:
      return literal(e, want);
    case ExprKind::kInterpolation: return interpolation(as<InterpolationExpr>(e), want);
    case ExprKind::kTuple: return tuple(as<TupleExpr>(e), want);
    case ExprKind::kList: return list(as<ListExpr>(e), want);
    case ExprKind::kArray: return array(as<ArrayExpr>(e), want);
    case ExprKind::kField: {
      CallNote* note = as<FieldExpr>(e)->note;
      Span span = as<FieldExpr>(e)->name.span;
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
    case ExprKind::kIndex: return index(as<IndexExpr>(e), want);
    case ExprKind::kUnary: return unary(as<UnaryExpr>(e), want);
    case ExprKind::kArith: return arith(as<ArithExpr>(e), want);
    case ExprKind::kCompare: return compare(as<CompareExpr>(e), want);
    case ExprKind::kConcat: return concat(as<ConcatExpr>(e), want);
    case ExprKind::kRange: return range(as<RangeExpr>(e), want);
    case ExprKind::kLambda: return make_closure(static_cast<Unit*>(as<LambdaExpr>(e)->note->lowered), want);
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
    case ExprKind::kString: return load_string(as<StringExpr>(e)->value, want);
    default: {
      Reg r = pick(want, false);
      emit(Op::LOAD_UNIT, {r});
      return result(want, r);
    }
  }
}

Val Lowering::load_int(int64_t value, std::optional<Reg> want) {
  Reg r = pick(want, false);
  if (value >= INT32_MIN && value <= INT32_MAX) emit(Op::LOAD_INT, {r, value});
  else emit(Op::LOAD_K, {r, p_.integer(std::to_string(value))});
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
      if (c->fields.empty()) emit(Op::LOAD_CON, {r, p_.constructor(c)});
      else emit(Op::LOAD_FN, {r, p_.wrapper(c, type)});
      break;
    }
    case BindingKind::kOperation: emit(Op::LOAD_FN, {r, p_.wrapper(b, type)}); break;
    default: emit(Op::LOAD_UNIT, {r}); break;
  }
  return result(want, r);
}

// --- data

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
      FunctionBinding* f =
          e->note->kind == CallKind::kIndexList ? p_.checked().list_at : p_.checked().map_at;
      call_std(f, regs, e->span, Dest::into(r));
      return result(want, r);
    }
  }
}

// --- order of evaluation

namespace {
// Whether evaluating `e` might assign a variable of this frame: only what contains an assignment, or too much to
// look at.
bool may_assign(const Expr* e, int& budget) {
  if (--budget < 0) return true;
  switch (e->kind) {
    case ExprKind::kUnit: case ExprKind::kBool: case ExprKind::kInt: case ExprKind::kFloat: case ExprKind::kChar:
    case ExprKind::kString: case ExprKind::kName: case ExprKind::kLambda:
      return false;
    case ExprKind::kField: return may_assign(as<FieldExpr>(e)->object, budget);
    case ExprKind::kTupleIndex: return may_assign(as<TupleIndexExpr>(e)->object, budget);
    case ExprKind::kIndex:
      return may_assign(as<IndexExpr>(e)->object, budget) || may_assign(as<IndexExpr>(e)->index, budget);
    case ExprKind::kUnary: return may_assign(as<UnaryExpr>(e)->operand, budget);
    case ExprKind::kArith: {
      if (may_assign(as<ArithExpr>(e)->first, budget)) return true;
      for (const ArithStep& s : as<ArithExpr>(e)->steps) {
        if (may_assign(s.operand, budget)) return true;
      }
      return false;
    }
    case ExprKind::kCompare:
      return may_assign(as<CompareExpr>(e)->left, budget) || may_assign(as<CompareExpr>(e)->right, budget);
    case ExprKind::kCall: {
      const auto* c = as<CallExpr>(e);
      if (may_assign(c->callee, budget)) return true;
      for (const Arg& a : c->args) {
        if (may_assign(a.value, budget)) return true;
      }
      return false;
    }
    case ExprKind::kMethodCall: {
      const auto* c = as<MethodCallExpr>(e);
      if (may_assign(c->object, budget)) return true;
      for (const Arg& a : c->args) {
        if (may_assign(a.value, budget)) return true;
      }
      return false;
    }
    case ExprKind::kTuple:
      for (const Expr* item : as<TupleExpr>(e)->items) {
        if (may_assign(item, budget)) return true;
      }
      return false;
    case ExprKind::kBlock:
      return !as<BlockExpr>(e)->stmts.empty() ||
             (as<BlockExpr>(e)->value && may_assign(as<BlockExpr>(e)->value, budget));
    default: return true;
  }
}
}  // namespace

Val Lowering::stable(Val v, const Expr* from, std::initializer_list<const Expr*> later) {
  if (v.owned) return v;
  const Local* l = local_of(from);
  // A value that was reached through parentheses or a block is looked at as any variable's.
  if (l && (l->kind != Local::Kind::kVar || !l->binding->assigned)) return v;
  for (const Expr* e : later) {
    int budget = 40;
    if (may_assign(e, budget)) return keep(v);
  }
  return v;
}

Val Lowering::settle(Val v, const Expr* from) {
  if (v.owned) return v;
  const Local* l = local_of(from);
  if (l && (l->kind != Local::Kind::kVar || !l->binding->assigned)) return v;
  return keep(v);
}

}  // namespace eddy::lang::lower
