// `eddy test`: every @test of the files, each on a VM of its own so that none can disturb another.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <unistd.h>

#include "tools/eddy/commands.h"
#include "tools/eddy/files.h"
#include "tools/eddy/machine.h"
#include "tools/eddy/program.h"

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
    for (auto it = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, error);
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

void run_one(const vm::Module& program, const vm::Module::Test& test, const RunFlags& flags, Tally& tally) {
  bool terminal = isatty(2);
  if (terminal) std::fprintf(stderr, "\r\033[K%s …", test.name.c_str());
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
    if (result.outcome == vm::Outcome::Finished) result = machine.vm().call(&module->functions[test.function]);
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  tally.seconds += seconds;
  bool passed = result.outcome == vm::Outcome::Finished || (result.outcome == vm::Outcome::Exited && result.status == 0);
  if (terminal) std::fprintf(stderr, "\r\033[K");
  ++(passed ? tally.passed : tally.failed);
  std::fprintf(stderr, "%s %s (%.1f ms)\n", passed ? "ok    " : "FAILED", test.name.c_str(), seconds * 1e3);
  if (!passed) machine.report(result, false);
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
      run_one(program->module, test, flags, tally);
    }
  }
  std::fprintf(stderr, "%u passed, %u failed", tally.passed, tally.failed);
  if (tally.broken_files) std::fprintf(stderr, ", %u files do not compile", tally.broken_files);
  std::fprintf(stderr, " (%.2f s)\n", tally.seconds);
  if (tally.broken_files) return kUsage;
  return tally.failed ? kPanic : kOk;
}

}  // namespace eddy::tool
