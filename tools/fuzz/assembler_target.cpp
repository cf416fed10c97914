// Any text as an assembler listing: it ends with a message or with a module, which has the same file, and the
// same listing again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "runtime/natives/natives.h"
#include "vm/assembler.h"
#include "vm/disassembler.h"
#include "vm/ebc.h"
#include "vm/verifier.h"

using namespace eddy;

namespace {

int native_arity(std::string_view name) {
  const rt::Native* native = rt::find_native(name);
  return native ? native->arity : -1;
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vm::AssembleResult assembled = vm::assemble({reinterpret_cast<const char*>(data), size});
  if (!assembled.module) {
    if (assembled.error.empty()) fail("rejected without a reason");
    return 0;
  }
  if (auto error = vm::verify(*assembled.module, native_arity)) {
    vm::to_string(*error, *assembled.module);
    return 0;
  }
  vm::EbcResult file = vm::read_ebc(vm::write_ebc(*assembled.module));
  if (!file.module) fail("its file cannot be read: " + file.error);
  vm::AssembleResult again = vm::assemble(vm::disassemble(*file.module));
  if (!again.module) fail("its listing cannot be read: " + again.error);
  if (*again.module != *assembled.module) fail("its listing is another module");
  return 0;
}
