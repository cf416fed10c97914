// Handlers and continuations as heap objects, and the static description of a `handle` expression.
//
// The representation (docs/handlers.md draws it): ctx.top heads a list of nodes, nearest first, linked by
// `outer`. A node whose site needs a fiber sits at the base of the body's fiber; the owner is that fiber's
// parent, read when performing and never stored. With H the handling node:
//
//   capture   k = {cur, top, H};  top = H.outer;  cur = H.home.parent
//   resume    H.outer = top;  H.home.parent = cur;  cur = k.cur;  top = k.top
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/object.h"

namespace eddy::rt {

// How a clause runs; the compiler's classification of what it does with `resume`, per path.
enum class ClauseKind : uint8_t {
  Tail,         // in place, its result is the operation's result
  Abort,        // unwinds to the handler first, then runs
  TailOrAbort,  // in place; ABORT_RET gives the region its value and drops the body
  Once,         // captures; the continuation can be resumed once
  Multi,        // captures; resumptions that are not the last run on a copy
};

struct Clause {
  uint16_t operation = 0;        // within its effect
  uint32_t effect = 0;           // global effect id
  ClauseKind kind = ClauseKind::Tail;
  bool plain = false;            // performs nothing, calls nothing, cannot panic: no context change
  Function* function = nullptr;  // parameters: environment, the operation's arguments, [continuation]
};

// One `handle` or `mask` expression. Nodes point here; inline caches compare it.
struct Site {
  uint32_t id = 0;
  bool named = false;
  bool mask = false;
  bool needs_fiber = false;        // has a Once or Multi clause
  uint16_t captures = 0;           // of the environment
  std::vector<uint32_t> effects;   // handled (or masked), by global id
  std::vector<Clause> clauses;     // sorted by (effect, operation)
  Word resume = 0;                 // where an aborted region goes on: pc | destination << 48
  Function* owner = nullptr;       // the function whose code holds it
  std::string name;                // "State", for show

  bool handles(uint32_t effect) const {
    for (uint32_t e : effects) if (e == effect) return true;
    return false;
  }
  const Clause* find(uint32_t effect, unsigned operation) const {
    for (const Clause& c : clauses) if (c.effect == effect && c.operation == operation) return &c;
    return nullptr;
  }
};

// A cache entry of Context::cells: `node` handles the effect in the context whose tag this is.
struct EffectCell {
  uint64_t tag = 0;
  Value node = kNull;
};

struct Node : Object {
  Site* site;
  Value env;              // Env object, or unit
  Value outer;            // Node or kNull
  Fiber* home;
  Word frame_offset;      // of the frame that installed it, from home's base: fiber.at(frame_offset) is the Frame
  EffectCell previous;    // what the cell of site->effects[0] held when this was installed
  Value copy;             // scratch while a continuation is copied: this node's twin
};

struct Named : Object {
  Site* site;
  Value env;
  Word live;              // regions of it that have not been left (copies count)
};

struct Exit : Object { Word live; };

struct Continuation : Object {
  Fiber* top_fiber;       // null once consumed
  Value top;              // ctx.top inside
  Value node;             // H: for a named handler its base fiber has no node, then kNull
  Fiber* base_fiber;      // H.home
  uint64_t outer_tag;     // tag of the context it was captured into
  uint64_t inner_tag;
  Word multi;             // 1: may be resumed again
};

}  // namespace eddy::rt
