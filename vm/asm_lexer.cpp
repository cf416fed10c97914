#include "vm/asm_lexer.h"

#include "vm/asm_text.h"

namespace eddy::vm::text {

namespace {

class Lexer {
 public:
  explicit Lexer(std::string_view source) : s_(source) {}

  std::vector<Token> run() {
    do tokens_.push_back(next());
    while (tokens_.back().kind != Token::Kind::End && tokens_.back().kind != Token::Kind::Bad);
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < s_.size() ? s_[at_ + ahead] : '\0'; }
  void advance() {
    if (s_[at_++] == '\n') {
      ++line_;
      line_start_ = at_;
    }
  }
  void skip_space() {
    while (at_ < s_.size()) {
      char c = s_[at_];
      if (c == ';')
        while (at_ < s_.size() && s_[at_] != '\n') advance();
      else if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
        advance();
      else
        return;
    }
  }
  static bool digit(char c) { return c >= '0' && c <= '9'; }

  Token next() {
    skip_space();
    Token t;
    t.line = line_;
    t.column = static_cast<uint32_t>(at_ - line_start_ + 1);
    if (at_ == s_.size()) return t;
    char c = peek();
    if (starts_word(c) || (c == '.' && starts_word(peek(1)))) {
      t.kind = Token::Kind::Word;
      do t.text += s_[at_++];
      while (continues_word(peek()));
    } else if (digit(c) || (c == '-' && digit(peek(1)))) {
      number(t);
    } else if (c == '"') {
      quoted(t);
    } else if (c == '-' && peek(1) == '>') {
      t.kind = Token::Kind::Mark;
      t.text = "->";
      at_ += 2;
    } else if (std::string_view("{}(),:#@").find(c) != std::string_view::npos) {
      t.kind = Token::Kind::Mark;
      t.text = c;
      ++at_;
    } else {
      t.kind = Token::Kind::Bad;
      t.text = "a character that means nothing here";
    }
    return t;
  }

  void number(Token& t) {
    t.kind = Token::Kind::Number;
    bool hex = peek(peek() == '-') == '0' && peek(1 + (peek() == '-')) == 'x';
    do t.text += s_[at_++];
    while (starts_word(peek()) || digit(peek()) || peek() == '.' ||
           (!hex && (peek() == '-' || peek() == '+') && (t.text.back() == 'e' || t.text.back() == 'E')));
  }

  void quoted(Token& t) {
    t.kind = Token::Kind::Quoted;
    for (++at_;; advance()) {
      if (at_ >= s_.size() || peek() == '\n') {
        t.kind = Token::Kind::Bad;
        t.text = "the string does not end on its line";
        return;
      }
      char c = peek();
      if (c == '"') break;
      if (c != '\\') {
        t.text += c;
        continue;
      }
      ++at_;
      switch (peek()) {
        case 'n':
          t.text += '\n';
          break;
        case 't':
          t.text += '\t';
          break;
        case 'r':
          t.text += '\r';
          break;
        case '"':
          t.text += '"';
          break;
        case '\\':
          t.text += '\\';
          break;
        case 'x': {
          auto value = [](char d) { return digit(d) ? d - '0' : d >= 'a' && d <= 'f' ? d - 'a' + 10 : -1; };
          int high = value(peek(1)), low = high < 0 ? -1 : value(peek(2));
          if (low >= 0) {
            t.text += static_cast<char>(high * 16 + low);
            at_ += 2;
            break;
          }
          [[fallthrough]];
        }
        default:
          t = {Token::Kind::Bad, "an escape is one of \\n \\t \\r \\\" \\\\ \\x00 … \\xff", line_,
               static_cast<uint32_t>(at_ - line_start_ + 1)};
          return;
      }
    }
    ++at_;
  }

  std::string_view s_;
  size_t at_ = 0, line_start_ = 0;
  uint32_t line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace eddy::vm::text
