// How diagnostics look: for people, in the style of rustc, and as JSON lines.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lang/diagnostics.h"
#include "lang/unicode.h"

namespace eddy::lang {

namespace {

constexpr int kTabWidth = 4;
// A longer source line is shown as a window around the marked place.
constexpr size_t kWidestLine = 160;
constexpr size_t kWindowBefore = 60;

struct Palette {
  const char* bold = "";
  const char* error = "";
  const char* warning = "";
  const char* frame = "";
  const char* label = "";
  const char* help = "";
  const char* reset = "";
};

const Palette& palette(bool color) {
  static const Palette plain;
  static const Palette colored{"\033[1m",    "\033[1;31m", "\033[1;33m", "\033[1;34m",
                               "\033[1;34m", "\033[1;32m", "\033[0m"};
  return color ? colored : plain;
}

/// One place to mark on one line.
struct Mark {
  size_t begin;  // byte offsets within the line
  size_t end;
  bool primary;
  std::string_view text;
};

/// A source line as shown, with the display column of every byte offset asked for.
class ShownLine {
 public:
  ShownLine(std::string_view line, size_t focus) : line_(line) {
    if (line.size() > kWidestLine) {
      from_ = focus > kWindowBefore ? focus - kWindowBefore : 0;
      while (from_ > 0 && (static_cast<unsigned char>(line[from_]) & 0xC0) == 0x80) from_--;
      to_ = std::min(line.size(), from_ + kWidestLine);
      while (to_ < line.size() && (static_cast<unsigned char>(line[to_]) & 0xC0) == 0x80) to_++;
    } else {
      to_ = line.size();
    }
    columns_.resize(to_ - from_ + 1);
    if (from_ > 0) put("…", 1);
    for (size_t at = from_; at < to_;) {
      Decoded d = decode_utf8(line, at);
      for (size_t i = 0; i < d.length && at + i < to_; i++) columns_[at + i - from_] = width_;
      if (d.code == '\t') {
        put(std::string(kTabWidth - width_ % kTabWidth, ' '), kTabWidth - width_ % kTabWidth);
      } else if (!d.valid || d.code < 0x20 || (d.code >= 0x7F && d.code < 0xA0) ||
                 (d.code >= 0x202A && d.code <= 0x202E) || (d.code >= 0x2066 && d.code <= 0x2069)) {
        // Control and direction characters would make the line lie about itself.
        put("\uFFFD", 1);
      } else {
        put(line.substr(at, d.length), display_width(d.code));
      }
      at += d.length;
    }
    columns_.back() = width_;
    if (to_ < line.size()) put("…", 1);
  }

  const std::string& text() const { return text_; }
  size_t column(size_t offset) const {
    offset = std::clamp(offset, from_, to_);
    return columns_[offset - from_];
  }

 private:
  void put(std::string_view text, size_t width) {
    text_ += text;
    width_ += width;
  }

  std::string_view line_;
  size_t from_ = 0;
  size_t to_ = 0;
  std::string text_;
  size_t width_ = 0;
  std::vector<size_t> columns_;
};

class Renderer {
 public:
  Renderer(Diagnostic d, const SourceMap& sources, bool color)
      : d_(std::move(d)), sources_(sources), p_(palette(color)) {}

