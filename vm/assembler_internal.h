// The assembler's parser: declarations in assembler.cpp, code in assembler_code.cpp.
#pragma once
#include <bit>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vm/asm_lexer.h"
#include "vm/asm_text.h"
#include "vm/assembler.h"

namespace eddy::vm::assembling {

using text::Token;

// A reference to an entry of a table: a name, or #index. Resolved when all tables are known.
struct Ref {
  size_t token = 0;
  bool indexed = false;
  uint64_t index = 0;
};

struct PendingClause {
  Ref effect, operation, function;
  rt::ClauseKind kind{};
  bool plain = false;
};
struct PendingSite {
  std::vector<Ref> effects;
  std::vector<PendingClause> clauses;
};

struct Body {
  size_t first = 0;  // token
  bool tagged_given = false, raw_given = false;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(text::tokenize(text)) {}
  AssembleResult run();

 private:
  bool fail(const Token& at, std::string why);
  const Token& peek() const { return tokens_[at_]; }
  const Token& next();
  bool take(std::string_view mark);
  bool take_word(std::string_view word);
  bool expect(std::string_view mark);
  std::string describe(const Token& t) const;
  std::string name();
  std::string string();
  uint64_t number(uint64_t max);
  int64_t signed_number(int64_t min, int64_t max);
  uint64_t float_bits();
  Ref ref();
  int64_t resolve(const Ref& r, const text::Names& names, const char* what);
  uint32_t resolve_short(const Ref& r, const text::Names& names, const char* what);

  void declaration();
  void constant();
  void type();
  void effect();
  void site();
  void function();
  void resolve_sites();

  // A body is read twice: to find labels and registers, then to write code.
  void body(size_t index);
  void body_pass(size_t index);
  void instruction();
  int64_t operand(Op op, const OperandInfo& o);
  int64_t reg(char role);
  int64_t label_distance(uint32_t limit_bits);
  int64_t constant_operand();
  int64_t native_operand();
  void write(Word w) { code_.push_back(w); }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  Module m_;
  std::optional<Ref> initialiser_, main_;
  std::vector<Ref> tests_;
  std::vector<PendingSite> sites_;
  std::vector<Body> bodies_;
  std::optional<text::ModuleNames> names_;

  // The body that is being read.
  bool measuring_ = false;
  std::vector<Word> code_;
  std::map<std::string, uint32_t> labels_;
  uint32_t tagged_ = 0, raw_ = 0;   // registers: counted while measuring
  size_t effect_index_ = 0;         // of the instruction's effect operand

  bool failed_ = false;
  std::string error_;
  uint32_t error_line_ = 0, error_column_ = 0;
};

}  // namespace eddy::vm::assembling
