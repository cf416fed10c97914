#include "jit/debug/perf_map.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "vm/names.h"

namespace eddy::jit::debug {

namespace {

class PerfMap : public CodeListener {
 public:
  explicit PerfMap(std::FILE* file) : file_(file) {}
  ~PerfMap() override { std::fclose(file_); }

  void added(const CodeRegion& region) override {
    for (const Piece& piece : pieces_of(region)) {
      std::string name = piece.name;
      if (piece.function) {
        std::string place = vm::to_string(vm::source_place(*piece.function));
        if (!place.empty()) name += " (" + place + ")";
      }
      std::fprintf(file_, "%lx %x %s\n", reinterpret_cast<unsigned long>(region.code + piece.start),
                   piece.end - piece.start, name.c_str());
    }
    // Whoever looks while the program runs, or after it was killed, finds what has run.
    std::fflush(file_);
  }

 private:
  std::FILE* file_;
};

}  // namespace

std::unique_ptr<CodeListener> perf_map(std::string* problem) {
  std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  // Never through somebody else's link: the folder is everybody's.
  unlink(path.c_str());
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  std::FILE* file = fd < 0 ? nullptr : fdopen(fd, "w");
  if (!file) {
    *problem = path + ": " + std::strerror(errno);
    if (fd >= 0) close(fd);
    return nullptr;
  }
  return std::make_unique<PerfMap>(file);
}

}  // namespace eddy::jit::debug
