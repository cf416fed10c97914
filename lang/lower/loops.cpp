// while, loop, for.
#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

// Labels, and the exit points that jumps of other functions need. After open_loop the code of an iteration follows;
// continue_label is bound by the loop where an iteration ends.
void Lowering::open_loop(LoopInfo& info) {
  info.regions = regions_.size();
  info.break_label = b_.label();
  info.continue_label = b_.label();
  if (info.break_exit) {
    info.exit_label = b_.label();
    Region region{};
    exit_point(info.break_exit, info.exit_label, region);
  }
  info.body_regions = regions_.size();
}

void Lowering::close_loop(LoopInfo& info) {
  if (info.break_exit) {
    // Left by its end, or by a break of its own function (which ended the region itself).
    Region region = regions_.back();
    end_region(region);
    regions_.pop_back();
    emit(Op::JMP, {info.break_label});
    b_.bind(info.exit_label);
    if (info.wants_result && live()) move(info.result, Reg{region.t.index + 1, false});
    give_region(region);
  }
  b_.bind(info.break_label);
}

// One iteration's body, with a place that `continue`s of other functions come back to.
void Lowering::loop_body(Expr* body, LoopInfo& info) {
  if (!info.continue_exit) {
    lower(body, Dest::discard());
    b_.bind(info.continue_label);
    return;
  }
  vm::Label left = b_.label(), done = b_.label();
  Region region{};
  exit_point(info.continue_exit, left, region);
  lower(body, Dest::discard());
  regions_.pop_back();
  end_region(region);
  emit(Op::JMP, {done});
  b_.bind(left);
  give_region(region);
  b_.bind(done);
  b_.bind(info.continue_label);
}

void Lowering::while_(WhileExpr* e) {
  LoopInfo& info = *static_cast<LoopInfo*>(e->note->lowered);
  bool resumed = resumed_;
  open_loop(info);
  vm::Label top = b_.label(), done = b_.label();
  b_.bind(top);
  FetchScope iteration(*this);
  branch(e->condition, false, done);
  loop_body(e->body, info);
  emit(Op::LOOP, {top});
  b_.bind(done);
  iteration.end();
  close_loop(info);
  resumed_ = resumed;
}

void Lowering::loop(LoopExpr* e, Dest d) {
  LoopInfo& info = *static_cast<LoopInfo*>(e->note->lowered);
  info.wants_result = !d.is_discard();
  bool owned = false;
  if (info.wants_result) {
    owned = !(d.is_into() && d.fresh);
    info.result = owned ? take(is_float(e->type)) : d.reg;
  }
  bool resumed = resumed_;
  open_loop(info);
  vm::Label top = b_.label();
  b_.bind(top);
  FetchScope iteration(*this);
  loop_body(e->body, info);
  emit(Op::LOOP, {top});
  close_loop(info);
  resumed_ = resumed;
  if (info.wants_result) {
    if (live())
      finish({info.result, owned}, d);
    else if (owned)
      b_.give(info.result);
  }
}

void Lowering::for_(ForExpr* e) {
  LoopInfo& info = *static_cast<LoopInfo*>(e->note->lowered);
  info.wants_result = false;
  bool resumed = resumed_;
  size_t mark = scope();
  switch (e->note->kind) {
    case LoopKind::kRange:
      for_range(e, info);
      break;
    case LoopKind::kList:
      for_list(e, info, tagged(e->iterable));
      break;
    case LoopKind::kArray:
      for_array(e, info, settle(tagged(e->iterable), e->iterable));
      break;
    case LoopKind::kString: {
      Val text = tagged(e->iterable);
      release(text);
      Reg r = take();
      Reg args[1] = {text.reg};
      native("string.to_array", args, e->iterable->span, Dest::into(r));
      for_array(e, info, {r, true});
      break;
    }
    case LoopKind::kMap:
    case LoopKind::kSet: {
      Val whole = tagged(e->iterable);
      release(whole);
      Reg r = take();
      Reg args[1] = {whole.reg};
      call_std(e->note->kind == LoopKind::kMap ? p_.checked().map_to_list : p_.checked().set_to_list, args,
               e->iterable->span, Dest::into(r));
      for_list(e, info, {r, true});
      break;
    }
    default:
      for_generator(e, info);
      break;
  }
  close_scope(mark);
  resumed_ = resumed;
}

