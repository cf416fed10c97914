// What the mutators share: one mutant after the other, as many as are wanted, over several sessions. Mutant I of a seed
// always is the same one. Progress is shown; a state file says where to go on; whoever crashes or hangs is named.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace eddy::fuzz {

class LongRun {
 public:
  explicit LongRun(std::string command) : command_(std::move(command)) {}
  ~LongRun();
  LongRun(const LongRun&) = delete;
  LongRun& operator=(const LongRun&) = delete;

  static const char* help();
  // Whether argv[i] is a flag of every mutator; its value is read too.
  bool take(int argc, char** argv, int& i);
  // A number that is shown and kept in the state file.
  void total(const char* name, const uint64_t* number) { totals_.push_back({name, number, 0}); }
  // False for a mutant that has been seen, with --distinct.
  bool fresh(uint64_t hash);
  // Until the count, the time or a signal ends it. Answers the exit status.
  int go(const std::function<void(uint64_t index)>& mutant);
  // Names the mutant and ends the process.
  [[noreturn]] void complain(const std::string& what) const;

  uint64_t seed() const { return seed_; }
  // What draws the random numbers of a mutant begins with this.
  uint64_t random_state(uint64_t index) const { return (seed_ << 32) ^ (index * 0x9e3779b97f4a7c15u); }
  uint64_t count = 10000;

 private:
  struct Total {
    const char* name;
    const uint64_t* number;
    uint64_t before;  // of earlier sessions
  };
  bool go_on();
  void keep_state() const;
  void show() const;
  bool map_seen();
  void watch();

  std::string command_, state_;
  uint64_t seed_ = 1, start_ = 0, index_ = 0, distinct_ = 0, different_ = 0, different_before_ = 0;
  double seconds_ = 0;
  bool quiet_ = false;
  std::vector<Total> totals_;
  uint64_t* seen_ = nullptr;  // a bit for each hash
};

// FNV-1a, eight bytes at a time.
uint64_t hash_of(const void* data, size_t size);

}  // namespace eddy::fuzz
