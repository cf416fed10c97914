// Explanations for people and for tools.
#include <fmt/format.h>

#include <iterator>

#include "tools/eddy/explain.h"

namespace eddy::tool {

namespace {

constexpr size_t kColumns = 100;

void wrapped(std::string& out, const std::string& text) {
  size_t column = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    size_t end = std::min(rest.find(' '), rest.size());
    std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (column == 0 || column + 1 + word.size() > kColumns) {
      out += column == 0 ? "    " : "\n    ";
      column = 4;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  out += '\n';
}

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

void perform_text(std::string& out, const PerformItem& p, bool ran) {
  fmt::format_to(std::back_inserter(out), "{}  perform {}{} in {}\n", vm::to_string(p.place), p.name,
                 p.named ? " of a named handler" : "", p.function);
  if (p.candidates.empty())
    wrapped(out, "No clause of this program answers.");
  else if (p.candidates.size() == 1)
    wrapped(out, "One clause can answer: " + p.candidates[0] + ".");
  else
    wrapped(out, fmt::format("{} clauses can answer: {}.", p.candidates.size(), joined(p.candidates)));
  if (!ran) return;
  if (p.count == 0) return wrapped(out, "Never performed in this run.");
  wrapped(out, fmt::format("Performed {} times; met {}{}; {} by a walk, the others by the cache.", p.count,
                           p.cache, p.met.empty() ? "" : " (" + joined(p.met) + ")", p.misses));
  std::string code = p.machine_code == "inlined" || p.machine_code == "called in place"
                         ? fmt::format("In machine code: {}, {} times.", p.machine_code, p.in_line)
                     : p.machine_code == "interpreted" ? std::string("Interpreted.")
                                                       : "In machine code: " + p.machine_code + ".";
  if (!p.why.empty()) code += fmt::format(" Why: {}.", p.why);
  wrapped(out, code);
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", c);
    else
      out += c;
  }
  return out + '"';
}

std::string place_json(const vm::SourcePlace& place) {
  return fmt::format(R"({{"file": {}, "line": {}, "column": {}}})", json_text(place.file), place.line,
                     place.column);
}

std::string list_json(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + json_text(item);
  return "[" + out + "]";
}

}  // namespace

std::string as_text(const Explanation& e) {
  std::string out;
  // Clauses and performs in the order of the source.
  size_t c = 0, p = 0;
  auto before = [](const vm::SourcePlace& a, const vm::SourcePlace& b) {
    return std::tie(a.file, a.line, a.column) <= std::tie(b.file, b.line, b.column);
  };
  while (c < e.clauses.size() || p < e.performs.size()) {
    if (!out.empty()) out += '\n';
    bool clause =
        p == e.performs.size() || (c < e.clauses.size() && before(e.clauses[c].place, e.performs[p].place));
    if (!clause) {
      perform_text(out, e.performs[p++], e.ran);
      continue;
    }
    const ClauseItem& item = e.clauses[c++];
    fmt::format_to(std::back_inserter(out), "{}  clause {} of the {}handler at {}: {}{}\n",
                   vm::to_string(item.place), item.name, item.named ? "named " : "",
                   vm::to_string(item.handler), item.kind, item.plain ? ", plain" : "");
    wrapped(out, item.why);
  }
  return out.empty() ? "No clauses and no performs.\n" : out;
}

std::string as_json(const Explanation& e) {
  std::string out = "{\"clauses\": [";
  for (size_t i = 0; i < e.clauses.size(); ++i) {
    const ClauseItem& c = e.clauses[i];
    fmt::format_to(std::back_inserter(out),
                   "{}\n  {{\"name\": {}, \"place\": {}, \"handler\": {}, \"kind\": {}, \"plain\": {}, "
                   "\"named\": {}, \"fiber\": {}, \"why\": {}}}",
                   i ? "," : "", json_text(c.name), place_json(c.place), place_json(c.handler),
                   json_text(c.kind), c.plain, c.named, c.fiber, json_text(c.why));
  }
  out += "],\n \"performs\": [";
  for (size_t i = 0; i < e.performs.size(); ++i) {
    const PerformItem& p = e.performs[i];
    fmt::format_to(std::back_inserter(out),
                   "{}\n  {{\"name\": {}, \"place\": {}, \"function\": {}, \"named\": {}, \"candidates\": {}",
                   i ? "," : "", json_text(p.name), place_json(p.place), json_text(p.function), p.named,
                   list_json(p.candidates));
    if (e.ran)
      fmt::format_to(std::back_inserter(out),
                     ", \"count\": {}, \"in_line\": {}, \"misses\": {}, \"cache\": {}, \"met\": {}, "
                     "\"machine_code\": {}, \"why\": {}",
                     p.count, p.in_line, p.misses, json_text(p.cache), list_json(p.met),
                     json_text(p.machine_code), json_text(p.why));
    out += "}";
  }
  return out + "]}\n";
}

}  // namespace eddy::tool
