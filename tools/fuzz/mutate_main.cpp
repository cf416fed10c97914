// A fuzzer's driver without libFuzzer: the same mutations of the same corpus every time.
//
//   NAME_fuzz [--seed N] [--start I] [--count N] [--distinct N] [--state FILE] [--save FILE] FILE|FOLDER…
//
// The first mutants are the files as they are. --start I --count 1 --save FILE keeps one.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tools/eddy-fuzz/random.h"
#include "tools/fuzz/long_run.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

namespace fs = std::filesystem;

// What programs are made of, and what trips parsers.
const char* const kPieces[] = {
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "#[",
    "\"",
    "\"\"\"",
    "${",
    "'",
    "\\",
    "//",
    "/*",
    "*/",
    "///",
    "\n",
    " ",
    ",",
    ";",
    ":",
    ".",
    "..",
    "..=",
    "...",
    "=>",
    "->",
    "=",
    "==",
    "+=",
    "-",
    "+",
    "*",
    "/",
    "%",
    "|",
    "|>",
    "||",
    "&&",
    "&",
    "^",
    "<",
    ">",
    "<<",
    ">>",
    ">=",
    "++",
    "!",
    "?",
    "@",
    "::",
    "fn ",
    "fun ",
    "let ",
    "var ",
    "type ",
    "effect ",
    "multi ",
    "handle ",
    "with ",
    "return ",
    "finally ",
    "final ",
    "resume",
    "if ",
    "else ",
    "match ",
    "while ",
    "for ",
    "in ",
    "loop ",
    "break ",
    "continue ",
    "defer ",
    "import ",
    "as ",
    "mask",
    "true",
    "private ",
    "x",
    "Foo",
    "_",
    "0",
    "1.5",
    "0x",
    "1e9",
    "\xff",
    "\xc3\xa9",
    "\xf0\x9f\x98\x80",
    "\r\n",
    "\t",
    "x => ",
    "State<Int>",
    "/ {E | e}",
};

class Mutator {
 public:
  Mutator(const std::vector<std::string>& corpus, uint64_t state) : corpus_(corpus), random_(state) {}

  std::string make() {
    size_t chosen = below(corpus_.size());
    // What is small is tried more often: it says as much in less time.
    constexpr size_t kSmall = 2000, kLongest = 20000;
    for (int i = 0; i < 2 && corpus_[chosen].size() > kSmall; ++i) chosen = below(corpus_.size());
    std::string text = corpus_[chosen];
    if (text.size() > kLongest) text = text.substr(below(text.size() - kLongest), kLongest);
    if (below(3) == 0) {
      for (size_t i = 1 + below(8); i > 0; i--) mutate(text);
    } else {
      for (size_t i = 1 + below(4); i > 0; i--) mutate_words(text);
    }
    return text;
  }

 private:
  size_t below(size_t bound) { return bound == 0 ? 0 : random_.next() % bound; }

  void mutate(std::string& text) {
    size_t at = below(text.size() + 1);
    switch (below(8)) {
      case 0:
      case 1:
        text.insert(at, kPieces[below(std::size(kPieces))]);
        break;
      case 2:
        text.erase(at, 1 + below(8));
        break;
      case 3:
        text.erase(at, below(text.size() - at + 1));
        break;
      case 4:
        if (at < text.size()) text[at] = static_cast<char>(random_.next());
        break;
      case 5: {  // a piece of it again
        std::string piece = text.substr(at, below(100));
        text.insert(below(text.size() + 1), piece);
        break;
      }
      case 6: {  // a piece of another
        const std::string& other = corpus_[below(corpus_.size())];
        text.insert(at, other.substr(below(other.size() + 1), below(200)));
        break;
      }
      default: {  // much of one thing
        std::string piece = kPieces[below(std::size(kPieces))];
        std::string many;
        for (size_t i = below(300); i > 0; i--) many += piece;
        text.insert(at, many);
      }
    }
  }

  static bool in_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  /// A word of `text`: offset and length; length 0 where there is none.
  std::pair<size_t, size_t> word(const std::string& text) {
    if (text.empty()) return {0, 0};
    size_t at = below(text.size());
    while (at < text.size() && !in_word(text[at])) at++;
    size_t begin = at;
    while (begin > 0 && in_word(text[begin - 1])) begin--;
    while (at < text.size() && in_word(text[at])) at++;
    return {begin, at - begin};
  }

