// What the assembler and the disassembler share: how names and literals are written. docs/bytecode.md
// describes the language.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/handler.h"
#include "vm/module.h"

namespace eddy::vm::text {

constexpr std::array<std::string_view, 5> kClauseKinds = {"tail", "abort", "tail_or_abort", "once", "multi"};

// Words that may stand where a name could: as names they are quoted.
bool is_keyword(std::string_view word);
constexpr bool starts_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool continues_word(char c) {
  return starts_word(c) || (c >= '0' && c <= '9') || c == '.' || c == '/' || c == '$';
}

std::string quote(std::string_view s);
// Bare where it can be, or quoted.
std::string name(std::string_view s);

// The names of one of the module's tables. A name stands for an entry where no other has it; every entry can
// be written as #index.
class Names {
 public:
  void add(std::string_view name) { add(name, next_); }
  void add(std::string_view name, uint32_t index);
  int64_t find(std::string_view name) const;  // -1: none, -2: several
  std::string show(uint64_t index) const;

 private:
  std::unordered_map<std::string, int64_t> by_name_;
  std::unordered_map<uint32_t, std::string> by_index_;
  uint32_t next_ = 0;
};

struct ModuleNames {
  Names functions, constructors, effects, natives, globals, sites;
  explicit ModuleNames(const Module& module);
};
// The well-known constructors and the module's own.
void add_constructors(Names& names, const Module& module);
Names operation_names(const EffectData& effect);

// How the table orders an instruction's operands in text: the effect comes before its operation.
std::vector<OperandInfo> text_operands(Op op);

}  // namespace eddy::vm::text
