// eddy-faults: programs whose n-th allocation fails, for many n.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#ifdef EDDY_SANITIZE
#include <sanitizer/lsan_interface.h>
#endif

#include "jit/jit.h"
#include "lang/compile.h"
#include "runtime/natives/natives.h"
#include "tools/eddy-faults/experiment.h"
#include "vm/verifier.h"

namespace {

using namespace eddy;
using namespace eddy::faults;
namespace fs = std::filesystem;

const char* const kHelp =
    R"(eddy-faults [flags] FILE|FOLDER…   lets allocations of programs fail, one in each run

  --points N     of each kind of failure, program and tier: this many different ones (40)
  --jobs N       worker processes (as many as there are processors)
  --case F,N     only this one: heap or system, and which
  --quiet        only what is wrong, and the sum

After a failure the program must have ended with an error of its own (status 3, or 1 for a stack), or have caught the
panic; the heap must be sound, the same program must run in the same VM, and all memory and files be given back.
)";

struct Flags {
  uint64_t points = 40;
  int jobs = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  bool quiet = false;
  Case only{};
  std::vector<fs::path> programs;
};

// Of one program, left for the parent by the process that ran it.
struct Report {
  uint64_t runs, panics;
  bool skipped;
  char why[200];  // skipped
  char where[100];
  char problem[400];
};

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

int native_arity(std::string_view name) {
  const rt::Native* native = rt::find_native(name);
  return native ? native->arity : -1;
}

void set(char* to, size_t size, const std::string& text) {
  size_t n = std::min(size - 1, text.size());
  std::memcpy(to, text.data(), n);
  to[n] = 0;
}

// The first half of them one after the other, the rest spread over all there are.
std::set<uint64_t> points_of(uint64_t all, uint64_t wanted) {
  std::set<uint64_t> points;
  for (uint64_t n = 1; n <= std::min(all, wanted / 2); ++n) points.insert(n);
  uint64_t left = wanted - points.size();
  for (uint64_t i = 1; i <= left; ++i) points.insert(std::max<uint64_t>(1, all * i / left));
  if (all == 0) points.clear();
  return points;
}

void work(const fs::path& path, const Flags& flags, Report& report) {
  std::string text = read(path);
  lang::FrontEndOptions options;
  options.need_main = true;
  auto compilation = lang::check_text(path.string(), text, options);
  std::optional<vm::Module> module;
  if (compilation->ok()) module = lang::compile(*compilation);
  // Whether it should compile is asked elsewhere.
  report.skipped = true;
  if (!module || vm::verify(*module, native_arity)) return;
  compilation.reset();
  bool catches = false;
  for (const char* word : {"attempt", "defer", "finally", "test", "async"})
    catches |= text.find(word) != std::string::npos;

  // On a busy machine, who sleeps may wake too late for the order that was meant: that is not so every time.
  const int tries = text.find("sleep") != std::string::npos ? 3 : 1;

  auto complain = [&](const Case& c, const std::string& problem) {
    set(report.where, sizeof report.where, to_string(c));
    set(report.problem, sizeof report.problem, problem);
  };
  for (bool jit : {false, true}) {
    if (jit && !jit::available()) break;
    Case none{.jit = jit};
    set(report.where, sizeof report.where, to_string(none));
    Ending expected = run(*module, none, nullptr, catches);
    // What depends on time or chance, or reaches a limit, cannot be compared.
    Ending again = run(*module, none, &expected, catches);
    if (!again.problem.empty()) return set(report.why, sizeof report.why, again.problem);
    if (expected.message == "out of memory" || expected.message == "stack overflow") return;
    report.skipped = false;
    for (Fault fault : {Fault::Heap, Fault::System}) {
      std::set<uint64_t> points =
          points_of(fault == Fault::Heap ? expected.objects : expected.requests, flags.points);
      if (flags.only.fault != Fault::None) points = {flags.only.n};
      if (flags.only.fault != Fault::None && flags.only.fault != fault) continue;
      for (uint64_t n : points) {
        Case c{fault, n, jit};
        set(report.where, sizeof report.where, to_string(c));
        Ending e = run(*module, c, &expected, catches);
        for (int i = 1; i < tries && !e.problem.empty(); ++i) e = run(*module, c, &expected, catches);
        ++report.runs;
        report.panics += e.message == "out of memory" || e.message == "stack overflow";
        if (!e.problem.empty()) return complain(c, e.problem);
      }
    }
  }
  report.where[0] = 0;
}

