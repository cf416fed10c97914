#include "runtime/fiber_blocks.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>

namespace eddy::rt {

namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;
// Free memory of a class that is not worth looking through for whole free chunks.
constexpr size_t kTrimBytes = size_t{8} << 20;

void* reserve(size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? nullptr : p;
}

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
  for (Chunk* chunk : chunks_) munmap(chunk, kChunkBytes);
}

unsigned FiberBlocks::class_for(size_t words) {
  if (words <= kSmallestWords) return 0;
  return static_cast<unsigned>(std::bit_width(words - 1)) - 5;
}
static_assert(FiberBlocks::kSmallestWords == size_t{1} << 5);

bool FiberBlocks::carve(unsigned size_class) {
  auto* raw = static_cast<char*>(reserve(2 * kChunkBytes));
  if (!raw) return false;
  Word start = reinterpret_cast<Word>(raw);
  Word aligned = (start + kChunkBytes - 1) & ~Word{kChunkBytes - 1};
  if (aligned > start) munmap(raw, aligned - start);
  munmap(reinterpret_cast<void*>(aligned + kChunkBytes), start + kChunkBytes - aligned);
  auto* chunk = reinterpret_cast<Chunk*>(aligned);
  chunk->size_class = size_class;
  chunk->free = 0;
  chunks_.push_back(chunk);
  // From low to high, so that the list hands out the highest first: the pages of big classes are touched
  // no earlier than needed, for only a link is written to each block.
  size_t bytes = words(size_class) * sizeof(Word), count = chunk->count();
  Word end = aligned + kChunkBytes;
  for (size_t i = count; i > 0; --i) {
    auto* block = reinterpret_cast<Free*>(end - i * bytes);
    block->next = free_[size_class];
    free_[size_class] = block;
  }
  free_count_[size_class] += count;
  return true;
}

FiberBlock FiberBlocks::take(unsigned size_class) {
  if (size_class >= kBigClass) return {static_cast<Word*>(reserve(words(size_class) * sizeof(Word))), size_class};
  if (!free_[size_class] && !carve(size_class)) return {};
  Free* block = free_[size_class];
  free_[size_class] = block->next;
  --free_count_[size_class];
  return {reinterpret_cast<Word*>(block), size_class};
}

void FiberBlocks::give(const FiberBlock& block) {
  if (block.size_class >= kBigClass) {
    munmap(block.lowest, words(block.size_class) * sizeof(Word));
    return;
  }
  auto* free = reinterpret_cast<Free*>(block.lowest);
  free->next = free_[block.size_class];
  free_[block.size_class] = free;
  ++free_count_[block.size_class];
}

void FiberBlocks::trim() {
  bool dropped = false;
  for (unsigned c = 0; c < kBigClass; ++c) {
    if (free_count_[c] * words(c) * sizeof(Word) < kTrimBytes) continue;
    for (Free* block = free_[c]; block; block = block->next) ++Chunk::of(block)->free;
    Free** link = &free_[c];
    for (Free* block = free_[c]; block; block = block->next) {
      Chunk* chunk = Chunk::of(block);
      if (chunk->free == chunk->count()) {
        --free_count_[c];
        continue;  // left out of the list
      }
      *link = block;
      link = &block->next;
    }
    *link = nullptr;
  }
  for (Chunk*& chunk : chunks_) {
    if (chunk->free == chunk->count()) {
      munmap(chunk, kChunkBytes);
      chunk = nullptr;
      dropped = true;
    } else {
      chunk->free = 0;
    }
  }
  if (dropped) std::erase(chunks_, nullptr);
}

}  // namespace eddy::rt
