// The typed constructors of heap.h. Each tries the nursery first; only where that is full are operands put
// where the collector finds them.
#include <cstring>
#include <string>

#include "runtime/heap.h"

namespace eddy::rt {

namespace {

// Objects from this size on ask for room first, and panic where there is none.
constexpr uint64_t kAskBytes = uint64_t{1} << 20;

// Whether `bytes` can be had without a collection, so that raw values survive.
bool fits(const Context& ctx, size_t bytes) {
  return reinterpret_cast<Word>(ctx.alloc_ptr) + bytes <= reinterpret_cast<Word>(ctx.alloc_limit);
}

double unbox(Value v) { return as<FloatBox>(v)->value; }

}  // namespace

Value new_float(Context& ctx, double d) {
  auto* box = static_cast<FloatBox*>(ctx.heap->allocate(Kind::Float, 0, sizeof(FloatBox)));
  box->value = d;
  return ptr_value(box);
}

Value new_string(Context& ctx, std::string_view text) {
  size_t bytes = (sizeof(String) + text.size() + 7) & ~size_t{7};
  std::string copy;
  if (!fits(ctx, bytes)) {
    if (text.size() > UINT32_MAX || (bytes >= kAskBytes && !ctx.heap->can_allocate(bytes)))
      return panic(ctx, "out of memory");
    // The text may be that of a string that moves.
    copy = text;
    text = copy;
  }
  auto* s = static_cast<String*>(ctx.heap->allocate(Kind::String, static_cast<uint32_t>(text.size()), bytes));
  s->hash = 0;
  s->chars = 0;
  std::memcpy(s->bytes, text.data(), text.size());
  return ptr_value(s);
}

Value new_con(Context& ctx, uint16_t con, std::span<const Value> fields) {
  size_t bytes = sizeof(ConObject) + fields.size_bytes();
  std::vector<Value> copy;
  Roots keep(ctx, copy);
  if (!fits(ctx, bytes)) {
    copy.assign(fields.begin(), fields.end());
    fields = copy;
  }
  auto* object = static_cast<ConObject*>(
      ctx.heap->allocate(Kind::Con, static_cast<uint32_t>(fields.size()), bytes, con));
  const ConInfo& info = ctx.constructors[con];
  for (size_t i = 0; i < fields.size(); ++i)
    object->fields[i] = info.is_raw(i) ? Value{std::bit_cast<Word>(unbox(fields[i]))} : fields[i];
  return ptr_value(object);
}

Value new_cell(Context& ctx, Value value) {
  Root keep(ctx, value);
  auto* cell = static_cast<Cell*>(ctx.heap->allocate(Kind::Cell, 0, sizeof(Cell)));
  cell->value = keep.value;
  return ptr_value(cell);
}

Value new_array(Context& ctx, uint32_t count, Value init) {
  bool raw = is_kind(init, Kind::Float);
  size_t bytes = sizeof(Array) + size_t{count} * sizeof(Value);
  Root keep(ctx, init);
  if (bytes >= kAskBytes && !ctx.heap->can_allocate(bytes)) return panic(ctx, "out of memory");
  if (raw) {
    double d = unbox(keep.value);
    auto* array = static_cast<FloatArray*>(ctx.heap->allocate(Kind::FloatArray, count, bytes));
    for (uint32_t i = 0; i < count; ++i) array->items[i] = d;
    return ptr_value(array);
  }
  auto* array = static_cast<Array*>(ctx.heap->allocate(Kind::Array, count, bytes));
  for (uint32_t i = 0; i < count; ++i) array->items[i] = keep.value;
  return ptr_value(array);
}

Value new_list(Context& ctx, std::vector<Value>& items) {
  Roots keep(ctx, items);
  Root list(ctx, con_value(con::Nil));
  for (size_t i = items.size(); i-- > 0;) {
    auto* cons = static_cast<ConObject*>(
        ctx.heap->allocate(Kind::Con, 2, sizeof(ConObject) + 2 * sizeof(Value), con::Cons));
    cons->fields[0] = items[i];
    cons->fields[1] = list.value;
    list.value = ptr_value(cons);
  }
  return list.value;
}

}  // namespace eddy::rt
