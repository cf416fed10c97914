// The handler programs again, compiled before they first run.
#include "jit/jit.h"
#include "tests/unit/handlers_test.cpp"

namespace eddy {
namespace {

const bool kAttached = [] {
  test::attach_compiler = [](vm::Vm& machine) {
    jit::Options options;
    options.tier = jit::TierMode::Jit;
    options.code_bytes = 4 << 20;  // an emulator takes its time to map more, and there are thousands of machines
    return jit::attach(machine, options);
  };
  return true;
}();

}  // namespace
}  // namespace eddy
