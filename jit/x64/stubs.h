// The fixed pieces of machine code: the ways in and out.
#pragma once
#include <memory>

#include "runtime/context.h"

namespace eddy::jit::x64 {

struct Stubs {
  // Follows ctx.action (Call or Deliver) on the current fiber. With `entry`, a Call goes there.
  void (*enter)(rt::Context*, void* entry) = nullptr;

  // What return-address words hold.
  void *interp_return, *clause_end, *fiber_exit, *vm_exit, *watermark;

  // Targets of machine code.
  void* call_interpreter;  // jump or call: function in rdx, arguments in place: calls it outside machine code
  void* leave_in_place;    // jump: rsp is at the return word of a frame that is written down; rsi: what is told
  void* call_value;        // call: helper in rax, arguments in rsi, rdx, rcx, r8; a null result is a pending panic
  void* call_action;       // call: the same for one that leaves in ctx.action how it goes on
  void* jump_action;       // jump: the same, with rsp at a return word that is to be returned to
  void* perform;           // call: cell in rsi, operation's arguments in ctx.args[1 …]
  void* resume_keep;       // call, or jump with rsp at a return word: ctx.args[0] with ctx.args[1]
  void* resume_last;
  void* call_plain;        // call: for a helper that neither collects nor fails; result in rax or xmm0
};

// Lives as long as the code.
class StubCode {
 public:
  virtual ~StubCode() = default;
  Stubs table;
};
// `left`: told by leave_in_place (context, rsi).
std::unique_ptr<StubCode> make_stubs(void (*left)(rt::Context*, void*));

}  // namespace eddy::jit::x64
