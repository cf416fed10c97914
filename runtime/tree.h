// The balanced trees under std/map's Map and std/set's Set, as natives see them.
//
// The outer record has one field, the root. A constant constructor is the empty tree; a node is
// (size, key, value, left, right) in a Map and (size, value, left, right) in a Set. All fields are tagged.
#pragma once
#include <vector>

#include "runtime/constructors.h"
#include "runtime/object.h"

namespace eddy::rt {

inline bool is_tree(Value v) { return is_con(v, con::MapTree) || is_con(v, con::SetTree); }

struct TreeShape {
  bool map;
  uint32_t fields, left, right;
  static TreeShape of(Value tree) {
    return as<Object>(tree)->con() == con::MapTree ? TreeShape{true, 5, 3, 4} : TreeShape{false, 4, 2, 3};
  }
};

// Goes through a tree in order. The tree may not move meanwhile.
class TreeWalk {
 public:
  explicit TreeWalk(Value tree) : shape_(TreeShape::of(tree)) {
    if (as<Object>(tree)->count() == 1) descend(as<ConObject>(tree)->fields[0]);
  }
  bool done() const { return path_.empty(); }
  Value key() const { return path_.back()->fields[1]; }
  Value value() const { return path_.back()->fields[2]; }  // of a Map
  bool is_map() const { return shape_.map; }
  void next() {
    Value right = path_.back()->fields[shape_.right];
    path_.pop_back();
    descend(right);
  }

 private:
  // A damaged tree may be a cycle: no honest one is deeper than this.
  static constexpr size_t kMaxDepth = 4096;
  void descend(Value node) {
    while (is_kind(node, Kind::Con) && node.ptr()->count() == shape_.fields && path_.size() < kMaxDepth) {
      path_.push_back(as<ConObject>(node));
      node = path_.back()->fields[shape_.left];
    }
  }
  TreeShape shape_;
  std::vector<ConObject*> path_;
};

}  // namespace eddy::rt
