// What the compiler asks of an instruction set. All are compiled into every build, so that code can be listed for
// any; only the host's runs.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "jit/codegen/codegen.h"
#include "jit/codegen/memory.h"

namespace eddy::jit {

// Code that has no address yet.
class Emitted {
 public:
  virtual ~Emitted() = default;
  CodegenResult result;
  std::string failure;                // why there is none
  virtual size_t size() const = 0;    // at most
  // False where it cannot stand at `address`.
  virtual bool place(uint8_t* writable, uint64_t address) = 0;
};

// What is made hard for tests: Options::chaos.
struct Hardship {
  bool few_registers = false, far_branches = false;
};

struct Target {
  const char* name;  // as --arch says it
  Features (*features)();  // of this very processor where it is such a one, all of them where code is only listed
  const StubImage& (*stubs)(Watch watch);
  std::unique_ptr<Emitted> (*emit)(const Graph& graph, const Stubs& stubs, vm::Tier& tier, void* code_record,
                                   Hardship hardship);
  // Notes the bytecode position behind each call, and where the `common` bytes end. `code` is to run, or would, at `address`.
  std::string (*disassemble)(const void* code, size_t common, size_t size, uint64_t address, const vm::Tier& tier);
};

namespace x64 {
extern const Target target;
}
namespace a64 {
extern const Target target;
}
// Null where there is no machine code for the host.
const Target* host_target();
// By name, and by the other usual ones: amd64, arm64.
const Target* target_named(std::string_view name);

// Stands for the stubs where code is only listed.
const Stubs& listed_stubs();

}  // namespace eddy::jit
