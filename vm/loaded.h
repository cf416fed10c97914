// What loading makes of a module: functions with linked code, sites, profile cells.
#pragma once
#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/context.h"
#include "vm/module.h"

namespace eddy::vm {

class Liveness;
struct LoadedModule;

// A PERFORM site: what it asks for, and whom it met (the profile).
struct PerformCell {
  const rt::EffectCell* cached = nullptr;  // the effect's
  uint32_t effect = 0;                // global id
  uint16_t operation = 0;
  uint16_t args = 0;
  rt::Site* seen = nullptr;           // the handler met last; the inline cache
  rt::Function* plain = nullptr;      // its clause's function, where it needs no context of its own
  const rt::Clause* clause = nullptr; // its clause for this operation
  uint64_t count = 0, slow = 0, misses = 0;  // performs here; those that were no plain call; cell misses (walks)
  uint64_t inlined = 0;               // further ones, in line in machine code; only with Statistics::detailed
  rt::Site* others[3] = {};           // distinct ones met, the first three
  uint8_t seen_sites = 0;             // up to 4: megamorphic

  void meets(rt::Site* site, const rt::Clause* its_clause);
};

struct CallCell {
  rt::Function* seen = nullptr;       // the one met last
  uint32_t count = 0;
  uint8_t functions = 0;              // distinct ones met, up to 4
  rt::Function* met[3] = {};          // the first three of them

  void meet(rt::Function* f) {
    seen = f;
    if (functions == 4 || std::find(met, met + std::min<size_t>(functions, 3), f) != met + std::min<size_t>(functions, 3)) return;
    if (functions < 3) met[functions] = f;
    ++functions;
  }
};

struct ResumeCell {
  uint64_t count = 0;
  uint32_t same_context = 0, moved_context = 0, copied = 0, fibers = 0;
};

struct LoadedFunction : rt::Function {
  LoadedFunction();
  ~LoadedFunction();
  LoadedModule* module = nullptr;
  const FunctionData* data = nullptr;     // as in the file: positions, flags
  std::vector<Word> linked;               // what `code` points at, or after
  std::unique_ptr<Liveness> liveness;     // made when the collector first asks
  void* compiled = nullptr;               // a compiler's notes
  bool raw_known = false;                 // raw_params and raw_result are what they should be
  bool raw_result = false;                // all it returns are Floats that it has just made objects of
  bool switches = false;                  // control may leave and come back to its compiled frames other than by
                                          // calls and returns
  bool once = false;                      // a clause whose last parameter is a continuation just made, that may be resumed once
  bool all_live = false;                  // the VM's own frames: every tagged slot is always live

  uint32_t pc_of(const Word* p) const { return static_cast<uint32_t>(p - linked.data()); }
  PositionData position_at(uint32_t pc) const;  // the last one at or before pc
};

inline LoadedFunction* loaded(rt::Function* f) { return static_cast<LoadedFunction*>(f); }

struct LoadedModule {
  Module source;
  std::vector<rt::Value> constants;       // roots
  std::deque<rt::Site> sites;
  std::deque<LoadedFunction> functions;
  std::deque<PerformCell> performs;
  std::deque<CallCell> calls;
  std::deque<ResumeCell> resumes;
  uint32_t first_global = 0;              // its globals in Context::globals
};

}  // namespace eddy::vm
