// From what the compiler knows of code to what listeners are told.
#pragma once
#include "jit/codegen/codegen.h"
#include "jit/debug/region.h"

namespace eddy::jit::debug {

CodeRegion region_of(const Graph& graph, const CodegenResult& result, const void* code);
// The fixed pieces, by name, in the order of their addresses.
std::vector<CodeRegion> stub_regions(const StubCode& stubs);

}  // namespace eddy::jit::debug
