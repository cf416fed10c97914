// Natives on Ints.
#include "runtime/natives/define.h"

namespace eddy::rt {

namespace {

// 0 where `radix` is none, with a panic pending.
unsigned radix_of(Context& ctx, Value radix) {
  if (radix.is_small() && radix.small() >= 2 && radix.small() <= 36) return static_cast<unsigned>(radix.small());
  panic(ctx, "radix " + int_to_string(radix) + " out of range");
  return 0;
}

Value parse(Context& ctx, Value* args) {
  unsigned radix = radix_of(ctx, args[1]);
  if (!radix) return kNull;
  Value n;
  if (!int_parse(ctx, string_view_of(args[0]), radix, false, &n)) return make_none();
  return make_some(ctx, n);
}

Value to_string(Context& ctx, Value* args) {
  unsigned radix = radix_of(ctx, args[1]);
  if (!radix) return kNull;
  std::string text;
  append_int(text, args[0], radix);
  return make_string(ctx, text);
}

Value pow(Context& ctx, Value* args) { return int_pow(ctx, args[0], args[1]); }
Value gcd(Context& ctx, Value* args) { return int_gcd(ctx, args[0], args[1]); }
Value sqrt(Context& ctx, Value* args) { return int_sqrt(ctx, args[0]); }
Value bit_count(Context& ctx, Value* args) { return int_bit_count(ctx, args[0]); }
Value bit_length(Context& ctx, Value* args) { return int_bit_length(ctx, args[0]); }

const Native table[] = {
    define<"si", parse>("int.parse"),
    define<"ii", to_string>("int.to_string"),
    define<"ii", pow>("int.pow"),
    define<"ii", gcd>("int.gcd"),
    define<"i", sqrt>("int.sqrt"),
    define<"i", bit_count>("int.bit_count"),
    define<"i", bit_length>("int.bit_length"),
};

}  // namespace

const std::span<const Native> int_natives = table;

}  // namespace eddy::rt
