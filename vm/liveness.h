// Which tagged registers of a function hold something that may still be read, by position. The collector asks
// for the frames it walks, and the JIT for its frame states. Works on file form and linked form alike: only
// opcodes, registers and jumps matter.
//
// The code must have passed the verifier: its regions nest, and the product of blocks and registers is
// bounded.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "vm/bytecode.h"

namespace eddy::vm {

class Liveness {
 public:
  // Where a region whose target its HANDLE or HANDLE_NAMED (at `pc`) does not say itself goes on, in words
  // from the function's start.
  using TargetOf = std::function<uint32_t(const Word* pc)>;

  // `code` stays alive and unchanged (but for profile cells) as long as this does.
  Liveness(std::span<const Word> code, unsigned tagged, const TargetOf& target_of);

  static constexpr int kInPlace = -1;
  // Of the instruction at `pc`, which opens a region: only what leaving the region may still need.
  static constexpr int kUnwinding = -2;

  // The tagged registers that are live on entry to the instruction at word `pc`, ascending. `destination` is
  // kInPlace for an instruction that allocates or panics itself; for a return position it is the register
  // that waits for the result and holds nothing yet. (It may hold something older that an abort would need:
  // then it is live all the same.) What an abort, a panic or a jump out of a region needs counts as live
  // inside that region, and so do the slots of handlers and unwind records. The answer is good until the next
  // call.
  std::span<const uint16_t> live_at(uint32_t pc, int destination = kInPlace);
  // The same for who asks along the code, position after position: nothing is kept but the rows of the last block.
  std::span<const uint16_t> live_along(uint32_t pc, int destination = kInPlace);

  bool is_live(uint32_t pc, unsigned reg);  // along the code, too

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  static constexpr uint32_t kBlockWords = 1024;           // longer ones are cut, to keep queries fast
  static constexpr size_t kCacheLimit = size_t{8} << 20;  // registers in all cached answers

  struct Block {
    uint32_t start, end;      // words
    uint32_t region = kNone;  // the innermost one open in the whole block
    uint32_t first_successor = 0, successors = 0;
  };
  struct Region {
    uint32_t opener;          // word
    uint32_t target = kNone;  // block
    uint32_t parent = kNone;  // region
  };
  using Row = std::span<uint64_t>;

  const std::vector<uint16_t>& answer_for(uint64_t key, uint32_t pc, int destination);
  void find_blocks(const TargetOf& target_of);
  void find_regions(const TargetOf& target_of);
  void solve();
  bool transfer(uint32_t block);  // live-in from the successors' live-in; true where it changed
  bool transfer_region(uint32_t region);
  void step_back(const Word* pc, Row live) const;
  uint32_t block_of(uint32_t pc) const;  // the block that holds the word
  void live_behind(const Block& block, Row live);
  Row row_at(uint32_t pc);
  void finish(Row live, const Block& block, int destination);
  void list_registers(Row live, std::vector<uint16_t>& answer) const;
  Row live_in(uint32_t block) { return Row(live_in_).subspan(size_t{block} * words_, words_); }
  Row live_throughout(uint32_t region) { return Row(throughout_).subspan(size_t{region} * words_, words_); }

  std::span<const Word> code_;
  unsigned tagged_;
  unsigned words_;             // in a row
  std::vector<Block> blocks_;  // by start
  std::vector<uint32_t> successors_;
  std::vector<Region> regions_;
  std::vector<uint64_t> live_in_;     // a row a block
  std::vector<uint64_t> throughout_;  // a row a region: live wherever the region is open
  std::vector<uint64_t> scratch_;
  std::unordered_map<uint64_t, std::vector<uint16_t>> answers_;  // by position and destination
  size_t cached_ = 0;
  uint64_t last_key_ = ~uint64_t{0};  // of the last query: many fibers sleep at one place
  std::span<const uint16_t> last_;
  // live_along(): what each instruction of this block leaves to the ones before it.
  uint32_t rows_of_ = kNone;
  std::vector<uint32_t> row_starts_;
  std::vector<uint64_t> rows_;
  std::vector<uint16_t> answer_;
};

}  // namespace eddy::vm
