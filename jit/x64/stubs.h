#pragma once
#include "jit/codegen/stubs.h"

namespace eddy::jit::x64 {

// `left`: told by leave_in_place (context, rsi). Null where there is no memory, or the host is another.
std::unique_ptr<StubCode> make_stubs(void (*left)(rt::Context*, void*));

}  // namespace eddy::jit::x64
