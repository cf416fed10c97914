// The module being made: its tables, and the worklist of functions that something refers to.
#pragma once
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lang/front_end.h"
#include "lang/lower/unit.h"
#include "vm/module.h"

namespace eddy::lang::lower {

/// A place as the module's tables say it.
struct Place {
  uint32_t file = 0, line = 0, column = 0;
};

class Program {
 public:
  explicit Program(Compilation& compilation) : compilation_(compilation), program_(compilation.program) {}

  /// Everything that `main`, the tests and the initialisers reach.
  vm::Module run();

  // --- functions, by what they are in the source; compiled later
  uint32_t function(FunctionBinding* f);
  /// The body of a @memo function, which its cache calls.
  uint32_t memo_body(FunctionBinding* f);
  /// A unit of the plan that is being emitted.
  uint32_t unit(Unit* u);
  /// Parameter `index`'s default value, from the parameters before it.
  uint32_t default_value(Expr* value, Slice<Param> params, uint32_t index, std::string_view of);
  /// The same, where it is part of the plan that is being emitted.
  Unit* local_default(const Expr* value) const;
  bool is_last_resume(const Expr* call) const { return plan_ && plan_->last_resumes.contains(call); }
  /// Constructors, operations, natives and intrinsics as function values.
  uint32_t wrapper(Binding* target, const Type* type);

  // --- tables
  uint32_t string(std::string_view text);
  uint32_t number(double value);
  uint32_t integer(std::string decimal);
  uint16_t constructor(ConstructorBinding* c);
  uint32_t effect(TypeDef* effect);
  uint16_t native(std::string_view name);
  uint32_t global(GlobalBinding* g);
  uint32_t memo_global(FunctionBinding* f);
  vm::Module& module() { return module_; }

  // --- facts
  const CheckedProgram& checked() const { return program_; }
  bool in_std() const { return in_std_; }  // what is being emitted belongs to the library
  bool has_multi() const { return has_multi_; }
  Symbols& symbols() { return compilation_.symbols; }
  std::string_view text(Symbol s) const { return compilation_.symbols.text(s); }
  Place place(Pos pos);
  /// The program asks for more than bytecode can say.
  void too_large(Span at, std::string what);

 private:
  struct Work {
    enum class Kind : uint8_t { kFunction, kMemoCache, kDefault, kWrapper } kind;
    uint32_t function;
    void* subject;
    Slice<Param> params;
    uint32_t index = 0;
    std::string name;
    bool floats = false;
  };

  uint32_t reserve();
  uint32_t request(Work::Kind kind, void* subject, std::string name = {});
  void compile(Work& work);
  void compile_function(std::string name, FnNote* note, Slice<Param> params, Expr* body, Span span,
                        uint32_t function);
  void drain();
  void memo_cache(FunctionBinding* f, uint32_t function);
  void initialiser();
  void store_globals(vm::FunctionBuilder& b, Pattern* p, vm::Reg r);
  void mark_plain_clauses();

  Compilation& compilation_;
  CheckedProgram& program_;
  vm::Module module_;
  bool has_multi_ = false;
  std::deque<Work> work_;
  Plan* plan_ = nullptr;  // the one that is being emitted
  bool in_std_ = false;
  std::vector<Unit*> plan_queue_;  // its units that are to be
  std::unordered_map<const void*, uint32_t> functions_, memo_bodies_, defaults_, globals_, effects_,
      memo_globals_;
  std::unordered_map<const void*, uint32_t> wrappers_[2];  // the second: of Floats
  std::vector<FunctionBinding*> memos_;
  std::unordered_map<const TypeDef*, uint32_t> types_;  // id of the first constructor
  uint32_t next_constructor_ = rt::con::FirstFree;
  std::unordered_map<std::string, uint32_t> strings_, integers_;
  std::unordered_map<uint64_t, uint32_t> numbers_;
  std::unordered_map<std::string_view, uint16_t> natives_;

  // The line found last: places mostly come in order.
  struct {
    const SourceFile* file = nullptr;
    uint32_t index = 0;
    Pos line_begin = 0, line_end = 0;
    uint32_t line = 0;
    Pos at = 0;
    uint32_t column = 0;
  } last_place_;
  std::unordered_map<const SourceFile*, uint32_t> files_;
};

}  // namespace eddy::lang::lower
