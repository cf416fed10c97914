#include "runtime/old_space.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "runtime/heap.h"
#include "runtime/system_memory.h"

namespace eddy::rt {

namespace {

// Free blocks that keep their pages: as many as the used ones (the heap may double before the next sweep), and
// these.
constexpr size_t kKeptBlocks = 1024;

// The chunks of a small heap have small pages.
constexpr size_t kSmallPageChunks = 8;

// Address space that is given up when a request is refused: for what the nursery may hold, in chunks.
constexpr size_t kReserveBytes = 32 * OldSpace::kChunkBytes;

}  // namespace

OldSpace::~OldSpace() {
  for (LargeObject* large : large_) memory::give(large, bytes_with_cards(large->bytes, large->cards));
  for (Chunk* chunk : chunks_) memory::unmap(chunk, kChunkBytes);
  if (reserve_) memory::unmap(reserve_, kReserveBytes);
}

void OldSpace::refill() {
  if (!reserve_) reserve_ = memory::map(kReserveBytes);
}

void OldSpace::give_up_reserve() {
  refused_ = true;
  if (!reserve_) memory::none_left();
  memory::unmap(reserve_, kReserveBytes);
  reserve_ = nullptr;
}

void OldSpace::add_chunk() {
  // A heap that has grown so far is going to use the whole chunk: one fault instead of five hundred.
  const bool whole = chunks_.size() >= kSmallPageChunks;
  auto* chunk = static_cast<Chunk*>(memory::map_chunk(kChunkBytes, whole));
  if (!chunk) {
    // What was given up serves several chunks.
    if (reserve_ || !refused_) give_up_reserve();
    chunk = static_cast<Chunk*>(memory::map_chunk(kChunkBytes, whole));
    if (!chunk) memory::none_left();
  }
  chunks_.push_back(chunk);
  // Pushed from the high end: blocks are handed out in ascending order.
  for (size_t i = kBlocks; i-- > 0;) free_.push_back({chunk, i});
}

void OldSpace::fresh_block(char*& cursor, char*& end) {
  if (free_.empty()) add_chunk();
  Block block = free_.back();
  free_.pop_back();
  block.chunk->used[block.index] = true;
  block.chunk->returned[block.index] = false;
  cursor = block.start() + block.first_line() * kLineBytes;
  end = block.start() + kBlockBytes;
}

// Moves the cursor to the next run of free lines in blocks that have some.
bool OldSpace::next_hole() {
  for (;;) {
    if (!current_.chunk) {
      if (partial_.empty()) return false;
      current_ = partial_.back();
      partial_.pop_back();
      hole_ = current_.first_line();
    }
    const unsigned char* lines = current_.lines();
    size_t line = hole_;
    while (line < kLines && lines[line]) ++line;
    size_t end = line;
    while (end < kLines && !lines[end]) ++end;
    hole_ = end;
    if (line < kLines) {
      cursor_ = current_.start() + line * kLineBytes;
      end_ = current_.start() + end * kLineBytes;
      return true;
    }
    current_.chunk = nullptr;
  }
}

char* OldSpace::allocate_slow(size_t bytes) {
  if (bytes > kLineBytes) {
    // Would skip too many small holes: goes to a whole block, and the hole at hand is kept.
    if (bytes > static_cast<size_t>(medium_end_ - medium_cursor_)) fresh_block(medium_cursor_, medium_end_);
    char* p = medium_cursor_;
    medium_cursor_ += bytes;
    return p;
  }
  if (!next_hole()) fresh_block(cursor_, end_);
  char* p = cursor_;
  cursor_ += bytes;
  return p;
}

// What is asked of the system for a large object of `bytes`.
size_t OldSpace::bytes_with_cards(size_t bytes, bool cards) {
  return sizeof(LargeObject) + bytes + (cards ? (bytes + kCardBytes - 1) / kCardBytes : 0);
}

LargeObject* OldSpace::allocate_large(size_t bytes, bool cards) {
  size_t all = bytes_with_cards(bytes, cards);
  auto* large = static_cast<LargeObject*>(memory::take(all));
  if (!large) {
    if (reserve_ || !refused_) give_up_reserve();
    large = static_cast<LargeObject*>(memory::take(all));
    if (!large) memory::none_left();
  }
  large->bytes = bytes;
  large->cards = nullptr;
  if (cards) {
    large->cards = reinterpret_cast<unsigned char*>(large + 1) + bytes;
    std::memset(large->cards, 0, all - sizeof(LargeObject) - bytes);
  }
  large_.push_back(large);
  return large;
}

void OldSpace::start_marking() {
  sense_ ^= kHeaderMarked;
  for (Chunk* chunk : chunks_) std::memset(chunk->lines, 0, sizeof(chunk->lines));
}

void OldSpace::sweep_block(Block block, bool poison) {
  bool& used = block.chunk->used[block.index];
  if (!used) {
    free_.push_back(block);
    return;
  }
  const unsigned char* lines = block.lines();
  size_t first = block.first_line();
  auto touched = static_cast<size_t>(std::count(lines + first, lines + kLines, 1));
  if (touched == 0) {
    used = false;
    free_.push_back(block);
  } else if (touched < kLines - first) {
    partial_.push_back(block);
  }
  if (!poison) return;
  for (size_t line = first; line < kLines; ++line)
    if (!lines[line]) std::memset(block.start() + line * kLineBytes, kPoison, kLineBytes);
}

void OldSpace::sweep(bool poison) {
  cursor_ = end_ = medium_cursor_ = medium_end_ = nullptr;
  current_.chunk = nullptr;
  partial_.clear();
  free_.clear();
  for (size_t c = chunks_.size(); c-- > 0;)
    for (size_t i = kBlocks; i-- > 0;) sweep_block({chunks_[c], i}, poison);
  // Blocks at the front of the list are used last. Those with tables in them stay.
  size_t used = chunks_.size() * kBlocks - free_.size();
  size_t keep = used + kKeptBlocks;
  for (size_t i = 0; i + keep < free_.size(); ++i) {
    Block block = free_[i];
    bool& returned = block.chunk->returned[block.index];
    if (returned || block.index == 0) continue;
    madvise(block.start(), kBlockBytes, MADV_DONTNEED);
    returned = true;
  }
  size_t kept = 0;
  for (LargeObject* large : large_) {
    if ((large->object()->header & kHeaderMarked) == sense_)
      large_[kept++] = large;
    else
      memory::give(large, bytes_with_cards(large->bytes, large->cards));
  }
  large_.resize(kept);
}

void OldSpace::list_blocks(std::vector<Word>& blocks, std::vector<Word>& large) const {
  for (Chunk* chunk : chunks_)
    for (size_t i = 0; i < kBlocks; ++i)
      if (chunk->used[i]) blocks.push_back(reinterpret_cast<Word>(Block{chunk, i}.start()));
  for (LargeObject* l : large_) large.push_back(reinterpret_cast<Word>(l->object()));
}

}  // namespace eddy::rt
