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

#include "runtime/fiber.h"
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
  bool in_place = false;         // Tail or TailOrAbort
  uint16_t params = 0;           // of the operation
  Function* function = nullptr;  // parameters: environment, the operation's arguments, [continuation]
  std::string name;              // "State.get", for traces
};

// One `handle` or `mask` expression. Nodes point here; inline caches compare it.
struct Site {
  uint32_t id = 0;
  bool named = false;
  bool mask = false;
  bool needs_fiber = false;        // has a Once or Multi clause
  bool returns = false;            // `target` is only `RET dst`: the frame is dropped before an abort clause runs
  uint16_t node_slot = 0;          // where HANDLE leaves the node (HANDLE_NAMED: the record's first slot)
  std::vector<uint32_t> effects;   // handled (or masked), by global id
  std::vector<Clause> clauses;     // sorted by (effect, operation)
  Word resume = 0;                 // where an aborted region goes on: pc | destination << 48
  Function* owner = nullptr;       // the function whose code holds it
  uint32_t pc = 0;                 // word of its instruction there
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
  Value outer;            // Node, Named (a context to be looked up when needed, see vm/control/find.h) or kNull
  Fiber* home;
  uint32_t frame_offset;  // of the frame that installed it, in words down from home's base
  uint32_t records;       // home's newest unwind record when it was installed
  EffectCell previous;    // what the cell of site->effects[0] held when it was installed; a collection forgets it, as does
                          // a copy, while whose making kTwin stands there with this node's copy

  static constexpr uint64_t kTwin = ~uint64_t{0};  // no tag

  Frame* frame() const { return reinterpret_cast<Frame*>(home->base - frame_offset); }
};

static_assert(sizeof(Node) == 64);

struct Named : Object {
  Site* site;
  Value env;
  Word live;              // regions of it that have not been left (copies count)
};

struct Exit : Object { Word live; };

struct Continuation : Object {
  Fiber* top_fiber;       // the youngest; null once consumed
  Value top;              // ctx.top inside
  Value node;             // H, whose home is the oldest
  Word captured_at[];     // one that may be resumed again has a word more: ctx.next_tag when it was captured

  static constexpr size_t bytes(bool multi) { return sizeof(Continuation) + multi * sizeof(Word); }
  static constexpr Word header_of(bool multi) { return make_header(Kind::Continuation, multi); }
  bool multi() const { return count() != 0; }
  Fiber* base_fiber() const { return static_cast<const Node*>(node.ptr())->home; }
  // Copies of it have run, so that nothing needs to be dropped.
  bool resumed() const { return header & kHeaderResumed; }
  void set_resumed() { header |= kHeaderResumed; }
};

}  // namespace eddy::rt
