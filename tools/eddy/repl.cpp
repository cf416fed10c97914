// `eddy repl`: lines in, what they mean out. On a terminal with editing and history.
#include <histedit.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "lang/parser.h"
#include "tools/eddy/commands.h"
#include "tools/eddy/files.h"
#include "tools/eddy/session.h"
#include "tools/eddy/signals.h"

namespace eddy::tool {

namespace {

constexpr const char* kHelp =
    "An expression prints its value and type (and calls it it1, it2, …); declarations stay; a line that is "
    "not\n"
    "finished goes on in the next one.\n"
    "  :type E      the type of an expression\n"
    "  :effects E   what it performs; of a function: what calling it performs\n"
    "  :asm E       its bytecode, or a function's\n"
    "  :load FILE   take a file's declarations\n"
    "  :time E      run it and say how long it took\n"
    "  :help        this\n"
    "  :quit        leave (as does Ctrl-D)\n";

// The text ends where a construct is still open.
bool wants_more(const std::string& text) {
  lang::Compilation c;
  const lang::SourceFile* file = c.sources.add("repl", text);
  return file && lang::parse(*file, c.symbols, c.arena, c.diagnostics, lang::ParseMode::kScript).incomplete;
}

std::string history_file() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state && *state) {
    std::string folder = std::string(state) + "/eddy";
    mkdir(folder.c_str(), 0700);
    return folder + "/history";
  }
  return home && *home ? std::string(home) + "/.eddy_history" : "";
}

bool continuing = false;
char* prompt(EditLine*) {
  static char first[] = "eddy> ", more[] = "  ... ";
  return continuing ? more : first;
}

// Lines from a terminal, or from anything else without prompts.
class Lines {
 public:
  Lines() {
    if (!isatty(0)) return;
    history_ = history_init();
    HistEvent event;
    ::history(history_, &event, H_SETSIZE, 2000);
    ::history(history_, &event, H_SETUNIQUE, 1);
    file_ = history_file();
    if (!file_.empty()) ::history(history_, &event, H_LOAD, file_.c_str());
    editor_ = el_init("eddy", stdin, stdout, stderr);
    el_set(editor_, EL_PROMPT, prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_SIGNAL, 0);
    el_set(editor_, EL_HIST, ::history, history_);
    el_source(editor_, nullptr);
  }
  ~Lines() {
    if (!editor_) return;
    HistEvent event;
    if (!file_.empty()) ::history(history_, &event, H_SAVE, file_.c_str());
    el_end(editor_);
    history_end(history_);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  enum class Got { Line, End, Interrupted };
  // With its newline, where there is one.
  Got next(bool more, std::string* line) {
    continuing = more;
    if (editor_) return edit(line);
    char* text = nullptr;
    size_t capacity = 0;
    ssize_t size = getline(&text, &capacity, stdin);
    if (size >= 0) line->assign(text, static_cast<size_t>(size));
    std::free(text);
    return size >= 0 ? Got::Line : Got::End;
  }
  void add_to_history(const std::string& text) {
    HistEvent event;
    if (editor_ && text.find_first_not_of(" \n") != std::string::npos)
      ::history(history_, &event, H_ENTER, text.c_str());
  }
  bool is_terminal() const { return editor_ != nullptr; }

 private:
  Got edit(std::string* line) {
    set_prompting(true);
    int size = 0;
    errno = 0;
    const char* text = el_gets(editor_, &size);
    set_prompting(false);
    if (text && size > 0) {
      line->assign(text, static_cast<size_t>(size));
      return Got::Line;
    }
    if (size < 0 && errno == EINTR) {
      std::fputs("^C\n", stdout);
      el_reset(editor_);
      return Got::Interrupted;
    }
    std::fputs("\n", stdout);
    return Got::End;
  }

  EditLine* editor_ = nullptr;
  History* history_ = nullptr;
  std::string file_;
};

// ":type x" and its like. False: leave.
bool command(Session& session, const std::string& line) {
  size_t space = line.find_first_of(" \t\n");
  std::string word = line.substr(0, space);
  size_t begin = space == std::string::npos ? std::string::npos : line.find_first_not_of(" \t\n", space);
  std::string rest =
      begin == std::string::npos ? "" : line.substr(begin, line.find_last_not_of(" \t\n") + 1 - begin);
  auto is = [&](std::string_view name) { return word == name || (word.size() == 2 && word[1] == name[1]); };
  if (is(":quit")) return false;
  if (is(":help")) {
    std::fputs(kHelp, stdout);
    return true;
  }
  bool known = is(":type") || is(":effects") || is(":asm") || is(":load") || word == ":time";
  if (!known) {
    complain("there is no command `" + word + "`; `:help` lists them");
  } else if (rest.empty()) {
    complain("`" + word + (word == ":load" ? "` needs a file" : "` needs an expression"));
  } else if (word == ":time") {
    auto start = std::chrono::steady_clock::now();
    session.evaluate(rest);
    double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    std::printf("%.2f ms\n", ms);
  } else if (is(":type")) {
    session.print_type(rest);
  } else if (is(":effects")) {
    session.print_effects(rest);
  } else if (is(":asm")) {
    session.print_bytecode(rest);
  } else {
    session.load(rest);
  }
  return true;
}

}  // namespace

int repl(const RunFlags& flags, const std::vector<std::string>& paths) {
  Session session(flags, paths);
  Lines lines;
  if (lines.is_terminal()) std::printf("eddy %s; `:help` tells more\n", EDDY_VERSION);
  std::string text, line;
  while (!session.over()) {
    Lines::Got got = lines.next(!text.empty(), &line);
    if (got == Lines::Got::Interrupted) {
      text.clear();
      continue;
    }
    if (got == Lines::Got::End && text.empty()) break;
    if (got == Lines::Got::Line) {
      if (text.empty() && line[0] == ':') {
        lines.add_to_history(line);
        if (!command(session, line)) break;
        std::fflush(stdout);
        continue;
      }
      text += line;
      // An empty line ends an input that could go on.
      if (line.find_first_not_of(" \t\n") != std::string::npos && wants_more(text)) continue;
    }
    if (text.find_first_not_of(" \t\n") != std::string::npos) {
      lines.add_to_history(text);
      session.evaluate(text);
    }
    text.clear();
  }
  return session.finish();
}

}  // namespace eddy::tool
