// The assembly programs again, compiled before they first run.
#include "jit/jit.h"
#include "tests/unit/asm_test.cpp"

namespace eddy {
namespace {

const bool kAttached = [] {
  test::attach_compiler = [](vm::Vm& machine) {
    jit::Options options;
    options.tier = jit::TierMode::Jit;
    return jit::attach(machine, options);
  };
  return true;
}();

}  // namespace
}  // namespace eddy
