// What the VM asks the system for: the nursery, chunks of the old space, large objects, stacks. All of it comes
// through here, so that a test can refuse any request, and see that everything was given back.
//
// A refused request of the collector cannot be an error where it happens. The heap keeps a reserve of address
// space; it is given up when a request fails, the request is made again, and the program gets its panic at the
// next safepoint (heap.h, rule 5). Only where that does not help either does the process end, with status 3.
#pragma once
#include <cstddef>
#include <cstdint>

namespace eddy::rt::memory {

// Zeroed pages that cost nothing until they are touched; null where there are none.
void* map(size_t bytes);
void unmap(void* pages, size_t bytes);
// Much memory, of which what lies behind the first large page is going to be used soon after that: one fault may bring many pages.
void expect_use(void* pages, size_t bytes);
// The same, aligned to their size, a power of two. `whole`: they are going to be used to the end, so that one fault may
// bring many pages.
void* map_chunk(size_t bytes, bool whole);

// The memory of one large object, or of the descriptors of fibers; null where there is none.
void* take(size_t bytes, size_t alignment = 16);
void give(void* memory, size_t bytes);

// Whether a request should fail: asked by map() and take(), and before machine code is placed.
bool refused();

[[noreturn]] void none_left();  // says so, and ends the process

// --- for tests; of the whole process
void refuse_request(uint64_t n);  // the n-th from now on, once; 0: none
uint64_t requests();              // made so far
uint64_t held();                  // bytes that were not given back

}  // namespace eddy::rt::memory
