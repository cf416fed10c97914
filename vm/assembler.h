// Text to module: the language of docs/bytecode.md, which disassemble() prints. The result is what was written; it
// is not verified.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "vm/module.h"

namespace eddy::vm {

struct AssembleResult {
  std::optional<Module> module;
  uint32_t line = 0, column = 0;  // of the first mistake, counted from 1
  std::string error;
};

AssembleResult assemble(std::string_view text);

}  // namespace eddy::vm
