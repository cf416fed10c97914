#include "tools/eddy-fuzz/mutate.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace eddy::fuzz {

namespace {

namespace fs = std::filesystem;

const char* const kOutside[] = {"std/file", "std/os", "std/time", "std/random", "read_line", "read_all",
                                "args",     "env",    "os.",      "time.",      "eprint"};

// What may stand for each other.
const std::vector<std::vector<std::string>> kKin = {
    {"+", "-", "*", "/", "%", "&", "|", "^", "++"},
    {"<", "<=", ">", ">=", "==", "!="},
    {"&&", "||"},
    {"+=", "-=", "*="},
    {"true", "false"},
    {"break", "continue", "return"},
    {"final", "fun", "multi", ""},
    {"let", "var"},
};
const char* const kNumbers[] = {"0",
                                "1",
                                "2",
                                "-1",
                                "3",
                                "63",
                                "64",
                                "255",
                                "4611686018427387903",
                                "4611686018427387904",
                                "(-4611686018427387905)",
                                "9223372036854775808"};
const char* const kLines[] = {"defer println(\"mutant\")",
                              "panic(\"mutant\")",
                              "return",
                              "break",
                              "drop(resume)",
                              "resume(())",
                              "println(attempt(fn() => panic(\"m\")))",
                              "if true { return }",
                              "let mutant = resume"};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Words, numbers, runs of operator characters, strings, single characters; spaces stay with what they follow.
std::vector<std::string> tokens_of(const std::string& line) {
  std::vector<std::string> tokens;
  for (size_t i = 0; i < line.size();) {
    size_t start = i;
    if (is_word(line[i])) {
      while (i < line.size() && is_word(line[i])) ++i;
    } else if (line[i] == '"') {
      for (++i; i < line.size() && line[i] != '"'; ++i)
        if (line[i] == '\\') ++i;
      i = std::min(i + 1, line.size());
    } else if (std::string("+-*/%&|^<>=!").find(line[i]) != std::string::npos) {
      while (i < line.size() && std::string("+-*/%&|^<>=!").find(line[i]) != std::string::npos) ++i;
    } else {
      ++i;
    }
    tokens.push_back(line.substr(start, i - start));
  }
  return tokens;
}

std::string join(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& t : tokens) text += t;
  return text;
}

}  // namespace

Mutants::Mutants(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      add(path);
      continue;
    }
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.path().extension() == ".eddy" &&
          !fs::exists(fs::path(entry.path()).replace_extension(".heavy")))
        found.push_back(entry.path().string());
    std::sort(found.begin(), found.end());
    for (const std::string& f : found) add(f);
  }
}

void Mutants::add(const std::string& path) {
  std::ifstream in(path);
  std::stringstream buffer;
  buffer << in.rdbuf();
  std::string text = buffer.str();
  if (text.size() > 6000) return;
  for (const char* word : kOutside)
    if (text.find(word) != std::string::npos) return;
  Lines lines;
  for (std::string line; std::getline(buffer, line);) lines.push_back(line);
  if (!lines.empty()) texts_.push_back(std::move(lines));
}

void Mutants::damage(Lines& lines, Random& random) const {
  auto any_line = [&] { return static_cast<size_t>(random.below(static_cast<int>(lines.size()))); };
  size_t at = any_line();
  switch (random.weighted({30, 30, 12, 8, 6, 6, 8})) {
    case 0:
    case 1: {
      // A token for one of its kin; the first line that has such a token from here on.
      bool numbers = random.chance(45);
      for (size_t tries = 0; tries < lines.size(); ++tries, at = (at + 1) % lines.size()) {
        std::vector<std::string> tokens = tokens_of(lines[at]);
        std::vector<size_t> places;
        for (size_t i = 0; i < tokens.size(); ++i) {
          bool number = std::isdigit(static_cast<unsigned char>(tokens[i][0]));
          bool kin = false;
          for (const auto& family : kKin)
            kin |= std::find(family.begin(), family.end(), tokens[i]) != family.end();
          if (numbers ? number : kin) places.push_back(i);
        }
        if (places.empty()) continue;
        std::string& token =
            tokens[places[static_cast<size_t>(random.below(static_cast<int>(places.size())))]];
        if (numbers) {
          token = kNumbers[random.below(static_cast<int>(std::size(kNumbers)))];
        } else {
          for (const auto& family : kKin)
            if (std::find(family.begin(), family.end(), token) != family.end()) {
              token = family[static_cast<size_t>(random.below(static_cast<int>(family.size())))];
              break;
            }
        }
        lines[at] = join(tokens);
        return;
      }
      return;
    }
    case 2: {
      // A word for another word of the program.
      std::vector<std::string> tokens = tokens_of(lines[at]), others = tokens_of(lines[any_line()]);
      auto word = [&](const std::vector<std::string>& from) {
        std::vector<size_t> places;
        for (size_t i = 0; i < from.size(); ++i)
          if (is_word(from[i][0])) places.push_back(i);
        return places.empty() ? from.size()
                              : places[static_cast<size_t>(random.below(static_cast<int>(places.size())))];
      };
      size_t to = word(tokens), from = word(others);
      if (to < tokens.size() && from < others.size()) tokens[to] = others[from];
      lines[at] = join(tokens);
      return;
    }
    case 3:
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), lines[at]);
      return;
    case 4:
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    case 5:
      if (at + 1 < lines.size()) std::swap(lines[at], lines[at + 1]);
      return;
    default:
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at),
                   kLines[random.below(static_cast<int>(std::size(kLines)))]);
  }
}

Tree Mutants::make(uint64_t seed) const {
  Random random(seed);
  Lines lines = texts_[static_cast<size_t>(random.below(static_cast<int>(texts_.size())))];
  int times = random.between(1, 4);
  for (int i = 0; i < times && !lines.empty(); ++i) damage(lines, random);
  Tree program = Group{};
  for (const std::string& line : lines) add_part(*program, Item{line + "\n"});
  return program;
}

}  // namespace eddy::fuzz
