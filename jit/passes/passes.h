// What happens to a graph between building and emission.
#pragma once
#include "jit/ir/ir.h"
#include "jit/options.h"

namespace eddy::jit {

// All that the options do not leave out. False: it cannot be compiled, Graph::failure says why; or, where nothing is said, it has
// to be built again without what Graph::apart names now.
bool run_passes(Graph& graph, const Options& options);

// Phis all of whose inputs are one value.
void simplify_phis(Graph& graph);
// Nodes without a use or an effect.
void remove_dead(Graph& graph);

// In-place clauses that need no frame below them until code leaves.
void make_clauses_lazy(Graph& graph);
// Regions of handlers whom nobody looks for.
void remove_handlers(Graph& graph);
// Named ones that nobody outside their region asks, with their records.
void remove_named_regions(Graph& graph);
// To the front of a loop, before all other checks there: that what it calls is the function it was built for. What is wrong
// with its numbers then may be because of that.
void move_callees(Graph& graph);
// Small Ints, loops included; checks that become needless.
void find_small_ints(Graph& graph);
// Ways that know the outcome of the branch they lead to.
void go_straight(Graph& graph);
// Objects of which only the fields are wanted.
void remove_objects(Graph& graph);
// Continuations of clauses that resume them.
void take_continuations_apart(Graph& graph);
// Floats that go round a loop, as doubles.
void unbox_loops(Graph& graph);
// What is the same in every round of a loop, to the front of it.
void hoist(Graph& graph);
// Fields that a loop reads and writes, to registers.
void promote_fields(Graph& graph);
// Values of loops that nobody looks at, to places that are no frame's.
void detach(Graph& graph);
// Checks and values that are there already, once.
void number_values(Graph& graph);
// Blocks that only follow one another, to one.
void merge_blocks(Graph& graph);
// Additions that cannot overflow, by what their loop's test says.
void find_ranges(Graph& graph);
// Loops that only count and add, as what they come to.
void find_closed_forms(Graph& graph);
// Array accesses that need no check, by the same.
void find_bounds(Graph& graph);
// Several rounds of small loops at a time.
void unroll(Graph& graph);
// What the next round of a loop waits for, first.
void order_loads(Graph& graph);
// A comparison that is only branched on, with the branch; a number that is compared with two neighbours, with both at once.
void merge_tests(Graph& graph);
// What a function gives back before it needs a frame.
void find_quick_return(Graph& graph);
// The order of the blocks.
void lay_out(Graph& graph);
// Checks for interrupts behind a call, which has made one.
void drop_safepoints(Graph& graph);
// What only the passes above need.
void remove_anchors(Graph& graph);

}  // namespace eddy::jit
