// How the process of a command ends.
#pragma once

namespace eddy::tool {

// From now on a command that is done may end the process itself.
void let_commands_end_process();

// Ends the process, where a command may: what is still there goes with it, faster than it is taken down piece by piece.
// Streams of the C library are written out. Gives `status` back otherwise.
int leave(int status);

}  // namespace eddy::tool
