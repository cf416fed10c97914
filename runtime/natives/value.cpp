// Natives on any value.
#include <charconv>

#include "runtime/compare.h"
#include "runtime/natives/define.h"
#include "runtime/natives/state.h"
#include "runtime/show.h"

namespace eddy::rt {

namespace {

Value show_small(Context& ctx, Value v) {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, v.small()).ptr;
  return make_string(ctx, {digits, end});
}

Value show(Context& ctx, Value* args) {
  if (args[0].is_small()) return show_small(ctx, args[0]);
  ScratchText scratch(ctx);
  return append_show(ctx, scratch.text, args[0]) ? make_string(ctx, scratch.text) : kNull;
}

Value display(Context& ctx, Value* args) {
  if (is_string(args[0])) return args[0];
  if (args[0].is_small()) return show_small(ctx, args[0]);
  ScratchText scratch(ctx);
  return append_display(ctx, scratch.text, args[0]) ? make_string(ctx, scratch.text) : kNull;
}

Value compare_values(Context& ctx, Value* args) {
  int order = compare(ctx, args[0], args[1]);
  return order == kIncomparable ? kNull : small_int(order);
}

Value hash_value(Context& ctx, Value* args) {
  uint64_t h = hash(ctx, args[0]);
  return h == kNoHash ? kNull : small_int(static_cast<int64_t>(h));
}

Value identity(Context&, Value* args) { return args[0]; }

const Native table[] = {
    define<"a", identity>("identity", kNoAllocation),
    define<"a", show>("show"),
    define<"a", display>("display"),
    define<"aa", compare_values>("compare", kNoAllocation),
    define<"a", hash_value>("hash", kNoAllocation),
};

}  // namespace

const std::span<const Native> value_natives = table;

}  // namespace eddy::rt
