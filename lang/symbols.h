#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "lang/arena.h"

namespace eddy::lang {

/// An interned name: equal names have equal ids. 0 is "no name".
struct Symbol {
  uint32_t id = 0;

  explicit constexpr operator bool() const { return id != 0; }
  bool operator==(const Symbol&) const = default;
  auto operator<=>(const Symbol&) const = default;
};

/// The keywords, interned before everything else, so that a symbol's id tells what it is.
#define EDDY_KEYWORDS(X)                                                                                 \
  X(fn) X(fun) X(let) X(var) X(type) X(effect) X(multi) X(handle) X(with) X(return) X(finally) X(final)    \
  X(resume) X(if) X(else) X(match) X(while) X(for) X(in) X(loop) X(break) X(continue) X(defer) X(import)   \
  X(as) X(mask) X(true) X(false) X(private)

/// Names the compiler itself asks for; interned next, so that `sym::main` is a constant.
/// Columns: C++ name, text. Append freely; order only fixes the ids.
#define EDDY_KNOWN_SYMBOLS(X)                                                                             \
  X(underscore, "_")                                                                                      \
  X(main, "main") X(test, "test") X(memo, "memo") X(native, "native") X(intrinsic, "intrinsic")           \
      X(std_, "std") X(prelude, "prelude") X(value, "value") X(head, "head") X(tail, "tail")              \
          X(message, "message") X(trace, "trace") X(emit, "emit") X(Int, "Int") X(Float, "Float")         \
              X(Bool, "Bool") X(Char, "Char") X(String, "String") X(Unit, "Unit") X(Never, "Never")       \
                  X(List, "List") X(Array, "Array") X(Option, "Option") X(Result, "Result") X(Ref, "Ref") \
                      X(Map, "Map") X(Set, "Set") X(Emit, "Emit") X(Exn, "Exn") X(IO, "IO")               \
                          X(Panic, "Panic") X(None, "None") X(Some, "Some") X(Ok, "Ok") X(Err, "Err")     \
                              X(Nil, "Nil") X(Cons, "Cons")

namespace sym {
enum KnownId : uint32_t {
  kNoSymbol,
#define EDDY_KEYWORD_ID(NAME) kKeyword_##NAME,
  EDDY_KEYWORDS(EDDY_KEYWORD_ID)
#undef EDDY_KEYWORD_ID
      kAfterKeywords,
  kBeforeKnown = kAfterKeywords - 1,
#define EDDY_KNOWN_ID(NAME, TEXT) kId_##NAME,
  EDDY_KNOWN_SYMBOLS(EDDY_KNOWN_ID)
#undef EDDY_KNOWN_ID
};
#define EDDY_KNOWN_CONSTANT(NAME, TEXT) inline constexpr Symbol NAME{kId_##NAME};
EDDY_KNOWN_SYMBOLS(EDDY_KNOWN_CONSTANT)
#undef EDDY_KNOWN_CONSTANT
inline constexpr Symbol resume{kKeyword_resume};  // a keyword, but read like any other name
}  // namespace sym

class Symbols {
 public:
  Symbols();

  Symbol intern(std::string_view text) { return intern(text, hash(text)); }
  /// For the lexer, which computes the hash while it scans: h = (h ^ byte) * kHashFactor from kHashSeed.
  Symbol intern(std::string_view text, uint32_t hash);
  std::string_view text(Symbol symbol) const { return texts_[symbol.id]; }
  /// True for names of types, constructors and effects.
  bool is_upper(Symbol symbol) const {
    std::string_view name = text(symbol);
    return !name.empty() && name[0] >= 'A' && name[0] <= 'Z';
  }
  size_t size() const { return texts_.size(); }

  static constexpr uint32_t kHashSeed = 2166136261u;
  static constexpr uint32_t kHashFactor = 16777619u;
  static constexpr uint32_t hash(std::string_view text) {
    uint32_t h = kHashSeed;
    for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * kHashFactor;
    return h;
  }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t id = 0;
  };
  void rehash(size_t capacity);

  Arena arena_;
  std::vector<std::string_view> texts_;
  std::vector<Slot> slots_;  // open addressing, a power of two
};

}  // namespace eddy::lang

template <>
struct std::hash<eddy::lang::Symbol> {
  size_t operator()(eddy::lang::Symbol symbol) const noexcept {
    return symbol.id * size_t{0x9E3779B97F4A7C15};
  }
};
