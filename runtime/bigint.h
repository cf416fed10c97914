// Int arithmetic behind the fast paths: small integers that overflow, and big ones.
//
// A heap BigInt holds sign and magnitude (limbs least significant first, kHeaderNegative in its header) and
// is never used for a value that fits a small integer, so equal Ints are equal words or equal limbs.
// Results are computed in scratch memory and allocated last: no operand needs to be rooted.
// An operand that is no Int panics; kNull means that a panic is pending.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "runtime/context.h"
#include "runtime/object.h"

namespace eddy::rt {

inline bool is_int(Value v) { return v.is_small() || is_kind(v, Kind::BigInt); }

Value int_add(Context&, Value a, Value b);
Value int_sub(Context&, Value a, Value b);
Value int_mul(Context&, Value a, Value b);
Value int_div(Context&, Value a, Value b);  // truncates; "division by zero"
Value int_rem(Context&, Value a, Value b);  // the sign of a; "division by zero"
Value int_neg(Context&, Value a);
Value int_abs(Context&, Value a);

// Two's complement of unbounded width.
Value int_and(Context&, Value a, Value b);
Value int_or(Context&, Value a, Value b);
Value int_xor(Context&, Value a, Value b);
Value int_shl(Context&, Value a, Value count);  // a negative count shifts the other way
Value int_shr(Context&, Value a, Value count);  // rounds down

Value int_pow(Context&, Value base, Value exponent);  // panics where the exponent is negative
Value int_gcd(Context&, Value a, Value b);
Value int_sqrt(Context&, Value a);       // rounded down; panics where a is negative
Value int_bit_count(Context&, Value a);   // bits that differ from the sign bit
Value int_bit_length(Context&, Value a);  // bits of the two's complement form without the sign

// -1, 0, 1; both must be Ints.
int int_compare(Value a, Value b);
bool int_equal(Value a, Value b);

Value int_from_i64(Context&, int64_t n);
Value int_from_u64(Context&, uint64_t n);
Value int_from_limbs(Context&, std::span<const uint64_t> limbs, bool negative);
// Rounds towards zero; kNull without a panic where d is no finite number.
Value int_from_double(Context&, double d);
// Nearest, ties to even; infinite where too large. `a` must be an Int.
double int_to_double(Value a);

// Digits in a base of 2 to 36 after an optional sign; no prefix; single `_` between digits where asked for.
// False where the text is malformed. `*out` is kNull, and a panic pending, where memory does not suffice.
bool int_parse(Context&, std::string_view text, unsigned base, bool underscores, Value* out);
void append_int(std::string& out, Value a, unsigned base = 10);
std::string int_to_string(Value a, unsigned base = 10);

uint64_t int_hash(Value a);

}  // namespace eddy::rt
