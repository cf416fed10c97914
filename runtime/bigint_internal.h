// What the bigint_*.cpp files share: operands as GMP sees them, scratch memory, normalised results.
#pragma once
#include <gmp.h>

#include <cstdlib>

#include "runtime/bigint.h"
#include "runtime/heap.h"
#include "runtime/memory_limit.h"
#include "runtime/system_memory.h"

namespace eddy::rt::big {

static_assert(sizeof(mp_limb_t) == 8 && GMP_NAIL_BITS == 0);

// Sign and magnitude of an Int. Points into the heap: dead after an allocation.
struct Operand {
  const mp_limb_t* limbs;
  mp_size_t size;  // 0 for zero
  bool negative;
  mp_limb_t own = 0;

  explicit Operand(Value v) {
    if (v.is_small()) {
      int64_t n = v.small();
      negative = n < 0;
      own = negative ? -static_cast<mp_limb_t>(n) : static_cast<mp_limb_t>(n);
      limbs = &own;
      size = own != 0;
    } else {
      const BigInt* b = as<BigInt>(v);
      limbs = reinterpret_cast<const mp_limb_t*>(b->limbs);
      size = b->count();
      negative = b->negative();
    }
  }
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;

  uint64_t bits() const { return size ? static_cast<uint64_t>(size) * 64 - __builtin_clzl(limbs[size - 1]) : 0; }
};

// Limbs outside the heap; `data` is null, with a panic pending, where there is no memory for them.
class Scratch {
 public:
  Scratch(Context& ctx, uint64_t limbs) {
    if (limbs <= kLocal) {
      data = local_;
    } else if (limbs < kMaxLimbs && check_size(ctx, limbs * sizeof(mp_limb_t))) {
      bytes_ = limbs * sizeof(mp_limb_t);
      data = heap_ = static_cast<mp_limb_t*>(memory::take(bytes_));
      if (!data) panic(ctx, "out of memory");
    } else if (limbs >= kMaxLimbs) {
      panic(ctx, "out of memory");
    }
  }
  ~Scratch() {
    if (heap_) memory::give(heap_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  mp_limb_t* data = nullptr;

 private:
  static constexpr uint64_t kLocal = 32, kMaxLimbs = uint64_t{1} << 31;
  mp_limb_t* heap_ = nullptr;
  size_t bytes_ = 0;
  mp_limb_t local_[kLocal];
};

// The Int of this magnitude; strips leading zeros.
Value make(Context& ctx, const mp_limb_t* limbs, mp_size_t size, bool negative);

inline Value not_an_int(Context& ctx) { return panic(ctx, "expected an Int"); }

}  // namespace eddy::rt::big
