// Where machine code finds things: the same for every instruction set.
#pragma once
#include <bit>
#include <cstddef>

#include "runtime/context.h"
#include "runtime/frame.h"
#include "runtime/heap.h"
#include "runtime/old_space.h"
#include "runtime/statistics.h"
#include "vm/loaded.h"

namespace eddy::jit::at {

constexpr int alloc_ptr = offsetof(rt::Context, alloc_ptr), alloc_limit = offsetof(rt::Context, alloc_limit);
constexpr int stack_limit = offsetof(rt::Context, stack_limit), safepoint_asked = offsetof(rt::Context, safepoint_asked);
constexpr int fiber = offsetof(rt::Context, fiber);
constexpr int top = offsetof(rt::Context, top), tag = offsetof(rt::Context, tag),
              cells = offsetof(rt::Context, cells);
constexpr int next_tag = offsetof(rt::Context, next_tag), moved_at = offsetof(rt::Context, moved_at);
constexpr int args = offsetof(rt::Context, args), args_live = offsetof(rt::Context, args_live);
constexpr int result = offsetof(rt::Context, result), callee = offsetof(rt::Context, callee);
constexpr int action = offsetof(rt::Context, action), host_sp = offsetof(rt::Context, host_sp);
constexpr int globals = offsetof(rt::Context, globals);
constexpr int fiber_sp = offsetof(rt::Fiber, sp), fiber_base = offsetof(rt::Fiber, base);
constexpr int fiber_records = offsetof(rt::Fiber, records);
constexpr int fiber_parent = offsetof(rt::Fiber, parent), fiber_limit = offsetof(rt::Fiber, limit);
constexpr int fiber_tag = offsetof(rt::Fiber, tag), fiber_copied = offsetof(rt::Fiber, copied);
constexpr int fiber_dirty = offsetof(rt::Fiber, dirty), fiber_id = offsetof(rt::Fiber, id);
constexpr int fiber_watermarks = offsetof(rt::Fiber, watermarks), fiber_size_class = offsetof(rt::Fiber, size_class);
// The class and, above it, whether the fiber is old, as one number.
constexpr int fiber_old_class = fiber_size_class;
static_assert(offsetof(rt::Fiber, old) == fiber_old_class + 1);
constexpr int supply(size_t field) { return static_cast<int>(offsetof(rt::Context, fiber_supply) + field); }
constexpr int supply_free = supply(offsetof(rt::FiberSupply, free));
constexpr int supply_made = supply(offsetof(rt::FiberSupply, made)), supply_room = supply(offsetof(rt::FiberSupply, room));
constexpr int supply_copied = supply(offsetof(rt::FiberSupply, copied));
constexpr int supply_bytes_copied = supply(offsetof(rt::FiberSupply, bytes_copied));
// An array with more items has cards, which a word in front of it leads to.
constexpr int kMostWithoutCards = (rt::Heap::kLargeBytes - sizeof(rt::Array)) / sizeof(rt::Value);
constexpr int large_cards = static_cast<int>(offsetof(rt::LargeObject, cards)) - static_cast<int>(sizeof(rt::LargeObject));
constexpr int kCardShift = std::countr_zero(rt::OldSpace::kCardBytes);
constexpr int stats = offsetof(rt::Context, stats);
constexpr int captures = offsetof(rt::Statistics, captures);
constexpr int resumed_copies = offsetof(rt::Statistics, resumes) + 8 * static_cast<int>(rt::ResumeShape::Copied);
constexpr int count = 4;  // of any object
constexpr int string_chars = offsetof(rt::String, chars), string_bytes = offsetof(rt::String, bytes);
constexpr int node_site = offsetof(rt::Node, site), node_env = offsetof(rt::Node, env);
constexpr int named_site = offsetof(rt::Named, site), named_live = offsetof(rt::Named, live);
static_assert(offsetof(rt::Named, env) == node_env);
constexpr int node_records = offsetof(rt::Node, records), node_frame = offsetof(rt::Node, frame_offset);
constexpr int site_returns = offsetof(rt::Site, returns), site_owner = offsetof(rt::Site, owner);
constexpr int frame_size = offsetof(rt::Function, frame_size);
constexpr int site_node_slot = offsetof(rt::Site, node_slot);
constexpr int node_previous = offsetof(rt::Node, previous);
constexpr int node_outer = offsetof(rt::Node, outer), node_home = offsetof(rt::Node, home);
constexpr int k_top_fiber = offsetof(rt::Continuation, top_fiber), k_top = offsetof(rt::Continuation, top);
constexpr int k_node = offsetof(rt::Continuation, node), k_captured_at = offsetof(rt::Continuation, captured_at);
constexpr int cell_effect = offsetof(vm::PerformCell, effect), cell_args = offsetof(vm::PerformCell, args);
constexpr int cell_seen = offsetof(vm::PerformCell, seen), cell_clause = offsetof(vm::PerformCell, clause);
constexpr int cell_count = offsetof(vm::PerformCell, count);
constexpr int clause_kind = offsetof(rt::Clause, kind), clause_function = offsetof(rt::Clause, function);
constexpr int raw_entry = offsetof(rt::Function, raw_entry);
constexpr int machine_entry = offsetof(rt::Function, machine_entry), resuming_entry = offsetof(rt::Function, resuming_entry);
constexpr int params = offsetof(rt::Function, params), takes_self = offsetof(rt::Function, takes_self);
constexpr int values = offsetof(rt::Function, values), function_fiber_base = offsetof(rt::Function, fiber_base);
constexpr int closure_function = offsetof(rt::Closure, function);

static_assert(offsetof(rt::Frame, function) == 0 && offsetof(rt::Frame, resume) == 8);

}  // namespace eddy::jit::at
