// Any bytes as a module: the reader and the verifier reject them or accept what runs to some end, with little
// fuel, memory and stack.
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/natives/natives.h"
#include "vm/ebc.h"
#include "vm/ebc_format.h"
#include "vm/verifier.h"
#include "vm/vm.h"

using namespace eddy;

namespace {

// Nothing that reaches outside.
int allowed_native(std::string_view name) {
  for (std::string_view outside : {"read", "exit", "args", "file", "os", "time", "print", "eprint"})
    if (name.starts_with(outside)) return -1;
  const rt::Native* native = rt::find_native(name);
  return native ? native->arity : -1;
}

void exercise(std::span<const uint8_t> file) {
  vm::EbcResult read = vm::read_ebc(file);
  if (!read.module) return;
  if (auto error = vm::verify(*read.module, allowed_native)) {
    vm::to_string(*error, *read.module);
    return;
  }
  if (read.module->main < 0 || read.module->main_takes_args) return;
  vm::VmOptions options;
  options.fuel = 2000;
  options.max_stack = 4 << 20;
  options.heap.max_heap_bytes = 32 << 20;
  options.heap.nursery_bytes = 1 << 16;
  vm::Vm machine(options);
  std::string problem;
  vm::LoadedModule* loaded = machine.load(std::move(*read.module), &problem);
  if (loaded && machine.initialise(loaded).outcome == vm::Outcome::Finished) machine.run_main(loaded);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  exercise({data, size});
  // As it is, nearly every change is found by the checksum and by nothing else.
  if (size <= vm::ebc::kHeaderSize) return 0;
  std::vector<uint8_t> file(data, data + size);
  uint32_t sum = vm::ebc::checksum(std::span(file).subspan(vm::ebc::kHeaderSize));
  for (int i = 0; i < 4; ++i) file[vm::ebc::kChecksumAt + i] = static_cast<uint8_t>(sum >> (8 * i));
  exercise(file);
  return 0;
}
