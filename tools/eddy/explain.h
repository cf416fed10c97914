// What is known of how a program's handlers run: from the module alone, or after a run.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "jit/debug/region.h"
#include "runtime/handler.h"
#include "vm/loaded.h"
#include "vm/names.h"

namespace eddy::tool {

// What the compiler has made of the program.
class CompiledCode : public jit::debug::CodeListener {
 public:
  void added(const jit::debug::CodeRegion& region) override;
  void refused(const vm::LoadedFunction& function, const std::string& why) override;

  void note_handlers(const vm::LoadedFunction& function);

  std::set<const vm::LoadedFunction*> compiled;  // also those inlined into others
  std::set<std::pair<const vm::LoadedFunction*, uint32_t>>
      inlined;                              // performs (function, word) with the clause in line
  std::set<const vm::PerformCell*> direct;  // whose handler was the only one known when code was made
  std::map<const vm::LoadedFunction*, std::string> refusals;
};

struct ClauseItem {
  vm::SourcePlace place, handler;
  std::string name;       // "State.get"
  std::string kind, why;  // "tail"; a sentence or two
  bool plain = false, named = false, fiber = false;
};

struct PerformItem {
  vm::SourcePlace place;
  std::string name, function;
  bool named = false;
  std::vector<std::string> candidates;  // clauses of this program that can answer: "tail at a.eddy:3:4"
  // After a run:
  uint64_t count = 0, misses = 0, in_line = 0;
  std::string cache;  // "never performed", "one handler", "2 handlers", "many handlers"
  std::vector<std::string> met;
  std::string machine_code,
      why;  // "inlined", "called in place", "captured in line", "resumed in line", "aborted in line", "by the runtime", …
};

struct Explanation {
  bool ran = false;
  std::vector<ClauseItem> clauses;
  std::vector<PerformItem> performs;
};

ClauseItem explain_clause(const rt::Site& site, const rt::Clause& clause);
// `code`: after a run.
PerformItem explain_perform(const vm::LoadedModule& module, const vm::LoadedFunction& function, uint32_t pc,
                            const CompiledCode* code);

std::string as_text(const Explanation& e);
std::string as_json(const Explanation& e);

}  // namespace eddy::tool
