// What debuggers read: call frames, lines, names of what was inlined. DWARF 4.
#pragma once
#include <string>

#include "jit/debug/bytes.h"
#include "jit/debug/region.h"

namespace eddy::jit::debug {

// .eh_frame for the code from `start` to `end` of a region. *fde: where its one description starts.
struct FrameSection {
  bool absolute =
      false;  // addresses, and what lies behind the end of a stack is found through the context (for gdb);
              // else relative, to lie `distance` bytes behind the region's start, and a walk ends there
  int64_t distance = 0;
};
Bytes eh_frame(const CodeRegion& region, uint32_t start, uint32_t end, const FrameSection& how, size_t* fde);
// Its index, to lie directly behind it.
Bytes eh_frame_header(const Bytes& frames, size_t fde, int64_t distance);

struct DebugSections {
  Bytes abbrev, info, line, ranges;
};
DebugSections debug_sections(const CodeRegion& region);

// As debuggers find it: absolute where it exists.
std::string full_path(const std::string& file);
std::string working_folder();

}  // namespace eddy::jit::debug
