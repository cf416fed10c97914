#include "vm/interpreter/failures.h"

#include "runtime/bigint.h"
#include "runtime/object.h"

namespace eddy::vm {

std::string bad_index(rt::Value container, rt::Value index) {
  if (!rt::is_kind(container, rt::Kind::Array) && !rt::is_kind(container, rt::Kind::FloatArray))
    return "expected an Array";
  if (!rt::is_int(index)) return "expected an Int";
  return "index " + rt::int_to_string(index) + " out of range (length " + std::to_string(container.ptr()->count()) + ")";
}

std::string wrong_constructor(const rt::Context& ctx, uint64_t con) {
  return "expected " + (con < ctx.constructors.size() ? ctx.constructors[con].name : std::string("a constructor"));
}

}  // namespace eddy::vm
