// Floats from and to text.
#pragma once
#include <string>
#include <string_view>

namespace eddy::rt {

// Shortest text that reads back as the same double, with `.0` where it is whole; exponent form below 1e-5 and
// from 1e16 on.
void append_float(std::string& out, double d);
std::string float_to_string(double d);
// Exactly this many decimals, correctly rounded.
std::string float_to_fixed(double d, unsigned decimals);
// The whole text; nan, inf and infinity in any case. False where it is malformed.
bool parse_float(std::string_view text, double* out);

}  // namespace eddy::rt
