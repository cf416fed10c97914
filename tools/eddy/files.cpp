#include "tools/eddy/files.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "lang/modules.h"
#include "tools/eddy/options.h"

namespace eddy::tool {

namespace {
struct Close {
  void operator()(FILE* f) const {
    if (f != stdout) std::fclose(f);
  }
};
using File = std::unique_ptr<FILE, Close>;
}  // namespace

void complain(const std::string& message) { std::fprintf(stderr, "eddy: %s\n", message.c_str()); }

bool standard_error_has_color() { return isatty(2) && !std::getenv("NO_COLOR"); }

bool read_file(const std::string& path, std::string* bytes) {
  lang::ReadResult read = path == "-" ? lang::read_all(STDIN_FILENO) : lang::read_source(path);
  if (!read.ok) complain(path + ": " + read.error);
  *bytes = std::move(read.text);
  return read.ok;
}

bool write_file(const std::string& path, std::string_view bytes) {
  File file(path == "-" ? stdout : std::fopen(path.c_str(), "wb"));
  bool written = file && std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() &&
                 std::fflush(file.get()) == 0;
  if (!written) complain(path + ": " + std::strerror(errno));
  return written;
}

int written_out(int status) {
  bool written = std::fflush(stdout) == 0 && !std::ferror(stdout);
  if (written) return status;
  complain(std::string("standard output: ") + std::strerror(errno));
  return status == kOk ? kPanic : status;
}

}  // namespace eddy::tool
