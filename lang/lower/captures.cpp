// After the scan: which regions need a fiber, where jumps cross frames, what every unit captures.
#include <algorithm>

#include "lang/lower/scan.h"

namespace eddy::lang::lower {

namespace {
// More captures than this, and a closure is cheaper than passing them along with every call.
constexpr size_t kMostLiftedCaptures = 10;
constexpr size_t kMostArguments = 200;
constexpr size_t kLinearSearch = 16;
}  // namespace

void Scanner::finish() {
  classify();
  resolve_jumps();
  find_plain();
  propagate();
  find_last_resumes(plan_);
}

void Scanner::classify() {
  for (HandleInfo& info : plan_.handles) {
    for (Unit* u : info.clauses) {
      if (!u->clause) continue;  // a loop's body
      u->clause_kind = classify_clause(*u->clause, u->resume, u->clause->note->operation->multi);
      if (u->clause_kind == rt::ClauseKind::Once || u->clause_kind == rt::ClauseKind::Multi)
        info.on_fiber = true;
    }
    if (info.region) info.region->inlined = !info.on_fiber;
  }
}

void Scanner::resolve_jumps() {
  for (const Jump& j : jumps_) {
    Unit* from = j.unit->real();
    Unit* to = j.fn ? j.fn : j.loop->unit->real();
    if (j.fn ? from == j.fn : from == to) continue;
    // `continue` of a loop over a generator: its body just returns.
    if (j.loop && !j.is_break && j.loop->body == from) continue;
    Local*& exit = j.fn ? j.fn->exit : j.is_break ? j.loop->break_exit : j.loop->continue_exit;
    if (!exit) {
      Local& l = plan_.locals.emplace_back();
      l.kind = Local::Kind::kExit;
      // `continue` of a generator's loop from further inside leaves the body's frame.
      l.owner = j.loop && !j.is_break && j.loop->body ? j.loop->body : to;
      exit = &l;
    }
    uses_.push_back({j.unit, exit});
  }
}

// Local functions that mention nothing of what is around them, even through each other, are like top-level ones.
void Scanner::find_plain() {
  for (Unit* u : local_fns_) u->plain = true;
  // A unit inside a function counts as the function; what the function declares itself is no capture.
  auto spoil = [&](Unit* from, Unit* owner) {
    for (Unit* u = from; u && u != owner; u = u->parent) {
      if (u->kind == UnitKindOf::kLocalFn) u->plain = false;
    }
  };
  for (const Use& use : uses_) spoil(use.unit->real(), use.local->owner->real());
  // Chains of functions run with or against the order of their uses: take turns.
  bool backwards = false;
  for (bool changed = true; changed; backwards = !backwards) {
    changed = false;
    for (size_t i = 0; i < fn_uses_.size(); ++i) {
      const FnUse& use = fn_uses_[backwards ? fn_uses_.size() - 1 - i : i];
      if (use.fn->plain) continue;
      Unit* owner = use.fn->parent->real();
      for (Unit* u = use.unit->real(); u && u != owner; u = u->parent) {
        if (u->kind == UnitKindOf::kLocalFn && u->plain) {
          u->plain = false;
          changed = true;
        }
      }
    }
  }
}

void Scanner::capture(Unit* from, Local* local) {
  Unit* owner = local->owner->real();
  for (Unit* u = from->real(); u != owner; u = u->parent->real()) {
    if (u->self == local) return;  // a closure finds itself in slot 0
    local->captured = true;
    std::vector<Local*>& captures = u->captures();
    if (captures.size() < kLinearSearch) {
      if (std::find(captures.begin(), captures.end(), local) != captures.end()) continue;
      captures.push_back(local);
    } else {
      auto& set = uses_environment(*u) ? u->handle->env_set : u->capture_set;
      if (set.empty()) set.insert(captures.begin(), captures.end());
      if (!set.insert(local).second) continue;
      captures.push_back(local);
    }
    ++captures_added_;
  }
}

void Scanner::propagate() {
  for (Unit* u : local_fns_) {
    u->lifted = !u->plain && !u->as_value;
    if (!u->self && !u->is_default) u->lifted = false;
  }
  for (const Use& use : uses_) capture(use.unit, use.local);
  for (bool again = true; again;) {
    again = false;
    // Passing a function's captures along makes them captures of its callers, which may be such functions too.
    bool backwards = true;
    for (bool changed = true; changed; backwards = !backwards) {
      size_t before = captures_added_;
      for (size_t i = 0; i < fn_uses_.size(); ++i) {
        const FnUse& use = fn_uses_[backwards ? fn_uses_.size() - 1 - i : i];
        if (use.fn->plain) continue;
        if (!use.fn->lifted) {
          capture(use.unit, use.fn->self);
          continue;
        }
        std::vector<Local*> wanted = use.fn->captures();  // a copy: it may be the one that grows
        for (Local* l : wanted) capture(use.unit, l);
      }
      changed = captures_added_ != before;
    }
    for (Unit* u : local_fns_) {
      if (u->lifted && !u->is_default &&
          (u->captures().size() > kMostLiftedCaptures ||
           u->captures().size() + u->params.size > kMostArguments)) {
        u->lifted = false;
        again = true;
      }
    }
  }
}

}  // namespace eddy::lang::lower
