#include "lang/literals.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "lang/unicode.h"

namespace eddy::lang {

namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

}  // namespace

void decode_int(std::string_view text, Span span, Arena& arena, Diagnostics& diagnostics, IntExpr& out) {
  std::string_view digits = text;
  out.base = 10;
  if (text.size() > 1 && text[0] == '0' && digit_value(text[1]) > 9 && text[1] != '_') {
    char letter = static_cast<char>(text[1] | 0x20);
    out.base = letter == 'x' ? 16 : letter == 'o' ? 8 : 2;
    digits.remove_prefix(2);
  }
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  uint64_t value = 0;
  bool fits = true;
  size_t count = 0;
  for (size_t i = 0; i < digits.size(); i++) {
    if (digits[i] == '_') continue;
    auto digit = static_cast<uint64_t>(digit_value(digits[i]));
    if (digit >= out.base) {
      Pos at = span.end - static_cast<Pos>(digits.size() - i);
      diagnostics.error({at, at + 1}, fmt::format("`{}` is not a digit of {} number", digits[i],
                                                  out.base == 16  ? "a hexadecimal"
                                                  : out.base == 8 ? "an octal"
                                                                  : "a binary"));
      return;
    }
    count++;
    if (value > (kMost - digit) / out.base) fits = false;
    if (fits) value = value * out.base + digit;
  }
  if (count == 0) {
    diagnostics.error(span, fmt::format("this number has no digits after `{}`", text.substr(0, 2)));
    return;
  }
  if (fits) {
    out.value = static_cast<int64_t>(value);
    return;
  }
  std::string clean(digits);
  clean.erase(std::remove(clean.begin(), clean.end(), '_'), clean.end());
  out.digits = arena.copy(clean);
}

double decode_float(std::string_view text, Span span, Diagnostics& diagnostics) {
  char small[64];
  std::string large;
  char* clean = small;
  if (text.size() > sizeof small) {
    large.resize(text.size());
    clean = large.data();
  }
  char* end = std::remove_copy(text.begin(), text.end(), clean, '_');
  double value = 0;
  auto result = std::from_chars(clean, end, value);
  if (result.ec == std::errc::result_out_of_range) {
    // Too small rounds to zero, as arithmetic would; too large has no Float to stand for it.
    std::string_view shown(clean, end - clean);
    bool tiny =
        shown.find("e-") != shown.npos || shown.find("E-") != shown.npos ||
        std::find_if(clean, end, [](char c) { return c >= '1' && c <= '9'; }) > std::find(clean, end, '.');
    if (tiny) return 0;
    diagnostics.error(span, "this number is too large for a Float")
        .help("the largest Float is 1.7976931348623157e308; infinity is `float.infinity`");
  }
  return value;
}

