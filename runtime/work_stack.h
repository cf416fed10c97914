// The explicit stack of a walk over values that must not recurse: the first few entries live in place, so a
// walk over a small value allocates nothing.
#pragma once
#include <cstddef>
#include <type_traits>
#include <vector>

namespace eddy::rt {

template <class T, size_t Near = 12>
class WorkStack {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  WorkStack() {}
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  T& back() { return (*this)[size_ - 1]; }
  T& operator[](size_t i) { return i < Near ? near_[i].value : far_[i - Near]; }
  // References to entries are dead afterwards.
  void push_back(const T& entry) {
    if (size_ < Near) {
      near_[size_].value = entry;
    } else {
      far_.push_back(entry);
    }
    ++size_;
  }
  void pop_back() {
    if (size_ > Near) far_.pop_back();
    --size_;
  }

 private:
  union Slot {  // not initialised before it is used
    Slot() {}
    T value;
  };
  size_t size_ = 0;
  Slot near_[Near];
  std::vector<T> far_;
};

}  // namespace eddy::rt
