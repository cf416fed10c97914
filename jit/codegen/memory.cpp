#include "jit/codegen/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include "runtime/system_memory.h"

namespace eddy::jit {

namespace {
constexpr size_t kAlignment = 64;
}

CodeMemory::CodeMemory(size_t capacity, bool anonymous) : capacity_(capacity), anonymous_(anonymous) {
  if (anonymous) {
    void* range = mmap(nullptr, capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range != MAP_FAILED) writable_ = executable_ = static_cast<uint8_t*>(range);
    return;
  }
  int file = memfd_create("eddy-code", MFD_CLOEXEC);
  if (file < 0) return;
  if (ftruncate(file, static_cast<off_t>(capacity)) == 0) {
    void* writable = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    void* executable = mmap(nullptr, capacity, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    if (writable != MAP_FAILED && executable != MAP_FAILED) {
      writable_ = static_cast<uint8_t*>(writable);
      executable_ = static_cast<uint8_t*>(executable);
    } else {
      if (writable != MAP_FAILED) munmap(writable, capacity);
      if (executable != MAP_FAILED) munmap(executable, capacity);
    }
  }
  close(file);
}

CodeMemory::~CodeMemory() {
  if (!writable_) return;
  munmap(writable_, capacity_);
  if (!anonymous_) munmap(executable_, capacity_);
}

CodeMemory::Place CodeMemory::take(size_t bytes) {
  size_t alignment = anonymous_ ? static_cast<size_t>(sysconf(_SC_PAGESIZE)) : kAlignment;
  bytes = (bytes + alignment - 1) & ~(alignment - 1);
  if (!writable_ || bytes > capacity_ - used_ || rt::memory::refused()) return {};
  Place place{writable_ + used_, executable_ + used_};
  if (anonymous_ && mprotect(place.writable, bytes, PROT_READ | PROT_WRITE) != 0) return {};
  used_ += bytes;
  return place;
}

bool CodeMemory::ready(Place place, size_t bytes) {
  auto* start = reinterpret_cast<char*>(place.address);
  if (anonymous_ && mprotect(start, bytes, PROT_READ | PROT_EXEC) != 0) return false;
  __builtin___clear_cache(start, start + bytes);
  return true;
}

}  // namespace eddy::jit
