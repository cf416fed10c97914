// Judges modules. What it accepts runs memory-safely in every tier, whatever it computes; docs/bytecode.md
// lists the rules. Checks that it leaves to run time: kinds of values (is it a closure, a resumption, an
// array …), the number of arguments of a call through a value, and whether a global has a value yet.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "vm/module.h"

namespace eddy::vm {

struct VerifyError {
  int32_t function = -1;  // index, or -1 where the module's tables are wrong
  uint32_t pc = 0;        // word in its code
  std::string reason;
};
// "function 3 (sum), word 12: …"
std::string to_string(const VerifyError& error, const Module& module);

// The number of arguments of the native of this name, or -1 where there is none.
using NativeArity = std::function<int(std::string_view name)>;

std::optional<VerifyError> verify(const Module& module, const NativeArity& native_arity);

// Registers times basic blocks of one function: bounds the memory of what is computed about it.
constexpr uint64_t kMaxFlowBits = uint64_t{1} << 26;

}  // namespace eddy::vm
