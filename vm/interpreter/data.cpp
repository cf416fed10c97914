// Constructors, variables, arrays and closures.
#include "runtime/bigint.h"
#include "vm/interpreter/dispatch.h"
#include "vm/interpreter/failures.h"

namespace eddy::vm {

namespace {

// The bump pointer's fast path; null where the collector must be asked.
inline rt::Object* bump(Context* ctx, size_t bytes) {
  char* p = ctx->alloc_ptr;
  if (reinterpret_cast<Word>(p) + bytes > reinterpret_cast<Word>(ctx->alloc_limit)) [[unlikely]] return nullptr;
  ctx->alloc_ptr = p + bytes;
  return reinterpret_cast<rt::Object*>(p);
}

}  // namespace

// Declares `object` of `bytes` bytes, header set; collects where needed.
#define ALLOCATE(object, Type, kind_, count_, bytes_, con_)                                  \
  auto* object = static_cast<Type*>(bump(ctx, (bytes_)));                                    \
  if (object) [[likely]] {                                                                   \
    object->header = rt::make_header((kind_), (count_), (con_));                             \
  } else {                                                                                   \
    SUSPEND_HERE();                                                                          \
    object = static_cast<Type*>(ctx->heap->allocate((kind_), (count_), (bytes_), (con_)));   \
    RELOAD();                                                                                \
  }

HANDLER(MAKE) {
  unsigned count = b_of(w);
  ALLOCATE(object, rt::ConObject, rt::Kind::Con, count, 8 + 8 * size_t{count}, static_cast<uint16_t>(c_of(w)));
  copy_list(object->fields, s, pc + 1, count);
  RA = rt::ptr_value(object);
  NEXT(1 + list_words(count));
}

HANDLER(GET) { RA = rt::as<rt::ConObject>(RB)->fields[c_of(w)]; NEXT(1); }
HANDLER(GET_R) { RA = rt::as<rt::ConObject>(RB)->fields[c_of(w)]; NEXT(1); }
HANDLER(GET_C) {
  Value b = RB;
  if (!rt::is_con(b, static_cast<uint16_t>(pc[1]))) [[unlikely]] FAIL_WITH(wrong_constructor(*ctx, pc[1]));
  RA = rt::as<rt::ConObject>(b)->fields[c_of(w)];
  NEXT(2);
}
HANDLER(GET_RC) {
  Value b = RB;
  if (!rt::is_con(b, static_cast<uint16_t>(pc[1]))) [[unlikely]] FAIL_WITH(wrong_constructor(*ctx, pc[1]));
  RA = rt::as<rt::ConObject>(b)->fields[c_of(w)];
  NEXT(2);
}
HANDLER(SET_C) {
  Value a = RA;
  if (!rt::is_con(a, static_cast<uint16_t>(pc[1]))) [[unlikely]] FAIL_WITH(wrong_constructor(*ctx, pc[1]));
  ctx->heap->write(a.ptr(), &rt::as<rt::ConObject>(a)->fields[b_of(w)], RC);
  NEXT(2);
}
HANDLER(SET_RC) {
  Value a = RA;
  if (!rt::is_con(a, static_cast<uint16_t>(pc[1]))) [[unlikely]] FAIL_WITH(wrong_constructor(*ctx, pc[1]));
  rt::as<rt::ConObject>(a)->fields[b_of(w)] = RC;
  NEXT(2);
}

HANDLER(MAKE_CELL) {
  ALLOCATE(cell, rt::Cell, rt::Kind::Cell, 1, sizeof(rt::Cell), 0);
  cell->value = RB;
  RA = rt::ptr_value(cell);
  NEXT(1);
}
HANDLER(GET_CELL) {
  Value b = RB;
  if (!rt::is_kind(b, rt::Kind::Cell)) [[unlikely]] FAIL_WITH("expected a variable");
  RA = rt::as<rt::Cell>(b)->value;
  NEXT(1);
}
HANDLER(SET_CELL) {
  Value a = RA;
  if (!rt::is_kind(a, rt::Kind::Cell)) [[unlikely]] FAIL_WITH("expected a variable");
  ctx->heap->write(a.ptr(), &rt::as<rt::Cell>(a)->value, RB);
  NEXT(1);
}

HANDLER(ARRAY_GET) {
  Value array = RB, index = RC;
  if (rt::is_kind(array, rt::Kind::Array) && index.is_small() &&
      static_cast<uint64_t>(index.small()) < array.ptr()->count()) [[likely]] {
    RA = rt::as<rt::Array>(array)->items[index.small()];
    NEXT(1);
  }
  if (!rt::is_kind(array, rt::Kind::FloatArray) || !index.is_small() ||
      static_cast<uint64_t>(index.small()) >= array.ptr()->count())
    FAIL_WITH(bad_index(array, index));
  SUSPEND_HERE();
  Value element = rt::new_float(*ctx, rt::as<rt::FloatArray>(array)->items[index.small()]);
  RELOAD();
  RA = element;
  NEXT(1);
}
HANDLER(ARRAY_SET) {
  Value array = RA, index = RB;
  bool in_range = array.is_ptr() && index.is_small() && static_cast<uint64_t>(index.small()) < array.ptr()->count();
  if (in_range && rt::is_kind(array, rt::Kind::Array)) [[likely]] {
    ctx->heap->write(array.ptr(), &rt::as<rt::Array>(array)->items[index.small()], RC);
    NEXT(1);
  }
  if (!in_range || !rt::is_kind(array, rt::Kind::FloatArray)) FAIL_WITH(bad_index(array, index));
  if (!rt::is_kind(RC, rt::Kind::Float)) FAIL_WITH("expected a Float");
  rt::as<rt::FloatArray>(array)->items[index.small()] = rt::as<rt::FloatBox>(RC)->value;
  NEXT(1);
}
// An Array of Floats holds them raw where its elements were Floats from the start, boxed otherwise.
HANDLER(ARRAY_GET_R) {
  Value array = RB, index = RC;
  if (!array.is_ptr() || !index.is_small() || static_cast<uint64_t>(index.small()) >= array.ptr()->count())
    FAIL_WITH(bad_index(array, index));
  if (rt::is_kind(array, rt::Kind::FloatArray)) [[likely]] {
    RA = from_raw(rt::as<rt::FloatArray>(array)->items[index.small()]);
    NEXT(1);
  }
  if (!rt::is_kind(array, rt::Kind::Array)) FAIL_WITH(bad_index(array, index));
  Value element = rt::as<rt::Array>(array)->items[index.small()];
  if (!rt::is_kind(element, rt::Kind::Float)) FAIL_WITH("expected a Float");
  RA = from_raw(rt::as<rt::FloatBox>(element)->value);
  NEXT(1);
}
HANDLER(ARRAY_SET_R) {
  Value array = RA, index = RB;
  if (!array.is_ptr() || !index.is_small() || static_cast<uint64_t>(index.small()) >= array.ptr()->count())
    FAIL_WITH(bad_index(array, index));
  if (rt::is_kind(array, rt::Kind::FloatArray)) [[likely]] {
    rt::as<rt::FloatArray>(array)->items[index.small()] = raw(RC);
    NEXT(1);
  }
  if (!rt::is_kind(array, rt::Kind::Array)) FAIL_WITH(bad_index(array, index));
  SUSPEND_HERE();
  Value box = rt::new_float(*ctx, raw(RC));
  RELOAD();
  array = RA;
  ctx->heap->write(array.ptr(), &rt::as<rt::Array>(array)->items[RB.small()], box);
  NEXT(1);
}
HANDLER(ARRAY_LEN) {
  Value b = RB;
  if (!rt::is_kind(b, rt::Kind::Array) && !rt::is_kind(b, rt::Kind::FloatArray)) FAIL_WITH("expected an Array");
  RA = rt::small_int(b.ptr()->count());
  NEXT(1);
}
HANDLER(MAKE_ARRAY) {
  unsigned count = b_of(w);
  bool floats = count != 0;
  for (unsigned i = 0; i < count && floats; ++i) floats = rt::is_kind(s[list_item(pc + 1, i)], rt::Kind::Float);
  if (floats) {
    ALLOCATE(array, rt::FloatArray, rt::Kind::FloatArray, count, 8 + 8 * size_t{count}, 0);
    for (unsigned i = 0; i < count; ++i) array->items[i] = rt::as<rt::FloatBox>(s[list_item(pc + 1, i)])->value;
    RA = rt::ptr_value(array);
  } else {
    ALLOCATE(array, rt::Array, rt::Kind::Array, count, 8 + 8 * size_t{count}, 0);
    copy_list(array->items, s, pc + 1, count);
    RA = rt::ptr_value(array);
  }
  NEXT(1 + list_words(count));
}

HANDLER(MAKE_CLOSURE) {
  unsigned count = b_of(w);
  ALLOCATE(closure, rt::Closure, rt::Kind::Closure, count, 16 + 8 * size_t{count}, 0);
  closure->function = reinterpret_cast<rt::Function*>(pc[1]);
  copy_list(closure->captures, s, pc + 2, count);
  RA = rt::ptr_value(closure);
  NEXT(2 + list_words(count));
}
HANDLER(MAKE_ENV) {
  unsigned count = b_of(w);
  ALLOCATE(env, rt::Closure, rt::Kind::Env, count, 16 + 8 * size_t{count}, 0);
  env->function = nullptr;
  copy_list(env->captures, s, pc + 1, count);
  RA = rt::ptr_value(env);
  NEXT(1 + list_words(count));
}
HANDLER(GET_UP) { RA = rt::as<rt::Closure>(s[0])->captures[b_of(w)]; NEXT(1); }
HANDLER(SET_UP) {
  Value a = RA;
  if (!rt::is_kind(a, rt::Kind::Closure) || a.ptr()->count() <= c_of(w)) FAIL_WITH("expected a closure");
  ctx->heap->write(a.ptr(), &rt::as<rt::Closure>(a)->captures[c_of(w)], RB);
  NEXT(1);
}

}  // namespace eddy::vm
