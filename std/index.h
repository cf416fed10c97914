// What the compiler of the binary finds out about the library's sources, so that no start has to: lines, declarations,
// functions. It takes texts laid out by `eddy fmt`: a declaration starts at the start of a line, and goes on until
// the next or a comment there.
#pragma once
#include <array>

#include "std/embedded.h"

namespace eddy::std_lib {

struct Counts {
  size_t lines = 0;
  size_t declarations = 0;
  size_t functions = 0;
};

/// The text of a declaration behind its attributes and `private`.
constexpr std::string_view behind_attributes(std::string_view text) {
  while (text.front() == '@') {
    size_t name_end = text.find_first_of(" (");
    text.remove_prefix(text[name_end] == '(' ? text.find(") ") + 2 : name_end + 1);
  }
  if (text.starts_with("private ")) text.remove_prefix(8);
  return text;
}

constexpr bool starts_declaration(char c) { return (c >= 'a' && c <= 'z') || c == '@'; }

/// Tells `line` where each line starts, `declaration` the part and `function` the name and part of each.
template <typename Line, typename Declaration, typename Function>
constexpr void scan(std::string_view text, Line line, Declaration declaration, Function function) {
  auto take = [&](size_t begin, size_t end) {
    while (text[end - 1] == '\n') end--;
    Part part{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
    std::string_view rest = behind_attributes(text.substr(begin, end - begin));
    if (!rest.starts_with("fn ")) return declaration(part);
    rest.remove_prefix(3);
    function(EmbeddedFunction{rest.substr(0, rest.find('(')), part});
  };
  constexpr size_t kNone = std::string_view::npos;
  size_t open = kNone;
  for (size_t at = 0;; at++) {
    line(static_cast<uint32_t>(at));
    bool starts = at < text.size() && starts_declaration(text[at]);
    bool ends = starts || at == text.size() || text[at] == '/';
    if (ends && open != kNone) take(open, at);
    if (ends) open = starts ? at : kNone;
    if (at == text.size()) return;
    at = text.find('\n', at);  // behind the last line too
  }
}

consteval Counts count(std::string_view text) {
  Counts n;
  scan(
      text, [&](uint32_t) { n.lines++; }, [&](Part) { n.declarations++; },
      [&](EmbeddedFunction) { n.functions++; });
  return n;
}

template <Counts N>
struct Tables {
  std::array<uint32_t, N.lines> lines;
  std::array<Part, N.declarations> declarations;
  std::array<EmbeddedFunction, N.functions> functions;
  std::array<EmbeddedFunction, N.functions> by_name;

  consteval explicit Tables(std::string_view text) {
    Counts n;
    scan(
        text, [&](uint32_t at) { lines[n.lines++] = at; },
        [&](Part p) { declarations[n.declarations++] = p; },
        [&](EmbeddedFunction f) { functions[n.functions++] = f; });
    by_name = functions;
    std::ranges::sort(by_name, {}, &EmbeddedFunction::name);
  }

  constexpr EmbeddedModule module(std::string_view name, std::string_view text) const {
    return {name, text, lines, declarations, functions, by_name};
  }
};

}  // namespace eddy::std_lib
