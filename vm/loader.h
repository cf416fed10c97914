// From a module's data to linked code in a running VM.
#pragma once
#include <memory>
#include <string>

#include "vm/loaded.h"

namespace eddy::vm {

// Null and `*problem` where something is missing or too large. The module must have passed the verifier.
std::unique_ptr<LoadedModule> load(rt::Context& ctx, Module module, std::string* problem);

// Context::cells has so many entries, which never move.
constexpr size_t kMaxEffects = 65536;

}  // namespace eddy::vm
