// From a Source to a verified module.
#pragma once
#include <memory>
#include <optional>

#include "lang/front_end.h"
#include "tools/eddy/options.h"
#include "vm/module.h"

namespace eddy::tool {

struct Program {
  vm::Module module;
  std::unique_ptr<lang::Compilation> compilation;  // null where it was loaded from a module file
};

enum class Wanted : uint8_t { Program, Tests, Listing };

// Compiles, or loads an .ebc, and verifies. Problems are reported on standard error; then there is no result
// and the exit status is kUsage.
std::optional<Program> load_program(const Source& source, Wanted wanted);

// Warnings and errors, as people read them.
void report(const lang::Compilation& compilation);

bool verify_module(const vm::Module& module, const std::string& name);

}  // namespace eddy::tool
