// What `main` may perform, and the way from `main` to an operation that nobody handles.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {
void Checker::check_main_effects() {}
}  // namespace eddy::lang
