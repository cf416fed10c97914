#include "jit/build/blocks.h"

#include <algorithm>
#include <vector>

#include "jit/build/regions.h"
#include "vm/registers.h"

namespace eddy::jit {

namespace {
// Whether a perform may leave for where the region that is opened here goes on.
bool may_be_aborted(const vm::Word* pc) {
  if (vm::op_of(*pc) != vm::Op::HANDLE) return false;
  const auto* site = reinterpret_cast<const rt::Site*>(pc[1]);
  return !site->needs_fiber && std::any_of(site->clauses.begin(), site->clauses.end(), [](const rt::Clause& c) {
    return c.kind == rt::ClauseKind::Abort || c.kind == rt::ClauseKind::TailOrAbort;
  });
}
}  // namespace

std::map<uint32_t, BlockShape> find_shape(const vm::LoadedFunction& function, uint32_t entry, bool self_loop) {
  const vm::Word* code = function.linked.data();
  std::map<uint32_t, BlockShape> shape;
  std::vector<bool> seen(function.linked.size());
  std::vector<uint32_t> work{entry};
  shape[entry].start = entry;
  auto target = [&](uint32_t from, uint32_t to) {
    BlockShape& b = shape[to];
    b.start = to;
    if (to <= from) {
      b.loop = true;
      b.loop_end = std::max(b.loop_end, from);
    }
    work.push_back(to);
  };
  while (!work.empty()) {
    uint32_t at = work.back();
    work.pop_back();
    while (!seen[at]) {
      seen[at] = true;
      const vm::Word* pc = code + at;
      vm::Op op = vm::op_of(*pc);
      const vm::OpInfo& info = vm::info_of(op);
      uint32_t next = at + vm::length_of(*pc);
      vm::visit_jumps(pc, [&](int64_t offset) {
        if (op != vm::Op::ATTEMPT && op != vm::Op::EXIT_POINT) target(at, static_cast<uint32_t>(at + offset));
      });
      if (may_be_aborted(pc)) target(at, target_of(function, pc));
      if (self_loop && op == vm::Op::TAIL_CALL && pc[1] == reinterpret_cast<vm::Word>(static_cast<const rt::Function*>(&function)))
        target(at, 0);
      if (info.ends) break;
      if (info.jumps) {
        target(at, next);
        break;
      }
      at = next;
    }
  }
  for (auto block = shape.begin(); block != shape.end(); ++block) {
    auto after = std::next(block);
    uint32_t end = after == shape.end() ? static_cast<uint32_t>(function.linked.size()) : after->first;
    for (uint32_t at = block->first; at < end; at += vm::length_of(code[at])) {
      const vm::Word* pc = code + at;
      vm::Op op = vm::op_of(*pc);
      uint32_t next = at + vm::length_of(*pc);
      vm::visit_jumps(pc, [&](int64_t offset) {
        if (op != vm::Op::ATTEMPT && op != vm::Op::EXIT_POINT) block->second.next.push_back(static_cast<uint32_t>(at + offset));
      });
      if (may_be_aborted(pc)) block->second.next.push_back(target_of(function, pc));
      if (self_loop && op == vm::Op::TAIL_CALL && pc[1] == reinterpret_cast<vm::Word>(static_cast<const rt::Function*>(&function)))
        block->second.next.push_back(0);
      if (vm::info_of(op).ends) break;
      if (next >= end) block->second.next.push_back(next);
    }
  }
  return shape;
}

std::vector<uint32_t> order_blocks(std::map<uint32_t, BlockShape>& shape, uint32_t entry) {
  std::vector<uint32_t> order;
  std::map<uint32_t, bool> reached;
  reached[entry] = true;
  bool as_they_stand = true;
  for (auto& [at, block] : shape) {
    order.push_back(at);
    for (uint32_t next : block.next) {
      as_they_stand &= next > at || reached[next];
      reached[next] = true;
    }
  }
  as_they_stand &= shape.begin()->first == entry;
  if (as_they_stand) return order;

  // Reverse postorder; what goes back in it is a loop.
  order.clear();
  std::map<uint32_t, size_t> state;  // 1 + successors seen
  std::vector<uint32_t> stack{entry};
  state[entry] = 1;
  while (!stack.empty()) {
    uint32_t at = stack.back();
    const auto& next = shape[at].next;
    size_t& seen = state[at];
    if (seen > next.size()) {
      order.push_back(at);
      stack.pop_back();
      continue;
    }
    uint32_t to = next[next.size() - seen++];
    if (!state[to]) {
      state[to] = 1;
      stack.push_back(to);
    }
  }
  std::reverse(order.begin(), order.end());
  std::map<uint32_t, size_t> place;
  for (size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  for (auto& [at, block] : shape) {
    block.loop = false;
    block.tangled = true;
  }
  for (uint32_t at : order)
    for (uint32_t to : shape[at].next)
      if (place[to] <= place[at]) shape[to].loop = true;
  return order;
}

}  // namespace eddy::jit
