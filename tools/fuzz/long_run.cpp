#include "tools/fuzz/long_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#ifdef EDDY_SANITIZE
#include <sanitizer/common_interface_defs.h>
#endif

namespace eddy::fuzz {

namespace {

// Of processor time, with one mutant: what it takes to be called a hang.
constexpr int kHangSeconds = 20;
// One bit for each hash: of ten million mutants, one in two hundred is passed over for another's.
constexpr unsigned kSeenBits = 30;
constexpr size_t kSeenBytes = size_t{1} << (kSeenBits - 3);

// For the signal handlers.
const char* g_command = "";
volatile uint64_t g_seed = 0, g_index = 0;
volatile sig_atomic_t g_stop = 0;
uint64_t g_watched = UINT64_MAX;
int g_ticks = 0;

void name_mutant(const char* what) {
  char line[200];
  int n = std::snprintf(line, sizeof line, "\n%s: %s: --seed %llu --start %llu --count 1\n", g_command, what,
                        static_cast<unsigned long long>(g_seed), static_cast<unsigned long long>(g_index));
  if (write(STDERR_FILENO, line, static_cast<size_t>(n)) < 0) _exit(1);
}

struct sigaction g_before[NSIG];

// Then comes what would have come without this: the sanitizer's report, or the end.
void on_crash(int signal, siginfo_t* info, void*) {
  name_mutant(strsignal(signal));
  sigaction(signal, &g_before[signal], nullptr);
  if (info->si_code <= 0) raise(signal);  // sent: it would not come again
}

void on_tick(int) {
  if (g_watched != g_index) {
    g_watched = g_index;
    g_ticks = 0;
  } else if (++g_ticks >= kHangSeconds) {
    name_mutant("hangs");
    _exit(1);
  }
}

void on_stop(int) { g_stop = 1; }

// On a stack of its own: a mutant may be running machine code on a fiber's, or have run out of stack.
void handle(int signal, struct sigaction action) {
  action.sa_flags |= SA_ONSTACK;
  sigaction(signal, &action, &g_before[signal]);
}

}  // namespace

uint64_t hash_of(const void* data, size_t size) {
  uint64_t hash = 0xcbf29ce484222325 ^ size;
  const char* at = static_cast<const char*>(data);
  for (; size >= 8; size -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 29;
  }
  for (; size > 0; --size, ++at) hash = (hash ^ static_cast<unsigned char>(*at)) * 0x100000001b3;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  return hash ^ (hash >> 31);
}

const char* LongRun::help() {
  return R"(  --seed N        which sequence of mutants (1)
  --start I       its first mutant (0)
  --count N       how many (10000)
  --distinct N    pass over mutants that were seen, and stop when N different ones were tried
  --seconds N     stop after this time
  --state FILE    go on where FILE says, and keep it up to date
  --quiet         no progress
)";
}

bool LongRun::take(int argc, char** argv, int& i) {
  std::string flag = argv[i], value;
  if (flag == "--quiet") return quiet_ = true;
  size_t equals = flag.find('=');
  bool next = equals == std::string::npos;
  if (!next) {
    value = flag.substr(equals + 1);
    flag.resize(equals);
  } else if (i + 1 < argc) {
    value = argv[i + 1];
  }
  auto number = [&] { return std::strtoull(value.c_str(), nullptr, 10); };
  if (flag == "--seed")
    seed_ = number();
  else if (flag == "--start")
    start_ = number();
  else if (flag == "--count" || flag == "--runs")
    count = number();
  else if (flag == "--distinct")
    distinct_ = number(), count = UINT64_MAX;
  else if (flag == "--seconds")
    seconds_ = std::atof(value.c_str());
  else if (flag == "--state")
    state_ = value;
  else
    return false;
  if (next) ++i;
  return true;
}

LongRun::~LongRun() {
  if (seen_) munmap(seen_, kSeenBytes);
}

// In a file beside the state, if there is one: what a session has seen, the next has.
bool LongRun::map_seen() {
  int file = -1;
  if (!state_.empty()) {
    file = open((state_ + ".seen").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || ftruncate(file, kSeenBytes) != 0) return false;
  }
  void* p = mmap(nullptr, kSeenBytes, PROT_READ | PROT_WRITE,
                 file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED, file, 0);
  if (file >= 0) close(file);
  if (p == MAP_FAILED) return false;
  seen_ = static_cast<uint64_t*>(p);
  return true;
}

