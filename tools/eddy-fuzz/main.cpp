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
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "lang/format.h"
#include "tools/eddy-fuzz/generator.h"
#include "tools/eddy-fuzz/judge.h"
#include "tools/eddy-fuzz/mutate.h"
#include "tools/eddy-fuzz/reduce.h"

namespace {

using namespace eddy;
using namespace eddy::fuzz;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

const char* const kHelp =
    R"(eddy-fuzz [flags]      runs random programs in every mode and reports what disagrees
eddy-fuzz --print N    prints the program of seed N
eddy-fuzz --digest …   prints a hash of the programs that the seeds mean, and runs none
eddy-fuzz --file F …   judges the program in a file; --seed says what the modes `without` and `chaos` do

  --mutate PATH        damages the programs of this file or folder a little, instead of making up new ones
  --seed N             the first program's seed (1)
  --count N            how many programs (1000)
  --seconds N          stop after this time
  --modes A,B,…        of: MODES (all), and no-PASS;
                       `without` leaves out one pass after the other, from program to program
  --compare-with EDDY  another eddy command (words) that runs each program too
  --jobs N             worker processes (as many as there are processors)
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
  uint64_t seed = 1, count = 1000, rehearse = 0;
  double seconds = 0, reduce_seconds = 60;
  Settings settings;
  int jobs = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  int per_class = 3;
  std::vector<std::string> known, mutate;
  const Mutants* mutants = nullptr;
  std::string state, findings = "fuzz-findings", file;
  bool quiet = false, print = false, digest = false, first = false;
};

// Shared by the workers.
struct Shared {
  std::atomic<uint64_t> next, done, found, known, early, rejected, panicked, left, runs;
  std::atomic<bool> stop;
};

std::string slug(const Verdict& v) {
  std::string text = v.mode.empty() ? v.problem : v.problem + " " + v.mode;
  std::string s;
  for (char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      s += c;
    else if (!s.empty() && s.back() != '-')
      s += '-';
  }
  return s.substr(0, 80);
}

