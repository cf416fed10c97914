#include "runtime/fiber_blocks.h"

#include <algorithm>
#include <utility>

#include "runtime/system_memory.h"

namespace eddy::rt {

namespace {

constexpr size_t kChunkBytes = size_t{2} << 20;
// A class's first chunks have small pages: many a class is for a block or two.
constexpr size_t kSmallPageChunks = 4;
// Free memory of a class that is not worth looking through for whole free chunks.
constexpr size_t kTrimBytes = size_t{8} << 20;

}  // namespace

// Aligned to its size; blocks of one class fill the rest.
struct FiberBlocks::Chunk {
  unsigned size_class;
  size_t free;  // counted by trim()
  static Chunk* of(const void* block) {
    return reinterpret_cast<Chunk*>(reinterpret_cast<Word>(block) & ~Word{kChunkBytes - 1});
  }
  // Blocks end with the chunk.
  size_t count() const { return (kChunkBytes - sizeof(Chunk)) / (words(size_class) * sizeof(Word)); }
};

FiberBlocks::~FiberBlocks() {
  for (Chunk* chunk : chunks_) memory::unmap(chunk, kChunkBytes);
}

bool FiberBlocks::add_chunk(unsigned size_class) {
  Class& c = classes_[size_class];
  auto* chunk = static_cast<Chunk*>(memory::map_chunk(kChunkBytes, c.chunks >= kSmallPageChunks));
  if (!chunk) return false;
  ++c.chunks;
  chunk->size_class = size_class;
  chunk->free = 0;
  chunks_.push_back(chunk);
  const size_t bytes = words(size_class) * sizeof(Word);
  c.end = reinterpret_cast<char*>(chunk) + kChunkBytes;
  c.first = c.end - chunk->count() * bytes;
  // From the middle on. The first pages of a chunk are, for every other place of it, what the way predictor of
  // AMD's first cache takes for the first pages of the nursery: a deep stack there puts out what a program made first.
  c.fresh = c.middle = c.end - (chunk->count() + 1) / 2 * bytes;
  return true;
}

FiberBlock FiberBlocks::take(unsigned size_class) {
  size_t bytes = words(size_class) * sizeof(Word);
  if (size_class >= kBigClass) {
    void* range = memory::map(bytes);
    if (range) memory::expect_use(range, bytes);
    return {static_cast<Word*>(range), size_class};
  }
  Class& c = classes_[size_class];
  if (Free* block = c.free) {
    c.free = block->next;
    --c.free_count;
    return {reinterpret_cast<Word*>(block), size_class};
  }
  if (c.fresh == c.end) {
    if (c.first != c.middle) {
      c.fresh = std::exchange(c.first, c.middle);
      c.end = c.middle;
    } else if (!add_chunk(size_class)) {
      return {};
    }
  }
  char* block = c.fresh;
  c.fresh += bytes;
  return {reinterpret_cast<Word*>(block), size_class};
}

void FiberBlocks::give(const FiberBlock& block) {
  if (block.size_class >= kBigClass) {
    memory::unmap(block.lowest, words(block.size_class) * sizeof(Word));
    return;
  }
  Class& c = classes_[block.size_class];
  auto* free = reinterpret_cast<Free*>(block.lowest);
  free->next = c.free;
  c.free = free;
  ++c.free_count;
}

void FiberBlocks::trim() {
  bool dropped = false;
  for (unsigned i = 0; i < kBigClass; ++i) {
    Class& c = classes_[i];
    if (c.free_count * words(i) * sizeof(Word) < kTrimBytes) continue;
    for (Free* block = c.free; block; block = block->next) ++Chunk::of(block)->free;
    Free** link = &c.free;
    for (Free* block = c.free; block; block = block->next) {
      Chunk* chunk = Chunk::of(block);
      if (chunk->free == chunk->count()) {
        --c.free_count;
        continue;  // left out of the list
      }
      *link = block;
      link = &block->next;
    }
    *link = nullptr;
  }
  for (Chunk*& chunk : chunks_) {
    if (chunk->free == chunk->count()) {
      memory::unmap(chunk, kChunkBytes);
      chunk = nullptr;
      dropped = true;
    } else {
      chunk->free = 0;
    }
  }
  if (dropped) std::erase(chunks_, nullptr);
}

}  // namespace eddy::rt
