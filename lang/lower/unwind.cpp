// Regions: what must be ended on every way out of a piece of code. And the jumps that leave them.
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

void Lowering::end_region(const Region& r) {
  switch (r.kind) {
    case Region::Kind::kHandle:
      emit(Op::HANDLE_END, {r.t});
      return;
    case Region::Kind::kMask:
      emit(Op::MASK_END, {r.t});
      return;
    case Region::Kind::kNamed:
      emit(Op::NAMED_END, {r.t, r.z});
      return;
    case Region::Kind::kAttempt:
      emit(Op::ATTEMPT_END, {r.t, r.z});
      return;
    case Region::Kind::kExit:
      emit(Op::EXIT_END, {r.t, r.z});
      return;
    case Region::Kind::kGuard:
      emit(Op::GUARD_END, {r.t, r.z});
      return;
    case Region::Kind::kDefer: {
      emit(Op::DEFER_END, {r.t, r.z});
      Reg ignored = take();
      emit(Op::CALL_CLOSURE, {ignored, r.t, 0});
      b_.give(ignored);
      return;
    }
  }
}

void Lowering::give_region(const Region& r) {
  b_.give(r.t);
  if (r.kind == Region::Kind::kHandle || r.kind == Region::Kind::kMask) return;
  b_.give(Reg{r.t.index + 1, false});
  b_.give(r.z);
  b_.give(Reg{r.z.index + 1, true});
}

void Lowering::close() {
  Region r = regions_.back();
  end_region(r);
  regions_.pop_back();
  give_region(r);
}

void Lowering::leave_to(size_t depth) {
  for (size_t i = regions_.size(); i-- > depth;) end_region(regions_[i]);
}

// From here on, jumps of other functions to `exit` go on at `target`, with their value behind the region's slot.
void Lowering::exit_point(Local* exit, vm::Label target, Region& region) {
  region = {Region::Kind::kExit, b_.take_pair(), b_.take_pair(true)};
  emit(Op::EXIT_POINT, {region.t, region.z, target});
  open(region);
  exit->reg = region.t;
  exit->owned = false;
  exit->in_cell = false;
  exit->defined = true;
}

// --- jumps

// What a jump carries.
Val Lowering::value_or_unit(Expr* value) {
  if (value) return tagged(value);
  Val v = {take(), true};
  emit(Op::LOAD_UNIT, {v.reg});
  return v;
}

// A jump out of frames in between.
void Lowering::leave_through(Local* exit, Val value, Span span) {
  if (std::optional<Val> record = exit ? capture_operand(exit) : std::nullopt) {
    at(span);
    emit(Op::EXIT, {record->reg, value.reg});
    release(*record);
  }
  release(value);
}

void Lowering::return_(ReturnExpr* e) {
  Unit* target = static_cast<Unit*>(e->fn->lowered);
  if (target == &u_) {
    if (regions_.size() == tail_regions_) {
      if (e->value)
        lower(e->value, Dest::ret());
      else
        return_unit();
      return;
    }
    Val v;
    if (e->value) {
      v = tagged(e->value);
      v = settle(v, e->value);
    } else {
      v = {take(), true};
      emit(Op::LOAD_UNIT, {v.reg});
    }
    leave_to(0);
    emit(Op::RET, {v.reg});
    release(v);
    return;
  }
  Val v = value_or_unit(e->value);
  if (!live()) {
    release(v);
    return;
  }
  leave_through(target->exit, v, e->span);
}

void Lowering::break_(BreakExpr* e) {
  LoopInfo& info = *static_cast<LoopInfo*>(e->loop->lowered);
  bool here = info.unit->real() == &u_;
  if (here) {
    if (e->value) {
      if (info.wants_result)
        into(e->value, info.result);
      else
        lower(e->value, Dest::discard());
    } else if (info.wants_result) {
      emit(Op::LOAD_UNIT, {info.result});
    }
    leave_to(info.regions);
    emit(Op::JMP, {info.break_label});
    return;
  }
  Val v = value_or_unit(e->value);
  leave_through(info.break_exit, v, e->span);
}

void Lowering::continue_(ContinueExpr* e) {
  LoopInfo& info = *static_cast<LoopInfo*>(e->loop->lowered);
  if (info.body == &u_) {  // a generator's loop: the body is a function
    leave_to(0);
    emit(Op::RET_UNIT);
    return;
  }
  if (!info.body && info.unit->real() == &u_) {
    leave_to(info.body_regions);
    emit(Op::JMP, {info.continue_label});
    return;
  }
  leave_through(info.continue_exit, value_or_unit(nullptr), e->span);
}

}  // namespace eddy::lang::lower
