// Natives on Floats, which arrive and leave boxed.
#include <bit>
#include <cmath>

#include "runtime/floats.h"
#include "runtime/natives/define.h"

namespace eddy::rt {

namespace {

template <double (*Function)(double)>
Value unary(Context& ctx, Value* args) {
  return new_float(ctx, Function(float_of(args[0])));
}

template <double (*Function)(double, double)>
Value binary(Context& ctx, Value* args) {
  return new_float(ctx, Function(float_of(args[0]), float_of(args[1])));
}

template <double (*Function)(double)>
constexpr Native unary_native(std::string_view name) {
  Native native = define<"f", unary<Function>>(name);
  native.unary = Function;
  return native;
}

template <double (*Function)(double, double)>
constexpr Native binary_native(std::string_view name) {
  Native native = define<"ff", binary<Function>>(name);
  native.binary = Function;
  return native;
}

Value parse(Context& ctx, Value* args) {
  double d;
  if (!parse_float(string_view_of(args[0]), &d)) return make_none();
  return make_some(ctx, new_float(ctx, d));
}

Value to_fixed(Context& ctx, Value* args) {
  if (!args[1].is_small() || args[1].small() < 0 || args[1].small() > 1000)
    return panic(ctx, "digits " + int_to_string(args[1]) + " out of range");
  return make_string(ctx, float_to_fixed(float_of(args[0]), static_cast<unsigned>(args[1].small())));
}

Value to_int(Context& ctx, Value* args) {
  double d = float_of(args[0]);
  if (!std::isfinite(d)) return panic(ctx, float_to_string(d) + " is not an integer");
  return int_from_double(ctx, d);
}

Value to_bits(Context& ctx, Value* args) { return int_from_u64(ctx, std::bit_cast<uint64_t>(float_of(args[0]))); }

Value from_bits(Context& ctx, Value* args) {
  uint64_t bits;
  if (args[0].is_small()) {
    bits = static_cast<uint64_t>(args[0].small());
  } else {
    const BigInt* n = as<BigInt>(args[0]);
    bits = n->negative() ? -n->limbs[0] : n->limbs[0];
  }
  return new_float(ctx, std::bit_cast<double>(bits));
}

const Native table[] = {
    define<"s", parse>("float.parse"),
    define<"fi", to_fixed>("float.to_fixed"),
    define<"f", to_int>("float.to_int"),
    define<"f", to_bits>("float.to_bits"),
    define<"i", from_bits>("float.from_bits"),
    unary_native<std::floor>("float.floor"),
    unary_native<std::ceil>("float.ceil"),
    unary_native<std::round>("float.round"),
    unary_native<std::trunc>("float.trunc"),
    unary_native<std::sin>("float.sin"),
    unary_native<std::cos>("float.cos"),
    unary_native<std::tan>("float.tan"),
    unary_native<std::asin>("float.asin"),
    unary_native<std::acos>("float.acos"),
    unary_native<std::atan>("float.atan"),
    unary_native<std::sinh>("float.sinh"),
    unary_native<std::cosh>("float.cosh"),
    unary_native<std::tanh>("float.tanh"),
    unary_native<std::exp>("float.exp"),
    unary_native<std::log>("float.ln"),
    unary_native<std::log2>("float.log2"),
    unary_native<std::log10>("float.log10"),
    unary_native<std::cbrt>("float.cbrt"),
    binary_native<std::atan2>("float.atan2"),
    binary_native<std::pow>("float.pow"),
    binary_native<std::hypot>("float.hypot"),
};

}  // namespace

const std::span<const Native> float_natives = table;

}  // namespace eddy::rt
