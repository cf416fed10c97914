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

// expr(type, "(", left, " + ", right, ")")
template <typename... Parts>
Tree expr(Type type, Parts&&... parts) {
  auto node = std::make_unique<Node>();
  node->sort = Sort::Expr;
  node->type = std::move(type);
  (add_part(*node, std::forward<Parts>(parts)), ...);
  return node;
}

template <typename... Parts>
Tree item(Parts&&... parts) {
  auto node = std::make_unique<Node>();
  node->sort = Sort::Item;
  (add_part(*node, std::forward<Parts>(parts)), ...);
  return node;
}

template <typename... Parts>
Tree group(Parts&&... parts) {
  auto node = std::make_unique<Node>();
  (add_part(*node, std::forward<Parts>(parts)), ...);
  return node;
}

Tree copy(const Node& node);
std::string text_of(const Node& node);
size_t size_of(const Node& node);

}  // namespace eddy::fuzz
