// A checked program into bytecode.
#pragma once
#include <optional>

#include "lang/front_end.h"
#include "vm/module.h"

namespace eddy::lang {

/// The whole reachable program in one module: `main`, the tests, what they need of the library. Nothing where the
/// compilation has errors; what bytecode cannot express is reported as one.
std::optional<vm::Module> compile(Compilation& compilation);

}  // namespace eddy::lang
