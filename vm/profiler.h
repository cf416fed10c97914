// A sampling profile of Eddy's own stacks: through handlers and resumptions, in every tier.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/context.h"
#include "vm/loaded.h"

namespace eddy::vm {

// The samples as a tree: a node is a function below its callers. A function that calls itself directly is one
// node.
class Profiler : public rt::SampleSink {
 public:
  struct Node {
    uint32_t parent = 0;
    const LoadedFunction* function = nullptr;  // null: the root, or `cut`
    uint64_t self = 0;                         // samples taken here
    uint64_t total = 0;                        // and below; once settle() was called
    std::vector<uint32_t> children;
  };

  Profiler();
  void take(rt::Context& ctx, const rt::Function* entering, uint32_t weight) override;
  // Adds up totals, and puts children in the order of their names.
  void settle();

  uint64_t samples() const { return samples_; }
  const std::vector<Node>& nodes() const { return nodes_; }  // [0] is the root
  std::string name_of(const Node& node) const;

 private:
  uint32_t child(uint32_t parent, const LoadedFunction* function);

  static constexpr size_t kFrames = 500;  // of a stack, the youngest; older ones are left out
  static constexpr size_t kNodes = 1'000'000;
  std::vector<Node> nodes_;
  std::unordered_map<uint64_t, uint32_t> index_;  // parent and number of the function
  std::unordered_map<const LoadedFunction*, uint32_t> numbers_;
  std::vector<const LoadedFunction*> stack_;  // of the sample that is being taken
  uint64_t samples_ = 0;
};

// "main;work;handler State.get 12" a line.
std::string folded_stacks(const Profiler& profile);

}  // namespace eddy::vm
