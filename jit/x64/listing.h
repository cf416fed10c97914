// Machine code as text.
#pragma once
#include <cstddef>
#include <string>

#include "vm/tier.h"

namespace eddy::jit::x64 {

// Notes the bytecode position behind each call.
std::string disassemble(const void* code, size_t size, const vm::Tier& tier);

}  // namespace eddy::jit::x64
