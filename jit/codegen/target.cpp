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
    s.for_each([&](void*& stub) { stub = reinterpret_cast<void*>(at += 0x100); });
    return s;
  }();
  return stubs;
}

}  // namespace eddy::jit
