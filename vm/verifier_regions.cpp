// The second pass: which handlers, masks and unwind records are open where. Every way to an instruction must
// agree, regions close in the reverse order of opening, and nothing inside touches their slots.
#include <fmt/format.h>

#include <algorithm>

#include "vm/verifier_internal.h"

namespace eddy::vm::verifying {

uint32_t FunctionVerifier::target_of(uint32_t opener) const {
  const Word* pc = &code_[opener];
  if (op_of(*pc) == Op::HANDLE || op_of(*pc) == Op::HANDLE_NAMED) return facts_.module.sites[pc[1]].target;
  return opener + static_cast<uint32_t>(pc[1]);
}

// Blocks end at jumps and before jump targets, and where regions open or close.
void FunctionVerifier::find_blocks() {
  std::vector<bool> begins(code_.size() + 1, false);
  begins[0] = true;
  for (uint32_t at = 0; at < code_.size(); at += length_of(code_[at])) {
    const Word* pc = &code_[at];
    visit_jumps(pc, [&](int64_t offset) { begins[at + offset] = true; });
    RegionKind kind;
    bool opens = opens_region(op_of(*pc), &kind);
    if (opens && region_has_target(kind)) begins[target_of(at)] = true;
    if (opens || closes_region(op_of(*pc)) || info_of(op_of(*pc)).jumps || info_of(op_of(*pc)).ends)
      begins[at + length_of(*pc)] = true;
  }
  block_index_.assign(code_.size(), 0);
  for (uint32_t at = 0; at < code_.size(); at += length_of(code_[at])) {
    if (begins[at]) {
      block_index_[at] = static_cast<uint32_t>(blocks_.size());
      blocks_.push_back({at, at});
    }
    blocks_.back().last = at;
    blocks_.back().end = at + length_of(code_[at]);
  }
}

bool FunctionVerifier::leave(uint32_t at, int32_t region, int32_t& inner) {
  Op op = op_at(at);
  RegionKind kind;
  inner = region;
  if (closes_region(op, &kind)) {
    if (region < 0) return fail(at, "no region is open here");
    const Region& open = regions_[region];
    if (open.kind != kind) return fail(at, "another sort of region was opened last");
    const Word *begin = &code_[open.opener], *end = &code_[at];
    bool same = a_of(*begin) == a_of(*end) && (!region_has_record(kind) || b_of(*begin) == b_of(*end));
    if (!same) return fail(at, "the region that was opened last has other registers");
    inner = open.parent;
    return true;
  }
  bool leaves_frame = op == Op::RET || op == Op::RET_UNIT || op == Op::TAIL_CALL || op == Op::TAIL_CLOSURE ||
                      op == Op::TAIL_FIBER || op == Op::TAIL_RESUME || op == Op::TAIL_RESUME_LAST ||
                      op == Op::ABORT_RET;
  if (leaves_frame && region >= 0) return fail(at, "a region is still open");
  return true;
}

bool FunctionVerifier::find_regions() {
  std::vector<uint32_t> work;
  auto reach = [&](uint32_t from, uint32_t block, int32_t region) {
    Block& b = blocks_[block];
    if (b.region == -2) {
      b.region = region;
      work.push_back(block);
    }
    return b.region == region ||
           fail(from, fmt::format("the regions open at word {} depend on the way there", b.start));
  };
  reach(0, 0, -1);
  while (!work.empty()) {
    uint32_t index = work.back();
    work.pop_back();
    const Block block = blocks_[index];
    int32_t after = block.region;
    for (uint32_t at = block.start; at < block.end; at += length_of(code_[at]))
      if (!leave(at, block.region, after)) return false;
    Op op = op_at(block.last);
    RegionKind kind;
    if (opens_region(op, &kind)) {
      bool inside = block.region >= 0 && regions_[block.region].in_base;
      // A named handler that captures finds the continuation's node in its fiber's base.
      if (kind == RegionKind::Named && facts_.site_captures[code_[block.last + 1]] && !inside)
        return fail(block.last, "the named handler must be inside its fiber's first handler");
      bool base = kind == RegionKind::Handle && f_.fiber_base && a_of(code_[block.last]) == 1;
      Region region{kind, block.last, -1, block.region, inside || base, {}, {}};
      if (region_has_target(kind)) {
        region.target = static_cast<int32_t>(block_at(target_of(block.last)));
        if (!reach(block.last, static_cast<uint32_t>(region.target), block.region)) return false;
      }
      after = static_cast<int32_t>(regions_.size());
      blocks_[index].opens = after;
      regions_.push_back(std::move(region));
    }
    bool good = true;
    visit_jumps(&code_[block.last], [&](int64_t offset) {
      good = good && reach(block.last, block_at(static_cast<uint32_t>(block.last + offset)), after);
    });
    if (!good) return false;
    if (!info_of(op).ends && !reach(block.last, block_at(block.end), after)) return false;
  }
  return true;
}

// Fills Region::written and hidden. An abort may come from anywhere in a region, so what is known and
// readable at its target is what was when it was opened, without what any instruction in it changes.
void FunctionVerifier::collect_writes() {
  size_t words = (f_.tagged + 63u) / 64;
  for (Region& r : regions_) {
    r.written.assign(words, 0);
    r.hidden.assign(words, 0);
  }
  auto set = [&](std::vector<uint64_t>& row, unsigned reg) {
    if (reg < f_.tagged) row[reg >> 6] |= uint64_t{1} << (reg & 63);
  };
  for (const Block& block : blocks_) {
    if (block.region < 0) continue;
    Region& region = regions_[block.region];
    for (uint32_t at = block.start; at < block.end; at += length_of(code_[at])) {
      const Word* pc = &code_[at];
      Op op = op_of(*pc);
      visit_registers(pc, [](unsigned, char) {}, [&](unsigned reg, char) { set(region.written, reg); });
      visit_delivered(pc, [&](unsigned reg) { set(region.written, reg); });
      RegionKind kind;
      if (opens_region(op, &kind)) {
        if (!region_has_record(kind) || kind == RegionKind::Attempt) set(region.hidden, a_of(*pc));
        if (region_has_record(kind)) set(region.hidden, a_of(*pc) + 1);
      }
      bool fiber_closure = op == Op::MAKE_CLOSURE && facts_.module.functions[pc[1]].fiber_base;
      if (op == Op::MAKE_ENV || fiber_closure) set(region.hidden, a_of(*pc));
    }
  }
  // A region is numbered after the ones around it.
  for (size_t i = regions_.size(); i-- > 0;) {
    if (regions_[i].parent < 0) continue;
    Region& outer = regions_[regions_[i].parent];
    for (size_t w = 0; w < words; ++w) {
      outer.written[w] |= regions_[i].written[w];
      outer.hidden[w] |= regions_[i].hidden[w];
    }
  }
}

}  // namespace eddy::vm::verifying
