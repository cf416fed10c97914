#include "tools/eddy/commands.h"
namespace eddy::tool { int repl(const RunFlags&, const std::vector<std::string>&) { return kUsage; } }
