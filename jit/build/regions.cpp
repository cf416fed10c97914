#include "jit/build/regions.h"

#include <set>

#include "vm/registers.h"

namespace eddy::jit {

void step_regions(const vm::Word* pc, OpenRegions& open) {
  vm::Op op = vm::op_of(*pc);
  if (vm::opens_region(op)) open.push_back(pc);
  else if (vm::closes_region(op) && !open.empty()) open.pop_back();
}

uint32_t target_of(const vm::LoadedFunction& function, const vm::Word* handle) {
  return function.pc_of(rt::resume_pc(reinterpret_cast<const rt::Site*>(handle[1])->resume));
}

Regions find_regions(const vm::LoadedFunction& function, uint32_t at) {
  Regions found;
  std::set<uint32_t> wanted{at};
  for (const vm::Word* pc : vm::Instructions(function.linked)) {
    found.any |= vm::opens_region(vm::op_of(*pc));
    vm::visit_jumps(pc, [&](int64_t offset) {
      if (offset <= 0) wanted.insert(static_cast<uint32_t>(function.pc_of(pc) + offset));
    });
  }
  if (!found.any) return found;
  // Only loops go back, and to what has been passed: one walk along the code is enough, but for code that nothing leads to
  // other than from behind.
  OpenRegions open;
  bool reached = true;
  for (const vm::Word* pc : vm::Instructions(function.linked)) {
    uint32_t here = function.pc_of(pc);
    if (auto known = found.open.find(here); known != found.open.end()) {
      open = known->second;
      reached = true;
    }
    if (!reached) continue;
    if (wanted.count(here)) found.open.try_emplace(here, open);
    vm::Op op = vm::op_of(*pc);
    auto arrives = [&](uint32_t place, const OpenRegions& with) {
      auto [known, fresh] = found.open.try_emplace(place, with);
      if (fresh ? place <= here : known->second != with) found.known = false;
    };
    if (op == vm::Op::HANDLE || op == vm::Op::HANDLE_NAMED) arrives(target_of(function, pc), open);
    OpenRegions before = open;
    step_regions(pc, open);
    bool leaves = op == vm::Op::ATTEMPT || op == vm::Op::EXIT_POINT;
    vm::visit_jumps(pc, [&](int64_t offset) { arrives(static_cast<uint32_t>(here + offset), leaves ? before : open); });
    reached = !vm::info_of(op).ends;
    if (vm::info_of(op).jumps && reached) arrives(here + vm::length_of(*pc), open);
  }
  return found;
}

}  // namespace eddy::jit
