// A set of words that are not 0, for the heap's verifier: it is filled and emptied again after every collection, so
// nothing is allocated for an element, and its memory is kept.
#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/value.h"

namespace eddy::rt {

class WordSet {
 public:
  // Whether it is new.
  bool insert(Word word) {
    if (2 * (used_ + 1) > slots_.size()) [[unlikely]] grow();
    size_t at = find(word);
    if (slots_[at] == word) return false;
    slots_[at] = word;
    ++used_;
    return true;
  }
  bool contains(Word word) const { return used_ && slots_[find(word)] == word; }
  void clear() {
    if (used_) std::fill(slots_.begin(), slots_.end(), 0);
    used_ = 0;
  }

 private:
  // Where it is, or would be.
  size_t find(Word word) const {
    size_t mask = slots_.size() - 1;
    auto at = static_cast<size_t>((word * 0x9e3779b97f4a7c15u) >> shift_);
    while (slots_[at] && slots_[at] != word) at = (at + 1) & mask;
    return at;
  }
  void grow() {
    std::vector<Word> old(std::max<size_t>(256, 2 * slots_.size()));
    old.swap(slots_);
    shift_ = 64 - static_cast<unsigned>(std::countr_zero(slots_.size()));
    for (Word word : old)
      if (word) slots_[find(word)] = word;
  }

  std::vector<Word> slots_;  // a power of two of them, at most half of them taken; 0: free
  size_t used_ = 0;
  unsigned shift_ = 0;
};

}  // namespace eddy::rt
