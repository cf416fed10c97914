// --profile: who samples when, and what is written in the end.
#pragma once
#include <string>

#include "vm/profiler.h"
#include "vm/vm.h"

namespace eddy::tool {

// Samples a VM by the processor time that the process takes, while it lives. One at a time.
class Profile {
 public:
  explicit Profile(vm::Vm& vm);
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  // Stops sampling and writes FILE; false with *problem.
  bool write(const std::string& file, std::string* problem);

 private:
  void stop();

  vm::Vm& vm_;
  vm::Profiler profiler_;
  bool running_ = false;
};

// A flame graph as one SVG file that needs nothing else; click to zoom.
std::string flame_graph(const vm::Profiler& profile, const std::string& title);

}  // namespace eddy::tool
