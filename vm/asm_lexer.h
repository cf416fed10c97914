// Tokens of assembly text.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eddy::vm::text {

struct Token {
  enum class Kind : uint8_t { Word, Quoted, Number, Mark, End, Bad };
  Kind kind = Kind::End;
  std::string text;  // Quoted: with its escapes replaced; Mark: one of { } ( ) , : # @ ->; Bad: what is wrong
  uint32_t line = 1, column = 1;

  bool is(std::string_view mark) const { return kind == Kind::Mark && text == mark; }
  bool is_word(std::string_view word) const { return kind == Kind::Word && text == word; }
};

// Ends with an End token, or with a Bad one where the text cannot be read on.
std::vector<Token> tokenize(std::string_view source);

}  // namespace eddy::vm::text
