// Which values of a graph may be one another, and which of them are objects that need not be made: what objects.cpp does
// without.
#pragma once
#include <map>
#include <utility>
#include <vector>

#include "jit/passes/dominators.h"
#include "jit/passes/loops.h"

namespace eddy::jit {

inline bool allocates(const Node* n) { return n->op == NodeOp::Alloc || n->op == NodeOp::Box; }
inline bool writes_field(const Node* n) { return n->op == NodeOp::Store || n->op == NodeOp::StoreWord || n->op == NodeOp::StoreFloat; }

struct Shape {
  Word header = 0;
  void* first = nullptr;
  bool has_first = false;
  size_t fields = 0;
  bool operator==(const Shape&) const = default;
  int64_t offset(size_t i) const { return static_cast<int64_t>(8 + 8 * (has_first ? 1 : 0) + 8 * i); }
  size_t index(int64_t at) const { return static_cast<size_t>(at - offset(0)) / 8; }
  bool has(int64_t at) const { return at >= offset(0) && at < offset(fields) && at % 8 == 0; }
  rt::Kind kind() const { return reinterpret_cast<const rt::Object*>(&header)->kind(); }
  uint16_t con() const { return reinterpret_cast<const rt::Object*>(&header)->con(); }
};

struct ObjectClass {
  static constexpr size_t kMaxFields = 12;
  Shape shape;
  std::vector<Node*> allocations, phis, loads, escapes;
  std::vector<std::pair<Node*, size_t>> imports;  // phis of a loop's start, and which of their inputs comes from outside
  std::map<int64_t, uint32_t> fields;             // by offset: the class of what is in there
  bool bad = false;       // there must be objects
  bool changes = false;   // something is stored into it
  bool raw[kMaxFields] = {};
};

class ObjectClasses {
 protected:
  explicit ObjectClasses(Graph& graph) : g_(graph), dominators_(graph), loops_(find_loops(graph)) {}

  void classify();
  // Which of them need no objects.
  void judge();

  uint32_t find(uint32_t c) {
    while (parent_[c] != c) c = parent_[c] = parent_[parent_[c]];
    return c;
  }
  uint32_t class_of(const Node* n) { return find(n->id); }
  bool is_virtual(uint32_t c) { return !classes_[c].bad && !classes_[c].allocations.empty(); }
  bool is_member(const Node* n) { return n->type == Type::Tagged && !n->remade() && n->id < known_ && is_virtual(class_of(n)); }
  const Loop* loop_at(const Block* header) const;

  Graph& g_;
  Dominators dominators_;
  std::vector<Loop> loops_;
  size_t known_ = 0;
  std::vector<uint32_t> parent_;
  std::vector<ObjectClass> classes_;

 private:
  void unite(uint32_t a, uint32_t b);
  // The class of a field, made where it is asked for the first time.
  uint32_t field(uint32_t c, int64_t offset);
  // What comes from elsewhere for sure.
  static bool is_foreign(Node* n);
  static void add_allocation(ObjectClass& c, Node* n);
  bool contains_itself(uint32_t start);
  // Whether there is one of them at a time, and everybody means that one.
  bool is_single(uint32_t i);
  void look_at_uses();
  // A use that asks for no more than what is in there.
  bool suits(const Node* n, size_t i, ObjectClass& c);
  // Made where it is wanted instead of where it was: not more often, and in a loop not at all.
  bool worth_making_later(const ObjectClass& c) const;
  // Nobody may find one in a frame.
  bool look_at_frames();
  static bool shows_frames(const Node* n);
  // Whether the innermost loop at a block is quiet without the objects.
  bool becomes_poll(const Block* b);

  std::vector<std::pair<Node*, size_t>> imports_;
  std::vector<Node*> foreign_;
  std::vector<uint32_t> foreign_classes_;
};

}  // namespace eddy::jit
