// Natives on Arrays. An array whose elements are Floats is a FloatArray, an empty one may be either; where a
// program's types are a lie, a native converts or panics.
#include <algorithm>
#include <cstring>

#include "runtime/memory_limit.h"
#include "runtime/natives/define.h"

namespace eddy::rt {

namespace {

bool is_floats(Value v) { return is_kind(v, Kind::FloatArray); }
uint32_t count_of(Value array) { return array.ptr()->count(); }

// An array of `n` elements of the same sort as `like`, which is a root; kNull with a panic pending.
Value new_like(Context& ctx, Value* like, uint64_t n) {
  if (n > UINT32_MAX) return panic(ctx, "out of memory");
  if (!check_memory(ctx, n * 8)) return kNull;
  if (!is_floats(*like)) return new_array(ctx, static_cast<uint32_t>(n), kUnit);
  auto* array = ctx.heap->allocate(Kind::FloatArray, static_cast<uint32_t>(n), sizeof(FloatArray) + n * 8);
  std::memset(static_cast<FloatArray*>(array)->items, 0, n * 8);
  return ptr_value(array);
}

// target[to …] = source[from … from+count-1]; both of one sort.
void copy_items(Context& ctx, Value source, uint64_t from, Value target, uint64_t to, uint64_t count) {
  if (count == 0) return;
  if (is_floats(source)) {
    std::memmove(as<FloatArray>(target)->items + to, as<FloatArray>(source)->items + from, count * 8);
    return;
  }
  auto *in = as<Array>(source), *out = as<Array>(target);
  bool backwards = in == out && from < to;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t k = backwards ? count - 1 - i : i;
    ctx.heap->write(out, &out->items[to + k], in->items[from + k]);
  }
}

Value create(Context& ctx, Value* args) {
  if (is_int(args[0]) && int_compare(args[0], small_int(0)) < 0)
    return panic(ctx, "negative length: " + int_to_string(args[0]));
  if (!args[0].is_small() || args[0].small() > UINT32_MAX) return panic(ctx, "out of memory");
  auto n = static_cast<uint32_t>(args[0].small());
  if (!check_memory(ctx, uint64_t{n} * 8)) return kNull;
  return new_array(ctx, n, args[1]);
}

Value fill(Context& ctx, Value* args) {
  uint32_t n = count_of(args[0]);
  if (n == 0) return kUnit;
  if (is_floats(args[0])) {
    if (!is_kind(args[1], Kind::Float)) return panic_kind(ctx, 'f', args[1]);
    std::fill_n(as<FloatArray>(args[0])->items, n, float_of(args[1]));
    return kUnit;
  }
  auto* array = as<Array>(args[0]);
  for (uint32_t i = 0; i < n; ++i) ctx.heap->write(array, &array->items[i], args[1]);
  return kUnit;
}

Value copy_range(Context& ctx, Value* args, uint32_t from, uint32_t to) {
  Value result = new_like(ctx, &args[0], to - from);
  if (result != kNull) copy_items(ctx, args[0], from, result, 0, to - from);
  return result;
}

Value copy(Context& ctx, Value* args) { return copy_range(ctx, args, 0, count_of(args[0])); }

Value slice(Context& ctx, Value* args) {
  uint32_t from, to;
  if (!check_slice(ctx, args[1], args[2], count_of(args[0]), &from, &to)) return kNull;
  return copy_range(ctx, args, from, to);
}

// The first index of `count` from `from` on that is out of range is reported; `count` is not negative.
bool check_run(Context& ctx, Value from, uint64_t count, uint32_t length) {
  bool start_fits = from.is_small() && from.small() >= 0 && from.small() <= length;
  if (start_fits && count <= length - static_cast<uint64_t>(from.small())) return true;
  bool inside = start_fits && count > 0;
  panic_index(ctx, inside ? small_int(std::max<int64_t>(length, from.small())) : from, length);
  return false;
}

Value blit(Context& ctx, Value* args) {
  if (int_compare(args[4], small_int(0)) < 0) return panic(ctx, "negative length: " + int_to_string(args[4]));
  uint64_t count = args[4].is_small() ? static_cast<uint64_t>(args[4].small()) : ~uint64_t{0};
  if (!check_run(ctx, args[1], count, count_of(args[0]))) return kNull;
  if (!check_run(ctx, args[3], count, count_of(args[2]))) return kNull;
  if (count == 0) return kUnit;
  if (is_floats(args[0]) != is_floats(args[2])) return panic(ctx, "expected arrays of one type");
  copy_items(ctx, args[0], static_cast<uint64_t>(args[1].small()), args[2], static_cast<uint64_t>(args[3].small()), count);
  return kUnit;
}

Value concat(Context& ctx, Value* args) {
  uint64_t left = count_of(args[0]), right = count_of(args[1]);
  if (left && right && is_floats(args[0]) != is_floats(args[1])) return panic(ctx, "expected arrays of one type");
  Value result = new_like(ctx, &args[left ? 0 : 1], left + right);
  if (result == kNull) return kNull;
  copy_items(ctx, args[0], 0, result, 0, left);
  copy_items(ctx, args[1], 0, result, left, right);
  return result;
}

Value to_list(Context& ctx, Value* args) {
  Root list(ctx, con_value(con::Nil));
  for (uint32_t i = count_of(args[0]); i-- > 0;) {
    Value item = is_floats(args[0]) ? new_float(ctx, as<FloatArray>(args[0])->items[i]) : as<Array>(args[0])->items[i];
    if (!push_front(ctx, &list.value, item)) return kNull;
  }
  return list.value;
}

Value from_list(Context& ctx, Value* args) {
  uint64_t n = 0;
  bool floats = is_cell(args[0]);
  for (Value cell = args[0]; is_cell(cell); cell = tail_of(cell)) {
    floats = floats && is_kind(head_of(cell), Kind::Float);
    if (++n > UINT32_MAX) return panic(ctx, "out of memory");
  }
  if (!check_memory(ctx, n * 8)) return kNull;
  if (floats) {
    auto* array = static_cast<FloatArray*>(
        ctx.heap->allocate(Kind::FloatArray, static_cast<uint32_t>(n), sizeof(FloatArray) + n * 8));
    Value cell = args[0];
    for (uint64_t i = 0; i < n; ++i, cell = tail_of(cell)) array->items[i] = float_of(head_of(cell));
    return ptr_value(array);
  }
  Value result = new_array(ctx, static_cast<uint32_t>(n), kUnit);
  if (result == kNull) return kNull;
  Value cell = args[0];
  for (uint64_t i = 0; i < n; ++i, cell = tail_of(cell)) as<Array>(result)->items[i] = head_of(cell);
  return result;
}

Value reverse(Context& ctx, Value* args) {
  if (is_floats(args[0])) {
    std::reverse(as<FloatArray>(args[0])->items, as<FloatArray>(args[0])->items + count_of(args[0]));
    return kUnit;
  }
  auto* array = as<Array>(args[0]);
  for (uint32_t i = 0, k = array->count(); i + 1 < k; ++i) {
    Value last = array->items[--k];
    ctx.heap->write(array, &array->items[k], array->items[i]);
    ctx.heap->write(array, &array->items[i], last);
  }
  return kUnit;
}

const Native table[] = {
    define<"ia", create>("array.new"),
    define<"Aa", fill>("array.fill", kNoAllocation),
    define<"A", copy>("array.copy"),
    define<"Aii", slice>("array.slice"),
    define<"AiAii", blit>("array.blit", kNoAllocation),
    define<"AA", concat>("array.concat"),
    define<"A", to_list>("array.to_list"),
    define<"l", from_list>("array.from_list"),
    define<"A", reverse>("array.reverse", kNoAllocation),
};

}  // namespace

const std::span<const Native> array_natives = table;

}  // namespace eddy::rt
