#include "jit/codegen/stubs.h"

#include <cstring>

#include "jit/codegen/stub_calls.h"
#include "jit/runtime_calls.h"

namespace eddy::jit {

std::optional<StubCode> place_stubs(const StubImage& image, CodeMemory& memory, void (*left)(rt::Context*, void*)) {
  void* const calls[] = {
      reinterpret_cast<void*>(left),
#define X(name, function) reinterpret_cast<void*>(&function),
      EDDY_STUB_CALLS(X)
#undef X
  };
  size_t size = image.code.size();
  CodeMemory::Place place = memory.take(size + sizeof calls);
  if (!place.writable) return std::nullopt;
  std::memcpy(place.writable, image.code.data(), size);
  std::memcpy(place.writable + size, calls, sizeof calls);
  if (!memory.ready(place, size + sizeof calls)) return std::nullopt;
  StubCode stubs{{}, place.address, size};
  const uint16_t* entry = image.entries.data();
  stubs.table.enter = reinterpret_cast<decltype(Stubs::enter)>(place.address + *entry++);
  stubs.table.for_each([&](void*& stub) { stub = place.address + *entry++; });
  return stubs;
}

void use_stubs(rt::Context& ctx, const Stubs& stubs) {
  auto word = [](void* p) { return reinterpret_cast<rt::Word>(p); };
  ctx.stubs.interp_return = word(stubs.interp_return);
  ctx.stubs.clause_end = word(stubs.clause_end);
  ctx.stubs.fiber_exit = word(stubs.fiber_exit);
  ctx.stubs.vm_exit = word(stubs.vm_exit);
  ctx.stubs.watermark = word(stubs.watermark);
}

}  // namespace eddy::jit
