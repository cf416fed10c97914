#include "vm/liveness.h"

#include <algorithm>
#include <bit>

#include "vm/registers.h"

namespace eddy::vm {

namespace {
void set_bit(std::span<uint64_t> row, unsigned i) { row[i >> 6] |= uint64_t{1} << (i & 63); }
void clear_bit(std::span<uint64_t> row, unsigned i) { row[i >> 6] &= ~(uint64_t{1} << (i & 63)); }
}  // namespace

Liveness::Liveness(std::span<const Word> code, unsigned tagged, const TargetOf& target_of)
    : code_(code), tagged_(tagged), words_((tagged + 63) / 64), scratch_(words_) {
  find_blocks(target_of);
  find_regions(target_of);
  solve();
}

// A block ends at jumps and jump targets, and where a region opens or closes, so that the open regions are
// the same in all of it. The opening instruction is outside its region, the closing one inside.
void Liveness::find_blocks(const TargetOf& target_of) {
  std::vector<bool> starts(code_.size() + 1, false);
  auto mark = [&](int64_t at) {
    if (at >= 0 && at < static_cast<int64_t>(code_.size())) starts[at] = true;
  };
  mark(0);
  uint32_t begun = 0;
  for (uint32_t at = 0; at < code_.size();) {
    if (starts[at] || at - begun >= kBlockWords) {
      mark(at);
      begun = at;
    }
    const Word* pc = &code_[at];
    Op op = op_of(*pc);
    uint32_t next = at + length_of(*pc);
    visit_jumps(pc, [&](int64_t offset) { mark(at + offset); });
    RegionKind kind;
    bool opens = opens_region(op, &kind);
    if (opens && region_has_target(kind))
      mark(op == Op::HANDLE || op == Op::HANDLE_NAMED ? target_of(pc) : at + static_cast<int64_t>(pc[1]));
    if (opens || closes_region(op) || info_of(op).jumps || info_of(op).ends) mark(next);
    at = next;
  }
  for (uint32_t at = 0; at < code_.size(); ++at) {
    if (!starts[at]) continue;
    if (!blocks_.empty()) blocks_.back().end = at;
    blocks_.push_back({at, static_cast<uint32_t>(code_.size())});
  }
  for (Block& block : blocks_) {
    block.first_successor = static_cast<uint32_t>(successors_.size());
    uint32_t last = block.start;
    for (uint32_t at = block.start; at < block.end; at += length_of(code_[at])) last = at;
    visit_jumps(&code_[last], [&](int64_t offset) {
      if (int64_t to = last + offset; to >= 0 && to < static_cast<int64_t>(code_.size()))
        successors_.push_back(block_of(static_cast<uint32_t>(to)));
    });
    if (!info_of(op_of(code_[last])).ends && block.end < code_.size())
      successors_.push_back(block_of(block.end));
    block.successors = static_cast<uint32_t>(successors_.size()) - block.first_successor;
  }
}

// Walks forwards from the entry with the innermost open region; the verifier has seen to it that every way to
// a block agrees about it.
void Liveness::find_regions(const TargetOf& target_of) {
  std::vector<bool> seen(blocks_.size(), false);
  std::vector<uint32_t> work;
  auto reach = [&](uint32_t block, uint32_t region) {
    if (seen[block]) return;
    seen[block] = true;
    blocks_[block].region = region;
    work.push_back(block);
  };
  if (!blocks_.empty()) reach(0, kNone);
  while (!work.empty()) {
    Block& block = blocks_[work.back()];
    work.pop_back();
    uint32_t last = block.start;
    for (uint32_t at = block.start; at < block.end; at += length_of(code_[at])) last = at;
    const Word* pc = &code_[last];
    uint32_t region = block.region;
    RegionKind kind;
    if (opens_region(op_of(*pc), &kind)) {
      Region opened{last, kNone, block.region};
      if (region_has_target(kind)) {
        uint32_t target = kind == RegionKind::Handle || kind == RegionKind::Named
                              ? target_of(pc)
                              : last + static_cast<uint32_t>(pc[1]);
        if (target < code_.size()) {
          opened.target = block_of(target);
          reach(opened.target, block.region);
        }
      }
      region = static_cast<uint32_t>(regions_.size());
      regions_.push_back(opened);
    } else if (closes_region(op_of(*pc)) && region != kNone) {
      region = regions_[region].parent;
    }
    for (uint32_t i = 0; i < block.successors; ++i) reach(successors_[block.first_successor + i], region);
  }
}

void Liveness::solve() {
  live_in_.assign(blocks_.size() * words_, 0);
  throughout_.assign(regions_.size() * words_, 0);

  // Who depends on whom: a block's live-in feeds its predecessors and the regions it is the target of; what
  // is live throughout a region feeds the blocks and regions directly inside.
  struct Edges {
    std::vector<uint32_t> start, to;
    std::span<const uint32_t> of(uint32_t i) const {
      return std::span(to).subspan(start[i], start[i + 1] - start[i]);
    }
  };
  auto collect = [](size_t nodes, const std::vector<std::pair<uint32_t, uint32_t>>& pairs) {
    Edges edges;
    edges.start.assign(nodes + 1, 0);
    edges.to.resize(pairs.size());
    for (auto [from, to] : pairs) ++edges.start[from + 1];
    for (size_t i = 0; i < nodes; ++i) edges.start[i + 1] += edges.start[i];
    std::vector<uint32_t> fill(edges.start.begin(), edges.start.end() - 1);
    for (auto [from, to] : pairs) edges.to[fill[from]++] = to;
    return edges;
  };
  uint32_t blocks = static_cast<uint32_t>(blocks_.size());
  std::vector<std::pair<uint32_t, uint32_t>> pairs;  // regions are numbered after the blocks
  for (uint32_t b = 0; b < blocks; ++b) {
    for (uint32_t i = 0; i < blocks_[b].successors; ++i)
      pairs.push_back({successors_[blocks_[b].first_successor + i], b});
    if (blocks_[b].region != kNone) pairs.push_back({blocks + blocks_[b].region, b});
  }
  for (uint32_t r = 0; r < regions_.size(); ++r) {
    if (regions_[r].target != kNone) pairs.push_back({regions_[r].target, blocks + r});
    if (regions_[r].parent != kNone) pairs.push_back({blocks + regions_[r].parent, blocks + r});
  }
  uint32_t nodes = blocks + static_cast<uint32_t>(regions_.size());
  Edges dependents = collect(nodes, pairs);

  std::vector<bool> queued(nodes, true);
  std::vector<uint32_t> work(nodes);
  for (uint32_t i = 0; i < nodes; ++i) work[i] = i;  // popped from the end: late blocks first
  while (!work.empty()) {
    uint32_t node = work.back();
    work.pop_back();
    queued[node] = false;
    if (!(node < blocks ? transfer(node) : transfer_region(node - blocks))) continue;
    for (uint32_t d : dependents.of(node)) {
      if (queued[d]) continue;
      queued[d] = true;
      work.push_back(d);
    }
  }
}

void Liveness::step_back(const Word* pc, Row live) const {
  visit_registers(
      pc, [](unsigned, char) {},
      [&](unsigned reg, char) {
        if (reg < tagged_) clear_bit(live, reg);
      });
  visit_registers(
      pc,
      [&](unsigned reg, char) {
        if (reg < tagged_) set_bit(live, reg);
      },
      [](unsigned, char) {});
}

bool Liveness::transfer(uint32_t b) {
  const Block& block = blocks_[b];
  Row live(scratch_);
  live_behind(block, live);
  std::vector<uint32_t> starts;
  for (uint32_t at = block.start; at < block.end; at += length_of(code_[at])) starts.push_back(at);
  for (size_t i = starts.size(); i-- > 0;) step_back(&code_[starts[i]], live);
  if (block.region != kNone) {
    Row always = live_throughout(block.region);
    for (unsigned w = 0; w < words_; ++w) live[w] |= always[w];
  }
  Row in = live_in(b);
  bool changed = false;
  for (unsigned w = 0; w < words_; ++w) {
    changed |= (live[w] & ~in[w]) != 0;
    in[w] |= live[w];
  }
  return changed;
}

bool Liveness::transfer_region(uint32_t r) {
  const Region& region = regions_[r];
  const Word* pc = &code_[region.opener];
  Row live(scratch_);
  std::fill(live.begin(), live.end(), 0);
  if (region.target != kNone) {
    Row in = live_in(region.target);
    std::copy(in.begin(), in.end(), live.begin());
    visit_delivered(pc, [&](unsigned reg) {
      if (reg < tagged_) clear_bit(live, reg);
    });
  }
  if (region.parent != kNone) {
    Row outer = live_throughout(region.parent);
    for (unsigned w = 0; w < words_; ++w) live[w] |= outer[w];
  }
  RegionKind kind{};
  opens_region(op_of(*pc), &kind);
  if (a_of(*pc) < tagged_) set_bit(live, a_of(*pc));
  if (region_has_record(kind) && a_of(*pc) + 1 < tagged_) set_bit(live, a_of(*pc) + 1);
  Row always = live_throughout(r);
  bool changed = false;
  for (unsigned w = 0; w < words_; ++w) {
    changed |= (live[w] & ~always[w]) != 0;
    always[w] |= live[w];
  }
  return changed;
}

uint32_t Liveness::block_of(uint32_t pc) const {
  auto after = std::upper_bound(blocks_.begin(), blocks_.end(), pc,
                                [](uint32_t at, const Block& block) { return at < block.start; });
  return static_cast<uint32_t>(after - blocks_.begin()) - 1;
}

std::span<const uint16_t> Liveness::live_at(uint32_t pc, int destination) {
  uint64_t key = pc | static_cast<uint64_t>(destination + 1) << 32;
  if (key != last_key_) {
    last_ = answer_for(key, pc, destination);
    last_key_ = key;
  }
  return last_;
}

const std::vector<uint16_t>& Liveness::answer_for(uint64_t key, uint32_t pc, int destination) {
  auto found = answers_.find(key);
  if (found != answers_.end()) return found->second;
  if (cached_ > kCacheLimit) {
    answers_.clear();
    cached_ = 0;
  }
  std::vector<uint16_t>& answer = answers_[key];
  if (pc >= code_.size() || blocks_.empty()) return answer;
  if (destination == kUnwinding) {
    for (uint32_t r = 0; r < regions_.size(); ++r)
      if (regions_[r].opener == pc) list_registers(live_throughout(r), answer);
    cached_ += answer.size() + 1;
    return answer;
  }
  const Block& block = blocks_[block_of(pc)];
  Row live(scratch_);
  live_behind(block, live);
  std::vector<uint32_t> starts;
  for (uint32_t at = pc; at < block.end; at += length_of(code_[at])) starts.push_back(at);
  for (size_t i = starts.size(); i-- > 0;) step_back(&code_[starts[i]], live);
  finish(live, block, destination);
  list_registers(live, answer);
  cached_ += answer.size() + 1;
  return answer;
}

void Liveness::live_behind(const Block& block, Row live) {
  std::fill(live.begin(), live.end(), 0);
  for (uint32_t i = 0; i < block.successors; ++i) {
    Row in = live_in(successors_[block.first_successor + i]);
    for (unsigned w = 0; w < words_; ++w) live[w] |= in[w];
  }
}

void Liveness::finish(Row live, const Block& block, int destination) {
  if (destination >= 0 && static_cast<unsigned>(destination) < tagged_) clear_bit(live, destination);
  if (block.region == kNone) return;
  Row always = live_throughout(block.region);
  for (unsigned w = 0; w < words_; ++w) live[w] |= always[w];
}

Liveness::Row Liveness::row_at(uint32_t pc) {
  uint32_t b = block_of(pc);
  if (b != rows_of_) {
    const Block& block = blocks_[b];
    rows_of_ = b;
    row_starts_.clear();
    for (uint32_t at = block.start; at < block.end; at += length_of(code_[at])) row_starts_.push_back(at);
    rows_.resize((row_starts_.size() + 1) * words_);
    Row live(scratch_);
    live_behind(block, live);
    for (size_t i = row_starts_.size(); i-- > 0;) {
      step_back(&code_[row_starts_[i]], live);
      std::copy(live.begin(), live.end(), rows_.begin() + static_cast<std::ptrdiff_t>(i * words_));
    }
  }
  auto row = static_cast<size_t>(std::lower_bound(row_starts_.begin(), row_starts_.end(), pc) - row_starts_.begin());
  return Row(rows_).subspan(row * words_, words_);
}

std::span<const uint16_t> Liveness::live_along(uint32_t pc, int destination) {
  if (pc >= code_.size() || blocks_.empty() || destination == kUnwinding) return live_at(pc, destination);
  Row row = row_at(pc), live(scratch_);
  std::copy(row.begin(), row.end(), live.begin());
  finish(live, blocks_[rows_of_], destination);
  answer_.clear();
  list_registers(live, answer_);
  return answer_;
}

void Liveness::list_registers(Row live, std::vector<uint16_t>& answer) const {
  for (unsigned w = 0; w < words_; ++w)
    for (uint64_t bits = live[w]; bits; bits &= bits - 1)
      answer.push_back(static_cast<uint16_t>(w * 64 + std::countr_zero(bits)));
}

bool Liveness::is_live(uint32_t pc, unsigned reg) {
  if (reg >= tagged_ || pc >= code_.size() || blocks_.empty()) return false;
  auto has = [reg](Row row) { return (row[reg >> 6] >> (reg & 63) & 1) != 0; };
  Row live = row_at(pc);
  uint32_t region = blocks_[rows_of_].region;
  return has(live) || (region != kNone && has(live_throughout(region)));
}

}  // namespace eddy::vm
