// A fiber: a growable stack of frames, and who called it.
//
//        base →  (one past the highest word)
//                [ Stubs::fiber_exit ]  return address of the base frame
//                [ base frame …      ]
//                [ …                 ]
//          sp →  [ return address    ]  of the youngest frame, while the fiber is not running
//       limit →  (frames may not reach below; slack for one native call remains under it)
//       block →  (lowest word)
//
// The descriptor never moves, so handler nodes and machine code may hold its address; the block is grown by
// copying to one of twice the size (beyond 256 KiB: an eightfold reservation whose pages cost nothing until
// touched). Descriptors and blocks are pooled: a fiber that finishes gives both back at once, a fiber whose
// continuation became unreachable is given back by the collector.
#pragma once
#include <cstdint>

#include "runtime/frame.h"

namespace eddy::rt {

enum class FiberState : uint8_t {
  Free,       // in the pool
  Running,    // the current fiber
  Waiting,    // has a running or waiting child above it
  Suspended,  // part of a continuation
};

struct Fiber {
  Fiber* parent = nullptr;  // Waiting below this one; for the lowest fiber of a continuation: unused
  Word* sp = nullptr;
  Word* base = nullptr;
  Word* limit = nullptr;
  Word* block = nullptr;
  uint64_t tag = 0;         // cache tag of this fiber's context, while it is not running
  uint64_t epoch = 0;       // ctx.move_epoch when tag was saved
  uint32_t records = 0;     // newest unwind record: words from base down to its link word; 0: none
  uint32_t id = 0;          // for traces; fresh at every use
  FiberState state = FiberState::Free;
  bool marked = false;      // reached by the collection under way
  bool dirty = true;        // ran since it was last scanned: scanned again by the next minor collection
  bool young = true;        // made since the last minor collection
  uint8_t size_class = 0;
  Fiber* next = nullptr;    // in the pool
  uint32_t index = 0;       // in the table of live fibers

  Word offset_of(const void* p) const { return static_cast<Word>(base - static_cast<const Word*>(p)); }
  Word* at(Word offset) const { return base - offset; }
};

}  // namespace eddy::rt
