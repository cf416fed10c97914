#include "lang/arena.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace eddy::lang {

namespace {
constexpr size_t kHugePage = size_t{1} << 21;
}

void* allocate_block(size_t bytes) {
  if (bytes < kHugePage) return ::operator new(bytes);
  size_t rounded = (bytes + kHugePage - 1) & ~(kHugePage - 1);
  void* block = ::operator new(rounded, std::align_val_t{kHugePage});
#ifdef __linux__
  madvise(block, rounded, MADV_HUGEPAGE);  // only a wish
#endif
  return block;
}

void free_block(void* block, size_t bytes) {
  if (bytes < kHugePage) return ::operator delete(block);
  ::operator delete(block, std::align_val_t{kHugePage});
}

}  // namespace eddy::lang
