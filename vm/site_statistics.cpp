#include "vm/site_statistics.h"

#include "vm/bytecode.h"

namespace eddy::vm {

namespace {

void count_perform(rt::Statistics& stats, const PerformCell& cell, bool named) {
  if (!named) stats.cache_hits += cell.count + cell.inlined - cell.misses;
  stats.inlined_performs += cell.inlined;
  if (cell.seen_sites > 3) ++stats.megamorphic_sites;
  // The others were counted where they ran; these were calls of the clause met last.
  if (cell.clause) stats.performs[static_cast<unsigned>(cell.clause->kind)] += cell.count - cell.slow;
}

void count_function(rt::Statistics& stats, const LoadedFunction& f) {
  auto resumes = [&](rt::ResumeShape shape, const Word* pc) {
    stats.resumes[static_cast<unsigned>(shape)] += reinterpret_cast<const ResumeCell*>(pc[1])->count;
  };
  for (const Word* pc : Instructions(f.linked)) {
    switch (op_of(*pc)) {
      case Op::PERFORM:
        count_perform(stats, *reinterpret_cast<const PerformCell*>(pc[1]), false);
        break;
      case Op::PERFORM_NAMED:
        count_perform(stats, *reinterpret_cast<const PerformCell*>(pc[1]), true);
        break;
      case Op::TAIL_RESUME:
      case Op::TAIL_RESUME_LAST:
        resumes(rt::ResumeShape::Tail, pc);
        break;
      case Op::RESUME:
      case Op::RESUME_LAST:
        resumes(rt::ResumeShape::NonTail, pc);
        break;
      default:
        break;
    }
  }
}

}  // namespace

void count_sites(Vm& vm) {
  for (const auto& module : vm.modules())
    for (const LoadedFunction& f : module->functions) count_function(*vm.context().stats, f);
}

}  // namespace eddy::vm
