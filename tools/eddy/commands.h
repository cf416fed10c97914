// The subcommands. Each returns the process's exit status.
#pragma once
#include <string>
#include <vector>

#include "tools/eddy/options.h"

namespace eddy::tool {

// The whole of a process.
int command(int argc, char** argv);

int run(const Source& source, const RunFlags& flags, const std::vector<std::string>& arguments);
int check(const std::vector<std::string>& files, const std::vector<std::string>& paths, bool json);
int build(const Source& source, const std::string& output);
int test(const std::vector<std::string>& files, const std::vector<std::string>& paths, const RunFlags& flags,
         const std::string& filter);
int repl(const RunFlags& flags, const std::vector<std::string>& paths);
int disassemble(const Source& source, const std::string& function, bool plain);
int list_compiled(const Source& source, const std::string& function, bool graph, const std::string& arch);
struct ExplainFlags {
  bool run = false, json = false, all = false;
};
int explain(const Source& source, RunFlags flags, const std::vector<std::string>& arguments,
            const ExplainFlags& wanted);
int assemble(const std::string& file, const std::string& output);
int verify(const std::vector<std::string>& files);
int format(const std::vector<std::string>& files, bool check_only);
int document(const std::vector<std::string>& files, const std::vector<std::string>& paths);

}  // namespace eddy::tool
