#include "tools/eddy-fuzz/tree.h"

namespace eddy::fuzz {

Tree copy(const Node& node) {
  auto result = std::make_unique<Node>();
  result->sort = node.sort;
  result->type = node.type;
  result->text = node.text;
  result->children.reserve(node.children.size());
  for (const Tree& c : node.children) result->children.push_back(copy(*c));
  return result;
}

static void append_text(const Node& node, std::string& out) {
  out += node.text;
  for (const Tree& c : node.children) append_text(*c, out);
}

std::string text_of(const Node& node) {
  std::string out;
  append_text(node, out);
  return out;
}

size_t size_of(const Node& node) {
  size_t n = 1;
  for (const Tree& c : node.children) n += size_of(*c);
  return n;
}

}  // namespace eddy::fuzz
