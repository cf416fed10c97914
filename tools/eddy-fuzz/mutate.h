// Programs made by damaging given ones a little: what the generator would not think of.
#pragma once
#include <string>
#include <vector>

#include "tools/eddy-fuzz/random.h"
#include "tools/eddy-fuzz/tree.h"

namespace eddy::fuzz {

class Mutants {
 public:
  // Files, or folders with programs in them; those that depend on time, files or chance are left out.
  explicit Mutants(const std::vector<std::string>& paths);
  bool empty() const { return texts_.empty(); }
  size_t size() const { return texts_.size(); }

  // Its lines are items, for the reducer. Most mutants do not type-check.
  Tree make(uint64_t seed) const;

 private:
  using Lines = std::vector<std::string>;
  void add(const std::string& path);
  void damage(Lines& lines, Random& random) const;

  std::vector<Lines> texts_;
};

}  // namespace eddy::fuzz
