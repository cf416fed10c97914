#include "jit/build/expectation.h"

namespace eddy::jit {

void Expectation::add(vm::LoadedModule& module) {
  for (rt::Site& site : module.sites) {
    if (site.mask) continue;
    for (uint32_t effect : site.effects)
      handlers_[{effect, site.named}].push_back(&site);
  }
  for (vm::LoadedFunction& f : module.functions)
    for (const vm::Word* pc : vm::Instructions(f.linked)) {
      const vm::Op op = vm::op_of(*pc);
      if (op != vm::Op::PERFORM && op != vm::Op::PERFORM_NAMED) continue;
      auto* cell = reinterpret_cast<vm::PerformCell*>(pc[1]);
      auto handlers = handlers_.find({cell->effect, op == vm::Op::PERFORM_NAMED});
      if (handlers == handlers_.end() || handlers->second.size() > std::size(cell->others)) continue;
      for (rt::Site* site : handlers->second) {
        const rt::Clause* clause = site->find(cell->effect, cell->operation);
        if (clause && clause->params == cell->args) cell->meets(site, clause);
      }
    }
}

}  // namespace eddy::jit
