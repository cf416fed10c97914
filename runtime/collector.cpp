#include "runtime/collector.h"
#include "runtime/resources.h"
#include "runtime/plants.h"

namespace eddy::rt {

void Collector::each_root(void* data, Heap::RootVisitor visit) {
  if (!PLANTED(arguments_no_roots))
    for (unsigned i = 0; i < ctx.args_live; ++i) visit(data, &ctx.args[i]);
  visit(data, &ctx.result);
  visit(data, &ctx.top);
  visit(data, &ctx.panic_message);
  visit(data, &ctx.panic_trace);
  for (Value& global : ctx.globals) visit(data, &global);
  for (Function* function : ctx.functions) visit(data, &function->closure);
  for (Root* root = heap.roots_; root; root = root->next()) visit(data, &root->value);
  for (Roots* roots = heap.root_vectors_; roots; roots = roots->next())
    for (Value& value : roots->values) visit(data, &value);
  for (auto& extra : impl.extra_roots) extra.visit_all(extra.owner, data, visit);
}

void Collector::clear_weak(bool (*alive)(Collector&, Value*)) {
  // Tag 0 is no context's: the next perform walks the handlers and refills the cell.
  auto settle = [&](EffectCell& cell) {
    if (cell.node.bits && !alive(*this, &cell.node)) cell = EffectCell{};
  };
  if (ctx.cells && !PLANTED(cells_kept))
    for (size_t i = 0; i < ctx.effect_names.size(); ++i) settle(ctx.cells[i]);
  settle_resources(ctx, [&](Value* holder) { return alive(*this, holder); });
}

}  // namespace eddy::rt
