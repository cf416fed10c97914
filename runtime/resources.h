// Open files. A heap Resource holds an index into this table, and the table knows that Resource weakly: when
// the collector finds it dead, the file is closed.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/value.h"

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
  // Opens an entry for `holder`, a Resource whose index is set here.
  void add(std::unique_ptr<OpenFile> file, Value holder);
  OpenFile* find(uint64_t index);  // null where there is none
  // Asks for every holder whether it survives a collection and where it is now; closes the files of those that
  // do not.
  void settle(const std::function<bool(Value* holder)>& survives);
  // Writes out what files have pending: before anybody looks at the file system.
  void flush_all();

  // errno, or 0.
  static int flush(OpenFile& file);
  static int close(OpenFile& file);

 private:
  struct Entry {
    std::unique_ptr<OpenFile> file;
    Value holder;
  };
  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
};

// For the collector, with everything reachable known.
void settle_resources(Context& ctx, const std::function<bool(Value* holder)>& survives);

}  // namespace eddy::rt
