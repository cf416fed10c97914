// Machine code as text.
#pragma once
#include <cstddef>
#include <string>

#include "vm/tier.h"

namespace eddy::jit::x64 {

// As Target::disassemble.
std::string disassemble(const void* code, size_t common, size_t size, uint64_t address, const vm::Tier& tier);

}  // namespace eddy::jit::x64
