// Runs the eddy command many times, each time in a child process that finds ready what the first run has brought
// about: under an emulator, the translation of the command itself.
//
// A request on standard input is `SECONDS COUNT LENGTH…\n` and COUNT texts without separators: what standard input
// holds, then the words behind `eddy`. With 0 seconds it is run in this process and has no answer, to get ready. The answer
// is `STATUS OUT ERR\n`, two lengths, and both texts. STATUS is minus the signal's number where one ended the child, and
// `timeout` where the time was up.
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tools/eddy/commands.h"

namespace {

struct Request {
  double seconds = 0;
  std::vector<std::string> texts;
};

bool take(FILE* from, Request* request) {
  unsigned count = 0;
  if (std::fscanf(from, "%lf %u", &request->seconds, &count) != 2) return false;
  std::vector<size_t> lengths(count);
  for (size_t& length : lengths)
    if (std::fscanf(from, "%zu", &length) != 1) return false;
  if (std::fgetc(from) != '\n') return false;
  for (size_t length : lengths) {
    std::string text(length, 0);
    if (std::fread(text.data(), 1, length, from) != length) return false;
    request->texts.push_back(std::move(text));
  }
  return count >= 1;
}

int file_with(const std::string& text) {
  int file = memfd_create("stream", 0);
  if (pwrite(file, text.data(), text.size(), 0) < 0) std::abort();
  return file;
}

std::string content(int file) {
  std::string text(static_cast<size_t>(lseek(file, 0, SEEK_END)), 0);
  if (pread(file, text.data(), text.size(), 0) < 0) text.clear();
  return text;
}

int run(const Request& request, const int (&files)[3]) {
  for (int i = 0; i < 3; ++i) dup2(files[i], i);
  std::vector<std::string> words = request.texts;
  words[0] = "eddy";
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return eddy::tool::command(static_cast<int>(words.size()), argv.data());
}

pid_t child;
volatile sig_atomic_t late;
void on_alarm(int) {
  late = 1;
  kill(child, SIGKILL);
}

void set_clock(double seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

int main() {
  // The streams' own numbers are the command's.
  FILE* requests = fdopen(dup(0), "r");
  FILE* answers = fdopen(dup(1), "w");
  for (Request request; take(requests, &request); request = {}) {
    int files[] = {file_with(request.texts[0]), file_with(""), file_with("")};
    if (request.seconds == 0) {
      run(request, files);
      std::fflush(nullptr);
    } else {
      late = 0;
      child = fork();
      if (child == 0) {
        close(fileno(requests));
        close(fileno(answers));
        std::exit(run(request, files));
      }
      struct sigaction action{};  // the command has one of its own
      action.sa_handler = on_alarm;
      sigaction(SIGALRM, &action, nullptr);
      set_clock(request.seconds);
      int status = 0;
      while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      set_clock(0);
      std::string out = content(files[1]), err = content(files[2]);
      std::string how =
          late ? "timeout" : std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
      std::fprintf(answers, "%s %zu %zu\n", how.c_str(), out.size(), err.size());
      std::fwrite(out.data(), 1, out.size(), answers);
      std::fwrite(err.data(), 1, err.size(), answers);
      std::fflush(answers);
    }
    for (int file : files) close(file);
  }
  return 0;
}
