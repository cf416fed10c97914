// Memory for the stacks of fibers: blocks of 32 << size_class words.
//
// Blocks up to 256 KiB are carved from chunks and recycled through one free list a class. Bigger ones are
// reservations of their own: pages cost nothing until touched and go back to the system at once.
#pragma once
#include <array>
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
  static constexpr size_t kSmallestWords = 32;
  static constexpr unsigned kBigClass = 11;  // the first class beyond 256 KiB
  static constexpr unsigned kClasses = 36;
  static constexpr size_t words(unsigned size_class) { return kSmallestWords << size_class; }
  static unsigned class_for(size_t words);

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
  bool carve(unsigned size_class);

  std::array<Free*, kBigClass> free_{};
  std::array<size_t, kBigClass> free_count_{};
  std::vector<Chunk*> chunks_;
};

}  // namespace eddy::rt