void run_child(const fs::path& path, const Flags& flags, Report& report) {
  rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  rlimit time{300, 300};
  setrlimit(RLIMIT_CPU, &time);
  int out = memfd_create("out", 0), in = open(fs::path(path).replace_extension(".in").c_str(), O_RDONLY);
  if (in < 0) in = open("/dev/null", O_RDONLY);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  int err = memfd_create("err", 0);
  dup2(err, STDERR_FILENO);
  work(path, flags, report);
#ifdef EDDY_SANITIZE
  if (!report.problem[0] && __lsan_do_recoverable_leak_check())
    set(report.problem, sizeof report.problem, "memory was lost");
#endif
  _exit(0);
}

int run_all(const Flags& flags) {
  size_t count = flags.programs.size();
  auto* reports = static_cast<Report*>(
      mmap(nullptr, count * sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::vector<pid_t> children(count, -1);
  size_t next = 0, done = 0, wrong = 0;
  int running = 0;
  uint64_t runs = 0, panics = 0, skipped = 0;
  while (done < count) {
    while (running < flags.jobs && next < count) {
      std::fflush(nullptr);
      pid_t child = fork();
      if (child == 0) run_child(flags.programs[next], flags, reports[next]);
      children[next++] = child;
      ++running;
    }
    int status = 0;
    pid_t child = wait(&status);
    if (child < 0) break;
    auto at = static_cast<size_t>(std::find(children.begin(), children.end(), child) - children.begin());
    if (at == count) continue;
    --running;
    ++done;
    Report& r = reports[at];
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      set(r.problem, sizeof r.problem,
          WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                              : "left with status " + std::to_string(WEXITSTATUS(status)));
    runs += r.runs;
    panics += r.panics;
    skipped += r.skipped;
    if (r.problem[0]) {
      ++wrong;
      std::fprintf(stderr, "%s (%s): %s\n", flags.programs[at].c_str(), r.where, r.problem);
    } else if (!flags.quiet && r.skipped) {
      std::fprintf(stderr, "%s: not comparable: %s\n", flags.programs[at].c_str(), r.why);
    } else if (!flags.quiet && isatty(STDERR_FILENO)) {
      std::fprintf(stderr, "\r\033[K%zu of %zu programs, %llu runs", done, count,
                   static_cast<unsigned long long>(runs));
    }
  }
  std::fprintf(
      stderr,
      "%s%zu programs (%llu that no comparison is possible with), %llu runs with a failure, %llu panics, %zu "
      "programs wrong\n",
      flags.quiet || !isatty(STDERR_FILENO) ? "" : "\r\033[K", count,
      static_cast<unsigned long long>(skipped), static_cast<unsigned long long>(runs),
      static_cast<unsigned long long>(panics), wrong);
  return wrong || !runs ? 1 : 0;
}

void add_programs(const fs::path& path, Flags& flags) {
  if (!fs::is_directory(path)) {
    flags.programs.push_back(path);
    return;
  }
  auto beside = [](fs::path p, const char* extension) { return fs::exists(p.replace_extension(extension)); };
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const fs::path& p = entry.path();
    if (p.extension() != ".eddy" || !(beside(p, ".out") || beside(p, ".status"))) continue;
    if (!beside(p, ".heavy") && !beside(p, ".flags") && !beside(p, ".args")) flags.programs.push_back(p);
  }
}

bool parse(int argc, char** argv, Flags& flags) {
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i];
    if (flag == "--quiet") {
      flags.quiet = true;
    } else if (flag.starts_with("--")) {
      if (++i >= argc) return false;
      std::string value = argv[i];
      if (flag == "--points")
        flags.points = std::strtoull(value.c_str(), nullptr, 10);
      else if (flag == "--jobs")
        flags.jobs = std::max(1, std::atoi(value.c_str()));
      else if (flag == "--case" && value.find(',') != std::string::npos)
        flags.only = {value.starts_with("heap") ? Fault::Heap : Fault::System,
                      std::strtoull(value.c_str() + value.find(',') + 1, nullptr, 10), false};
      else
        return false;
    } else {
      add_programs(flag, flags);
    }
  }
  std::sort(flags.programs.begin(), flags.programs.end());
  return !flags.programs.empty();
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  if (!parse(argc, argv, flags)) {
    std::fputs(kHelp, stderr);
    return 2;
  }
  return run_all(flags);
}
