// The table of natives: C++ functions that std declares with @native("name") and the NATIVE instruction calls.
//
// A native gets its arguments in `args` (roots: read them again after any allocation) and returns kNull where a
// panic is pending or, with ctx.exiting set, where the program is to end. Each checks the kinds of its arguments
// itself, so bytecode that lies about types ends in a panic and not in a crash. Natives never call Eddy code.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/context.h"

namespace eddy::rt {

using NativeFunction = Value (*)(Context& ctx, Value* args);

struct Native {
  std::string_view name;
  uint8_t arity;
  NativeFunction function;
  bool may_allocate;  // false: never collects unless it panics
  // Of those that are nothing but a function of Floats, that function: compiled code calls it without objects.
  double (*unary)(double) = nullptr;
  double (*binary)(double, double) = nullptr;
};

std::span<const Native> natives();
const Native* find_native(std::string_view name);  // null where there is none

}  // namespace eddy::rt
