// Where objects live that survived a minor collection. They never move.
//
// Chunks of 2 MiB, which begin with the tables of their lines, are divided into blocks of 32 KiB, these into
// lines of 128 bytes. Allocation bumps a cursor through runs of free lines;
// a major collection marks the lines that live objects touch, and sweeping only looks at those marks, never
// at a dead object. What does not fit a run of lines goes to a fresh block; objects beyond Heap::kLargeBytes
// are allocated one by one.
//
// The mark bit of a header changes its meaning with every major collection (`sense`), so that nothing has to
// clear it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/object.h"

namespace eddy::rt {

// Precedes a large object.
struct LargeObject {
  size_t bytes;         // of the object
  unsigned char* cards; // for an Array: one byte a 4 KiB of it, set while it may hold young values; else null
  Word unused[2];       // keeps the object 16-aligned after any malloc

  Object* object() { return reinterpret_cast<Object*>(this + 1); }
  static LargeObject* of(const Object* object) {
    return reinterpret_cast<LargeObject*>(const_cast<Object*>(object)) - 1;
  }
};

class OldSpace {
 public:
  static constexpr size_t kChunkBytes = size_t{2} << 20, kBlockBytes = 32768, kLineBytes = 128;
  static constexpr size_t kCardBytes = 4096;
  static constexpr unsigned char kPoison = 0xdb;  // in freed memory, under the verifier: no header, no pointer

  OldSpace() { refill(); }
  ~OldSpace();
  OldSpace(const OldSpace&) = delete;
  OldSpace& operator=(const OldSpace&) = delete;

  // `bytes` is a multiple of 8, at most Heap::kLargeBytes. Where the system refuses memory, the reserve is given up;
  // with that gone too, the process ends.
  char* allocate(size_t bytes) {
    char* p = allocate_quickly(bytes);
    return p ? p : allocate_slow(bytes);
  }
  // Null where it is not that simple.
  char* allocate_quickly(size_t bytes) {
    char* p = cursor_;
    if (bytes > static_cast<size_t>(end_ - p)) [[unlikely]]
      return nullptr;
    cursor_ = p + bytes;
    return p;
  }
  // The object's memory is uninitialised. As for allocate().
  LargeObject* allocate_large(size_t bytes, bool cards);

  // What headers of live objects have in place of kHeaderMarked.
  Word sense() const { return sense_; }

  // --- a major collection, in this order
  void start_marking();  // flips sense, forgets all lines
  void mark_lines(const Object* object, size_t bytes) {
    Word start = reinterpret_cast<Word>(object);
    unsigned char* lines = chunk_of(start)->lines;
    size_t first = (start % kChunkBytes) / kLineBytes, last = (start % kChunkBytes + bytes - 1) / kLineBytes;
    lines[first] = 1;
    while (first < last) lines[++first] = 1;
  }
  void sweep(bool poison);

  // Whether a request was refused since the last call: the program is to be told. Fetches a new reserve.
  bool was_refused() {
    if (!refused_) [[likely]] return false;
    refused_ = false;
    refill();
    return true;
  }

  // --- for the verifier
  void list_blocks(std::vector<Word>& blocks, std::vector<Word>& large) const;

 private:
  static constexpr size_t kBlocks = kChunkBytes / kBlockBytes, kLines = kBlockBytes / kLineBytes;
  struct Chunk {
    unsigned char lines[kChunkBytes / kLineBytes];  // 1: touched by an object live at the last major collection
    bool used[kBlocks];
    bool returned[kBlocks];                         // its pages were given back to the system
  };
  // The lines of the first block that the tables take.
  static constexpr size_t kTableLines = (sizeof(Chunk) + kLineBytes - 1) / kLineBytes;
  static_assert(sizeof(Chunk) < kBlockBytes);
  struct Block {
    Chunk* chunk = nullptr;
    size_t index = 0;
    char* start() const { return reinterpret_cast<char*>(chunk) + index * kBlockBytes; }
    unsigned char* lines() const { return chunk->lines + index * kLines; }
    size_t first_line() const { return index == 0 ? kTableLines : 0; }
  };

  static Chunk* chunk_of(Word address) { return reinterpret_cast<Chunk*>(address & ~Word{kChunkBytes - 1}); }
  char* allocate_slow(size_t bytes);
  bool next_hole();
  void fresh_block(char*& cursor, char*& end);
  void add_chunk();
  void refill();
  void give_up_reserve();
  static size_t bytes_with_cards(size_t bytes, bool cards);
  void sweep_block(Block block, bool poison);

  char* cursor_ = nullptr;
  char* end_ = nullptr;
  char* medium_cursor_ = nullptr;  // for what did not fit the run of lines at hand
  char* medium_end_ = nullptr;
  Block current_;                  // the block with holes that cursor_ is in, if any
  size_t hole_ = 0;                // the line of it where the search for the next hole starts
  Word sense_ = 0;
  void* reserve_ = nullptr;
  bool refused_ = false;
  std::vector<Chunk*> chunks_;
  std::vector<Block> free_;        // wholly free
  std::vector<Block> partial_;     // with holes, not yet allocated into
  std::vector<LargeObject*> large_;
};

}  // namespace eddy::rt
