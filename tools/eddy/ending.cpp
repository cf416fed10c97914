#include "tools/eddy/ending.h"

#include <cstdlib>

namespace eddy::tool {

namespace {
bool may_end = false;
}

void let_commands_end_process() { may_end = true; }

int leave(int status) {
  if (may_end) std::exit(status);
  return status;
}

}  // namespace eddy::tool
