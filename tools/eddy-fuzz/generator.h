// Makes a random well-typed Eddy program that ends. What ends it: functions call only those declared before
// them, or themselves with a smaller count; every loop, function and most clauses count a step, and too many
// steps leave the program; assignments cut big numbers, long strings and lists short.
//
//   generate.cpp             the program: declarations and main
//   generate_expression.cpp  expressions of a wanted type
//   generate_data.cpp        literals and operators of each type
//   generate_statement.cpp   statements, loops, blocks
//   generate_handle.cpp      handlers and everything about resumptions
#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tools/eddy-fuzz/random.h"
#include "tools/eddy-fuzz/tree.h"

namespace eddy::fuzz {

constexpr int kMaxEffects = 6;

struct Operation {
  std::string name;
  std::vector<Type> parameters;
  Type result;
  bool multi = false;
  bool free = false;  // the result's type is the caller's choice: never resumed
};

struct Effect {
  std::string name;         // State
  std::string type;         // State<Int>, as it stands in rows
  std::string declaration;  // empty: the prelude's
  std::vector<Operation> operations;
};

struct Variable {
  std::string name;
  Type type;
  bool mutable_ = false;
};

struct Function {
  std::string name;
  std::vector<Type> parameters;  // of a recursive one, the first is the count
  Type result;
  Row row = 0;
  int count = -1;  // most that the count may be; -1: not recursive
};

// What may be used at a place.
struct Scope {
  std::vector<Variable> variables;
  std::array<uint8_t, kMaxEffects> handlers{};  // unnamed ones around, by effect
  size_t functions = 0;                         // of these, from the first
  std::optional<Type> returns;                  // `return` is possible
  bool in_loop = false;
  std::optional<Type> breaks;  // in a `loop`: with this
  struct Resume {
    Type parameter, result;
    Row row;
  };
  std::optional<Resume> resume;
  const Function* self = nullptr;  // the recursive function around
  std::string count;               // and its counter

  Row row() const {
    Row r = 0;
    for (int i = 0; i < kMaxEffects; ++i)
      if (handlers[static_cast<size_t>(i)]) r |= Row{1} << i;
    return r;
  }
  bool allows(Row row_wanted) const { return (row_wanted & ~row()) == 0; }
};

class Generator {
 public:
  // Of every third seed, the program is mostly about resumptions: more than one of each, kept and called in other
  // contexts, handlers in handlers, recursion through them.
  explicit Generator(uint64_t seed) : random_(seed), fibers_(seed % 3 == 2) {}
  Tree program();

 private:
  // generate.cpp
  void make_effects();
  Tree function(size_t index);
  Tree recursion(size_t index);
  Tree main_function();
  std::string name(const char* prefix) { return prefix + std::to_string(++names_); }
  std::string type_text(const Type& type, bool rows = true) const;
  std::string row_text(Row row) const;
  Type any_type(int depth = 1);
  Type scalar_type();

  // generate_expression.cpp
  Tree expression(const Scope& scope, const Type& type, int depth);
  Tree leaf(const Scope& scope, const Type& type);
  Tree typed(const Scope& scope, const Type& type, int depth);
  Tree try_common(const Scope& scope, const Type& type, int depth);
  Tree try_call(const Scope& scope, const Type& type, int depth);
  Tree try_closure_call(const Scope& scope, const Type& type, int depth);
  Tree try_perform(const Scope& scope, const Type& type, int depth);
  Tree try_option(const Scope& scope, const Type& type, int depth);
  Tree try_projection(const Scope& scope, const Type& type);
  Tree try_higher_order(const Scope& scope, const Type& type, int depth);
  Tree lambda(const Scope& scope, const Type& type, int depth);
  Tree arguments(const Scope& scope, const std::vector<Type>& types, size_t from, int depth);
  Tree matching(const Scope& scope, const Type& type, int depth);

  // generate_data.cpp
  Tree literal(const Scope& scope, const Type& type, int depth);
  Tree operation_of_type(const Scope& scope, const Type& type, int depth);
  Tree int_expression(const Scope& scope, int depth);
  Tree float_expression(const Scope& scope, int depth);
  Tree bool_expression(const Scope& scope, int depth);
  Tree string_expression(const Scope& scope, int depth);
  Tree cut(const Type& type, Tree value);
  std::string int_literal();
  std::string float_literal();

  // generate_statement.cpp
  Tree block(const Scope& scope, const Type& type, int depth, int statements, bool with_step = false);
  Tree statement(Scope& scope, int depth);  // adds to the scope what it declares
  Tree print(const Scope& scope, int depth);
  Tree loop_statement(Scope& scope, int depth);
  Tree store(const Scope& scope, int depth);
  Tree jump(const Scope& scope, int depth);
  Tree defer(const Scope& scope, int depth);
  Tree loop_expression(const Scope& scope, const Type& type, int depth);
  Scope pure(const Scope& scope) const;

  // generate_handle.cpp
  Tree handle(const Scope& scope, const Type& type, int depth);
  Tree clause(const Scope& scope, const Operation& operation, const Type& type, int depth,
              const std::string& stored, const Type& stored_type);
  Tree after_handle(Scope& scope, const std::string& stored, const Type& stored_type, int depth);
  Tree resumed_elsewhere(const Scope& scope, const std::string& k, const Type& type, int depth);

  const Variable* variable(const Scope& scope, const Type& type, bool mutable_only = false);
  bool spend() { return --budget_ > 0; }

  Random random_;
  bool fibers_;
  int names_ = 0;
  int budget_ = 0;
  std::vector<Effect> effects_;
  std::vector<Function> functions_;
};

}  // namespace eddy::fuzz