  std::string run() {
    const bool error = d_.severity == Severity::kError;
    severity_color_ = error ? p_.error : p_.warning;
    out_ += fmt::format("{}{}{}{}: {}{}\n", severity_color_, error ? "error" : "warning", p_.reset, p_.bold,
                        d_.message, p_.reset);
    const SourceFile* file = sources_.find(d_.span.begin);
    std::map<const SourceFile*, std::map<uint32_t, std::vector<Mark>>> marks;
    std::vector<const SourceFile*> order;
    if (file != nullptr) {
      order.push_back(file);
      add_mark(marks[file], *file, d_.span, true, d_.text);
    }
    for (const Label& label : d_.labels) {
      const SourceFile* other = sources_.find(label.span.begin);
      if (other == nullptr) continue;
      if (std::find(order.begin(), order.end(), other) == order.end()) order.push_back(other);
      add_mark(marks[other], *other, label.span, false, label.text);
    }
    uint32_t widest = 1;
    for (auto& [f, lines] : marks) widest = std::max(widest, lines.rbegin()->first);
    gutter_ = std::to_string(widest).size();
    for (const SourceFile* shown : order) {
      show_file(*shown, marks[shown], shown == file ? d_.span.begin : 0, shown == order.front());
    }
    if (!order.empty() && (!d_.notes.empty() || !d_.helps.empty())) bar("");
    for (const std::string& note : d_.notes) remark("note", p_.bold, note);
    for (const std::string& help : d_.helps) remark("help", p_.help, help);
    return std::move(out_);
  }

 private:
  static void add_mark(std::map<uint32_t, std::vector<Mark>>& lines, const SourceFile& file, Span span,
                       bool primary, std::string_view text) {
    uint32_t line = file.line(span.begin);
    size_t start = file.offset(file.line_start(line));
    size_t length = file.line_text(line).size();
    size_t begin = std::min<size_t>(file.offset(span.begin) - start, length);
    // A span over several lines is marked to the end of its first.
    size_t end = std::clamp<size_t>(file.offset(std::max(span.begin, span.end)) - start, begin, length);
    lines[line].push_back({begin, end, primary, text});
  }

  void show_file(const SourceFile& file, std::map<uint32_t, std::vector<Mark>>& lines, Pos at, bool first) {
    Pos place = at != 0 ? at
                        : file.line_start(lines.begin()->first) +
                              static_cast<Pos>(lines.begin()->second.front().begin);
    LineColumn where = file.locate(place);
    out_ += fmt::format("{:{}}{}{}{} {}:{}:{}\n", "", gutter_, p_.frame, first ? "-->" : ":::", p_.reset,
                        file.path(), where.line, where.column);
    bar("");
    uint32_t previous = 0;
    for (auto& [number, marks] : lines) {
      if (previous != 0 && number > previous + 1) out_ += fmt::format("{}...{}\n", p_.frame, p_.reset);
      previous = number;
      // Rightmost first, so that a remark never stands under a later mark's remark.
      std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) {
        if (a.begin != b.begin) return a.begin > b.begin;
        return a.primary != b.primary ? a.primary > b.primary : a.text < b.text;
      });
      size_t focus = marks.front().begin;
      for (const Mark& mark : marks) {
        if (mark.primary) focus = mark.begin;
      }
      ShownLine line(file.line_text(number), focus);
      out_ += fmt::format("{}{:>{}} |{} {}\n", p_.frame, number, gutter_, p_.reset, line.text());
      for (const Mark& mark : marks) {
        size_t from = line.column(mark.begin);
        size_t width = std::max<size_t>(1, line.column(mark.end) - from);
        const char* color = mark.primary ? severity_color_ : p_.label;
        std::string row(from, ' ');
        row += color;
        row.append(width, mark.primary ? '^' : '-');
        if (!mark.text.empty()) row += fmt::format(" {}", mark.text);
        row += p_.reset;
        bar(row);
      }
    }
  }

  void bar(std::string_view text) {
    out_ += fmt::format("{}{:{}} |{}{}{}\n", p_.frame, "", gutter_, p_.reset, text.empty() ? "" : " ", text);
  }

  void remark(std::string_view kind, const char* color, std::string_view text) {
    std::string indented;
    for (char c : text) {
      indented += c;
      // Further lines stand under the first.
      if (c == '\n') indented.append(gutter_ + kind.size() + 5, ' ');
    }
    out_ += fmt::format("{:{}} {}={} {}{}{}: {}\n", "", gutter_, p_.frame, p_.reset, color, kind, p_.reset,
                        indented);
  }

  const Diagnostic d_;
  const SourceMap& sources_;
  const Palette& p_;
  const char* severity_color_ = "";
  size_t gutter_ = 1;
  std::string out_;
};

