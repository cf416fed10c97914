// Finds the units of a declaration and what they share: which variables are captured, how each handler's clauses
// use `resume`, which jumps leave their frame. Nothing is emitted; lowering reads the plan.
#pragma once
#include <utility>
#include <vector>

#include "lang/lower/unit.h"

namespace eddy::lang::lower {

struct ScanOptions {
  bool has_multi = false;  // the program can copy frames at all
  const Symbols* symbols = nullptr;
};

class Scanner {
 public:
  Scanner(Plan& plan, const ScanOptions& options) : plan_(plan), options_(options) {}

  /// A function with these parameters. `params` may be a prefix of a function's (for a default value).
  Unit* function(std::string name, FnNote* note, Slice<Param> params, Expr* body, Span span);
  /// Call once, after the units were scanned.
  void finish();

 private:
  friend class UnitScope;
  struct Use {
    Unit* unit;
    Local* local;
  };
  struct FnUse {
    Unit* unit;
    Unit* fn;
  };
  struct Jump {
    Unit* unit;
    Unit* fn;
    LoopInfo* loop;
    bool is_break;
  };

  Unit* new_unit(UnitKindOf kind, Unit* parent, std::string name, FnNote* note);
  Local* declare(LocalBinding* binding, Local::Kind kind);
  void use(LocalBinding* binding, bool as_callee);
  void cross_calls(bool may_copy);

  void params(Slice<Param> params);
  void pattern(Pattern* p);
  void expr(Expr* e);
  void block(BlockExpr* b);
  void stmt(Stmt* s);
  void local_fn(FnStmt* s);
  void default_unit(Unit* of, FnDecl* fn, uint32_t index);
  void scan_default(Unit* u);
  void lambda(LambdaExpr* e);
  void call(CallNote* note);
  void handle(HandleExpr* e);
  void clause(HandleInfo* info, Clause& c);
  void for_loop(ForExpr* e);
  LoopInfo* loop(LoopNote* note);

  void classify();
  void resolve_jumps();
  void find_plain();
  void capture(Unit* from, Local* local);
  void propagate();

  Plan& plan_;
  ScanOptions options_;
  Unit* unit_ = nullptr;
  std::vector<Use> uses_;
  std::vector<FnUse> fn_uses_;
  std::vector<Jump> jumps_;
  std::vector<Local*> vars_;  // in scope, of all units around
  size_t captures_added_ = 0;
  size_t crossed_ = 0;  // the first so many of vars_ are marked already
  std::vector<Unit*> local_fns_;
};

/// How a clause uses `resume`; `uses` counts its mentions in the whole body.
rt::ClauseKind classify_clause(const Clause& clause, const Local* resume, bool multi);
/// Fills plan.last_resumes (last_use.cpp).
void find_last_resumes(Plan& plan);
/// A default value that is as well computed where it is needed.
bool is_simple_default(const Expr* e);
/// Resumes before anything else can fail, perform or jump.
bool resumes_first(const Expr* e);
/// A call of the clause's own `resume`, by its name.
bool is_resume_call(const Expr* e);

}  // namespace eddy::lang::lower
