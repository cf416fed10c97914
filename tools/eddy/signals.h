// Ctrl-C and the clock of --timeout. One VM at a time can be interrupted.
#pragma once
#include "vm/vm.h"

namespace eddy::tool {

// From here on Ctrl-C ends the process with its status, or makes the running program unwind.
void catch_interrupts();

// Seconds from now after which whatever runs is stopped: the program at its next safepoint, anything else at
// once, or where others follow it, at least not because the system is busy. 0: no limit.
void start_clock(double seconds, bool others_follow = false);
void stop_clock();

// Whom an interrupt is for; null: nobody.
void set_running(vm::Vm* vm);

// Between the inputs of an interactive session: a Ctrl-C so far does not count towards the second that
// forces.
void forget_interrupts();
// While somebody types, Ctrl-C only interrupts the system call.
void set_prompting(bool prompting);

}  // namespace eddy::tool
