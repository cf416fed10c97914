#include "tools/eddy/commands.h"
#include "tools/eddy/ending.h"

int main(int argc, char** argv) {
#ifndef EDDY_SANITIZE  // what looks for leaks wants to see everything taken down
  eddy::tool::let_commands_end_process();
#endif
  return eddy::tool::command(argc, argv);
}
