#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace eddy::lang {

/// A read-mostly run of arena-allocated elements: what tree nodes use instead of a vector.
template <typename T>
struct Slice {
  T* data = nullptr;
  uint32_t size = 0;

  T* begin() const { return data; }
  T* end() const { return data + size; }
  T& operator[](size_t index) const { return data[index]; }
  T& front() const { return data[0]; }
  T& back() const { return data[size - 1]; }
  bool empty() const { return size == 0; }
};

/// Memory in large pieces, on huge pages where the system has them: a front end that builds a tree
/// of hundreds of megabytes spends most of its time in page faults otherwise.
void* allocate_block(size_t bytes);
void free_block(void* block, size_t bytes);

/// For std::vector of what there are millions of.
template <typename T>
struct BlockAllocator {
  using value_type = T;
  BlockAllocator() = default;
  template <typename U>
  BlockAllocator(const BlockAllocator<U>&) {}
  T* allocate(size_t count) { return static_cast<T*>(allocate_block(count * sizeof(T))); }
  void deallocate(T* data, size_t count) { free_block(data, count * sizeof(T)); }
  bool operator==(const BlockAllocator&) const { return true; }
};

/// Bump allocator for trees and types. Nothing in it is ever destroyed, so only trivially
/// destructible things may live here; everything goes when the arena goes.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    for (const Block& block : blocks_) free_block(block.data, block.size);
  }

  void* allocate(size_t bytes, size_t align) {
    uintptr_t at = (cursor_ + align - 1) & ~(uintptr_t{align} - 1);
    if (at + bytes > limit_) return grow(bytes, align);
    cursor_ = at + bytes;
    return reinterpret_cast<void*>(at);
  }

  template <typename T, typename... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
  }

  /// Value-initialised elements.
  template <typename T>
  Slice<T> slice(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    T* data = static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
    for (size_t i = 0; i < count; i++) new (data + i) T{};
    return {data, static_cast<uint32_t>(count)};
  }

  template <typename T>
  Slice<T> copy(const T* from, size_t count) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    T* data = static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
    std::memcpy(static_cast<void*>(data), from, count * sizeof(T));
    return {data, static_cast<uint32_t>(count)};
  }

  template <typename T>
  Slice<T> copy(const std::vector<T>& from) {
    return copy(from.data(), from.size());
  }

  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* data = static_cast<char*>(allocate(text.size(), 1));
    std::memcpy(data, text.data(), text.size());
    return {data, text.size()};
  }

 private:
  void* grow(size_t bytes, size_t align) {
    size_t size = next_size_;
    if (size < bytes + align) size = bytes + align;
    if (next_size_ < kLargestBlock) next_size_ *= 2;
    blocks_.push_back({allocate_block(size), size});
    cursor_ = reinterpret_cast<uintptr_t>(blocks_.back().data);
    limit_ = cursor_ + size;
    return allocate(bytes, align);
  }

  struct Block {
    void* data;
    size_t size;
  };
  static constexpr size_t kLargestBlock = size_t{1} << 25;
  size_t next_size_ = size_t{1} << 14;
  uintptr_t cursor_ = 0;
  uintptr_t limit_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace eddy::lang
