// The interface by which gdb is told of machine code: an object file in memory for each piece.
#pragma once
#include <memory>

#include "jit/debug/bytes.h"
#include "jit/debug/region.h"

namespace eddy::jit::debug {

std::unique_ptr<CodeListener> gdb_interface();

// The object file: symbols, lines, call frames.
Bytes object_file(const CodeRegion& region);

}  // namespace eddy::jit::debug
