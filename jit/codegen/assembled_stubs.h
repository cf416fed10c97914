// The stubs, written by the process itself: by the one that builds Eddy.
#pragma once
#include <string>
#include <vector>

#include "jit/codegen/stubs.h"

namespace eddy::jit {

struct AssembledStubs {
  // `offsets` stand for addresses there.
  AssembledStubs(const uint8_t* start, size_t size, Stubs offsets) : code(start, start + size) {
    auto add = [&](auto stub) { entries.push_back(static_cast<uint16_t>(reinterpret_cast<uintptr_t>(stub))); };
    add(offsets.enter);
    offsets.for_each(add);
  }
  StubImage image() const { return {code, entries}; }

  std::vector<uint8_t> code;
  std::vector<uint16_t> entries;
  std::string failure;  // why they are of no use
};

namespace x64 {
AssembledStubs assemble_stubs(Watch watch);
}
namespace a64 {
AssembledStubs assemble_stubs(Watch watch);
}

}  // namespace eddy::jit
