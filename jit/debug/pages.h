// Code in pages of its own that no file stands behind. The usual memory for code is mapped twice, from a file
// that has no name in any folder; `perf` takes that for a library and does not look for its names.
#pragma once
#include <vector>

#include <asmjit/core.h>

namespace eddy::jit::debug {

class AnonymousPages {
 public:
  AnonymousPages() = default;
  ~AnonymousPages();
  AnonymousPages(const AnonymousPages&) = delete;
  AnonymousPages& operator=(const AnonymousPages&) = delete;

  // Where it is, executable and no longer writable; null without memory.
  void* add(asmjit::CodeHolder& code);

 private:
  struct Range {
    void* start;
    size_t size;
  };
  std::vector<Range> ranges_;
};

}  // namespace eddy::jit::debug
