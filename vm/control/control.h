// What effects do to control: perform, resume, drop, unwind. Called by the interpreter and by machine code with
// the current frame written down (resume word, return address, fiber->sp); each leaves in ctx.action how the
// current fiber goes on.
#pragma once
#include "vm/control/records.h"
#include "vm/control/switch.h"

namespace eddy::vm {

// --- fibers
// Runs the closure in ctx.args[0] on a new fiber above the current one.
void call_on_fiber(Context& ctx);

// --- perform: arguments in ctx.args[1 …], PerformCell says how many
void perform(Context& ctx, PerformCell* cell);
void perform_named(Context& ctx, PerformCell* cell);  // the handler in ctx.args[0]

// --- resume ctx.args[0] with ctx.args[1]
enum class ResumeMode : uint8_t { Keep, Last };
void resume(Context& ctx, ResumeMode mode);
// Gives ctx.args[0] up where it has not been consumed.
void drop(Context& ctx);

// --- unwinding
void start_panic(Context* ctx);                        // with ctx.panic_message
void abort_clause(Context& ctx, Value node, const rt::Clause* clause);
void abort_with_value(Context& ctx, Value target, Value value);  // target: a Node, or Named whose region encloses
void exit_to(Context& ctx, Value exit, Value value);
void unwind_next(Context& ctx);                        // the unwind frame is on top
bool cut_for_abort(Context& ctx, Value* s);            // ABORT_NOW

// An rt::EffectObserver that prints.
void print_effect(Context& ctx, rt::EffectEvent event, const rt::Site* site, const rt::Clause* clause, const rt::Fiber* other);
// The line that it prints.
std::string effect_line(Context& ctx, rt::EffectEvent event, const rt::Site* site, const rt::Clause* clause);
// The places of the function that has just been entered, and of its caller.
std::string caller_place(Context& ctx);

// Keeps in the statistics how many frames and handlers there are, where there have never been so many.
void measure_depth(Context& ctx);

// "function (file:line:column)": where the program is, and where a handler was written.
std::string current_place(Context& ctx);
std::string place_of(const rt::Site* site);
// The trace of the current stack, youngest frame first, one line a frame; the middle of a long one is left out.
std::string stack_trace(Context& ctx);

}  // namespace eddy::vm
