#include "jit/debug/region.h"

#include "vm/names.h"

namespace eddy::jit::debug {

namespace {

// The inlined clause that word belongs to: index into functions, or 0.
uint32_t clause_of(const CodeRegion& region, uint32_t function) {
  for (uint32_t at = function; at != 0; at = static_cast<uint32_t>(region.functions[at].caller))
    if (region.functions[at].function->data && region.functions[at].function->data->clause) return at;
  return 0;
}

std::string clause_name(const CodeRegion& region, uint32_t clause) {
  // Who performed: the nearest function below that is the program's.
  int performer = region.functions[clause].caller;
  while (performer > 0 && region.functions[static_cast<size_t>(performer)].function->hidden)
    performer = region.functions[static_cast<size_t>(performer)].caller;
  const auto& by = region.functions[static_cast<size_t>(performer < 0 ? 0 : performer)];
  return vm::display_name(*region.functions[clause].function) + " ← " + vm::display_name(*by.function);
}

}  // namespace

std::vector<Piece> pieces_of(const CodeRegion& region) {
  auto end = static_cast<uint32_t>(region.size);
  if (region.lines.empty())
    return {{region.name, region.functions.empty() ? nullptr : region.functions[0].function, 0, end}};
  std::vector<Piece> pieces;
  uint32_t current = 0;
  auto open = [&](uint32_t clause, uint32_t offset) {
    if (!pieces.empty()) pieces.back().end = offset;
    if (!pieces.empty() && pieces.back().start == offset) pieces.pop_back();
    pieces.push_back(
        {clause ? clause_name(region, clause) : region.name, region.functions[clause].function, offset, end});
    current = clause;
  };
  open(0, 0);
  for (const CodeRegion::Line& line : region.lines) {
    uint32_t clause = clause_of(region, line.function);
    if (clause != current) open(clause, line.offset);
  }
  return pieces;
}

}  // namespace eddy::jit::debug
