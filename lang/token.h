#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lang/source.h"
#include "lang/symbols.h"

namespace eddy::lang {

/// Columns: C++ name, how a message calls it.
#define EDDY_PUNCTUATION(X)                                                                                  \
  X(LeftParen, "`(`")                                                                                        \
  X(RightParen, "`)`") X(LeftBracket, "`[`") X(RightBracket, "`]`") X(LeftBrace, "`{`") X(RightBrace, "`}`") \
      X(HashBracket, "`#[`") X(Comma, "`,`") X(Semicolon, "`;`") X(Colon, "`:`") X(Dot, "`.`")               \
          X(DotDot, "`..`") X(DotDotEq, "`..=`") X(Ellipsis, "`...`") X(Arrow, "`=>`") X(At, "`@`")          \
              X(Assign, "`=`") X(PlusAssign, "`+=`") X(MinusAssign, "`-=`") X(StarAssign, "`*=`")            \
                  X(SlashAssign, "`/=`") X(PercentAssign, "`%=`") X(PipeGreater, "`|>`") X(OrOr, "`||`")     \
                      X(AndAnd, "`&&`") X(EqEq, "`==`") X(NotEq, "`!=`") X(Less, "`<`") X(LessEq, "`<=`")    \
                          X(Greater, "`>`") X(GreaterEq, "`>=`") X(PlusPlus, "`++`") X(Pipe, "`|`")          \
                              X(Caret, "`^`") X(Amp, "`&`") X(Shl, "`<<`") X(Shr, "`>>`") X(Plus, "`+`")     \
                                  X(Minus, "`-`") X(Star, "`*`") X(Slash, "`/`") X(Percent, "`%`")           \
                                      X(Bang, "`!`") /* Not of the language; lexed so that a message can say \
                                                        what to write instead. */                            \
      X(ThinArrow, "`->`") X(ColonColon, "`::`") X(ColonEq, "`:=`") X(Question, "`?`")

enum class TokenKind : uint8_t {
  kEnd,
  kError,  // reported by the lexer
  kLower,  // an identifier that starts lower-case (or with `_`)
  kUpper,
  kUnderscore,
  kInt,
  kFloat,
  kChar,
  kString,        // a whole string without interpolation
  kStringBegin,   // `"text${`
  kStringMiddle,  // `}text${`
  kStringEnd,     // `}text"`
#define EDDY_TOKEN(NAME, TEXT) k##NAME,
  EDDY_PUNCTUATION(EDDY_TOKEN)
#undef EDDY_TOKEN
#define EDDY_TOKEN(NAME) kKeyword_##NAME,
      EDDY_KEYWORDS(EDDY_TOKEN)
#undef EDDY_TOKEN
          kCount,
};

/// How messages call a kind of token: "`=>`", "a name".
std::string_view describe(TokenKind kind);

struct Token {
  enum Flag : uint8_t {
    kNewlineBefore = 1,  // a line ended between this and the previous token
    kSpaceBefore = 2,    // white space or a comment did
    kCommentBefore = 4,
    kTriple = 8,  // part of a `"""` string
  };

  TokenKind kind = TokenKind::kEnd;
  uint8_t flags = 0;
  Pos begin = 0;
  Pos end = 0;
  Symbol symbol;  // names and keywords

  Span span() const { return {begin, end}; }
  bool newline_before() const { return flags & kNewlineBefore; }
  bool space_before() const { return flags & kSpaceBefore; }
};
static_assert(sizeof(Token) == 16);

enum class CommentKind : uint8_t { kLine, kBlock, kDoc };

struct Comment {
  CommentKind kind;
  Span span;        // without the line ending
  uint32_t before;  // index of the token that follows
};

}  // namespace eddy::lang
