// The compiler, as the command and an embedding see it.
#pragma once
#include <memory>
#include <string>

#include "jit/options.h"
#include "vm/tier.h"
#include "vm/vm.h"

namespace eddy::jit {

// Whether there is machine code for this processor.
bool available();

// Gives a VM a compiler. Call it before loading modules and running anything; keep the result while the VM lives,
// and destroy it after the VM. Null where there is none for this processor, or no memory for code.
std::unique_ptr<vm::Tier> attach(vm::Vm& vm, const Options& options);

// Compiles a function now; false where it stays interpreted, with the reason in `*why`.
bool compile(vm::Tier& tier, vm::LoadedFunction& function, std::string* why = nullptr);

// The machine code of a compiled function as text, or why there is none. With `arch` ("x86-64", "aarch64"), what it
// would be there; null asks for the host's.
std::string listing(vm::Tier& tier, vm::LoadedFunction& function, const char* arch = nullptr);
bool known_arch(const std::string& arch);
// The graph as it is emitted.
std::string ir_listing(vm::Tier& tier, vm::LoadedFunction& function);

}  // namespace eddy::jit
