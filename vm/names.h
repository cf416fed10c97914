// What functions are called where people look at them: profiles, perf, gdb, explanations.
#pragma once
#include <string>

#include "vm/loaded.h"

namespace eddy::vm {

// "count", "handler State.get" for a clause, "handle State in main" for a handled body on its own fiber.
std::string display_name(const LoadedFunction& function);

// Where the function is written: "file", and the line of its first instruction; empty for the VM's own.
struct SourcePlace {
  std::string file;
  uint32_t line = 0, column = 0;
  bool known() const { return line != 0; }
};
SourcePlace source_place(const LoadedFunction& function, uint32_t pc = 0);
std::string to_string(const SourcePlace& place);  // "file:line:column", or nothing

}  // namespace eddy::vm
