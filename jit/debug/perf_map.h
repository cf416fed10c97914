// /tmp/perf-PID.map: the names of machine code for `perf report`, a line a piece.
#pragma once
#include <memory>
#include <string>

#include "jit/debug/region.h"

namespace eddy::jit::debug {

// Null with *problem where the file cannot be written.
std::unique_ptr<CodeListener> perf_map(std::string* problem);

}  // namespace eddy::jit::debug
