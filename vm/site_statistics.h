// What the profile cells of a VM's code add to its statistics: the performs and resumes that took no slow
// path.
#pragma once
#include "vm/vm.h"

namespace eddy::vm {

// After the last run, once.
void count_sites(Vm& vm);

}  // namespace eddy::vm
