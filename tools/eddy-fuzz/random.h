// A small generator of random numbers whose sequence depends on nothing but the seed.
#pragma once
#include <cstdint>
#include <initializer_list>

namespace eddy::fuzz {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 0x1234567) {}

  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // 0 … n-1
  int below(int n) { return static_cast<int>(next() % static_cast<uint64_t>(n)); }
  int between(int low, int high) { return low + below(high - low + 1); }
  bool chance(int percent) { return below(100) < percent; }
  // An index, each as often as its weight says.
  int weighted(std::initializer_list<int> weights) {
    int sum = 0;
    for (int w : weights) sum += w;
    int n = below(sum), i = 0;
    for (int w : weights) {
      if (n < w) return i;
      n -= w;
      ++i;
    }
    return 0;
  }

 private:
  uint64_t state_;
};

}  // namespace eddy::fuzz
