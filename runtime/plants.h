// Known faults for testing the tests (docs/testing.md). In every other build PLANTED(…) is the constant false.
#pragma once

namespace eddy::rt {

enum class Plant : unsigned char {
#define PLANT(name, doc) name,
#include "runtime/plants.def"
#undef PLANT
  none,
};

#ifdef EDDY_PLANTS
bool planted(Plant plant);  // named by the environment variable EDDY_PLANT
#else
constexpr bool planted(Plant) { return false; }
#endif

}  // namespace eddy::rt

#define PLANTED(name) (::eddy::rt::planted(::eddy::rt::Plant::name))
