// What a debugger's script needs to walk Eddy's frames from outside (tools/gdb/eddy.py).
#pragma once
#include "runtime/context.h"

namespace eddy::vm {

// The VM that was made last is the one that is shown.
void show_to_debuggers(rt::Context* ctx);
void hide_from_debuggers(rt::Context* ctx);

}  // namespace eddy::vm
