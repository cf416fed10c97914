// A generated program: a tree whose leaves, written one after the other, are its text. The reducer works on
// it.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/eddy-fuzz/types.h"

namespace eddy::fuzz {

struct Node;
using Tree = std::unique_ptr<Node>;

enum class Sort : uint8_t {
  Text,   // fixed text
  Expr,   // an expression of `type`: any other of that type may stand in its place
  Item,   // a statement, arm, clause or declaration that may perhaps be left out
  Group,  // only holds its children together
};

struct Node {
  Sort sort = Sort::Group;
  Type type{};
  std::string text;  // of a Text
  std::vector<Tree> children;
};

inline void add_part(Node& node, std::string text) {
  auto leaf = std::make_unique<Node>();
  leaf->sort = Sort::Text;
  leaf->text = std::move(text);
  node.children.push_back(std::move(leaf));
}
inline void add_part(Node& node, const char* text) { add_part(node, std::string(text)); }
inline void add_part(Node& node, Tree child) { node.children.push_back(std::move(child)); }
inline void add_part(Node& node, std::vector<Tree> children) {
  for (Tree& c : children) node.children.push_back(std::move(c));
}

// Expr{type, "(", left, " + ", right, ")"}, Item{…}, Group{…}: what makes a node of its parts. In braces, for
// what makes the parts draws random numbers and names: the elements of braces are evaluated from left to
// right by every compiler, arguments in parentheses in whatever order it likes.
class Made {
 public:
  operator Tree() && { return std::move(node_); }  // NOLINT: it is one

 protected:
  explicit Made(Sort sort) : node_(std::make_unique<Node>()) { node_->sort = sort; }
  template <typename... Parts>
  void add(Parts&&... parts) {
    (add_part(*node_, std::forward<Parts>(parts)), ...);
  }
  Tree node_;
};

struct Expr : Made {
  template <typename... Parts>
  explicit Expr(Type type, Parts&&... parts) : Made(Sort::Expr) {
    node_->type = std::move(type);
    add(std::forward<Parts>(parts)...);
  }
};

struct Item : Made {
  template <typename... Parts>
  explicit Item(Parts&&... parts) : Made(Sort::Item) {
    add(std::forward<Parts>(parts)...);
  }
};

struct Group : Made {
  template <typename... Parts>
  explicit Group(Parts&&... parts) : Made(Sort::Group) {
    add(std::forward<Parts>(parts)...);
  }
};

Tree copy(const Node& node);
std::string text_of(const Node& node);
size_t size_of(const Node& node);

}  // namespace eddy::fuzz
