// Asked before an allocation whose size a program chose: a number, a string or an array may be absurdly large.
#pragma once
#include "runtime/context.h"

namespace eddy::rt {

// True where `bytes` more can be allocated; otherwise an "out of memory" panic is pending. May collect.
bool check_memory(Context& ctx, uint64_t bytes);
// True where `bytes` could fit into an empty heap; otherwise the same panic. Never collects.
bool check_size(Context& ctx, uint64_t bytes);
// For loops that allocate many small objects: false, with the panic, once the heap lives on its reserve.
bool check_exhausted(Context& ctx);

}  // namespace eddy::rt
