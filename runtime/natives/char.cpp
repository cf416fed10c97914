// Natives on Chars.
#include "runtime/natives/define.h"
#include "runtime/unicode.h"

namespace eddy::rt {

namespace {

Value code(Context&, Value* args) { return small_int(args[0].char_code()); }

Value from_code(Context& ctx, Value* args) {
  if (!args[0].is_small() || args[0].small() < 0 || !is_scalar_value(static_cast<uint64_t>(args[0].small())))
    return make_none();
  return make_some(ctx, char_value(static_cast<uint32_t>(args[0].small())));
}

template <uint32_t (*Map)(uint32_t)>
Value map(Context&, Value* args) {
  return char_value(Map(args[0].char_code()));
}

template <bool (*Test)(uint32_t)>
Value test(Context&, Value* args) {
  return bool_value(Test(args[0].char_code()));
}

const Native table[] = {
    define<"c", code>("char.code", kNoAllocation),
    define<"i", from_code>("char.from_code"),
    define<"c", map<to_upper>>("char.to_upper", kNoAllocation),
    define<"c", map<to_lower>>("char.to_lower", kNoAllocation),
    define<"c", test<is_letter>>("char.is_letter", kNoAllocation),
    define<"c", test<is_upper>>("char.is_upper", kNoAllocation),
    define<"c", test<is_lower>>("char.is_lower", kNoAllocation),
    define<"c", test<is_space>>("char.is_space", kNoAllocation),
};

}  // namespace

const std::span<const Native> char_natives = table;

}  // namespace eddy::rt
