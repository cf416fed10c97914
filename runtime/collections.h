// The library's collections as natives see them that print, compare and hash: however a tree is balanced, a ring
// turned or a table filled, equal contents make equal collections.
//
// What they look like inside is the library's (std/map, std/set, std/queue, std/mutmap). A module need not be made
// by our compiler, so nothing here trusts it: what does not have the form is not there.
#pragma once
#include <algorithm>
#include <vector>

#include "runtime/constructors.h"
#include "runtime/context.h"
#include "runtime/object.h"

namespace eddy::rt {

namespace con {
constexpr uint16_t QueueRing = 13, HashTable = 14;  // std/queue's and std/mutmap's outer records
}

inline bool is_collection(Value v) {
  return is_con(v, con::MapTree) || is_con(v, con::SetTree) || is_con(v, con::QueueRing) || is_con(v, con::HashTable);
}

// Goes through the elements. The collection may not move meanwhile.
//
// Map and Set: one field, the root; a constant constructor is the empty tree, a node is (size, key, value, left,
// right) or (size, value, left, right). Queue: an array of Options whose length is a power of two, the first one's
// place, the number of elements. MutMap: an array of slots, in which (hash, key, value) is an entry.
class CollectionWalk {
 public:
  // Entries of a table come as they lie there, or, for comparing, in an order that says nothing about how they came
  // in: by hash. (Equal hashes of different keys are as rare as they are wide.)
  CollectionWalk(const Context& ctx, Value v, bool by_hash) : ctx_(ctx), con_(as<Object>(v)->con()) {
    auto* record = as<ConObject>(v);
    if (con_ == con::MapTree || con_ == con::SetTree) {
      if (record->count() == 1) descend(record->fields[0]);
      return;
    }
    if (record->count() != 3 || !is_kind(record->fields[0], Kind::Array)) return;
    auto* places = as<Array>(record->fields[0]);
    if (con_ == con::QueueRing) {
      ring(places, record->fields[1], record->fields[2]);
    } else {
      for (uint32_t i = 0; i < places->count(); ++i)
        if (has_form(places->items[i], 3)) path_.push_back(as<ConObject>(places->items[i]));
      if (by_hash)
        std::sort(path_.begin(), path_.end(), [](ConObject* a, ConObject* b) { return hash_of(a) < hash_of(b); });
      std::reverse(path_.begin(), path_.end());
    }
  }
  bool done() const { return path_.empty(); }
  bool is_map() const { return con_ == con::MapTree || con_ == con::HashTable; }
  Value key() const { return path_.back()->fields[con_ == con::QueueRing ? 0 : 1]; }
  Value value() const { return path_.back()->fields[2]; }  // of a Map or MutMap
  void next() {
    ConObject* left_behind = path_.back();
    path_.pop_back();
    if (con_ == con::MapTree) descend(left_behind->fields[4]);
    if (con_ == con::SetTree) descend(left_behind->fields[3]);
  }

 private:
  // A damaged tree may be a cycle: no honest one is deeper than this.
  static constexpr size_t kMaxDepth = 4096;

  bool has_form(Value v, uint32_t fields) const {
    if (!is_kind(v, Kind::Con) || v.ptr()->count() != fields) return false;
    uint16_t con = v.ptr()->con();
    if (con >= ctx_.constructors.size()) return true;
    const std::vector<bool>& raw = ctx_.constructors[con].raw;  // a raw double is no value
    return std::find(raw.begin(), raw.end(), true) == raw.end();
  }
  static int64_t hash_of(const ConObject* entry) {
    return entry->fields[0].is_small() ? entry->fields[0].small() : 0;
  }
  void descend(Value node) {
    uint32_t fields = con_ == con::MapTree ? 5 : 4, left = con_ == con::MapTree ? 3 : 2;
    while (has_form(node, fields) && path_.size() < kMaxDepth) {
      path_.push_back(as<ConObject>(node));
      node = path_.back()->fields[left];
    }
  }
  void ring(Array* places, Value start, Value count) {
    int64_t size = places->count();
    if (!start.is_small() || !count.is_small() || size == 0) return;
    if (start.small() < 0 || start.small() >= size || count.small() < 0 || count.small() > size) return;
    for (int64_t i = count.small(); i-- > 0;) {
      Value one = places->items[(start.small() + i) % size];
      if (is_con(one, con::Some) && one.ptr()->count() == 1) path_.push_back(as<ConObject>(one));
    }
  }

  const Context& ctx_;
  uint16_t con_;
  std::vector<ConObject*> path_;  // of a tree: the way to the next one; else all that are left, the next one last
};

}  // namespace eddy::rt
