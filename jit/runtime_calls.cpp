#include "jit/runtime_calls.h"

#include <cmath>

#include "jit/ir/ir.h"
#include "runtime/bigint.h"
#include "runtime/compare.h"
#include "runtime/heap.h"
#include "runtime/plants.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"
#include "vm/interpreter/failures.h"

namespace eddy::jit::calls {

namespace {
// The frame that called: its return word is where the fiber's sp points.
rt::Frame* frame_of(Context* ctx) { return reinterpret_cast<rt::Frame*>(ctx->fiber->sp + 1); }

template <Value (*F)(Context&, Value, Value)>
Value two(Context* ctx, Value a, Value b) { return F(*ctx, a, b); }
template <Value (*F)(Context&, Value)>
Value one(Context* ctx, Value a, Value) { return F(*ctx, a); }

Value failed(Context* ctx, std::string why) { return rt::panic(*ctx, std::move(why)); }
}  // namespace

IntFunction int_function(IntOp op) {
  static constexpr IntFunction all[] = {two<rt::int_add>, two<rt::int_sub>, two<rt::int_mul>, two<rt::int_div>,
                                        two<rt::int_rem>, two<rt::int_and>, two<rt::int_or>,  two<rt::int_xor>,
                                        two<rt::int_shl>, two<rt::int_shr>, one<rt::int_neg>, one<rt::int_abs>,
                                        one<rt::int_bit_count>, one<rt::int_bit_length>};
  return all[static_cast<unsigned>(op)];
}

Value compare(Context* ctx, Value a, Value b, Word condition) {
  auto c = static_cast<Condition>(condition);
  if (c == Condition::Equal || c == Condition::NotEqual) {
    int same = rt::equal(*ctx, a, b);
    if (same == rt::kIncomparable) return rt::kNull;
    return rt::bool_value((same != 0) == (c == Condition::Equal));
  }
  int order = rt::compare_ordered(*ctx, a, b);
  if (order == rt::kIncomparable) return rt::kNull;
  switch (c) {
    case Condition::Less: return rt::bool_value(order < 0);
    case Condition::LessEqual: return rt::bool_value(order <= 0);
    case Condition::Greater: return rt::bool_value(order > 0);
    default: return rt::bool_value(order >= 0);
  }
}

Value allocate(Context* ctx, Word header, Word bytes) {
  auto* like = reinterpret_cast<rt::Object*>(&header);
  return rt::ptr_value(ctx->heap->allocate(like->kind(), like->count(), bytes, like->con()));
}

Value string_at(Context* ctx, Value string, Value index) {
  static const rt::Native* const at = rt::find_native("string.at");  // looks at what it gets
  Value args[] = {string, index};
  return at->function(*ctx, args);
}

Value string_length(Context* ctx, Value string) {
  static const rt::Native* const length = rt::find_native("string.length");
  return length->function(*ctx, &string);
}

Value array_get(Context* ctx, Value array, Value index) {
  bool in_range = array.is_ptr() && index.is_small() && static_cast<uint64_t>(index.small()) < array.ptr()->count();
  if (in_range && rt::is_kind(array, rt::Kind::Array)) return rt::as<rt::Array>(array)->items[index.small()];
  if (in_range && rt::is_kind(array, rt::Kind::FloatArray))
    return rt::new_float(*ctx, rt::as<rt::FloatArray>(array)->items[index.small()]);
  return failed(ctx, vm::bad_index(array, index));
}

Value array_set(Context* ctx, Value array, Value index, Value value) {
  bool in_range = array.is_ptr() && index.is_small() && static_cast<uint64_t>(index.small()) < array.ptr()->count();
  if (in_range && rt::is_kind(array, rt::Kind::Array)) {
    ctx->heap->write(array.ptr(), &rt::as<rt::Array>(array)->items[index.small()], value);
    return rt::kUnit;
  }
  if (!in_range || !rt::is_kind(array, rt::Kind::FloatArray)) return failed(ctx, vm::bad_index(array, index));
  if (!rt::is_kind(value, rt::Kind::Float)) return failed(ctx, "expected a Float");
  rt::as<rt::FloatArray>(array)->items[index.small()] = rt::as<rt::FloatBox>(value)->value;
  return rt::kUnit;
}

Value make_array(Context* ctx, Word count) {
  bool floats = count != 0;
  for (Word i = 0; i < count && floats; ++i) floats = rt::is_kind(ctx->args[i], rt::Kind::Float);
  ctx->args_live = static_cast<unsigned>(count);
  auto items = static_cast<uint32_t>(count);
  auto* array = ctx->heap->allocate(floats ? rt::Kind::FloatArray : rt::Kind::Array, items, 8 + 8 * count);
  for (Word i = 0; i < count; ++i) {
    if (floats) static_cast<rt::FloatArray*>(array)->items[i] = rt::as<rt::FloatBox>(ctx->args[i])->value;
    else static_cast<rt::Array*>(array)->items[i] = ctx->args[i];
  }
  ctx->args_live = 0;
  return rt::ptr_value(array);
}

Value store(Context* ctx, Value holder, Value* field, Value value) {
  ctx->heap->write(holder.ptr(), field, value);
  return rt::kUnit;
}

namespace {
// A new node's fields but for its site and its environment, as it is installed by `frame`.
void place_node(Context* ctx, rt::Node* node, const rt::Frame* frame) {
  node->outer = ctx->top;
  node->home = ctx->fiber;
  node->frame_offset = static_cast<uint32_t>(ctx->fiber->offset_of(frame));
  node->records = ctx->fiber->records;
  node->previous = {};
}

rt::Node* new_node(Context* ctx, rt::Site* site, Value env) {
  ctx->args[0] = env;
  ctx->args_live = 1;
  auto* node = static_cast<rt::Node*>(ctx->heap->allocate(rt::Kind::Node, 0, sizeof(rt::Node)));
  ctx->args_live = 0;
  node->site = site;
  node->env = ctx->args[0];
  place_node(ctx, node, frame_of(ctx));
  return node;
}

Value install(Context* ctx, rt::Node* node) {
  Value v = rt::ptr_value(node);
  const rt::Site* site = node->site;
  if (!site->effects.empty()) node->previous = ctx->cells[site->effects[0]];
  for (uint32_t effect : site->effects) ctx->cells[effect] = {ctx->tag, v};
  ctx->top = v;
  return v;
}
}  // namespace

Value handle(Context* ctx, Value env, rt::Site* site) { return install(ctx, new_node(ctx, site, env)); }

Value record(Context* ctx, const vm::Word* pc, Value operand) {
  Value* s = frame_of(ctx)->slots;
  vm::Word w = *pc;
  unsigned a = vm::a_of(w), b = vm::b_of(w);
  auto* site = reinterpret_cast<rt::Site*>(pc[1]);
  auto jump = [&] { return rt::pack_resume(pc + static_cast<int64_t>(pc[1]), rt::kInPlace); };
  switch (vm::op_of(w)) {
    case vm::Op::HANDLE_END: {
      if (!rt::is_kind(s[a], rt::Kind::Node)) return failed(ctx, "expected a handler");
      auto* node = rt::as<rt::Node>(s[a]);
      ctx->top = node->outer;
      const auto& effects = node->site->effects;
      if (!effects.empty()) ctx->cells[effects[0]] = node->previous;
      for (size_t i = 1; i < effects.size(); ++i) ctx->cells[effects[i]].tag = 0;
      break;
    }
    case vm::Op::MASK: {
      rt::Node* node = new_node(ctx, site, rt::kUnit);
      for (uint32_t effect : site->effects) ctx->cells[effect].tag = 0;
      ctx->top = s[a] = rt::ptr_value(node);
      break;
    }
    case vm::Op::MASK_END: {
      if (!rt::is_kind(s[a], rt::Kind::Node)) return failed(ctx, "expected a handler");
      auto* node = rt::as<rt::Node>(s[a]);
      ctx->top = node->outer;
      for (uint32_t effect : node->site->effects) ctx->cells[effect].tag = 0;
      break;
    }
    case vm::Op::GUARD:
      if (!rt::is_kind(operand, rt::Kind::Continuation)) return failed(ctx, "expected a resumption");
      vm::push_record(*ctx, s, a, b, operand, rt::pack_resume(pc, rt::kUnwinding));
      break;
    case vm::Op::DEFER:
      if (!rt::is_kind(operand, rt::Kind::Closure) || rt::as<rt::Closure>(operand)->function->arity() != 0)
        return failed(ctx, "expected a function");
      vm::push_record(*ctx, s, a, b, operand, rt::pack_resume(pc, rt::kUnwinding));
      break;
    case vm::Op::ATTEMPT: vm::push_record(*ctx, s, a, b, rt::kAttemptMark, jump()); break;
    case vm::Op::EXIT_POINT: {
      auto* exit = static_cast<rt::Exit*>(ctx->heap->allocate(rt::Kind::Exit, 0, sizeof(rt::Exit)));
      exit->live = 1;
      vm::push_record(*ctx, s, a, b, rt::ptr_value(exit), jump());
      break;
    }
    case vm::Op::EXIT_END:
      if (!rt::is_kind(s[a], rt::Kind::Exit)) return failed(ctx, "expected an exit");
      --rt::as<rt::Exit>(s[a])->live;
      vm::pop_record(*ctx, s, b);
      break;
    default: vm::pop_record(*ctx, s, b); break;  // DEFER_END, ATTEMPT_END
  }
  return rt::kUnit;
}

void safepoint(Context* ctx) {
  if (vm::safepoint(ctx)) vm::deliver(*ctx, rt::kUnit);
}

// `fn(): T` and `fn(Unit): T` are one type, so one argument may be () or missing.
void call_value(Context* ctx, Word count) {
  Value target = ctx->args[0];
  if (rt::is_kind(target, rt::Kind::Continuation) && count <= 1) {
    if (count == 0) ctx->args[1] = rt::kUnit;
    return vm::resume(*ctx, vm::ResumeMode::Keep);
  }
  if (rt::is_kind(target, rt::Kind::Closure)) {
    rt::Function* f = rt::as<rt::Closure>(target)->function;
    if (f->values == count || (f->values <= 1 && count <= 1)) {
      if (f->values != count) ctx->args[1] = rt::kUnit;
      if (!f->takes_self)
        for (unsigned i = 0; i < f->params; ++i) ctx->args[i] = ctx->args[i + 1];
      return vm::request_call(*ctx, f, f->params);
    }
    rt::panic(*ctx, f->name + " takes " + std::to_string(f->arity()) + " arguments, not " + std::to_string(count));
  } else {
    rt::panic(*ctx, "expected a function");
  }
  vm::start_panic(ctx);
}

void perform(Context* ctx, vm::PerformCell* cell) {
  ++cell->count;
  vm::perform(*ctx, cell);
}
void perform_named(Context* ctx, vm::PerformCell* cell) {
  ++cell->count;
  vm::perform_named(*ctx, cell);
}
void fiber_call(Context* ctx) { vm::call_on_fiber(*ctx); }
void resume_keep(Context* ctx) { vm::resume(*ctx, vm::ResumeMode::Keep); }
void resume_last(Context* ctx) { vm::resume(*ctx, vm::ResumeMode::Last); }
void drop(Context* ctx) { vm::drop(*ctx); }
void drop_unused(Context* ctx) {
  Value k = ctx->args[0];
  if (rt::is_kind(k, rt::Kind::Continuation) && rt::as<rt::Continuation>(k)->resumed()) return vm::deliver(*ctx, rt::kUnit);
  vm::drop(*ctx);
}

void abort_ret(Context* ctx, Value value) {
  auto* below = reinterpret_cast<rt::Frame*>(ctx->fiber->sp + 1);
  if (!vm::returns_to_clause_frame(*ctx, ctx->fiber->sp))
    return vm::deliver(*ctx, value);
  vm::abort_with_value(*ctx, below->slots[vm::ClauseFrame::Object], value);
}

void clause_aborts(Context* ctx, Value value) {
  vm::abort_with_value(*ctx, frame_of(ctx)->slots[vm::ClauseFrame::Object], value);
}

void exit_to(Context* ctx, Value target, Value value) { vm::exit_to(*ctx, target, value); }

void abort_now(Context* ctx) {
  Word back = *ctx->fiber->sp;
  vm::cut_for_abort(*ctx, frame_of(ctx)->slots);
  *ctx->fiber->sp = back;
}

double remainder(Context*, double a, double b) { return std::fmod(a, b); }
Value old_float(Context* ctx, double value) { return ctx->heap->old_float(value); }
Value old_object(Context* ctx, Word header, Word bytes) { return rt::ptr_value(ctx->heap->old_object(header, bytes)); }

Value materialise(Context* ctx, Word* row, const Materials* materials) {
  std::vector<rt::Object*> made;
  made.reserve(materials->objects.size());
  for (const Materials::Made& m : materials->objects)
    made.push_back(ctx->heap->old_object(m.header, m.handler ? sizeof(rt::Node) : 8 * (1 + Word{m.has_first} + m.fields)));
  const Materials::Field* field = materials->fields.data();
  const Word* word = row;
  for (size_t i = 0; i < made.size(); ++i) {
    const Materials::Made& m = materials->objects[i];
    auto* to = reinterpret_cast<Word*>(made[i]) + 1;
    if (m.has_first) *to++ = reinterpret_cast<Word>(m.first);
    for (uint32_t k = 0; k < m.fields; ++k, ++field, ++to) {
      if (field->object >= 0) *to = reinterpret_cast<Word>(made[static_cast<size_t>(field->object)]);
      else if (field->boxed) *to = ctx->heap->old_float(std::bit_cast<double>(*word++)).bits;
      else *to = *word++;
    }
  }
  for (const Materials::Slot& s : materials->slots) row[s.place] = reinterpret_cast<Word>(made[s.object]);
  const bool named = materials->guard && vm::op_of(*materials->guard) == vm::Op::HANDLE_NAMED;
  auto guard = [&](Word resume) {
    auto* frame = reinterpret_cast<rt::Frame*>(row + materials->guard_frame);
    vm::push_record(*ctx, frame->slots, vm::a_of(*materials->guard), vm::b_of(*materials->guard), rt::ptr_value(made[materials->guarded]), resume);
  };
  // A region is there before clauses run in it; a continuation is guarded in one of those.
  if (named && !PLANTED(jit_region_unrecorded)) guard(reinterpret_cast<const rt::Site*>(materials->guard[1])->resume);
  for (const Materials::Step& s : materials->steps) {
    Value handler{s.object >= 0 ? reinterpret_cast<Word>(made[static_cast<size_t>(s.object)]) : *word++};
    auto* frame = reinterpret_cast<rt::Frame*>(row + s.frame);
    if (s.clause) {
      vm::lay_clause_frame(*ctx, frame->slots, handler, s.named ? handler : rt::as<rt::Node>(handler)->outer);
    } else {
      place_node(ctx, rt::as<rt::Node>(handler), frame);
      install(ctx, rt::as<rt::Node>(handler));
    }
  }
  if (materials->guard && !named) guard(rt::pack_resume(materials->guard, rt::kUnwinding));
  return rt::kUnit;
}

}  // namespace eddy::jit::calls
