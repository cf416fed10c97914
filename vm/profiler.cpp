#include "vm/profiler.h"

#include <algorithm>

#include "vm/control/frames.h"
#include "vm/names.h"

namespace eddy::vm {

Profiler::Profiler() : nodes_(1) {}

uint32_t Profiler::child(uint32_t parent, const LoadedFunction* function) {
  auto [number, is_new] = numbers_.try_emplace(function, static_cast<uint32_t>(numbers_.size()));
  uint64_t key = uint64_t{parent} << 32 | number->second;
  auto found = index_.find(key);
  if (found != index_.end()) return found->second;
  if (nodes_.size() >= kNodes) return parent;
  auto made = static_cast<uint32_t>(nodes_.size());
  index_[key] = made;
  nodes_[parent].children.push_back(made);
  nodes_.emplace_back().parent = parent;
  nodes_.back().function = function;
  return made;
}

void Profiler::take(rt::Context& ctx, const rt::Function* entering, uint32_t weight) {
  samples_ += weight;
  stack_.clear();
  bool cut = false;
  auto push = [&](const LoadedFunction* f) {
    if (f->hidden || (!stack_.empty() && stack_.back() == f)) return;
    stack_.push_back(f);
  };
  if (entering) push(static_cast<const LoadedFunction*>(entering));
  size_t walked = 0;
  walk_frames(ctx, [&](const rt::FrameView& view) {
    // However deep a stack is, a sample costs the same.
    if (++walked > 8 * kFrames || stack_.size() >= kFrames) {
      cut = true;
      return false;
    }
    push(loaded(view.function));
    return true;
  });
  uint32_t at = cut ? child(0, nullptr) : 0;
  for (size_t i = stack_.size(); i-- > 0;) at = child(at, stack_[i]);
  nodes_[at].self += weight;
}

void Profiler::settle() {
  for (Node& node : nodes_) node.total = node.self;
  // A child has a higher number than its parent.
  for (size_t i = nodes_.size(); i-- > 1;) nodes_[nodes_[i].parent].total += nodes_[i].total;
  for (Node& node : nodes_)
    std::sort(node.children.begin(), node.children.end(), [&](uint32_t a, uint32_t b) {
      std::string x = name_of(nodes_[a]), y = name_of(nodes_[b]);
      return x != y ? x < y : a < b;
    });
}

std::string Profiler::name_of(const Node& node) const {
  if (!node.function) return &node == &nodes_[0] ? "all" : "(older frames)";
  return display_name(*node.function);
}

std::string folded_stacks(const Profiler& profile) {
  std::unordered_map<const LoadedFunction*, std::string> names;
  std::string out;
  const auto& nodes = profile.nodes();
  std::vector<uint32_t> work{0}, chain;
  while (!work.empty()) {
    uint32_t at = work.back();
    work.pop_back();
    const Profiler::Node& node = nodes[at];
    for (size_t i = node.children.size(); i-- > 0;) work.push_back(node.children[i]);
    if (!node.self) continue;
    chain.clear();
    for (uint32_t n = at; n; n = nodes[n].parent) chain.push_back(n);
    if (chain.empty()) out += "(nothing)";
    for (size_t i = chain.size(); i-- > 0;) {
      auto [name, is_new] = names.try_emplace(nodes[chain[i]].function);
      if (is_new) name->second = profile.name_of(nodes[chain[i]]);
      out += name->second;
      if (i) out += ';';
    }
    out += ' ' + std::to_string(node.self) + '\n';
  }
  return out;
}

}  // namespace eddy::vm
