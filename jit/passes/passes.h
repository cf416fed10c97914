// What happens to a graph between building and emission.
#pragma once
#include "jit/ir/ir.h"

namespace eddy::jit {

// Phis all of whose inputs are one value.
void simplify_phis(Graph& graph);
// Nodes without a use or an effect.
void remove_dead(Graph& graph);

}  // namespace eddy::jit
