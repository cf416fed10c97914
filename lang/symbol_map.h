// A hash map from names, open addressing: the checker's scopes.
#pragma once
#include <cstdint>
#include <vector>

#include "lang/symbols.h"

namespace eddy::lang {

template <typename V>
class SymbolMap {
 public:
  struct Entry {
    Symbol key;
    V value{};
  };

  V* find(Symbol key) {
    if (entries_.empty()) return nullptr;
    for (size_t i = slot(key);; i = (i + 1) & (entries_.size() - 1)) {
      if (entries_[i].key == key) return &entries_[i].value;
      if (!entries_[i].key) return nullptr;
    }
  }
  /// The value, or V{}.
  V get(Symbol key) const {
    V* found = const_cast<SymbolMap*>(this)->find(key);
    return found ? *found : V{};
  }
  V& operator[](Symbol key) {
    if (V* found = find(key)) return *found;
    if ((size_ + 1) * 2 > entries_.size()) grow();
    size_++;
    return place(key)->value;
  }
  size_t size() const { return size_; }
  void clear() {
    entries_.clear();
    size_ = 0;
  }
  /// Every slot, free ones (key 0) included.
  const std::vector<Entry>& slots() const { return entries_; }

 private:
  size_t slot(Symbol key) const { return (key.id * 0x9E3779B1u) & (entries_.size() - 1); }
  Entry* place(Symbol key) {
    size_t i = slot(key);
    while (entries_[i].key) i = (i + 1) & (entries_.size() - 1);
    entries_[i].key = key;
    return &entries_[i];
  }
  void grow() {
    std::vector<Entry> old(entries_.empty() ? 8 : entries_.size() * 2);
    old.swap(entries_);
    for (Entry& e : old) {
      if (e.key) place(e.key)->value = std::move(e.value);
    }
  }

  std::vector<Entry> entries_;
  size_t size_ = 0;
};

}  // namespace eddy::lang