  /// A line of `text` with its end.
  std::pair<size_t, size_t> line(const std::string& text) {
    size_t begin = text.rfind('\n', below(text.size() + 1));
    begin = begin == std::string::npos ? 0 : begin + 1;
    size_t end = text.find('\n', begin);
    return {begin, end == std::string::npos ? text.size() - begin : end + 1 - begin};
  }

  /// Changes that often leave a program that parses, so that what comes behind the parser is tried too.
  void mutate_words(std::string& text) {
    switch (below(6)) {
      case 0:
      case 1: {  // a word for another of the same text
        auto [from, from_size] = word(text);
        auto [to, to_size] = word(text);
        text.replace(to, to_size, text.substr(from, from_size));
        break;
      }
      case 2: {  // a word for something else that stands alone
        static const char* const kOthers[] = {"1",
                                              "\"s\"",
                                              "1.5",
                                              "()",
                                              "x",
                                              "true",
                                              "'c'",
                                              "[]",
                                              "None",
                                              "Some(1)",
                                              "resume",
                                              "fn() => 1",
                                              "(1, 2)",
                                              "{ }",
                                              "return",
                                              "break",
                                              "panic(\"p\")",
                                              "9999999999999999999999",
                                              "-1",
                                              "[1, 2]",
                                              "#[1]",
                                              "if true { 1 } else { 2 }"};
        auto [at, size] = word(text);
        text.replace(at, size, kOthers[below(std::size(kOthers))]);
        break;
      }
      case 3: {  // a line less
        auto [at, size] = line(text);
        text.erase(at, size);
        break;
      }
      case 4: {  // a line twice, or elsewhere
        auto [from, size] = line(text);
        std::string copy = text.substr(from, size);
        if (below(2) == 0) text.erase(from, size);
        text.insert(line(text).first, copy);
        break;
      }
      default: {  // a line of another program
        const std::string& other = corpus_[below(corpus_.size())];
        auto [from, size] = line(other);
        text.insert(line(text).first, other, from, size);
      }
    }
  }

  const std::vector<std::string>& corpus_;
  eddy::fuzz::Random random_;
};

void add_file(const fs::path& path, std::vector<std::string>& corpus) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  corpus.push_back(text.str());
}

void add_path(const fs::path& path, std::vector<std::string>& corpus) {
  if (!fs::is_directory(path)) {
    if (fs::exists(path)) add_file(path, corpus);
    return;
  }
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    const fs::path extension = entry.path().extension();
    if (extension == ".eddy" || extension == ".eas" || extension == ".ebc") paths.push_back(entry.path());
  }
  // A folder's order is the file system's; the run must not depend on it.
  std::sort(paths.begin(), paths.end());
  for (const fs::path& file : paths) add_file(file, corpus);
}

}  // namespace

int main(int argc, char** argv) {
  std::string command = fs::path(argv[0]).filename().string();
  eddy::fuzz::LongRun run(command);
  std::vector<std::string> corpus;
  std::string save;
  for (int i = 1; i < argc; i++) {
    if (run.take(argc, argv, i)) continue;
    if (std::strcmp(argv[i], "--save") == 0 && i + 1 < argc) {
      save = argv[++i];
    } else if (argv[i][0] == '-') {
      std::fprintf(stderr, "usage: %s [flags] FILE|FOLDER…\n%s  --save FILE     keep the mutant\n",
                   command.c_str(), eddy::fuzz::LongRun::help());
      return 2;
    } else {
      add_path(argv[i], corpus);
    }
  }
  if (corpus.empty()) corpus.emplace_back("fn main() { }\n");
  return run.go([&](uint64_t index) {
    std::string text =
        index < corpus.size() ? corpus[index] : Mutator(corpus, run.random_state(index)).make();
    if (!run.fresh(eddy::fuzz::hash_of(text.data(), text.size()))) return;
    if (!save.empty()) std::ofstream(save, std::ios::binary) << text;
    // A copy of exact size, so that a sanitizer sees reading past the end.
    std::vector<uint8_t> copy(text.begin(), text.end());
    LLVMFuzzerTestOneInput(copy.data(), copy.size());
  });
}