std::string formatted(const std::string& text) {
  lang::SourceMap sources;
  lang::Symbols symbols;
  lang::Diagnostics diagnostics;
  const lang::SourceFile* file = sources.add("program.eddy", text);
  lang::FormatResult r = lang::format_source(*file, symbols, diagnostics);
  return r.ok ? r.text : text;
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

void keep(const Flags& flags, uint64_t seed, Tree program, const Verdict& verdict) {
  fs::path folder = fs::path(flags.findings) / slug(verdict);
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  std::ofstream(folder / "seeds.txt", std::ios::app) << seed << "\n";
  int there = 0;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    there += entry.path().extension() == ".eddy";
  if (there >= flags.per_class) return;
  std::string name = std::to_string(seed);
  write(folder / (name + ".eddy"),
        text_of(*program));  // also says to the other workers that this one is taken
  Verdict last = verdict;
  if (flags.reduce_seconds > 0) {
    Settings settings = flags.settings;
    settings.seed = seed;
    if (const Mode* mode = find_mode(verdict.mode)) {
      settings.modes = {flags.settings.modes[0]};
      if (mode->effects) settings.modes.push_back(find_mode("effects"));
      if (mode->fuel) settings.modes.push_back(find_mode("fuel"));
      if (mode != settings.modes.back()) settings.modes.push_back(mode);
      settings.compare_with.clear();
    } else if (verdict.mode != "other") {
      settings.modes.resize(1);
      settings.compare_with.clear();
    } else {
      settings.modes.resize(1);
    }
    settings.seconds = std::min(settings.seconds, 4.0);
    auto shows = [&](const std::string& text) {
      Verdict v = judge(text, settings);
      if (v.problem != verdict.problem || v.mode != verdict.mode) return false;
      last = std::move(v);
      return true;
    };
    // The full list of modes may matter; where it does, the program stays as it is.
    if (shows(text_of(*program))) program = reduce(std::move(program), shows, flags.reduce_seconds);
    std::string text = text_of(*program), pretty = formatted(text);
    if (shows(pretty)) text = pretty;
    write(folder / (name + ".eddy"), text);
  }
  write(folder / (name + ".txt"), "seed " + name + "\nproblem: " + last.problem +
                                      (last.mode.empty() ? "" : " in mode " + last.mode) + "\n\n" +
                                      last.detail);
}

void worker(const Flags& flags, Shared& shared, Clock::time_point end) {
  Settings settings = flags.settings;
  for (uint64_t i = 0; i < flags.rehearse; ++i) rehearse(text_of(*Generator(1 + i).program()), settings);
  while (!shared.stop && Clock::now() < end) {
    uint64_t index = shared.next++;
    if (index >= flags.count) return;
    uint64_t seed = flags.seed + index;
    Tree program = flags.mutants ? flags.mutants->make(seed) : Generator(seed).program();
    settings.seed = seed;
    Verdict verdict = judge(text_of(*program), settings);
    shared.runs += verdict.modes;
    shared.early += verdict.ended_early;
    shared.rejected += verdict.rejected;
    shared.panicked += verdict.panicked;
    shared.left += verdict.left;
    bool known = std::find(flags.known.begin(), flags.known.end(), verdict.problem) != flags.known.end();
    if (known) {
      ++shared.known;
    } else if (!verdict.problem.empty()) {
      ++shared.found;
      if (flags.first) shared.stop = true;
      std::fprintf(stderr, "\r\033[Kseed %llu: %s%s%s\n", static_cast<unsigned long long>(seed),
                   verdict.problem.c_str(), verdict.mode.empty() ? "" : " in ", verdict.mode.c_str());
      keep(flags, seed, std::move(program), verdict);
    }
    ++shared.done;
  }
}

Shared* g_shared = nullptr;
void on_signal(int) { g_shared->stop = true; }

int run_all(const Flags& flags) {
  auto* shared = static_cast<Shared*>(
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  g_shared = shared;
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  auto start = Clock::now();
  auto end = flags.seconds > 0 ? start + std::chrono::milliseconds(static_cast<int64_t>(flags.seconds * 1000))
                               : Clock::time_point::max();
  int running = 0;
  for (int i = 0; i < flags.jobs; ++i) {
    if (fork() == 0) {
      worker(flags, *shared, end);
      _exit(0);
    }
    ++running;
  }
  auto keep_state = [&] {
    // Not beyond what a worker may still be at.
    uint64_t unsure = running > 0 ? static_cast<uint64_t>(flags.jobs) : 0;
    if (!flags.state.empty())
      write(flags.state,
            "next " + std::to_string(flags.seed + shared->done - std::min<uint64_t>(shared->done, unsure)) +
                "\nfound " + std::to_string(shared->found) + "\n");
  };
  for (unsigned ticks = 0; running > 0; ++ticks) {
    while (running > 0 && waitpid(-1, nullptr, WNOHANG) > 0) --running;
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (!flags.quiet && ticks % 10 == 0) {
      std::fprintf(stderr, "\r\033[K%llu of %llu programs, %llu runs, %.1f programs/s, %llu found",
                   static_cast<unsigned long long>(shared->done),
                   static_cast<unsigned long long>(flags.count),
                   static_cast<unsigned long long>(shared->runs),
                   static_cast<double>(shared->done) / std::max(seconds, 0.001),
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
      flags.quiet ? "" : "\r\033[K", static_cast<unsigned long long>(shared->done),
      static_cast<unsigned long long>(shared->panicked), static_cast<unsigned long long>(shared->left),
      static_cast<unsigned long long>(shared->early), static_cast<unsigned long long>(shared->rejected),
      static_cast<unsigned long long>(shared->runs), seconds, static_cast<unsigned long long>(shared->known),
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
  return !settings.modes.empty();
}

std::string help() {
  std::string names, text = kHelp;
  for (const Mode& m : all_modes()) names += (names.empty() ? "" : ",") + m.name;
  return text.replace(text.find("MODES"), 5, names);
}

bool parse(int argc, char** argv, Flags& flags) {
  for (const Mode& m : all_modes()) flags.settings.modes.push_back(&m);
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
    else if (flag == "--rehearse")
      flags.rehearse = number();
    else if (flag == "--jobs")
      flags.jobs = static_cast<int>(number());
    else if (flag == "--state")
      flags.state = value;
    else if (flag == "--mutate")
      flags.mutate.push_back(value), flags.settings.mutants = true;
    else if (flag == "--findings")
      flags.findings = value;
    else if (flag == "--per-class")
      flags.per_class = static_cast<int>(number());
    else if (flag == "--reduce-seconds")
      flags.reduce_seconds = std::atof(value.c_str());
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
    uint64_t next;
    if (in >> word >> next && word == "next" && next > flags.seed) {
      uint64_t done = next - flags.seed;
      flags.count = flags.count > done ? flags.count - done : 0;
      flags.seed = next;
    }
  }
  return run_all(flags);
}
