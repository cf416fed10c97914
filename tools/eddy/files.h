// Reading and writing whole files, with messages people understand.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eddy::tool {

// `-` is standard input. False, and a message on standard error, where it cannot be read.
bool read_file(const std::string& path, std::string* bytes);
bool write_file(const std::string& path, std::string_view bytes);
// "eddy: …" on standard error.
void complain(const std::string& message);
bool standard_error_has_color();
// The status, or where standard output did not take everything: a message, and kPanic instead of kOk.
int written_out(int status);

}  // namespace eddy::tool
