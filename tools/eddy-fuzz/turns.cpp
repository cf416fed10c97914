#include "tools/eddy-fuzz/turns.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "tools/eddy-fuzz/random.h"

namespace eddy::fuzz {

namespace {

uint64_t bit(size_t i) { return uint64_t{1} << i; }

// The interpreter's run that a mode of the compiler is compared with in what not all runs say, as a bit.
uint64_t measure_of(const std::vector<const Mode*>& modes, size_t i) {
  for (size_t m = 1; m < i; ++m)
    if (!modes[m]->compiler &&
        ((modes[i]->effects && modes[m]->effects) || (modes[i]->fuel && modes[m]->fuel)))
      return bit(m);
  return 0;
}

std::vector<uint64_t> turns_of(const std::vector<const Mode*>& modes) {
  uint64_t measures = 0;
  for (size_t i = 1; i < modes.size(); ++i) measures |= measure_of(modes, i);
  std::vector<uint64_t> turns;
  int group = 0;
  for (size_t i = 1; i < modes.size(); ++i) {
    if (measures & bit(i)) continue;
    if (!turns.empty() && modes[i]->group && modes[i]->group == group)
      turns.back() |= bit(i);
    else
      turns.push_back(bit(i) | measure_of(modes, i));
    group = modes[i]->group;
  }
  return turns;
}

}  // namespace

uint64_t modes_of(const std::vector<const Mode*>& modes, unsigned turns, uint64_t seed) {
  const std::vector<uint64_t> all = turns_of(modes);
  uint64_t chosen = 1;
  if (turns == 0 || turns >= all.size()) {
    for (size_t i = 0; i < modes.size(); ++i) chosen |= bit(i);
    return chosen;
  }
  std::vector<size_t> order(all.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Random random(seed / all.size());
  for (size_t i = order.size() - 1; i > 0; --i)
    std::swap(order[i], order[static_cast<size_t>(random.below(static_cast<int>(i) + 1))]);
  for (unsigned i = 0; i < turns; ++i) chosen |= all[order[(seed + i) % all.size()]];
  return chosen;
}

}  // namespace eddy::fuzz
