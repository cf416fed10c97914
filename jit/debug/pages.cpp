#include "jit/debug/pages.h"

#include <sys/mman.h>
#include <unistd.h>

namespace eddy::jit::debug {

AnonymousPages::~AnonymousPages() {
  for (const Range& range : ranges_) munmap(range.start, range.size);
}

void* AnonymousPages::add(asmjit::CodeHolder& code) {
  if (code.flatten() != asmjit::kErrorOk || code.resolveUnresolvedLinks() != asmjit::kErrorOk) return nullptr;
  auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t size = (code.codeSize() + page - 1) / page * page;
  void* start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return nullptr;
  ranges_.push_back({start, size});
  if (code.relocateToBase(reinterpret_cast<uint64_t>(start)) != asmjit::kErrorOk) return nullptr;
  if (code.copyFlattenedData(start, size) != asmjit::kErrorOk) return nullptr;
  if (mprotect(start, size, PROT_READ | PROT_EXEC) != 0) return nullptr;
  __builtin___clear_cache(static_cast<char*>(start), static_cast<char*>(start) + size);
  return start;
}

}  // namespace eddy::jit::debug
