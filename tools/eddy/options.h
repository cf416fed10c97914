// What the command line says, as data.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace eddy::tool {

enum Status : int { kOk = 0, kPanic = 1, kUsage = 2, kLimit = 3, kInternal = 70, kInterrupted = 130 };

// Where a program comes from.
struct Source {
  std::string file;        // "-": standard input
  std::string expression;  // -e, where is_expression
  bool is_expression = false;
  std::vector<std::string> paths;  // --path
};

struct RunFlags {
  std::string tier = "auto";                       // "interp", "jit"
  int32_t jit_threshold = -1, osr_threshold = -1;  // -1: the compiler's own
  std::string jit_filter;
  std::vector<std::string> no_opt;    // passes of the compiler to leave out
  std::string stats;                  // "", "table", "json"
  std::vector<std::string> trace;     // "effects", "calls", "jit", "gc"
  std::string trace_format = "text";  // "chrome"
  std::string trace_file;             // "": standard error
  std::string perf;                   // "", "map", "jitdump"
  bool gdb = false;
  std::string profile;  // the file; "": no profile
  uint64_t max_heap = 0, max_stack = uint64_t{1} << 30, fuel = 0;
  double timeout = 0;
  uint32_t gc_stress = 0;
  bool verify_heap = false;
  uint64_t seed = 0;
  bool has_seed = false;
  std::string log_level = "warn";

  bool traces(const char* what) const {
    for (const std::string& t : trace)
      if (t == what) return true;
    return false;
  }
};

// Adds the flags of `run` to a subcommand.
void add_run_flags(CLI::App& command, RunFlags& flags);
void add_source_flags(CLI::App& command, Source& source);

}  // namespace eddy::tool
