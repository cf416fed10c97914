// The standard library's sources as compiled into the binary, and where to find what in them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

namespace eddy::std_lib {

/// Part of a text: the offsets of its first byte and the one behind its last.
struct Part {
  uint32_t begin;
  uint32_t end;
};

/// A function at the top of a module, with its attributes.
struct EmbeddedFunction {
  std::string_view name;
  Part part;
};

struct EmbeddedModule {
  std::string_view name;               // "list" for std/list
  std::string_view text;               // with a NUL behind it
  std::span<const uint32_t> lines;     // where each begins
  std::span<const Part> declarations;  // all but functions
  std::span<const EmbeddedFunction> functions;
  std::span<const EmbeddedFunction> by_name;  // the same

  /// Null where there is none of this name.
  const EmbeddedFunction* function(std::string_view wanted) const {
    auto at = std::ranges::lower_bound(by_name, wanted, {}, &EmbeddedFunction::name);
    return at != by_name.end() && at->name == wanted ? &*at : nullptr;
  }
};

std::span<const EmbeddedModule> embedded_modules();

}  // namespace eddy::std_lib
