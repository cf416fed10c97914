#include "jit/codegen/target.h"

namespace eddy::jit {

const Target* host_target() {
#if defined(__x86_64__)
  return &x64::target;
#elif defined(__aarch64__)
  return &a64::target;
#else
  return nullptr;
#endif
}

const Target* target_named(std::string_view name) {
  if (name == "x86-64" || name == "x86_64" || name == "amd64") return &x64::target;
  if (name == "aarch64" || name == "arm64") return &a64::target;
  return nullptr;
}

const Stubs& listed_stubs() {
  static const Stubs stubs = [] {
    Stubs s;
    uintptr_t at = 0x1000;
    auto next = [&] {
      at += 0x100;
      return reinterpret_cast<void*>(at);
    };
    for (void** stub : {&s.interp_return, &s.clause_end, &s.fiber_exit, &s.vm_exit, &s.watermark, &s.call_interpreter,
                        &s.leave_in_place, &s.call_value, &s.call_action, &s.jump_action, &s.perform, &s.resume_keep,
                        &s.resume_last, &s.call_plain})
      *stub = next();
    return s;
  }();
  return stubs;
}

}  // namespace eddy::jit