void json_string(std::string& out, std::string_view text) {
  out += '"';
  for (size_t at = 0; at < text.size();) {
    Decoded d = decode_utf8(text, at);
    if (d.code == '"' || d.code == '\\') {
      out += '\\';
      out += static_cast<char>(d.code);
    } else if (d.code == '\n') {
      out += "\\n";
    } else if (d.code == '\t') {
      out += "\\t";
    } else if (d.code < 0x20 || d.code == 0x7F) {
      out += fmt::format("\\u{:04x}", d.code);
    } else {
      append_utf8(out, d.code);
    }
    at += d.length;
  }
  out += '"';
}

void json_place(std::string& out, Span span, const SourceMap& sources) {
  const SourceFile* file = sources.find(span.begin);
  if (file == nullptr) {
    out += "\"file\":null";
    return;
  }
  LineColumn from = file->locate(span.begin);
  LineColumn to = file->locate(std::max(span.begin, std::min(span.end, file->end())));
  out += "\"file\":";
  json_string(out, file->path());
  out += fmt::format(",\"line\":{},\"column\":{},\"end_line\":{},\"end_column\":{}", from.line, from.column,
                     to.line, to.column);
}

void json_strings(std::string& out, const std::vector<std::string>& items) {
  out += '[';
  for (size_t i = 0; i < items.size(); i++) {
    if (i > 0) out += ',';
    json_string(out, items[i]);
  }
  out += ']';
}

// Hostile programs have names of megabytes.
constexpr size_t kLongestText = 2000;

void shorten(std::string& text) {
  if (text.size() <= kLongestText) return;
  size_t at = kLongestText;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) at--;
  text.resize(at);
  text += "…";
}

Diagnostic shortened(Diagnostic d) {
  shorten(d.message);
  shorten(d.text);
  for (Label& label : d.labels) shorten(label.text);
  for (std::string& note : d.notes) shorten(note);
  for (std::string& help : d.helps) shorten(help);
  return d;
}

}  // namespace

std::string render(const Diagnostic& diagnostic, const SourceMap& sources, const RenderOptions& options) {
  return Renderer(shortened(diagnostic), sources, options.color).run();
}

std::string render(const Diagnostics& diagnostics, const SourceMap& sources, const RenderOptions& options) {
  std::string out;
  size_t errors = 0;
  size_t shown = 0;
  for (const Diagnostic* d : diagnostics.sorted()) {
    if (d->severity == Severity::kError) errors++;
    if (shown >= options.max_errors) continue;
    shown++;
    if (!out.empty()) out += '\n';
    out += render(*d, sources, options);
  }
  if (errors > options.max_errors) out += fmt::format("\n{} errors, the first {} are shown\n", errors, shown);
  return out;
}

std::string render_json(const Diagnostic& whole, const SourceMap& sources) {
  const Diagnostic diagnostic = shortened(whole);
  std::string out = "{\"severity\":";
  json_string(out, diagnostic.severity == Severity::kError ? "error" : "warning");
  out += ",\"message\":";
  json_string(out, diagnostic.message);
  out += ',';
  json_place(out, diagnostic.span, sources);
  out += ",\"text\":";
  json_string(out, diagnostic.text);
  out += ",\"labels\":[";
  for (size_t i = 0; i < diagnostic.labels.size(); i++) {
    if (i > 0) out += ',';
    out += '{';
    json_place(out, diagnostic.labels[i].span, sources);
    out += ",\"text\":";
    json_string(out, diagnostic.labels[i].text);
    out += '}';
  }
  out += "],\"notes\":";
  json_strings(out, diagnostic.notes);
  out += ",\"help\":";
  json_strings(out, diagnostic.helps);
  out += '}';
  return out;
}

std::string render_json(const Diagnostics& diagnostics, const SourceMap& sources) {
  std::string out;
  for (const Diagnostic* d : diagnostics.sorted()) {
    out += render_json(*d, sources);
    out += '\n';
  }
  return out;
}

}  // namespace eddy::lang
