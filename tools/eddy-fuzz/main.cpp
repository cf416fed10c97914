// eddy-fuzz: random programs, each run in every mode, until something disagrees.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "tools/eddy-fuzz/findings.h"
#include "tools/eddy-fuzz/generator.h"
#include "tools/eddy-fuzz/judge.h"
#include "tools/eddy-fuzz/mutate.h"

namespace {

using namespace eddy;
using namespace eddy::fuzz;
using Clock = std::chrono::steady_clock;

const char* const kHelp =
    R"(eddy-fuzz [flags]      runs random programs in every mode and reports what disagrees
eddy-fuzz --print N    prints the program of seed N
eddy-fuzz --digest …   prints a hash of the programs that the seeds mean, and runs none
eddy-fuzz --file F …   judges the program in a file; --seed says what the modes `without` and `chaos` do

  --mutate PATH        damages the programs of this file or folder a little, instead of making up new ones
  --seed N             the first program's seed (1)
  --count N            how many programs (1000, or what the environment's EDDY_FUZZ_COUNT says)
  --seconds N          stop after this time
  --modes A,B,…        of: MODES (all), and no-PASS;
                       `without` leaves out one pass after the other, from program to program
  --turns N            runs each program in the first mode and N turns of the others (0: all): what shares a VM,
                       or one mode; all turns are taken equally often, and `--state` says which mode ran how often
  --compare-with EDDY  another eddy command (words) that runs each program too
  --jobs N             worker processes (as many as there are processors)
  --batch N            programs that are run in one process, one after the other (50)
  --rehearse N         runs N programs in the workers themselves: faster under an emulator (0)
  --state FILE         goes on after the last seed that FILE names, and keeps it up to date
  --findings FOLDER    where to write what is found (fuzz-findings)
  --per-class N        of one class of problem, reduce and write at most N programs (3)
  --reduce-seconds N   for making a program small (60); 0: as it is
  --mode-seconds N     processor time that one mode of one program may take (20)
  --known FILE         classes of problems, one a line, that are counted and otherwise passed over
  --first              stop at the first finding
  --quiet              no progress

Exit status 0: nothing found, 1: something, 2: wrong flags.
)";

struct Flags {
  uint64_t seed = 1, count = 1000, rehearse = 0, batch = 50;
  struct {
    uint64_t programs = 0, runs = 0, found = 0;
    std::map<std::string, uint64_t> of_mode;
  } before;  // what the state file says
  double seconds = 0;
  Settings settings;
  int jobs = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  Findings findings;
  std::vector<std::string> known, mutate;
  const Mutants* mutants = nullptr;
  std::string state, file;
  bool quiet = false, print = false, digest = false, first = false;
};

constexpr int kMaxJobs = 64;

// Shared by the workers.
struct Shared {
  Tally tally;
  std::atomic<uint64_t> next, found, known;
  std::atomic<uint64_t> at[kMaxJobs];  // the seed that each has come to; kNowhere: it has none
  std::atomic<bool> stop;
};
constexpr uint64_t kNowhere = UINT64_MAX;

void count(const Flags& flags, Shared& shared, uint64_t seed, Tree program, const Verdict& verdict) {
  Tally& tally = shared.tally;
  tally.count_runs(verdict.ran);
  tally.early += verdict.ended_early;
  tally.rejected += verdict.rejected;
  tally.panicked += verdict.panicked;
  tally.left += verdict.left;
  bool known = std::find(flags.known.begin(), flags.known.end(), verdict.problem) != flags.known.end();
  if (known) {
    ++shared.known;
  } else if (!verdict.problem.empty()) {
    ++shared.found;
    if (flags.first) shared.stop = true;
    std::fprintf(stderr, "\r\033[Kseed %llu: %s%s%s\n", static_cast<unsigned long long>(seed),
                 verdict.problem.c_str(), verdict.mode.empty() ? "" : " in ", verdict.mode.c_str());
    keep(flags.findings, flags.settings, seed, std::move(program), verdict);
  }
  ++tally.done;
}

void worker(const Flags& flags, Shared& shared, std::atomic<uint64_t>& at, Clock::time_point end) {
  Settings settings = flags.settings;
  for (uint64_t i = 0; i < flags.rehearse; ++i) rehearse(text_of(*Generator(1 + i).program()), settings);
  auto make = [&](uint64_t seed) {
    return flags.mutants ? flags.mutants->make(seed) : Generator(seed).program();
  };
  auto stop = [&] { return shared.stop || Clock::now() >= end; };
  while (!stop()) {
    // Never beyond what this worker is about to do.
    at = flags.seed + shared.next;
    uint64_t first = shared.next.fetch_add(flags.batch);
    if (first >= flags.count) break;
    at = flags.seed + first;
    uint64_t last = flags.seed + std::min(flags.count, first + flags.batch);
    while (at < last && !stop()) {
      Verdict verdict;
      settings.seed = at;
      auto next = [&](uint64_t seed) {
        at = seed;
        return text_of(*make(seed));
      };
      at = judge_in_turn(settings, last, next, stop, shared.tally, verdict);
      if (verdict.problem.empty() && !verdict.ended_early) continue;
      Tree program = make(at);
      if (!verdict.problem.empty() && at != settings.seed) {
        uint64_t before = settings.seed;
        settings.seed = at;
        Verdict alone = judge(text_of(*program), settings);
        if (!alone.problem.empty() || alone.ended_early) {
          verdict = alone;
        } else {
          verdict.problem += ", after others";
          verdict.detail += "\nonly in one process with those from seed " + std::to_string(before) + " on\n";
        }
      }
      count(flags, shared, at, std::move(program), verdict);
      ++at;
    }
    if (at < last) return;  // the state file says so
  }
  at = kNowhere;
}

Shared* g_shared = nullptr;
void on_signal(int) { g_shared->stop = true; }

// On a stack of its own where there is one: a child may be running machine code on a fiber's.
void end_at(int signal) {
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  sigaction(signal, &action, nullptr);
}

int run_all(const Flags& flags) {
  auto* shared = static_cast<Shared*>(
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  g_shared = shared;
  end_at(SIGINT);
  end_at(SIGTERM);
  auto start = Clock::now();
  auto end = flags.seconds > 0 ? start + std::chrono::milliseconds(static_cast<int64_t>(flags.seconds * 1000))
                               : Clock::time_point::max();
  int running = 0;
  for (int i = 0; i < flags.jobs; ++i) {
    if (fork() == 0) {
      worker(flags, *shared, shared->at[i], end);
      _exit(0);
    }
    ++running;
  }
  const Tally& tally = shared->tally;
  auto keep_state = [&] {
    if (flags.state.empty()) return;
    auto of_mode = flags.before.of_mode;
    for (size_t i = 0; i < flags.settings.modes.size(); ++i)
      of_mode[flags.settings.modes[i]->name] += tally.of_mode[i];
    uint64_t next = flags.seed + std::min<uint64_t>(flags.count, shared->next);
    for (int i = 0; i < flags.jobs; ++i) next = std::min<uint64_t>(next, shared->at[i]);
    std::string lines;
    for (const auto& [name, runs] : of_mode) lines += name + " " + std::to_string(runs) + "\n";
    std::ofstream(flags.state) << ("next " + std::to_string(next) + "\nprograms " +
                                   std::to_string(flags.before.programs + tally.done) + "\nruns " +
                                   std::to_string(flags.before.runs + tally.runs()) + "\nfound " +
                                   std::to_string(flags.before.found + shared->found) + "\n" + lines);
  };
  for (unsigned ticks = 0; running > 0; ++ticks) {
    while (running > 0 && waitpid(-1, nullptr, WNOHANG) > 0) --running;
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (!flags.quiet && ticks % 10 == 0) {
      std::fprintf(stderr, "\r\033[K%llu of %llu programs, %llu runs, %.1f programs/s, %llu found",
                   static_cast<unsigned long long>(tally.done), static_cast<unsigned long long>(flags.count),
                   static_cast<unsigned long long>(tally.runs()),
                   static_cast<double>(tally.done) / std::max(seconds, 0.001),
                   static_cast<unsigned long long>(shared->found));
    }
    if (ticks % 20 == 0) keep_state();
    if (running > 0) usleep(50000);
  }
  keep_state();
  double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::fprintf(
      stderr,
      "%s%llu programs (%llu panicked, %llu left by exit, %llu ended early, %llu no programs), %llu runs in "
      "%.0f s, %llu of "
      "known problems, %llu found\n",
      flags.quiet ? "" : "\r\033[K", static_cast<unsigned long long>(tally.done),
      static_cast<unsigned long long>(tally.panicked), static_cast<unsigned long long>(tally.left),
      static_cast<unsigned long long>(tally.early), static_cast<unsigned long long>(tally.rejected),
      static_cast<unsigned long long>(tally.runs()), seconds, static_cast<unsigned long long>(shared->known),
      static_cast<unsigned long long>(shared->found));
  return shared->found ? 1 : 0;
}

bool parse_modes(const std::string& text, Settings& settings) {
  settings.modes.clear();
  std::stringstream stream(text);
  for (std::string name; std::getline(stream, name, ',');) {
    const Mode* mode = find_mode(name);
    if (!mode) {
      std::fprintf(stderr, "eddy-fuzz: there is no mode %s here\n", name.c_str());
      return false;
    }
    settings.modes.push_back(mode);
  }
  return !settings.modes.empty() && settings.modes.size() <= kMaxModes;
}

std::string help() {
  std::string names, text = kHelp;
  for (const Mode& m : all_modes()) names += (names.empty() ? "" : ",") + m.name;
  return text.replace(text.find("MODES"), 5, names);
}

bool parse(int argc, char** argv, Flags& flags) {
  for (const Mode& m : all_modes()) flags.settings.modes.push_back(&m);
  if (const char* count = std::getenv("EDDY_FUZZ_COUNT")) flags.count = std::strtoull(count, nullptr, 10);
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i], value;
    if (flag == "--quiet" || flag == "--digest" || flag == "--first") {
      (flag == "--quiet" ? flags.quiet : flag == "--digest" ? flags.digest : flags.first) = true;
      continue;
    }
    size_t equals = flag.find('=');
    if (equals != std::string::npos) {
      value = flag.substr(equals + 1);
      flag.resize(equals);
    } else if (++i < argc) {
      value = argv[i];
    } else {
      return false;
    }
    auto number = [&] { return std::strtoull(value.c_str(), nullptr, 10); };
    if (flag == "--seed")
      flags.seed = number();
    else if (flag == "--print")
      flags.seed = number(), flags.print = true;
    else if (flag == "--file")
      flags.file = value;
    else if (flag == "--count")
      flags.count = number();
    else if (flag == "--seconds")
      flags.seconds = std::atof(value.c_str());
    else if (flag == "--turns")
      flags.settings.turns = static_cast<unsigned>(number());
    else if (flag == "--batch")
      flags.batch = std::max<uint64_t>(1, number());
    else if (flag == "--rehearse")
      flags.rehearse = number();
    else if (flag == "--jobs")
      flags.jobs = static_cast<int>(std::clamp<uint64_t>(number(), 1, kMaxJobs));
    else if (flag == "--state")
      flags.state = value;
    else if (flag == "--mutate")
      flags.mutate.push_back(value), flags.settings.mutants = true;
    else if (flag == "--findings")
      flags.findings.folder = value;
    else if (flag == "--per-class")
      flags.findings.per_class = static_cast<int>(number());
    else if (flag == "--reduce-seconds")
      flags.findings.reduce_seconds = std::atof(value.c_str());
    else if (flag == "--mode-seconds")
      flags.settings.seconds = std::atof(value.c_str());
    else if (flag == "--known") {
      std::ifstream in(value);
      for (std::string line; std::getline(in, line);)
        if (!line.empty() && line[0] != '/') flags.known.push_back(line);
    } else if (flag == "--compare-with")
      flags.settings.compare_with = value;
    else if (flag == "--modes") {
      if (!parse_modes(value, flags.settings)) return false;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  if (argc > 1 && (!std::strcmp(argv[1], "--help") || !std::strcmp(argv[1], "-h"))) {
    std::fputs(help().c_str(), stdout);
    return 0;
  }
  if (!parse(argc, argv, flags)) {
    std::fputs(help().c_str(), stderr);
    return 2;
  }
  Mutants mutants(flags.mutate);
  if (!flags.mutate.empty()) flags.mutants = &mutants;
  if (flags.mutants && mutants.empty()) {
    std::fputs("eddy-fuzz: there are no programs to damage\n", stderr);
    return 2;
  }
  if (flags.print) {
    std::string text = text_of(flags.mutants ? *mutants.make(flags.seed) : *Generator(flags.seed).program());
    std::fputs(formatted(text).c_str(), stdout);
    return 0;
  }
  if (flags.digest) {
    uint64_t hash = 0xcbf29ce484222325;
    for (uint64_t i = 0; i < flags.count; ++i)
      for (char c : text_of(*Generator(flags.seed + i).program()))
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    std::printf("%016llx\n", static_cast<unsigned long long>(hash));
    return 0;
  }
  if (!flags.file.empty()) {
    std::ifstream in(flags.file);
    std::stringstream text;
    text << in.rdbuf();
    flags.settings.seed = flags.seed;
    Verdict v = judge(text.str(), flags.settings);
    std::printf("%s %s\n%s", v.problem.empty() ? "no problem" : v.problem.c_str(), v.mode.c_str(),
                v.detail.c_str());
    return v.problem.empty() ? 0 : 1;
  }
  if (!flags.state.empty()) {
    std::ifstream in(flags.state);
    std::string word;
    for (uint64_t n; in >> word >> n;) {
      if (word == "programs") flags.before.programs = n;
      if (word == "runs") flags.before.runs = n;
      if (word == "found") flags.before.found = n;
      if (find_mode(word)) flags.before.of_mode[word] = n;
      if (word != "next" || n <= flags.seed) continue;
      uint64_t done = n - flags.seed;
      flags.count = flags.count > done ? flags.count - done : 0;
      flags.seed = n;
    }
  }
  return run_all(flags);
}
