#include "jit/debug/jitdump.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <map>

#include "jit/debug/dwarf.h"
#include "vm/names.h"

namespace eddy::jit::debug {

namespace {

enum Record : uint32_t { kLoad = 0, kDebugInfo = 2, kClose = 3, kUnwinding = 4 };
constexpr uint32_t kMagic = 0x4A695444, kVersion = 1;

uint64_t now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);  // `perf record -k mono` uses the same
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

class Jitdump : public CodeListener {
 public:
  Jitdump(int fd, void* marker, size_t marker_size) : fd_(fd), marker_(marker), marker_size_(marker_size) {
    Bytes head;
    head.u32(kMagic);
    head.u32(kVersion);
    head.u32(40);
#if defined(__aarch64__)
    head.u32(EM_AARCH64);
#else
    head.u32(EM_X86_64);
#endif
    head.u32(0);
    head.u32(static_cast<uint32_t>(getpid()));
    head.u64(now());
    head.u64(0);
    put(head);
  }
  ~Jitdump() override {
    record(kClose, {});
    munmap(marker_, marker_size_);
    close(fd_);
  }

  // A function is one piece, or its call frames could not be found: perf maps them behind it.
  void added(const CodeRegion& region) override {
    lines(region);
    frames(region);
    Bytes b;
    auto address = reinterpret_cast<uint64_t>(region.code);
    b.u32(static_cast<uint32_t>(getpid()));
    b.u32(static_cast<uint32_t>(syscall(SYS_gettid)));
    b.u64(address);
    b.u64(address);
    b.u64(region.size);
    b.u64(index_++);
    b.text(region.name);
    b.append(region.code, region.size);
    record(kLoad, b);
  }

 private:
  void lines(const CodeRegion& region) {
    Bytes rows;
    uint64_t count = 0;
    for (const CodeRegion::Line& line : region.lines) {
      vm::SourcePlace place = vm::source_place(*region.functions[line.function].function, line.pc);
      if (!place.known()) continue;
      rows.u64(reinterpret_cast<uint64_t>(region.code) + line.offset);
      rows.u32(place.line);
      rows.u32(0);
      auto [path, added] = paths_.try_emplace(place.file);
      if (added) path->second = full_path(place.file);
      rows.text(path->second);
      ++count;
    }
    if (!count) return;
    Bytes b;
    b.u64(reinterpret_cast<uint64_t>(region.code));
    b.u64(count);
    b.append(rows);
    record(kDebugInfo, b);
  }

  void frames(const CodeRegion& region) {
    // perf lays the code, padded to eight bytes, and behind it the frames.
    int64_t padded = (static_cast<int64_t>(region.size) + 7) & ~int64_t{7};
    size_t fde;
    Bytes section = eh_frame(region, 0, static_cast<uint32_t>(region.size),
                             {.absolute = false, .distance = padded}, &fde);
    Bytes header = eh_frame_header(section, fde, padded);
    Bytes b;
    b.u64(section.size() + header.size());
    b.u64(header.size());
    b.u64(section.size() + header.size());  // it takes them for mapped
    b.append(section);
    b.append(header);
    b.align(8);
    record(kUnwinding, b);
  }

  void record(Record kind, const Bytes& body) {
    Bytes b;
    b.u32(kind);
    b.u32(static_cast<uint32_t>(16 + body.size()));
    b.u64(now());
    b.append(body);
    put(b);
  }

  void put(const Bytes& b) {
    size_t done = 0;
    while (done < b.size()) {
      ssize_t n = write(fd_, b.data().data() + done, b.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;  // a full disk costs names, not the program
      done += static_cast<size_t>(n);
    }
  }

  int fd_;
  void* marker_;
  size_t marker_size_;
  uint64_t index_ = 1;
  std::map<std::string, std::string> paths_;
};

}  // namespace

std::unique_ptr<CodeListener> jitdump(std::string* problem) {
  const char* folder = std::getenv("JITDUMPDIR");
  std::string path =
      std::string(folder && *folder ? folder : ".") + "/jit-" + std::to_string(getpid()) + ".dump";
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    *problem = path + ": " + std::strerror(errno);
    return nullptr;
  }
  // That the file is mapped as code is how `perf record` learns of it.
  auto size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* marker = mmap(nullptr, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  if (marker == MAP_FAILED) {
    *problem = path + ": " + std::strerror(errno);
    close(fd);
    return nullptr;
  }
  return std::make_unique<Jitdump>(fd, marker, size);
}

}  // namespace eddy::jit::debug
