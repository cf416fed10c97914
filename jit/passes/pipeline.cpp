// The passes, one after the other.
#include <cstdio>
#include <cstdlib>

#include "jit/passes/passes.h"

namespace eddy::jit {

namespace {

struct Step {
  Pass pass;
  void (*run)(Graph&);
};
constexpr Step kSteps[] = {
    {Pass::Hoist, move_callees},
    {Pass::Ints, find_small_ints},
    {Pass::Clauses, make_clauses_lazy},
    {Pass::Regions, remove_handlers},
    {Pass::Regions, remove_named_regions},
    {Pass::Straight, go_straight},
    {Pass::Objects, remove_objects},
    {Pass::Ints,
     [](Graph& g) {
       if (g.fields_known) find_small_ints(g);
     }},  // fields in registers make more Ints known
    {Pass::Continuations, take_continuations_apart},
    {Pass::Floats, unbox_loops},
    {Pass::Hoist, hoist},
    {Pass::Promote, promote_fields},
    {Pass::Ints, find_small_ints},
    {Pass::Detach, merge_blocks},
    {Pass::Detach, detach},
    {Pass::Ranges, find_ranges},
    {Pass::Closed, find_closed_forms},
    {Pass::Bounds, find_bounds},
    {Pass::Numbering, number_values},
    {Pass::Unroll, unroll},
    {Pass::Order, order_loads},
    {Pass::Tests, merge_tests},
    {Pass::Polls, drop_safepoints},
};

bool check(Graph& graph, const char* pass) {
#ifdef EDDY_DEBUG
  if (std::string problem = verify(graph); !problem.empty()) {
    std::fprintf(stderr, "eddy: the graph of %s is wrong after %s: %s\n%s", graph.function->name.c_str(), pass, problem.c_str(),
                 print(graph).c_str());
    std::abort();
  }
#endif
  return graph.failure.empty();
}

// False too where a function is inlined with a handler that has to be there; it is told apart from then on.
bool all_vanished(Graph& graph) {
  bool all = true;
  for (const Block* b : graph.blocks)
    for (const Node* n : b->nodes) {
      if (n->op != NodeOp::Handle || n->imm == 0) continue;
      graph.apart->insert(n->origin->function);
      all = false;
    }
  return all;
}

}  // namespace

bool run_passes(Graph& graph, const Options& options) {
  if (!check(graph, "build")) return false;
  simplify_phis(graph);
  if (!check(graph, "phis")) return false;
  for (const Step& step : kSteps) {
    if (!options.runs(step.pass)) continue;
    step.run(graph);
    if (!check(graph, flag_of(step.pass))) return false;
    if (step.pass == Pass::Regions && !all_vanished(graph)) return false;
  }
  remove_anchors(graph);
  simplify_phis(graph);
  remove_dead(graph);
  if (options.runs(Pass::Tests)) find_quick_return(graph);
  if (options.runs(Pass::Layout)) lay_out(graph);
  return check(graph, "dead");
}

}  // namespace eddy::jit
