// Memory for the stacks of fibers. Size classes are eight words apart up to 128 words, so that a sleeping fiber
// can be cut down to what it uses, then powers of two.
//
// Blocks up to 256 KiB are carved from chunks and recycled through one free list a class. Bigger ones are
// reservations of their own: pages cost nothing until touched and go back to the system at once.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <vector>

#include "runtime/value.h"

namespace eddy::rt {

struct FiberBlock {
  Word* lowest = nullptr;
  unsigned size_class = 0;
};

class FiberBlocks {
 public:
  static constexpr unsigned kFineClasses = 15;
  static constexpr unsigned kBigClass = kFineClasses + 8;  // the first class beyond 256 KiB
  static constexpr unsigned kClasses = 48;
  static constexpr size_t words(unsigned size_class) {
    return size_class < kFineClasses ? 16 + 8 * size_class : size_t{256} << (size_class - kFineClasses);
  }
  static constexpr unsigned class_for(size_t words) {
    if (words <= 16) return 0;
    if (words <= 128) return static_cast<unsigned>(words - 16 + 7) / 8;
    return kFineClasses + static_cast<unsigned>(std::bit_width(words - 1)) - 8;
  }

  FiberBlocks() = default;
  ~FiberBlocks();
  FiberBlocks(const FiberBlocks&) = delete;
  FiberBlocks& operator=(const FiberBlocks&) = delete;

  // lowest is null where the system has no memory.
  FiberBlock take(unsigned size_class);
  void give(const FiberBlock& block);
  // Gives chunks without a used block back to the system.
  void trim();

 private:
  struct Free { Free* next; };
  struct Chunk;
  struct Class {
    Free* free = nullptr;
    size_t free_count = 0;
    size_t chunks = 0;  // ever made
    // Of the newest chunk, what was never handed out: to the end, and then what is before.
    char* fresh = nullptr;
    char* end = nullptr;
    char* first = nullptr;
    char* middle = nullptr;
  };
  bool add_chunk(unsigned size_class);

  std::array<Class, kBigClass> classes_{};
  std::vector<Chunk*> chunks_;
};
static_assert(FiberBlocks::words(FiberBlocks::kBigClass - 1) == 256 * 1024 / sizeof(Word));
static_assert(FiberBlocks::class_for(128) == 14 && FiberBlocks::class_for(129) == 15 && FiberBlocks::words(15) == 256);

}  // namespace eddy::rt
