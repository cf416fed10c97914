// What a piece of machine code is: told to those who give names to code (perf, gdb).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "vm/loaded.h"

namespace eddy::jit::debug {

// From `offset` on the frame that called ends `cfa` bytes above the stack pointer (the return address
// included).
struct FrameMove {
  uint32_t offset;
  int32_t cfa;
};

struct CodeRegion {
  // The function, or one that was inlined: by a call at word `call_pc` of `caller`.
  struct Inlined {
    const vm::LoadedFunction* function = nullptr;
    int caller = -1;
    uint32_t call_pc = 0;
  };
  // From `offset` on: word `pc` of one of them.
  struct Line {
    uint32_t offset;
    uint32_t function;
    uint32_t pc;
  };

  std::string name;
  const uint8_t* code = nullptr;
  size_t size = 0;
  std::vector<Inlined> functions;  // [0]: whose code it is; empty for the VM's own pieces
  std::vector<Line> lines;
  std::vector<FrameMove> moves;  // where the stack pointer is; ascending
  // For code that changes stacks: DWARF instructions that say how to go on (gdb only); `stops`: nobody can.
  std::vector<uint8_t> unwind;
  bool stops = false;
};

// A part of a region with a name of its own: the clauses inlined into it, and what lies between them.
struct Piece {
  std::string name;
  const vm::LoadedFunction* function;  // null: the VM's own
  uint32_t start, end;
};
std::vector<Piece> pieces_of(const CodeRegion& region);

// Told of each piece of machine code once it is in its place.
class CodeListener {
 public:
  virtual ~CodeListener() = default;
  virtual void added(const CodeRegion& region) = 0;
  virtual void refused(const vm::LoadedFunction&, const std::string& /*why*/) {}
};

}  // namespace eddy::jit::debug
