// Status 70: what is printed when the machine itself fails.
#pragma once

namespace eddy::tool {

// From here on a fatal signal ends the process with kInternal and says how to reproduce it.
void report_crashes(int argc, char** argv);

}  // namespace eddy::tool
