#include "lang/lexer.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "lang/unicode.h"

namespace eddy::lang {

std::string_view describe(TokenKind kind) {
  static constexpr std::string_view names[] = {"the end of the file",
                                               "an invalid token",
                                               "a name",
                                               "a capitalised name",
                                               "`_`",
                                               "a number",
                                               "a number",
                                               "a character",
                                               "a string",
                                               "a string",
                                               "the rest of the string",
                                               "the end of the string",
#define EDDY_TOKEN(NAME, TEXT) TEXT,
                                               EDDY_PUNCTUATION(EDDY_TOKEN)
#undef EDDY_TOKEN
#define EDDY_TOKEN(NAME) "`" #NAME "`",  // NOLINT(bugprone-suspicious-missing-comma)
                                                   EDDY_KEYWORDS(EDDY_TOKEN)
#undef EDDY_TOKEN
  };
  static_assert(std::size(names) == static_cast<size_t>(TokenKind::kCount));
  return names[static_cast<size_t>(kind)];
}

namespace {

enum CharClass : uint8_t { kOther, kSpace, kLowerStart, kUpperStart, kDigit, kPunct, kHigh };

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> table{};
  for (int c = 'a'; c <= 'z'; c++) table[c] = kLowerStart;
  for (int c = 'A'; c <= 'Z'; c++) table[c] = kUpperStart;
  for (int c = '0'; c <= '9'; c++) table[c] = kDigit;
  table['_'] = kLowerStart;
  for (char c : {' ', '\t', '\r', '\n', '\f', '\v'}) table[static_cast<unsigned char>(c)] = kSpace;
  for (char c : {'(', ')', '[', ']', '{', '}', '#', ',', ';', ':', '.', '=', '@', '+',
                 '-', '*', '/', '%', '|', '&', '!', '<', '>', '^', '?', '"', '\''}) {
    table[static_cast<unsigned char>(c)] = kPunct;
  }
  for (int c = 128; c < 256; c++) table[c] = kHigh;
  return table;
}
constexpr auto kClasses = make_classes();

inline uint8_t class_of(char c) { return kClasses[static_cast<unsigned char>(c)]; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool continues_name(char c) {
  uint8_t k = class_of(c);
  return k == kLowerStart || k == kUpperStart || k == kDigit;
}

/// What a `}` may close: a block, or the `${` of a string.
struct Brace {
  bool interpolation;
  bool triple;
  Pos dollar;  // of the `${`
};

class Lexer {
 public:
  Lexer(const SourceFile& file, Symbols& symbols, Diagnostics& diagnostics)
      : file_(file),
        symbols_(symbols),
        diagnostics_(diagnostics),
        begin_(file.data()),
        at_(file.data()),
        end_(file.data() + file.text().size()) {}

  Tokens run() {
    if (acceptable()) {
      out_.tokens.reserve(file_.text().size() / 3 + 16);
      if (file_.text().substr(0, 3) == "\xEF\xBB\xBF") at_ += 3;
      if (at_[0] == '#' && at_[1] == '!') skip_line();  // lets a script start with `#!/usr/bin/env eddy`
      while (next()) {
      }
    }
    return ended();
  }

  Tokens run_parts(std::span<const Span> parts) {
    size_t bytes = 0;
    for (Span part : parts) bytes += part.end - part.begin;
    out_.tokens.reserve(bytes / 3 + 16);
    for (Span part : parts) {
      at_ = begin_ + file_.offset(part.begin);
      end_ = begin_ + file_.offset(part.end);
      flags_ = Token::kNewlineBefore | Token::kSpaceBefore;
      while (at_ < end_ && next()) {
      }
    }
    return ended();
  }

 private:
  bool acceptable() {
    std::string_view text = file_.text();
    size_t bad = find_invalid_utf8(text);
    if (bad != std::string_view::npos) {
      Pos at = file_.pos(bad);
      diagnostics_.error({at, at + 1},
                         fmt::format("this file is not valid UTF-8 (byte 0x{:02x} at offset {})",
                                     static_cast<unsigned char>(text[bad]), bad));
      return false;
    }
    if (const void* nul = std::memchr(text.data(), 0, text.size())) {
      size_t offset = static_cast<const char*>(nul) - text.data();
      Pos at = file_.pos(offset);
      diagnostics_.error({at, at + 1}, fmt::format("this file holds a NUL byte (at offset {})", offset))
          .help("source files are text; write `\\u{0}` for the character in a string");
      return false;
    }
    return true;
  }

  Tokens ended() {
    flags_ |= Token::kNewlineBefore;
    put(TokenKind::kEnd, end_, end_);
    return std::move(out_);
  }

  Pos pos(const char* p) const { return file_.base() + static_cast<Pos>(p - begin_); }
  Span span(const char* from, const char* to) const { return {pos(from), pos(to)}; }

  void put(TokenKind kind, const char* from, const char* to, Symbol symbol = {}) {
    out_.tokens.push_back(Token{kind, flags_, pos(from), pos(to), symbol});
    flags_ = 0;
    at_ = to;
  }

  void skip_line() {
    const void* newline = std::memchr(at_, '\n', end_ - at_);
    at_ = newline ? static_cast<const char*>(newline) : end_;
  }

  /// One token, comment or run of white space; false at the end.
  bool next() {
    switch (class_of(*at_)) {
      case kSpace:
        flags_ |= Token::kSpaceBefore;
        do {
          if (*at_ == '\n') flags_ |= Token::kNewlineBefore;
          at_++;
        } while (class_of(*at_) == kSpace);
        return true;
      case kLowerStart:
      case kUpperStart:
        name();
        return true;
      case kDigit:
        number();
        return true;
      case kPunct:
        punctuation();
        return true;
      case kHigh:
        if (is_identifier_letter(decode_utf8(file_.text(), at_ - begin_).code)) {
          name();
        } else {
          unexpected();
        }
        return true;
      default:
        if (at_ == end_) return false;
        unexpected();
        return true;
    }
  }

  void name() {
    const char* from = at_;
    const char* p = at_;
    uint32_t hash = Symbols::kHashSeed;
    while (true) {
      while (continues_name(*p)) hash = (hash ^ static_cast<unsigned char>(*p++)) * Symbols::kHashFactor;
      if (class_of(*p) != kHigh) break;
      Decoded d = decode_utf8(file_.text(), p - begin_);
      if (!is_identifier_letter(d.code)) break;
      for (uint32_t i = 0; i < d.length; i++) {
        hash = (hash ^ static_cast<unsigned char>(*p++)) * Symbols::kHashFactor;
      }
    }
    Symbol symbol = symbols_.intern({from, static_cast<size_t>(p - from)}, hash);
    TokenKind kind = TokenKind::kLower;
    if (symbol.id < sym::kAfterKeywords) {
      constexpr auto first = static_cast<uint32_t>(TokenKind::kKeyword_fn);
      kind = static_cast<TokenKind>(first + symbol.id - sym::kKeyword_fn);
    } else if (symbol == sym::underscore) {
      kind = TokenKind::kUnderscore;
    } else if (*from >= 'A' && *from <= 'Z') {
      kind = TokenKind::kUpper;
    }
    put(kind, from, p, symbol);
  }

  void number() {
    const char* from = at_;
    const char* p = at_;
    // `t.1.0` is two tuple indexes.
    if (!out_.tokens.empty() && out_.tokens.back().kind == TokenKind::kDot) {
      while (is_digit(*p)) p++;
      put(TokenKind::kInt, from, p);
      return;
    }
    if (*p == '0' &&
        (p[1] == 'x' || p[1] == 'b' || p[1] == 'o' || p[1] == 'X' || p[1] == 'B' || p[1] == 'O')) {
      p += 2;
      while (continues_name(*p)) p++;
      put(TokenKind::kInt, from, p);
      return;
    }
    while (is_digit(*p) || *p == '_') p++;
    TokenKind kind = TokenKind::kInt;
    if (*p == '.' && is_digit(p[1])) {
      kind = TokenKind::kFloat;
      p++;
      while (is_digit(*p) || *p == '_') p++;
    }
    if ((*p == 'e' || *p == 'E') && (is_digit(p[1]) || ((p[1] == '+' || p[1] == '-') && is_digit(p[2])))) {
      kind = TokenKind::kFloat;
      p += 2;
      while (is_digit(*p) || *p == '_') p++;
    }
    if (continues_name(*p)) {
      const char* suffix = p;
      while (continues_name(*p)) p++;
      diagnostics_
          .error(span(suffix, p),
                 fmt::format("`{}` cannot follow a number", std::string_view(suffix, p - suffix)))
          .help("put a space between the number and the name, or an operator");
      kind = TokenKind::kError;
    }
    put(kind, from, p);
  }

  void unexpected() {
    Decoded d = decode_utf8(file_.text(), at_ - begin_);
    const char* to = at_ + d.length;
    std::string shown = d.code < 0x20 || d.code == 0x7F
                            ? std::string()
                            : fmt::format("`{}` ", std::string_view(at_, d.length));
    Diagnostic& error =
        diagnostics_.error(span(at_, to), fmt::format("unexpected character {}(U+{:04X})", shown, d.code));
    if (d.code == 0x2018 || d.code == 0x2019 || d.code == 0x201C || d.code == 0x201D) {
      error.help("write straight quotes: `\"` around a String, `'` around a Char");
    } else if (*at_ == '$') {
      error.help("`$` only means something in a string: \"${expression}\"");
    } else if (*at_ == '\\') {
      error.help("a lambda is written `fn(x) => …`");
    } else if (*at_ == '~') {
      error.help("Int has no `~`; `-x - 1` or `x ^ -1` flips the bits of x");
    } else if (d.code == 0xA0 || d.code == 0x3000 || d.code == 0xFEFF || d.code == 0x200B) {
      error.help("this is invisible white space of another kind; write an ordinary space");
    }
    // A run of the same trouble is one error.
    const char* p = to;
    while (static_cast<size_t>(end_ - p) >= d.length && std::memcmp(p, at_, d.length) == 0) p += d.length;
    put(TokenKind::kError, at_, p);
  }

  void comment(CommentKind kind, const char* from, const char* to) {
    if (to > from && to[-1] == '\r' && kind != CommentKind::kBlock) to--;
    out_.comments.push_back({kind, span(from, to), static_cast<uint32_t>(out_.tokens.size())});
    flags_ |= Token::kSpaceBefore | Token::kCommentBefore;
  }

  void line_comment() {
    const char* from = at_;
    bool doc = from[2] == '/' && from[3] != '/';
    skip_line();
    comment(doc ? CommentKind::kDoc : CommentKind::kLine, from, at_);
  }

  void block_comment() {
    const char* from = at_;
    const char* p = at_ + 2;
    size_t depth = 1;
    while (p < end_ && depth > 0) {
      if (p[0] == '*' && p[1] == '/') {
        depth--;
        p += 2;
      } else if (p[0] == '/' && p[1] == '*') {
        depth++;
        p += 2;
      } else {
        if (*p == '\n') flags_ |= Token::kNewlineBefore;
        p++;
      }
    }
    if (depth > 0) {
      p = end_;
      out_.unterminated = true;
      diagnostics_.error(span(from, from + 2), "this comment is never closed")
          .help(depth > 1 ? "comments nest: every `/*` inside needs a `*/` of its own"
                          : "close it with `*/`");
    }
    at_ = p;
    comment(CommentKind::kBlock, from, p);
  }

  void punctuation() {
    using K = TokenKind;
    const char* p = at_;
    const char a = p[1];
    const char b = a == 0 ? '\0' : p[2];
    auto one = [&](K kind) { put(kind, p, p + 1); };
    auto two = [&](K kind) { put(kind, p, p + 2); };
    switch (*p) {
      case '(':
        return one(K::kLeftParen);
      case ')':
        return one(K::kRightParen);
      case '[':
        return one(K::kLeftBracket);
      case ']':
        return one(K::kRightBracket);
      case ',':
        return one(K::kComma);
      case ';':
        return one(K::kSemicolon);
      case '@':
        return one(K::kAt);
      case '?':
        return one(K::kQuestion);
      case '^':
        return one(K::kCaret);
      case '{':
        braces_.push_back({false, false, 0});
        return one(K::kLeftBrace);
      case '}':
        return close_brace();
      case '#':
        if (a == '[') return two(K::kHashBracket);
        diagnostics_.error(span(p, p + 1), "unexpected `#`")
            .help(a == ' ' || a == '#' || a == '!' ? "a comment starts with `//`"
                                                   : "an array is written `#[1, 2, 3]`");
        if (a == ' ' || a == '#' || a == '!') {
          // Most likely a comment: its words are no code.
          skip_line();
          return put(K::kError, p, at_);
        }
        return one(K::kError);
      case ':':
        return a == ':' ? two(K::kColonColon) : a == '=' ? two(K::kColonEq) : one(K::kColon);
      case '.':
        if (a != '.') return one(K::kDot);
        if (b == '.') return put(K::kEllipsis, p, p + 3);
        if (b == '=') return put(K::kDotDotEq, p, p + 3);
        return two(K::kDotDot);
      case '=':
        return a == '=' ? two(K::kEqEq) : a == '>' ? two(K::kArrow) : one(K::kAssign);
      case '+':
        return a == '+' ? two(K::kPlusPlus) : a == '=' ? two(K::kPlusAssign) : one(K::kPlus);
      case '-':
        return a == '=' ? two(K::kMinusAssign) : a == '>' ? two(K::kThinArrow) : one(K::kMinus);
      case '*':
        return a == '=' ? two(K::kStarAssign) : one(K::kStar);
      case '/':
        if (a == '/') return line_comment();
        if (a == '*') return block_comment();
        return a == '=' ? two(K::kSlashAssign) : one(K::kSlash);
      case '%':
        return a == '=' ? two(K::kPercentAssign) : one(K::kPercent);
      case '|':
        return a == '|' ? two(K::kOrOr) : a == '>' ? two(K::kPipeGreater) : one(K::kPipe);
      case '&':
        return a == '&' ? two(K::kAndAnd) : one(K::kAmp);
      case '!':
        return a == '=' ? two(K::kNotEq) : one(K::kBang);
      case '<':
        return a == '<' ? two(K::kShl) : a == '=' ? two(K::kLessEq) : one(K::kLess);
      case '>':
        return a == '>' ? two(K::kShr) : a == '=' ? two(K::kGreaterEq) : one(K::kGreater);
      case '\'':
        return character();
      default:
        return string();  // '"'
    }
  }

  void close_brace() {
    if (braces_.empty()) return put(TokenKind::kRightBrace, at_, at_ + 1);
    Brace brace = braces_.back();
    braces_.pop_back();
    if (!brace.interpolation) return put(TokenKind::kRightBrace, at_, at_ + 1);
    string_body(at_, at_ + 1, brace.triple, false);
  }

  void string() {
    bool triple = at_[1] == '"' && at_[2] == '"';
    string_body(at_, at_ + (triple ? 3 : 1), triple, true);
  }

  /// From `p`, behind an opening quote (`first`) or the `}` of an interpolation, to what ends the piece.
  void string_body(const char* from, const char* p, bool triple, bool first) {
    if (triple) flags_ |= Token::kTriple;
    while (true) {
      switch (*p) {
        case '"':
          if (!triple) return put(first ? TokenKind::kString : TokenKind::kStringEnd, from, p + 1);
          if (p[1] == '"' && p[2] == '"') {
            // Of four or five quotes the first ones are text.
            while (p[3] == '"') p++;
            return put(first ? TokenKind::kString : TokenKind::kStringEnd, from, p + 3);
          }
          p++;
          break;
        case '\\':
          p++;
          if (p < end_ && *p != '\n' && *p != '\r') p++;
          break;
        case '$':
          if (p[1] == '{') {
            braces_.push_back({true, triple, pos(p)});
            return put(first ? TokenKind::kStringBegin : TokenKind::kStringMiddle, from, p + 2);
          }
          p++;
          break;
        case '\n':
          if (!triple) return unterminated(from, p, triple, first);
          p++;
          break;
        case '\0':
          return unterminated(from, p, triple, first);
        default:
          p++;
      }
    }
  }

  void unterminated(const char* from, const char* to, bool triple, bool first) {
    if (to == end_ && triple) out_.unterminated = true;
    if (std::memchr(from, '}', to - from) != nullptr) out_.swallowed_brace = true;
    // Inside `${…}` the quote that seems to open a string most likely closes the outer one.
    const Brace* outer = nullptr;
    constexpr size_t kFarthest = 64;  // keeps hostile input linear
    for (size_t i = braces_.size(); i > 0 && i + kFarthest > braces_.size(); i--) {
      if (braces_[i - 1].interpolation) {
        outer = &braces_[i - 1];
        break;
      }
    }
    if (first && outer != nullptr && !outer->triple) {
      diagnostics_.error(span(from, from + 1), "this string is never closed")
          .label({outer->dollar, outer->dollar + 2}, "perhaps the `}` of this interpolation is missing");
    } else {
      const char* shown = from + (triple && first ? 3 : 1);
      diagnostics_.error(span(from, shown), "this string is never closed")
          .help(triple  ? "close it with `\"\"\"`"
                : first ? "close it with `\"`; a string over several lines is written between `\"\"\"`"
                        : "close it with `\"`");
    }
    if (outer != nullptr && !outer->triple) braces_.resize(outer - braces_.data());
    put(TokenKind::kError, from, to);
  }

  void character() {
    const char* from = at_;
    const char* p = at_ + 1;
    auto trouble = [&](const char* to, std::string message, const char* help) {
      diagnostics_.error(span(from, to), std::move(message)).help(help);
      put(TokenKind::kError, from, to);
    };
    if (*p == '\\' && p[1] != '\n' && p + 1 < end_) {
      p += 2;
      if (p[-1] == 'u' && *p == '{') {
        while (p < end_ && *p != '}' && *p != '\'' && *p != '\n') p++;
        if (*p == '}') p++;
      }
    } else if (*p == '\'' && p[1] != '\'') {
      return trouble(p + 1, "this character literal is empty",
                     "a Char holds exactly one character; `\"\"` is the empty String");
    } else if (*p != '\n' && p < end_) {
      p += decode_utf8(file_.text(), p - begin_).length;
    }
    if (*p == '\'') return put(TokenKind::kChar, from, p + 1);
    const char* close = p;
    while (close < end_ && *close != '\'' && *close != '\n') close++;
    if (close < end_ && *close == '\'') {
      return trouble(close + 1, "a character literal holds exactly one character",
                     "write text in double quotes: \"text\"");
    }
    trouble(from + 1, "this character literal is never closed", "a Char is written `'a'`, a quote `'\\''`");
  }

  const SourceFile& file_;
  Symbols& symbols_;
  Diagnostics& diagnostics_;
  const char* begin_;
  const char* at_;
  const char* end_;
  uint8_t flags_ = 0;
  std::vector<Brace> braces_;
  Tokens out_;
};

}  // namespace

Tokens lex(const SourceFile& file, Symbols& symbols, Diagnostics& diagnostics) {
  return Lexer(file, symbols, diagnostics).run();
}

Tokens lex_parts(const SourceFile& file, std::span<const Span> parts, Symbols& symbols, Diagnostics& diagnostics) {
  return Lexer(file, symbols, diagnostics).run_parts(parts);
}

}  // namespace eddy::lang