void Lowering::for_range(ForExpr* e, LoopInfo& info) {
  Val counter, limit;
  std::optional<int64_t> constant;
  bool inclusive = false;
  if (e->iterable->kind == ExprKind::kRange) {
    auto* range = as<RangeExpr>(e->iterable);
    inclusive = range->inclusive;
    counter = keep(tagged(range->from));
    constant = small_constant(range->to);
    if (!constant) limit = settle(tagged(range->to), range->to);
  } else {
    Val range = tagged(e->iterable);
    counter = {take(), true};
    limit = {take(), true};
    vm::Label half_open = b_.label(), ready = b_.label();
    emit(Op::JISNT, {range.reg, rt::con::RangeInclusive, half_open});
    emit(Op::GET, {counter.reg, range.reg, 0});
    emit(Op::GET, {limit.reg, range.reg, 1});
    emit(Op::ADD_I, {limit.reg, limit.reg, 1});
    emit(Op::JMP, {ready});
    b_.bind(half_open);
    at(e->iterable->span);
    emit(Op::GET_C, {counter.reg, range.reg, 0, rt::con::Range});
    emit(Op::GET, {limit.reg, range.reg, 1});
    b_.bind(ready);
    release(range);
  }
  open_loop(info);
  vm::Label top = b_.label(), done = b_.label();
  b_.bind(top);
  FetchScope iteration(*this);
  if (constant)
    emit(inclusive ? Op::JGT_I : Op::JGE_I, {counter.reg, *constant, done});
  else
    emit(inclusive ? Op::JLT : Op::JLE, {limit.reg, counter.reg, done});
  size_t mark = scope();
  bind_pattern(e->pattern, {counter.reg, false});
  loop_body(e->body, info);
  close_scope(mark);
  emit(Op::ADD_I, {counter.reg, counter.reg, 1});
  emit(Op::LOOP, {top});
  b_.bind(done);
  close_loop(info);
  release(counter);
  release(limit);
}

void Lowering::for_list(ForExpr* e, LoopInfo& info, Val list) {
  Val cursor = keep(list);
  open_loop(info);
  vm::Label top = b_.label(), done = b_.label();
  b_.bind(top);
  FetchScope iteration(*this);
  emit(Op::JISNT, {cursor.reg, rt::con::Cons, done});
  Reg head = take();
  emit(Op::GET, {head, cursor.reg, 0});
  emit(Op::GET, {cursor.reg, cursor.reg, 1});
  size_t mark = scope();
  bind_pattern(e->pattern, {head, true});
  loop_body(e->body, info);
  close_scope(mark);
  emit(Op::LOOP, {top});
  b_.bind(done);
  close_loop(info);
  release(cursor);
}

void Lowering::for_array(ForExpr* e, LoopInfo& info, Val array) {
  Reg counter = take(), length = take();
  at(e->iterable->span);
  emit(Op::LOAD_INT, {counter, 0});
  emit(Op::ARRAY_LEN, {length, array.reg});
  open_loop(info);
  vm::Label top = b_.label(), done = b_.label();
  b_.bind(top);
  FetchScope iteration(*this);
  emit(Op::JLE, {length, counter, done});
  bool raw = is_float(e->note->element);
  Reg item = take(raw);
  emit(raw ? Op::ARRAY_GET_R : Op::ARRAY_GET, {item, array.reg, counter});
  emit(Op::ADD_I, {counter, counter, 1});
  size_t mark = scope();
  bind_pattern(e->pattern, {item, true});
  loop_body(e->body, info);
  close_scope(mark);
  emit(Op::LOOP, {top});
  b_.bind(done);
  close_loop(info);
  b_.give(counter);
  b_.give(length);
  release(array);
}

// The generator runs under a handler of Emit whose clause is the loop's body: it runs in place, in the context of
// the loop.
void Lowering::for_generator(ForExpr* e, LoopInfo& info) {
  Val generator = settle(tagged(e->iterable), e->iterable);
  open_loop(info);
  FetchScope inside(*this);  // a jump out may come before anything in there was fetched
  Reg node = take(), result = take();
  make_environment(*info.handle, result);
  uint32_t site = make_site(*info.handle, false);
  vm::Label done = b_.label();
  at(e->iterable->span);
  if (live()) b_.site_target(site, done);
  emit(Op::HANDLE, {node, result, result, site});
  open({Region::Kind::kHandle, node, {}});
  emit(Op::CALL_CLOSURE, {result, generator.reg, 0});
  close();
  inside.end();
  b_.bind(done);
  b_.give(result);
  release(generator);
  close_loop(info);
}

}  // namespace eddy::lang::lower
