// Memory for machine code, mapped twice: nothing is ever writable where it is executable.
// Or anonymous, for `perf`, which takes memory with a file behind it for a library and looks for no names there: then
// each piece has pages of its own, which are executable once they are written.
//
// One range, so that all code reaches all other code with a direct call. Nothing is given back before the end, and
// no address is used twice: nobody has to ask who still returns into old code.
#pragma once
#include <cstddef>
#include <cstdint>

namespace eddy::jit {

class CodeMemory {
 public:
  explicit CodeMemory(size_t capacity = kCapacity, bool anonymous = false);
  ~CodeMemory();
  CodeMemory(const CodeMemory&) = delete;
  CodeMemory& operator=(const CodeMemory&) = delete;

  struct Place {
    uint8_t* writable = nullptr;
    uint8_t* address = nullptr;  // where it will run
  };
  // No `writable` where there is no room.
  Place take(size_t bytes);
  // What was written there may run now.
  bool ready(Place place, size_t bytes);
  bool exists() const { return writable_ != nullptr; }
  size_t used() const { return used_; }

  static constexpr size_t kCapacity = 64 << 20;  // of address space

 private:
  size_t capacity_, used_ = 0;
  bool anonymous_;
  uint8_t *writable_ = nullptr, *executable_ = nullptr;
};

}  // namespace eddy::jit