namespace {

/// Resolves the escape at text[at] (a backslash), appends it, returns the offset behind it.
size_t unescape(std::string_view text, size_t at, Pos begin, Diagnostics& diagnostics, std::string& out) {
  auto span = [&](size_t to) { return Span{begin + static_cast<Pos>(at), begin + static_cast<Pos>(to)}; };
  char c = at + 1 < text.size() ? text[at + 1] : '\0';
  switch (c) {
    case 'n':
      out += '\n';
      return at + 2;
    case 't':
      out += '\t';
      return at + 2;
    case 'r':
      out += '\r';
      return at + 2;
    case '0':
      out += '\0';
      return at + 2;
    case '\\':
    case '"':
    case '\'':
    case '$':
      out += c;
      return at + 2;
    case 'u':
      break;
    default: {
      size_t to = std::min(text.size(), at + 2);
      if (static_cast<unsigned char>(c) >= 0x80) to = at + 1 + decode_utf8(text, at + 1).length;
      std::string_view shown = text.substr(at, to - at);
      if (c == '\n' || c == '\r') shown = "\\";
      diagnostics.error(span(to), fmt::format("unknown escape `{}`", shown))
          .help("known are \\n \\t \\r \\0 \\\\ \\\" \\' \\$ and \\u{1F600}; a backslash itself is `\\\\`");
      return to;
    }
  }
  size_t close = at + 2;
  if (close >= text.size() || text[close] != '{') {
    diagnostics.error(span(at + 2), "`\\u` needs a code point in braces").help("for example `\\u{e9}`");
    return at + 2;
  }
  close++;
  uint32_t code = 0;
  size_t digits = 0;
  bool bad = false;
  while (close < text.size() && text[close] != '}' && digits <= 8) {
    int digit = digit_value(text[close]);
    if (digit > 15) {
      bad = true;
      break;
    }
    code = code * 16 + static_cast<uint32_t>(digit);
    close++;
    digits++;
  }
  bool closed = close < text.size() && text[close] == '}';
  if (closed) close++;
  if (bad || !closed || digits == 0) {
    diagnostics.error(span(close), "this is not a code point")
        .help("write it in hexadecimal digits: `\\u{1F600}`");
  } else if (digits > 8 || code > 0x10FFFF || is_surrogate(code)) {
    diagnostics.error(span(close), "there is no character with this code point")
        .help("characters are 0 to 10FFFF, without the surrogates D800 to DFFF");
  } else {
    append_utf8(out, code);
  }
  return close;
}

void unescape_all(std::string_view text, Pos begin, Diagnostics& diagnostics, std::string& out) {
  size_t at = 0;
  while (at < text.size()) {
    size_t slash = text.find('\\', at);
    if (slash == std::string_view::npos) slash = text.size();
    out.append(text, at, slash - at);
    at = slash < text.size() ? unescape(text, slash, begin, diagnostics, out) : slash;
  }
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// Layout of a multi-line string: how much to cut from each line, and whether its first and last
/// line are blank, so that only the quotes stand on them.
struct Layout {
  size_t indent = 0;
  bool drop_first = false;
  bool drop_last = false;
};

Layout measure(const RawPiece* pieces, size_t count) {
  Layout layout;
  size_t indent = std::string_view::npos;
  size_t width = 0;
  size_t line = 0;
  bool leading = true;
  auto text_seen = [&] {
    if (leading) indent = std::min(indent, width);
    leading = false;
  };
  for (size_t i = 0; i < count; i++) {
    if (i > 0) text_seen();  // an interpolation stands here
    for (char c : pieces[i].text) {
      if (c == '\n') {
        if (line == 0) layout.drop_first = leading;
        line++;
        leading = true;
        width = 0;
      } else if (is_blank(c)) {
        width++;
      } else {
        text_seen();
      }
    }
  }
  if (line == 0) return {};
  layout.drop_last = leading;
  layout.indent = indent == std::string_view::npos ? 0 : indent;
  return layout;
}

void decode_lines(const RawPiece* pieces, size_t count, Arena& arena, Diagnostics& diagnostics,
                  std::string_view* out) {
  Layout layout = measure(pieces, count);
  bool line_start = true;
  size_t line = 0;
  for (size_t i = 0; i < count; i++) {
    std::string_view text = pieces[i].text;
    std::string decoded;
    size_t at = 0;
    while (at < text.size()) {
      size_t newline = text.find('\n', at);
      bool has_newline = newline != std::string_view::npos;
      size_t end = has_newline ? newline : text.size();
      size_t content = at;
      if (line_start) {
        for (size_t cut = 0; cut < layout.indent && content < end && is_blank(text[content]); cut++)
          content++;
      }
      size_t content_end = end;
      if (has_newline && content_end > content && text[content_end - 1] == '\r') content_end--;
      bool dropped = line == 0 && layout.drop_first && has_newline;
      bool last = !has_newline && i + 1 == count && layout.drop_last && line_start;
      if (last) {
        if (!decoded.empty() && decoded.back() == '\n') decoded.pop_back();
      } else if (!dropped) {
        unescape_all(text.substr(content, content_end - content), pieces[i].begin + static_cast<Pos>(content),
                     diagnostics, decoded);
        if (has_newline) decoded += '\n';
      }
      line_start = has_newline;
      if (has_newline) line++;
      at = has_newline ? newline + 1 : text.size();
    }
    // The closing quotes stand right at the start of a line.
    if (i + 1 == count && layout.drop_last && line_start && !decoded.empty() && decoded.back() == '\n') {
      decoded.pop_back();
    }
    if (!text.empty()) line_start = text.back() == '\n';
    if (i + 1 < count) line_start = false;
    out[i] = arena.copy(decoded);
  }
}

}  // namespace

uint32_t decode_char(std::string_view text, Span span, Diagnostics& diagnostics) {
  std::string_view inner = text.substr(1, text.size() - 2);
  if (inner[0] != '\\') return decode_utf8(inner, 0).code;
  std::string out;
  unescape(inner, 0, span.begin + 1, diagnostics, out);
  return out.empty() ? 0 : decode_utf8(out, 0).code;
}

void decode_string(const RawPiece* pieces, size_t count, bool triple, Arena& arena, Diagnostics& diagnostics,
                   std::string_view* out) {
  if (triple) return decode_lines(pieces, count, arena, diagnostics, out);
  for (size_t i = 0; i < count; i++) {
    std::string_view text = pieces[i].text;
    if (text.find('\\') == std::string_view::npos) {
      out[i] = text;  // stays in the file's text
      continue;
    }
    std::string decoded;
    unescape_all(text, pieces[i].begin, diagnostics, decoded);
    out[i] = arena.copy(decoded);
  }
}

}  // namespace eddy::lang
