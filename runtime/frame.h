// The frame, shared by the interpreter and machine code, and the picture of a fiber's stack.
//
// Stacks grow towards lower addresses. A frame, low to high:
//
//     sp+1 → [ function        ]   who this is
//            [ resume          ]   where it goes on after a call: bytecode pc | destination register << 48
//            [ tagged slots …  ]   parameters first
//            [ raw slots …     ]
//            [ return address  ]   of the caller: the address machine code would `ret` to
//
// The word below a frame that is not running its own code is a return address into it: its callee's
// return-address slot or, on a suspended fiber, the word `sp` points at. Stubs::interp_return there means
// "the frame above is interpreted": to go on, deliver the value to its destination register and dispatch
// at its pc. So a call, a return, a resume and an abort need not know which tier the other side is in.
// A frame holds no absolute address of its own fiber: stacks are copied with memcpy.
#pragma once
#include <cstddef>

#include "runtime/value.h"

namespace eddy::rt {

struct Function;

struct Frame {
  Function* function;
  Word resume;
  Value slots[];

  Word* words() { return reinterpret_cast<Word*>(this); }
};

constexpr unsigned kFrameHeaderWords = 2;
static_assert(offsetof(Frame, slots) == kFrameHeaderWords * sizeof(Word));

// Words of a frame with `slots` slots, return address included.
constexpr unsigned frame_words(unsigned slots) { return kFrameHeaderWords + slots + 1; }

// The resume word of a frame that called: the pc after the call and the register that takes the result. Of a
// frame that allocates or panics in place: that instruction's own pc and kInPlace.
constexpr unsigned kInPlace = 0xffff;
// Of a frame that was cut because a record of it runs deferred code: the instruction that made the record.
constexpr unsigned kUnwinding = 0xfffe;
constexpr unsigned kResumeDestinationShift = 48;
constexpr Word kResumePcMask = (Word{1} << kResumeDestinationShift) - 1;
inline Word pack_resume(const Word* pc, unsigned destination) {
  return reinterpret_cast<Word>(pc) | (static_cast<Word>(destination) << kResumeDestinationShift);
}
inline const Word* resume_pc(Word resume) { return reinterpret_cast<const Word*>(resume & kResumePcMask); }
inline unsigned resume_destination(Word resume) { return static_cast<unsigned>(resume >> kResumeDestinationShift); }

// Unwind records: what an abort, a panic or a jump must not pass by unseen. A record uses two tagged slots
// (object, context) and two raw slots (link, resume) of its frame; a fiber lists its records, newest first.
//   object   Closure: a pending defer or finally
//            Continuation: what a clause has yet to resume, to be dropped with it
//            Named:   a named handler's region
//            Exit:    a function or loop that a handled body may leave
//            Node:    the clause of that handler runs in place above this frame
//            kAttemptMark: an attempt
//   context  ctx.top when the record was made
//   link     see below
//   resume   pc and destination where control goes on when it is the target
struct RecordLink {
  // Offsets count words from the fiber's base down to the link word itself.
  static constexpr Word pack(Word previous, unsigned link_slot, unsigned object_slot) {
    return previous | (static_cast<Word>(link_slot) << 32) | (static_cast<Word>(object_slot) << 48);
  }
  static constexpr Word previous(Word link) { return link & 0xffffffffu; }
  static constexpr unsigned link_slot(Word link) { return (link >> 32) & 0xffff; }
  static constexpr unsigned object_slot(Word link) { return static_cast<unsigned>(link >> 48); }
};
constexpr Value kAttemptMark{imm_bits(Imm::Hole, Word{1} << 8)};

}  // namespace eddy::rt
