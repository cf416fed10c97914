// Natives on any value.
#include "runtime/compare.h"
#include "runtime/natives/define.h"
#include "runtime/show.h"

namespace eddy::rt {

namespace {

Value show(Context& ctx, Value* args) {
  std::string text;
  return append_show(ctx, text, args[0]) ? make_string(ctx, text) : kNull;
}

Value display(Context& ctx, Value* args) {
  if (is_string(args[0])) return args[0];
  std::string text;
  return append_display(ctx, text, args[0]) ? make_string(ctx, text) : kNull;
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
