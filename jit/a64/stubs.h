#pragma once
#include "jit/codegen/target.h"

namespace eddy::jit::a64 {

std::unique_ptr<StubCode> make_stubs(CodeMemory& memory, const StubOptions& options);

}  // namespace eddy::jit::a64
