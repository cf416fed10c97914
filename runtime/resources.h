// Open files. A heap Resource holds an index into this table, so the collector can tell which entries no
// program can reach any more; those are closed.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace eddy::rt {

struct Context;

struct OpenFile {
  int fd = -1;               // -1: closed
  std::string path;
  std::string pending;       // written, not yet on its way
  std::string buffered;      // read ahead
  size_t taken = 0;          // of `buffered`
  bool at_end = false;
};

class Resources {
 public:
  ~Resources();
  uint32_t add(std::unique_ptr<OpenFile> file);
  OpenFile* find(uint64_t index);  // null where there is none
  // Closes the entries for which is_live says no, and forgets them.
  void sweep(const std::function<bool(uint32_t index)>& is_live);
  // Writes out what files have pending: before anybody looks at the file system.
  void flush_all();
  bool empty() const { return live_ == 0; }

  // errno, or 0.
  static int flush(OpenFile& file);
  static int close(OpenFile& file);

 private:
  std::vector<std::unique_ptr<OpenFile>> files_;
  std::vector<uint32_t> free_;
  uint32_t live_ = 0;
};

// For the collector, after marking: closes what unreachable Resources held. `is_live` is asked for each index.
void sweep_resources(Context& ctx, const std::function<bool(uint32_t index)>& is_live);
bool has_resources(const Context& ctx);

}  // namespace eddy::rt
