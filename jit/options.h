// How compiled code is to be made; the command's flags.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace eddy::jit {

namespace debug {
class CodeListener;
}

enum class TierMode : uint8_t { Interp, Auto, Jit };

enum class Pass : uint8_t {
#define PASS(name, flag, doc) name,
#include "jit/passes/passes.def"
#undef PASS
  Count
};
const char* flag_of(Pass pass);

struct Options {
  TierMode tier = TierMode::Auto;
  int32_t jit_threshold = 500;   // calls until a function is compiled
  int32_t osr_threshold = 2000;  // iterations until a loop is
  std::string filter;            // only functions whose name matches this glob
  bool no_opt = false;           // none of the passes
  uint32_t without = 0;          // a bit for each Pass that is left out
  std::vector<debug::CodeListener*> listeners;        // told of each piece of code; not owned
  bool anonymous_code = false;                        // no file behind the memory for code (jit/codegen/memory.h)
  std::function<void(const std::string&)> on_event;   // for --trace=jit: a line an event
  size_t code_bytes = 64 << 20;  // room for machine code
  // For tests, not 0: few registers, far branches, little room for code, and by chance, from this seed on, compiling
  // or not, going on in the other tier at calls, loops, performs and resumptions, and forgetting code.
  uint32_t chaos = 0;

  bool runs(Pass pass) const { return !no_opt && !(without >> static_cast<unsigned>(pass) & 1); }
};

}  // namespace eddy::jit
