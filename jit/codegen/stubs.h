// The fixed pieces of machine code: the ways in and out. Each instruction set writes its own (`stubs.cpp`);
// which registers are meant by result, function, helper and arguments, its `registers.h` says.
#pragma once
#include <memory>

#include "runtime/context.h"

namespace eddy::jit {

struct StubOptions {
  void (*left)(rt::Context*, void*) = nullptr;  // told by leave_in_place
  bool observed = false;  // somebody watches the effects: C++ does all performs and resumes, and tells
};

struct Stubs {
  // Follows ctx.action (Call or Deliver) on the current fiber. With `entry`, a Call goes there.
  void (*enter)(rt::Context*, void* entry) = nullptr;

  // What return-address words hold.
  void *interp_return, *clause_end, *fiber_exit, *vm_exit, *watermark;

  // Targets of machine code. "Jump" ones expect the stack pointer at a return word.
  void* call_interpreter;  // called like a function, its Function* in the function register: runs it outside
                           // machine code
  void* box_arguments;     // called like a function, by its raw entry: makes objects of those arguments and calls it so
  void* box_and_interpret;  // the same, and runs it outside machine code
  void* leave_in_place;    // jump: the frame is written down; first argument: what is told
  void* call_value;   // call: helper in the helper register, up to four arguments; a null result is a pending
                      // panic
  void* call_action;  // call: the same for one that leaves in ctx.action how it goes on
  void* jump_action;  // jump: the same
  void* perform;      // call: cell in the first argument, operation's arguments in ctx.args[1 …]
  void* perform_known;  // as a clause's resuming entry (CodegenBase::resuming_entry), for those that have none
  void* resume_keep;  // call: a continuation and a value in the first two arguments
  void* resume_last;
  void* tail_resume_keep;  // jump: the same
  void* tail_resume_last;
  void* resume_taken;  // call: a captured fiber, its context and a value in the first three arguments
  void* tail_taken;    // jump: the same, and the handler
  void* fiber_call;    // call, or jump: a fiber's body in the first argument
  void* abort_body;    // jump: an abort clause, its function in the function register and arguments in theirs, for the
                       // handler at the base of the current fiber (see `perform`)
  void* finish_fiber;  // jump: the first frame of a fiber is done, its value in the result register
  void* call_plain;  // call: for a helper that neither collects nor fails; result in the result or first
                     // float register

  // All but `enter`.
  template <class F>
  void for_each(F&& visit) {
    for (void** stub : {&interp_return, &clause_end, &fiber_exit, &vm_exit, &watermark, &call_interpreter, &box_arguments, &box_and_interpret, &leave_in_place,
                        &call_value, &call_action, &jump_action, &perform, &perform_known, &resume_keep, &resume_last,
                        &tail_resume_keep, &tail_resume_last, &resume_taken, &tail_taken, &fiber_call,
                        &abort_body, &finish_fiber, &call_plain})
      visit(*stub);
  }
};

// Lives as long as the code.
class StubCode {
 public:
  virtual ~StubCode() = default;
  Stubs table;
  const uint8_t* code = nullptr;  // all of it
  size_t size = 0;
};

}  // namespace eddy::jit
