#include "vm/control/records.h"

#include "runtime/statistics.h"
#include "vm/control/pseudo.h"
#include "runtime/plants.h"

namespace eddy::vm {

namespace {
bool is_pseudo(const Record& record) {
  const rt::Function* f = record.frame()->function;
  return f == &pseudo_functions.clause || f == &pseudo_functions.unwind;
}
}  // namespace

Record LogicalRecords::next(Value owner) {
  Value passing = rt::kNull;  // below the clause of this named handler: go on outside its region
  for (;;) {
    while (offset_ == 0) {
      fiber_ = fiber_->parent;
      if (!fiber_) return {};
      offset_ = fiber_->records;
    }
    Record record = record_at(fiber_, offset_);
    offset_ = record.previous();
    Value object = *record.object();
    if (passing != rt::kNull) {
      if (object != passing || is_pseudo(record)) continue;
      passing = rt::kNull;
      if (object == owner) return record;
      continue;
    }
    if (!is_pseudo(record)) return record;
    if (rt::is_kind(object, rt::Kind::Node)) {
      auto* node = rt::as<rt::Node>(object);
      while (fiber_ && fiber_ != node->home) fiber_ = fiber_->parent;
      if (!fiber_) return {};
      offset_ = node->records;
    } else if (rt::is_kind(object, rt::Kind::Named)) {
      passing = object;
    }
  }
}

Record find_region(Context& ctx, Value named) {
  LogicalRecords records(ctx);
  for (;;) {
    Record record = records.next();
    if (!record || *record.object() == named) return record;
  }
}

Record find_own_region(Context& ctx, Value named) {
  LogicalRecords records(ctx);
  for (;;) {
    Record record = records.next(named);
    if (!record || *record.object() == named) return record;
  }
}

Value walk_handlers(Context& ctx, uint32_t effect) {
  unsigned skip = 0;
  Value at = ctx.top;
  while (at != rt::kNull) {
    if (rt::is_kind(at, rt::Kind::Named)) {
      // The clause of a named handler runs in place: its context is its region's, looked up only now.
      Record region = find_own_region(ctx, at);
      if (!region) return rt::kHole;
      at = *region.top();
      continue;
    }
    auto* node = rt::as<rt::Node>(at);
    if (node->site->handles(effect)) {
      if (node->site->mask) skip += PLANTED(mask_ignored) ? 0 : PLANTED(mask_twice) ? 2 : 1;
      else if (skip-- == 0) return at;
    }
    at = node->outer;
  }
  return rt::kNull;
}

Value find_handler(Context& ctx, uint32_t effect) {
  Value node = walk_handlers(ctx, effect);
  ++ctx.stats->cache_misses;
  if (rt::is_kind(node, rt::Kind::Node)) ctx.cells[effect] = {ctx.tag, node};
  return node;
}

}  // namespace eddy::vm
