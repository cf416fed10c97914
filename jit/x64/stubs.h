#pragma once
#include "jit/codegen/stubs.h"

namespace eddy::jit::x64 {

// Null where there is no memory, or the host is another.
std::unique_ptr<StubCode> make_stubs(const StubOptions& options);

}  // namespace eddy::jit::x64
