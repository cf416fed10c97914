// jit-PID.dump: machine code itself, with lines and call frames, for `perf inject --jit`.
#pragma once
#include <memory>
#include <string>

#include "jit/debug/region.h"

namespace eddy::jit::debug {

// In $JITDUMPDIR or the current folder. Null with *problem where the file cannot be written.
std::unique_ptr<CodeListener> jitdump(std::string* problem);

}  // namespace eddy::jit::debug
