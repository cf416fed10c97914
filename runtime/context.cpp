#include "runtime/context.h"

#include "runtime/heap.h"

namespace eddy::rt {

Context::Context() : constructors(builtin_constructors()) {}

Context::~Context() = default;

Value panic(Context& ctx, std::string_view message) {
  // First the string: a collection on the way must not find the flag with an old message.
  Value text = new_string(ctx, message);
  ctx.limit_panics += message == "out of memory" || message == "stack overflow";
  ctx.panicking = true;
  ctx.panic_message = text;
  return kNull;
}

}  // namespace eddy::rt
