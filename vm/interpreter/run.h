// The interpreter's door.
#pragma once
#include "runtime/context.h"

namespace eddy::vm {

// Goes on as ctx.action says and returns with control in machine code's hands or with Action::Stop.
void interpret(rt::Context& ctx);

}  // namespace eddy::vm
