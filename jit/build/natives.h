// Natives that the compiler has nodes for.
#pragma once
#include "runtime/natives/natives.h"

namespace eddy::jit {

enum class KnownNative : uint8_t { None, ToInt, Floor, Ceil, Trunc, Round, BitCount, BitLength, CharCode, StringAt, StringLength };
KnownNative known_native(const rt::Native& native);

}  // namespace eddy::jit
