// What a REPL knows between its inputs: declarations as text, and the values of the constants among them.
//
// Each input is compiled together with everything declared before, which stands behind it in the same text,
// so that places in messages are the input's own. Constants that have a value already are not evaluated
// again: their initialisers are taken out before lowering, and the new module's globals get the values of the
// old one.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lang/front_end.h"
#include "tools/eddy/machine.h"

namespace eddy::tool {

class Session {
 public:
  Session(const RunFlags& flags, std::vector<std::string> paths);
  ~Session();

  // Compiles and runs an input; prints values, or what is wrong. False: it was wrong.
  bool evaluate(const std::string& text);
  // A file's declarations become the session's.
  bool load(const std::string& file);
  bool print_type(const std::string& expression);
  bool print_effects(const std::string& expression);
  bool print_bytecode(const std::string& expression);
  // exit(n) was called, or a limit was hit.
  bool over() const { return over_; }
  int finish() { return machine_.finish(status_); }

 private:
  // One declaration of an earlier input.
  struct Entry {
    std::string text;
    std::vector<std::string> values, types;  // names that it declares
  };
  // A declaration or statement of an input.
  struct Piece {
    lang::DeclKind kind = lang::DeclKind::kStmt;
    bool is_expression = false;
    size_t begin = 0, end = 0;  // in the input
    Entry entry;
    std::string result;  // the constant that an expression's value is given to
  };
  using Input = std::vector<Piece>;

  bool take_apart(const std::string& text, Input* input);
  // Checked with what was declared before; entries that no longer fit it are forgotten. Null after errors.
  std::unique_ptr<lang::Compilation> check(const std::string& text, const Input& input);
  bool execute(lang::Compilation& compilation, size_t input_size);
  void drop_known_initialisers(lang::Compilation& compilation, size_t input_size);
  bool finished(const vm::RunResult& result);
  void save_values(const vm::LoadedModule& module, const std::string& root);
  void remember(Input& input, lang::Compilation& compilation);
  void replace(const Entry& entry);
  void settle_types(size_t first);
  void announce(const Input& input, lang::Compilation& compilation);
  std::unique_ptr<lang::Compilation> check_query(const std::string& expression,
                                                 const std::string& attribute = "");

  std::vector<std::string> paths_;
  MachineRun machine_;
  double timeout_;
  std::vector<Entry> entries_;
  std::map<std::string, size_t> slots_;    // of globals by qualified name, in values_
  std::vector<rt::Value> values_;          // roots
  std::set<std::string> started_modules_;  // imported ones whose constants have been evaluated
  unsigned results_ = 0;
  bool over_ = false;
  int status_ = kOk;
};

}  // namespace eddy::tool
