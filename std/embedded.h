// The standard library's sources, as compiled into the binary.
#pragma once
#include <span>
#include <string_view>

namespace eddy::std_lib {

struct EmbeddedModule {
  std::string_view name;  // "list" for std/list
  std::string_view text;  // with a NUL behind it
};

std::span<const EmbeddedModule> embedded_modules();

}  // namespace eddy::std_lib
