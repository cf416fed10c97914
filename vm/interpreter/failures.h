// The texts of failures found by checks in handlers.
#pragma once
#include <string>

#include "runtime/context.h"

namespace eddy::vm {

std::string bad_index(rt::Value container, rt::Value index);
std::string wrong_constructor(const rt::Context& ctx, uint64_t con);

}  // namespace eddy::vm
