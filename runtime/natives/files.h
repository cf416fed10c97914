// Shared by the natives on files.
#pragma once
#include <string>
#include <string_view>

#include "runtime/context.h"

namespace eddy::rt {

// Err("PATH: why").
Value file_error(Context& ctx, std::string_view path, std::string_view why);
Value file_error(Context& ctx, std::string_view path, int error);

// The path for the system. Also writes out what open files have pending, so that the file system shows it.
std::string path_of(Context& ctx, Value text);

}  // namespace eddy::rt