bool LongRun::fresh(uint64_t hash) {
  if (!seen_) return true;
  hash >>= 64 - kSeenBits;
  uint64_t bit = uint64_t{1} << (hash & 63);
  if (seen_[hash >> 6] & bit) return false;
  seen_[hash >> 6] |= bit;
  ++different_;
  return true;
}

// What the state file says of this seed; false where it is another's.
bool LongRun::go_on() {
  std::ifstream in(state_);
  std::string word;
  uint64_t end = start_ + count < start_ ? UINT64_MAX : start_ + count;
  for (uint64_t n; in >> word >> n;) {
    if (word == "seed" && n != seed_) return false;
    if (word == "next" && n > start_) start_ = n;
    if (word == "different") different_before_ = n;
    for (Total& t : totals_)
      if (word == t.name) t.before = n;
  }
  count = end > start_ ? end - start_ : 0;
  return true;
}

void LongRun::keep_state() const {
  if (state_.empty()) return;
  std::string text = "seed " + std::to_string(seed_) + "\nnext " + std::to_string(index_) + "\n";
  if (seen_) text += "different " + std::to_string(different_before_ + different_) + "\n";
  for (const Total& t : totals_)
    text += std::string(t.name) + " " + std::to_string(t.before + *t.number) + "\n";
  // Never half a file, whatever happens.
  std::string other = state_ + ".new";
  std::ofstream(other) << text;
  std::rename(other.c_str(), state_.c_str());
}

void LongRun::show() const {
  std::string text = std::to_string(index_) + " mutants";
  if (seen_) text += ", " + std::to_string(different_before_ + different_) + " different";
  for (const Total& t : totals_) text += ", " + std::to_string(t.before + *t.number) + " " + t.name;
  std::fprintf(stderr, "\r\033[K%s", text.c_str());
}

void LongRun::watch() {
  g_command = command_.c_str();
  g_seed = seed_;
  static char stack[1 << 16];
  stack_t alternative{};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  sigaltstack(&alternative, nullptr);
  struct sigaction crash{}, stop{}, tick{};
  crash.sa_sigaction = on_crash;
  crash.sa_flags = SA_SIGINFO;
  stop.sa_handler = on_stop;
  tick.sa_handler = on_tick;
  stop.sa_flags = tick.sa_flags = SA_RESTART;
  for (int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE}) handle(signal, crash);
  for (int signal : {SIGTERM, SIGINT}) handle(signal, stop);
  handle(SIGPROF, tick);
  itimerval second{{1, 0}, {1, 0}};
  setitimer(ITIMER_PROF, &second, nullptr);
#ifdef EDDY_SANITIZE
  __sanitizer_set_death_callback([] { name_mutant("found by a sanitizer"); });
#endif
}

void LongRun::complain(const std::string& what) const {
  name_mutant(what.c_str());
  std::_Exit(1);
}

int LongRun::go(const std::function<void(uint64_t)>& mutant) {
  if (!state_.empty() && !go_on()) {
    std::fprintf(stderr, "%s: %s is of another seed\n", command_.c_str(), state_.c_str());
    return 2;
  }
  if (distinct_ && !map_seen()) {
    std::fprintf(stderr, "%s: no memory for what was seen\n", command_.c_str());
    return 2;
  }
  watch();
  using Clock = std::chrono::steady_clock;
  auto begin = Clock::now(), shown = begin;
  uint64_t end = start_ + count < start_ ? UINT64_MAX : start_ + count;
  for (index_ = start_; index_ < end && !g_stop; ++index_) {
    if (distinct_ && different_before_ + different_ >= distinct_) break;
    g_index = index_;
    mutant(index_);
    if (index_ % 32 != 0) continue;
    auto now = Clock::now();
    if (seconds_ > 0 && std::chrono::duration<double>(now - begin).count() >= seconds_) g_stop = 1;
    if (now - shown < std::chrono::milliseconds(500)) continue;
    shown = now;
    if (!quiet_) show();
    keep_state();
  }
  itimerval none{};
  setitimer(ITIMER_PROF, &none, nullptr);
  keep_state();
  show();
  std::fputc('\n', stderr);
  return 0;
}

}  // namespace eddy::fuzz
