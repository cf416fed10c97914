// `eddy test`: every @test of the files, each on a VM of its own so that none can disturb another.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tools/eddy/commands.h"
#include "tools/eddy/files.h"
#include "tools/eddy/machine.h"
#include "tools/eddy/program.h"
#include "tools/eddy/signals.h"

namespace eddy::tool {

namespace {

std::vector<std::string> eddy_files(const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const std::string& path : paths.empty() ? std::vector<std::string>{"."} : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    for (auto it =
             fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, error);
         it != fs::recursive_directory_iterator(); it.increment(error)) {
      if (error) break;
      if (it->path().extension() == ".eddy") files.push_back(it->path().lexically_normal().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Tally {
  unsigned passed = 0, failed = 0, broken_files = 0;
  double seconds = 0;
};

// The line of the test file that a trace comes to first: "  at f (file:line:column)" is how its lines end.
void show_source(const std::string& trace, const std::string& file) {
  size_t at = trace.find("(" + file + ":");
  if (at == std::string::npos) return;
  unsigned line = 0, column = 0;
  if (std::sscanf(trace.c_str() + at + 1 + file.size(), ":%u:%u)", &line, &column) != 2) return;
  std::ifstream in(file);
  std::string text;
  for (unsigned i = 0; i < line && std::getline(in, text); ++i) continue;
  std::fprintf(stderr, "  %5u | %s\n", line, text.c_str());
}

void run_one(const std::string& file, const vm::Module& program, const vm::Module::Test& test,
             const RunFlags& flags, Tally& tally) {
  bool terminal = isatty(2);
  if (terminal) std::fprintf(stderr, "\r\033[K%s …", test.name.c_str());
  start_clock(flags.timeout, true);
  auto start = std::chrono::steady_clock::now();
  MachineRun machine(flags, {});
  std::string problem;
  vm::LoadedModule* module = machine.vm().load(program, &problem);
  vm::RunResult result;
  if (!module) {
    result.outcome = vm::Outcome::Panicked;
    result.message = problem;
  } else {
    result = machine.vm().initialise(module);
    if (result.outcome == vm::Outcome::Finished)
      result = machine.vm().call(&module->functions[test.function]);
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  tally.seconds += seconds;
  bool passed = result.outcome == vm::Outcome::Finished ||
                (result.outcome == vm::Outcome::Exited && result.status == 0);
  if (terminal) std::fprintf(stderr, "\r\033[K");
  ++(passed ? tally.passed : tally.failed);
  std::fprintf(stderr, "%s %s (%.1f ms)\n", passed ? "ok    " : "FAILED", test.name.c_str(), seconds * 1e3);
  if (!passed) {
    machine.report(result, false);
    show_source(result.trace, file);
  }
  stop_clock();
  machine.finish(kOk);
}

}  // namespace

int test(const std::vector<std::string>& paths, const std::vector<std::string>& search, const RunFlags& flags,
         const std::string& filter) {
  Tally tally;
  for (const std::string& file : eddy_files(paths)) {
    Source source;
    source.file = file;
    source.paths = search;
    std::optional<Program> program = load_program(source, Wanted::Tests);
    if (!program) {
      ++tally.broken_files;
      continue;
    }
    bool named = false;
    for (const vm::Module::Test& test : program->module.tests) {
      if (test.name.find(filter) == std::string::npos) continue;
      if (!named) std::fprintf(stderr, "%s\n", file.c_str());
      named = true;
      run_one(file, program->module, test, flags, tally);
    }
  }
  std::fprintf(stderr, "%u passed, %u failed", tally.passed, tally.failed);
  if (tally.broken_files)
    std::fprintf(stderr, ", %u file%s not compile", tally.broken_files,
                 tally.broken_files == 1 ? " does" : "s do");
  std::fprintf(stderr, " (%.2f s)\n", tally.seconds);
  if (tally.broken_files) return kUsage;
  return tally.failed ? kPanic : kOk;
}

}  // namespace eddy::tool
