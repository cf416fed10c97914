// Values as text.
#pragma once
#include <string>

#include "runtime/context.h"

namespace eddy::rt {

// Appends `v` in source syntax. False where the text would not fit in memory: a panic is pending.
// Never recurses and never allocates in the heap, so a value of any depth or size is fine; a cycle prints `…`.
bool append_show(Context&, std::string& out, Value v);
// The same, but Strings and Chars as they are.
bool append_display(Context&, std::string& out, Value v);

void append_quoted(std::string& out, std::string_view text);  // "…"

}  // namespace eddy::rt
