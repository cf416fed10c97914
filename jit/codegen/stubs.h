// The fixed pieces of machine code: the ways in and out. Each instruction set writes its own (`stubs.cpp`);
// which registers are meant by result, function, helper and arguments, its `registers.h` says.
//
// They are written when Eddy is built (make_stubs.cpp), as code that runs wherever it is copied to.
#pragma once
#include <array>
#include <optional>
#include <span>

#include "jit/codegen/memory.h"
#include "runtime/context.h"

namespace eddy::jit {

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
  void* fork;          // call: the handler's node in its register, the word that the perform returns to above the return
                       // address. The continuation in the result register, or 0, and the arguments as they were
  void* finish_fiber;  // jump: the first frame of a fiber is done, its value in the result register
  void* call_plain;  // call: for a helper that neither collects nor fails; result in the result or first
                     // float register

  std::array<void*, 5> returned_to() const { return {interp_return, clause_end, fiber_exit, vm_exit, watermark}; }
  // All but `enter`.
  template <class F>
  void for_each(F&& visit) {
    for (void** stub : {&interp_return, &clause_end, &fiber_exit, &vm_exit, &watermark, &call_interpreter, &box_arguments, &box_and_interpret, &leave_in_place,
                        &call_value, &call_action, &jump_action, &perform, &perform_known, &resume_keep, &resume_last,
                        &tail_resume_keep, &tail_resume_last, &resume_taken, &tail_taken, &fiber_call,
                        &abort_body, &fork, &finish_fiber, &call_plain})
      visit(*stub);
  }
};

struct StubImage {
  std::span<const uint8_t> code;
  std::span<const uint16_t> entries;  // where they are in it: `enter`, and the others in the order of for_each
};
// What somebody looks at. Where it is the effects, C++ does all performs and resumes, and tells.
enum class Watch : uint8_t { Nothing, Counts, Effects };
constexpr Watch kWatches[] = {Watch::Nothing, Watch::Counts, Watch::Effects};
namespace x64 {
const StubImage& stub_image(Watch watch);
}
namespace a64 {
const StubImage& stub_image(Watch watch);
}

struct StubCode {
  Stubs table;
  const uint8_t* code;  // all of it
  size_t size;
};
// `left` is told by leave_in_place. Nothing where there is no memory.
std::optional<StubCode> place_stubs(const StubImage& image, CodeMemory& memory, void (*left)(rt::Context*, void*));
// Return addresses with a meaning are these stubs from now on.
void use_stubs(rt::Context& ctx, const Stubs& stubs);

}  // namespace eddy::jit
