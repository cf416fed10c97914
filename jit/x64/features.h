// What this processor can do beyond x86-64 as it began.
#pragma once
#include "jit/ir/ir.h"

namespace eddy::jit::x64 {

// As Target::features.
Features features();

}  // namespace eddy::jit::x64
