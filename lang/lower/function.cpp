// A function's frame: parameters in, captures, result out. And the making of closures.
#include <algorithm>
#include <utility>

#include "lang/lower/lowering.h"
#include "lang/lower/scan.h"

namespace eddy::lang::lower {

namespace {
constexpr size_t kLinearSearch = 8;
}

vm::FunctionData Lowering::run() {
  at(u_.span);
  // A default value has variables of its own for parameters that are its function's as well.
  std::vector<void*> shadowed;
  shadowed.reserve(u_.own_params.size());
  for (Local* l : u_.own_params) shadowed.push_back(std::exchange(l->binding->lowered, l));
  if (u_.captures().size() > kLinearSearch) {
    for (unsigned i = 0; i < u_.captures().size(); ++i) capture_index_[u_.captures()[i]] = i;
  }
  switch (u_.kind) {
    case UnitKindOf::kFunction:
    case UnitKindOf::kLocalFn:
    case UnitKindOf::kLambda:
      function_unit();
      break;
    case UnitKindOf::kClause:
      clause_unit();
      break;
    case UnitKindOf::kLoopBody:
      loop_body_unit();
      break;
    case UnitKindOf::kCleanup:
      cleanup_unit();
      break;
    case UnitKindOf::kRegion:
      fiber_base_unit();
      break;
  }
  for (size_t i = 0; i < shadowed.size(); ++i) u_.own_params[i]->binding->lowered = shadowed[i];
  if (b_.too_large()) p_.too_large(u_.span, "this function is too large to compile");
  return b_.build(p_.module().sites);
}

void Lowering::function_unit() {
  vm::FunctionData& data = b_.data();
  bool closure = !u_.lifted && !u_.captures().empty();
  data.takes_self = closure;
  if (closure) {
    data.captures = static_cast<uint16_t>(u_.captures().size());
    take();
  }
  size_t params = u_.params.size + (closure ? 1 : 0) + (u_.lifted ? u_.captures().size() : 0);
  data.params = static_cast<uint16_t>(params);
  std::vector<Reg> registers;
  registers.reserve(u_.params.size);
  for (size_t i = 0; i < u_.params.size; ++i) registers.push_back(take());
  if (u_.lifted) {
    for (size_t i = 0; i < u_.captures().size(); ++i) captured_.push_back(take());
  }
  // Floats are unboxed once, before the place that self tail calls jump to.
  for (size_t i = 0; i < u_.params.size; ++i) {
    Pattern* p = u_.params[i].pattern;
    param_registers_.push_back(registers[i]);
    if (p->kind == PatternKind::kWildcard) {
      b_.give(registers[i]);
      param_registers_[i].index = ~0u;
      continue;
    }
    if (p->kind != PatternKind::kVariable) continue;
    Local* l = static_cast<Local*>(static_cast<LocalBinding*>(as<VariablePattern>(p)->binding)->lowered);
    if (l->uses == 0) {
      b_.give(registers[i]);
      param_registers_[i].index = ~0u;
      continue;
    }
    define(l, {registers[i], true});
    param_registers_[i] = l->reg;
  }
  start_ = b_.label();
  has_start_ = true;
  b_.bind(start_);
  std::optional<vm::Label> exit_target;
  if (u_.exit) {
    exit_target = b_.label();
    Region region{};
    exit_point(u_.exit, *exit_target, region);
    tail_regions_ = 1;
  }
  for (size_t i = 0; i < u_.params.size; ++i) {
    Pattern* p = u_.params[i].pattern;
    if (p->kind != PatternKind::kVariable && p->kind != PatternKind::kWildcard)
      bind_pattern(p, {registers[i], false});
  }
  lower(u_.body, Dest::ret());
  if (exit_target) {
    Region region = regions_.back();
    regions_.pop_back();
    tail_regions_ = 0;
    b_.bind(*exit_target);
    emit(Op::RET, {Reg{region.t.index + 1, false}});
  }
}

void Lowering::clause_unit() {
  vm::FunctionData& data = b_.data();
  const OperationBinding* op = u_.clause->note->operation;
  data.name = std::string(p_.text(op->effect->name)) + "." + std::string(p_.text(op->name));
  data.takes_self = data.clause = true;
  data.captures = static_cast<uint16_t>(u_.captures().size());
  take();
  bool captures = u_.clause_kind == rt::ClauseKind::Once || u_.clause_kind == rt::ClauseKind::Multi;
  data.params = static_cast<uint16_t>(1 + u_.params.size + (captures ? 1 : 0));
  std::vector<Reg> registers;
  registers.reserve(u_.params.size);
  for (size_t i = 0; i < u_.params.size; ++i) registers.push_back(take());
  if (captures) {
    Reg k = take();
    if (u_.resume) define(u_.resume, {k, true});
  }
  for (size_t i = 0; i < u_.params.size; ++i) bind_pattern(u_.params[i].pattern, {registers[i], true});
  if (u_.clause_kind == rt::ClauseKind::TailOrAbort) find_resuming(u_.body);
  // Where the clause fails or is left before it resumes, what it would have resumed is dropped with it.
  if (captures && u_.resume && !u_.resume_escapes && !resumes_first(u_.body)) {
    Region region{Region::Kind::kGuard, b_.take_pair(), b_.take_pair(true)};
    emit(Op::GUARD, {region.t, region.z, u_.resume->reg});
    open(region);
    tail_regions_ = 1;
  }
  lower(u_.body, Dest::ret());
}

void Lowering::loop_body_unit() {
  vm::FunctionData& data = b_.data();
  data.takes_self = data.clause = true;
  data.captures = static_cast<uint16_t>(u_.captures().size());
  data.params = 2;
  take();
  Reg element = take();
  auto* loop = as<ForExpr>(u_.loop);
  auto& info = *static_cast<LoopInfo*>(loop->note->lowered);
  std::optional<vm::Label> left;
  if (info.continue_exit) {
    left = b_.label();
    Region region{};
    exit_point(info.continue_exit, *left, region);
  }
  bind_pattern(loop->pattern, {element, true});
  lower(loop->body, Dest::discard());
  if (left) {
    close();
    b_.bind(*left);
  }
  emit(Op::RET_UNIT);
}

void Lowering::cleanup_unit() {
  vm::FunctionData& data = b_.data();
  data.takes_self = !u_.captures().empty();
  data.captures = static_cast<uint16_t>(u_.captures().size());
  data.params = data.takes_self ? 1 : 0;
  if (data.takes_self) take();
  lower(u_.body, Dest::discard());
  emit(Op::RET_UNIT);
}

void Lowering::fiber_base_unit() {
  vm::FunctionData& data = b_.data();
  data.takes_self = data.fiber_base = true;
  data.captures = static_cast<uint16_t>(u_.captures().size());
  data.params = 1;
  take();
  Reg node = take();
  handle_in_place(*u_.handle, Dest::ret(), node);
}

// --- captures

bool Lowering::is_cell(const Local* l) const {
  return l->kind == Local::Kind::kVar && l->binding->assigned && (l->captured || l->copied);
}

std::optional<unsigned> Lowering::capture_of(Local* l) {
  std::vector<Local*>& captures = u_.captures();
  if (!capture_index_.empty()) {
    auto found = capture_index_.find(l);
    if (found != capture_index_.end()) return found->second;
    return {};
  }
  auto found = std::find(captures.begin(), captures.end(), l);
  if (found == captures.end()) return {};
  return static_cast<unsigned>(found - captures.begin());
}

std::optional<Val> Lowering::capture_operand(Local* l) {
  if (u_.self == l && !u_.lifted) return Val{{0, false}, false};
  if (is_own(l)) {
    if (!l->defined) return {};
    return to_tagged({l->reg, false});
  }
  std::optional<unsigned> number = capture_of(l);
  if (!number) return {};
  if (u_.lifted) return Val{captured_[*number], false};
  if (fetched_in_.size() <= *number) fetched_in_.resize(u_.captures().size());
  if (fetched_in_[*number]) return Val{*fetched_in_[*number], false};
  Reg r = take();
  emit(Op::GET_UP, {r, *number});
  if (l->uses <= 1 || !live()) return Val{r, true};
  fetched_in_[*number] = r;
  fetched_.push_back(*number);
  return Val{r, false};
}

void Lowering::forget_fetched(size_t mark) {
  while (fetched_.size() > mark) {
    std::optional<Reg>& r = fetched_in_[fetched_.back()];
    fetched_.pop_back();
    b_.give(*r);
    r.reset();
  }
}

Val Lowering::make_closure(Unit* unit, std::optional<Reg> want) {
  uint32_t function = p_.unit(unit);
  std::vector<Local*>& captures = unit->captures();
  if (captures.empty() && unit->kind != UnitKindOf::kRegion) {
    Reg r = pick(want, false);
    emit(Op::LOAD_FN, {r, function});
    return result(want, r);
  }
  std::vector<Val> vals;
  std::vector<Reg> regs;
  for (unsigned i = 0; i < captures.size(); ++i) {
    std::optional<Val> v = capture_operand(captures[i]);
    if (!v) {
      // Not there yet: the closure is completed when it is.
      v = Val{take(), true};
      emit(Op::LOAD_UNIT, {v->reg});
      if (unit->self) patches_[captures[i]].push_back({unit->self, i});
    }
    vals.push_back(*v);
    regs.push_back(v->reg);
  }
  release_all(vals);
  Reg r = pick(want, false);
  emit(Op::MAKE_CLOSURE, {r, function}, regs);
  return result(want, r);
}

void Lowering::make_environment(HandleInfo& info, Reg target) {
  if (info.env.empty()) {
    emit(Op::LOAD_UNIT, {target});
    return;
  }
  std::vector<Val> vals;
  std::vector<Reg> regs;
  for (Local* l : info.env) {
    std::optional<Val> v = capture_operand(l);
    if (!v) {
      v = Val{take(), true};
      emit(Op::LOAD_UNIT, {v->reg});
    }
    vals.push_back(*v);
    regs.push_back(v->reg);
  }
  release_all(vals);
  emit(Op::MAKE_ENV, {target}, regs);
}

void Lowering::local_function(Unit* fn) {
  if (fn->lifted || fn->plain || fn->self->defined || fn->self->uses == 0) return;
  Val v = make_closure(fn);
  define(fn->self, v);
}

// --- variables

void Lowering::define(Local* l, Val v) {
  if (is_cell(l)) {
    define_cell(l, v);
    return;
  }
  v = l->is_float ? to_raw(v) : to_tagged(v);
  l->reg = v.reg;
  l->owned = v.owned;
  l->in_cell = false;
  defined(l);
}

void Lowering::define_cell(Local* l, Val v) {
  v = to_tagged(v);
  Reg cell = v.owned ? v.reg : take();
  emit(Op::MAKE_CELL, {cell, v.reg});
  l->reg = cell;
  l->owned = true;
  l->in_cell = true;
  defined(l);
}

void Lowering::defined(Local* l) {
  l->defined = true;
  scope_.push_back(l);
  if (patches_.empty()) return;
  auto found = patches_.find(l);
  if (found == patches_.end()) return;
  for (const Patch& patch : found->second) {
    if (!patch.closure->defined) continue;
    Val v = *capture_operand(l);
    emit(Op::SET_UP, {patch.closure->reg, v.reg, patch.capture});
    release(v);
  }
  patches_.erase(found);
}

void Lowering::close_scope(size_t mark) {
  while (scope_.size() > mark) {
    Local* l = scope_.back();
    scope_.pop_back();
    if (l->owned) b_.give(l->reg);
    l->defined = false;
  }
}

// --- results

void Lowering::return_value(Reg r) {
  if (!live()) return;
  bool captures = u_.kind == UnitKindOf::kClause &&
                  (u_.clause_kind == rt::ClauseKind::Once || u_.clause_kind == rt::ClauseKind::Multi);
  if (captures && u_.resume && !u_.resume_escapes && !resumed_) emit(Op::DROP_UNUSED, {u_.resume->reg});
  leave_to(0);
  bool aborts = u_.kind == UnitKindOf::kClause && u_.clause_kind == rt::ClauseKind::TailOrAbort;
  emit(aborts ? Op::ABORT_RET : Op::RET, {r});
}

void Lowering::return_unit() {
  bool clause = u_.kind == UnitKindOf::kClause;
  if (!clause && regions_.empty()) {
    emit(Op::RET_UNIT);
    return;
  }
  Reg r = take();
  emit(Op::LOAD_UNIT, {r});
  return_value(r);
  b_.give(r);
}

// --- registers

void Lowering::release_all(std::vector<Val>& vals) {
  for (Val& v : vals) release(v);
  vals.clear();
}

Val Lowering::to_tagged(Val v, std::optional<Reg> want) {
  if (!v.reg.is_raw) return v;
  release(v);
  Reg r = pick(want, false);
  emit(Op::BOX, {r, v.reg});
  return result(want, r);
}

Val Lowering::to_raw(Val v, std::optional<Reg> want) {
  if (v.reg.is_raw) return v;
  release(v);
  Reg r = pick(want, true);
  emit(Op::UNBOX, {r, v.reg});
  return result(want, r);
}

void Lowering::move(Reg to, Reg from) {
  if (to == from) return;
  if (to.is_raw)
    emit(from.is_raw ? Op::MOVE_R : Op::UNBOX, {to, from});
  else
    emit(from.is_raw ? Op::BOX : Op::MOVE, {to, from});
}

Val Lowering::keep(Val v) {
  if (v.owned) return v;
  Reg r = take(v.reg.is_raw);
  move(r, v.reg);
  return {r, true};
}

void Lowering::at(Span span) {
  Place place = p_.place(span.begin);
  b_.position(place.file, place.line, place.column);
}

}  // namespace eddy::lang::lower
