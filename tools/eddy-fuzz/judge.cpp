#include "tools/eddy-fuzz/judge.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lang/compile.h"
#include "runtime/natives/natives.h"
#include "vm/verifier.h"

namespace eddy::fuzz {

namespace {

// What the child leaves for its parent, whatever becomes of it.
struct Report {
  int stage;  // -1: compiling; a mode's index; modes.size(): another binary; -2: all done
  uint64_t seed;
  uint64_t ran;
  bool ended_early, rejected, panicked, left;
  char problem[200];
  char mode[40];
  char detail[1 << 18];
};

void set(char* to, size_t size, const std::string& text) {
  size_t n = std::min(size - 1, text.size());
  std::memcpy(to, text.data(), n);
  to[n] = 0;
}

int native_arity(std::string_view name) {
  const rt::Native* native = rt::find_native(name);
  return native ? native->arity : -1;
}

// A message without what differs from program to program: names and numbers.
std::string normal(const std::string& message) {
  std::string text;
  bool quoted = false;
  for (char c : message.substr(0, message.find('\n'))) {
    if (c == '`') {
      quoted = !quoted;
      if (quoted) text += "`";
    } else if (quoted) {
      continue;
    } else if (std::isdigit(static_cast<unsigned char>(c))) {
      if (text.empty() || text.back() != '#') text += '#';
    } else {
      text += c;
    }
  }
  return text.substr(0, 150);
}

void limit_time(double seconds) {
  itimerval t{};
  t.it_value.tv_sec = static_cast<time_t>(seconds);
  t.it_value.tv_usec = static_cast<suseconds_t>((seconds - static_cast<double>(t.it_value.tv_sec)) * 1e6);
  setitimer(ITIMER_PROF, &t, nullptr);
}

std::string show(const Record& r) {
  const char* const outcomes[] = {"finished", "panicked", "exited", "limit", "interrupted"};
  return r.out + "--- " + outcomes[static_cast<int>(r.outcome)] + " " + std::to_string(r.status) + " " +
         r.message + "\n" + r.trace + (r.fuel ? "fuel left " + std::to_string(r.fuel) + "\n" : "") +
         (r.err.empty() ? "" : "--- standard error\n" + r.err);
}

// Where two texts part.
std::string parting(const std::string& a, const std::string& b) {
  size_t line = 0, at = 0;
  while (at < a.size() && at < b.size() && a[at] == b[at]) line = a[at++] == '\n' ? at : line;
  auto rest = [&](const std::string& s) {
    return line < s.size() ? s.substr(line, 300) : std::string("(ends)\n");
  };
  return "<<< expected\n" + rest(a) + "\n>>> got\n" + rest(b) + "\n";
}

void compare_with(const std::string& text, const Record& expected, const std::string& binary,
                  Report& report) {
  std::string path = "/tmp/eddy-fuzz-" + std::to_string(getpid()) + ".eddy";
  if (FILE* f = std::fopen(path.c_str(), "w")) {
    std::fwrite(text.data(), 1, text.size(), f);
    std::fclose(f);
  }
  pid_t child = fork();
  if (child == 0) {
    // A command may have words of its own: an emulator before it, flags behind.
    std::string command = "exec " + binary + " run " + path;
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  unlink(path.c_str());
  std::string out;
  off_t size = lseek(STDOUT_FILENO, 0, SEEK_END);
  out.resize(static_cast<size_t>(size));
  if (pread(STDOUT_FILENO, out.data(), out.size(), 0) < 0) out.clear();
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  if (out != expected.out || code != expected.status) {
    set(report.problem, sizeof report.problem,
        code >= 1000 || code == 70 ? "other binary: crash" : "other binary: differs");
    set(report.mode, sizeof report.mode, "other");
    set(report.detail, sizeof report.detail,
        "status " + std::to_string(code) + "\n" + parting(expected.out, out));
  }
}

void work(const std::string& text, const Settings& settings, Report& report) {
  limit_time(settings.seconds);
  lang::FrontEndOptions options;
  options.need_main = true;
  auto compilation = lang::check_text("program.eddy", text, options);
  std::optional<vm::Module> module;
  if (compilation->ok()) module = lang::compile(*compilation);
  if (!module && settings.mutants && !compilation->ok()) {
    report.rejected = true;
    return;
  }
  if (!module) {
    for (const lang::Diagnostic& d : compilation->diagnostics.items()) {
      if (d.severity != lang::Severity::kError) continue;
      set(report.problem, sizeof report.problem, "rejected: " + normal(d.message));
      break;
    }
    lang::RenderOptions plain;
    set(report.detail, sizeof report.detail,
        lang::render(compilation->diagnostics, compilation->sources, plain));
    return;
  }
  if (auto error = vm::verify(*module, native_arity)) {
    std::string message = vm::to_string(*error, *module);
    set(report.problem, sizeof report.problem, "verifier: " + normal(error->reason));
    set(report.detail, sizeof report.detail, message);
    return;
  }
  compilation.reset();
  if (settings.mutants && !ends(*module)) {
    report.rejected = true;
    return;
  }
  std::optional<Record> first, first_effects, first_fuel;
  Machine machine(*module, settings.seed);
  const uint64_t chosen = modes_of(settings.modes, settings.turns, settings.seed);
  for (size_t i = 0; i < settings.modes.size(); ++i) {
    if (!(chosen >> i & 1)) continue;
    const Mode& mode = *mode_for(settings.modes[i], settings.seed);
    report.stage = static_cast<int>(i);
    limit_time(settings.seconds);
    Record record = machine.run(mode);
    report.ran |= uint64_t{1} << i;
    if (record.out_of_memory) {
      report.ended_early = true;  // limits are reached sooner in some modes
      return;
    }
    const char* what = first ? difference(*first, record) : nullptr;
    const Record* expected = first ? &*first : nullptr;
    if (!what && mode.effects && first_effects) {
      what = difference(*first_effects, record, true);
      expected = &*first_effects;
    }
    if (!what && mode.fuel && first_fuel) {
      what = difference(*first_fuel, record, false, true);
      expected = &*first_fuel;
    }
    if (what) {
      set(report.problem, sizeof report.problem, std::string("differs: ") + what);
      set(report.mode, sizeof report.mode, mode.name);
      set(report.detail, sizeof report.detail,
          parting(show(*expected), show(record)) + "\n=== expected\n" + show(*expected) + "\n=== got\n" +
              show(record));
      return;
    }
    if (!first) {
      report.panicked = record.outcome == vm::Outcome::Panicked;
      report.left = record.outcome == vm::Outcome::Exited;
      first = record;
    }
    if (mode.fuel && !first_fuel) first_fuel = record;
    if (mode.effects && !first_effects) first_effects = std::move(record);
  }
  if (!settings.compare_with.empty()) {
    report.stage = static_cast<int>(settings.modes.size());
    limit_time(0);
    compare_with(text, *first, settings.compare_with, report);
  }
}

std::string content(int fd) {
  char buffer[4000];
  ssize_t n = pread(fd, buffer, sizeof buffer, 0);
  return std::string(buffer, n > 0 ? static_cast<size_t>(n) : 0);
}

void clear(Report* report) {
  report->stage = -1;
  report->ran = 0;
  report->ended_early = report->rejected = report->panicked = report->left = false;
  report->problem[0] = report->mode[0] = report->detail[0] = 0;
}

// Shared with the child.
Report* fresh_report() {
  static Report* report = static_cast<Report*>(
      mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  clear(report);
  return report;
}

struct Streams {
  int out = memfd_create("out", 0), err = memfd_create("err", 0);
  ~Streams() {
    close(out);
    close(err);
  }
};

// Runs `job` in a child whose output goes to the streams; its status.
template <class Job>
int in_child(const Streams& streams, Job job) {
  std::fflush(nullptr);
  pid_t child = fork();
  if (child == 0) {
    rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(streams.out, STDOUT_FILENO);
    dup2(streams.err, STDERR_FILENO);
    job();
    _exit(0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

Verdict verdict_of(const Report* report, int status, const Settings& settings, const Streams& streams) {
  Verdict v;
  v.problem = report->problem;
  v.mode = report->mode;
  v.detail = report->detail;
  v.ran = report->ran;
  v.ended_early = report->ended_early;
  v.rejected = report->rejected;
  v.panicked = report->panicked;
  v.left = report->left;
  if (report->stage == -2 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return v;
  int stage = report->stage;
  bool in_mode = stage >= 0 && static_cast<size_t>(stage) < settings.modes.size();
  if (in_mode) v.mode = mode_for(settings.modes[static_cast<size_t>(stage)], report->seed)->name;
  int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  bool slow = in_mode && settings.modes[static_cast<size_t>(stage)]->stress;
  std::string where = stage == -1 ? "compiler" : "run";
  if (signal == SIGPROF && slow)
    v.ended_early = true;
  else if (signal == SIGPROF)
    v.problem = "hang: " + where;
  else if (v.problem.empty())
    v.problem = "crash: " + where + (signal ? std::string(" ") + strsignal(signal) : " left by itself");
  if (!v.problem.empty()) v.detail += content(streams.err) + "\n--- output so far\n" + content(streams.out);
  return v;
}

}  // namespace

void rehearse(const std::string& text, const Settings& settings) {
  Settings here = settings;
  here.compare_with.clear();
  if (!judge(text, here).problem.empty()) return;  // a child came to grief: not in this process, then
  std::fflush(nullptr);
  constexpr int kStreams[] = {STDOUT_FILENO, STDERR_FILENO};
  int kept[2];
  for (int i = 0; i < 2; ++i) {
    kept[i] = dup(kStreams[i]);
    int file = memfd_create("rehearsal", 0);
    dup2(file, kStreams[i]);
    close(file);
  }
  work(text, here, *fresh_report());
  limit_time(0);
  for (int i = 0; i < 2; ++i) {
    dup2(kept[i], kStreams[i]);
    close(kept[i]);
  }
}

Verdict judge(const std::string& text, const Settings& settings) {
  Report* report = fresh_report();
  report->seed = settings.seed;
  Streams streams;
  int status = in_child(streams, [&] {
    work(text, settings, *report);
    report->stage = -2;
  });
  return verdict_of(report, status, settings, streams);
}

uint64_t judge_in_turn(Settings settings, uint64_t end,
                       const std::function<std::string(uint64_t seed)>& text_of,
                       const std::function<bool()>& stop, Tally& tally, Verdict& verdict) {
  Report* report = fresh_report();
  report->seed = settings.seed;
  Streams streams;
  int status = in_child(streams, [&] {
    for (; settings.seed < end && !stop(); ++settings.seed) {
      clear(report);
      report->seed = settings.seed;
      work(text_of(settings.seed), settings, *report);
      limit_time(0);
      if (report->problem[0]) break;
      ++tally.done;
      tally.count_runs(report->ran);
      tally.early += report->ended_early;
      tally.rejected += report->rejected;
      tally.panicked += report->panicked;
      tally.left += report->left;
    }
    report->seed = settings.seed;
    report->ended_early = false;
    report->stage = -2;
  });
  verdict = verdict_of(report, status, settings, streams);
  return report->seed;
}

}  // namespace eddy::fuzz
