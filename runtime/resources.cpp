#include "runtime/resources.h"

#include <unistd.h>

#include <cerrno>

#include "runtime/natives/state.h"

namespace eddy::rt {

Resources::~Resources() {
  for (Entry& entry : entries_)
    if (entry.file) close(*entry.file);
}

void Resources::add(std::unique_ptr<OpenFile> file, Value holder) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(entries_.size()));
    entries_.emplace_back();
  }
  as<Resource>(holder)->index = free_.back();
  entries_[free_.back()] = {std::move(file), holder};
  free_.pop_back();
}

OpenFile* Resources::find(uint64_t index) { return index < entries_.size() ? entries_[index].file.get() : nullptr; }

void Resources::settle(const std::function<bool(Value*)>& survives) {
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (!entry.file || survives(&entry.holder)) continue;
    close(*entry.file);
    entry.file.reset();
    free_.push_back(i);
  }
}

void Resources::flush_all() {
  for (Entry& entry : entries_)
    if (entry.file) flush(*entry.file);
}

int Resources::flush(OpenFile& file) {
  if (file.pending.empty() || file.fd < 0) return 0;
  int error = write_fully(file.fd, file.pending);
  file.pending.clear();
  return error;
}

int Resources::close(OpenFile& file) {
  if (file.fd < 0) return 0;
  int error = flush(file);
  if (::close(file.fd) != 0 && !error && errno != EINTR) error = errno;
  file.fd = -1;
  file.buffered = {};
  file.pending = {};
  return error;
}

void settle_resources(Context& ctx, const std::function<bool(Value*)>& survives) {
  if (ctx.natives) ctx.natives->files.settle(survives);
}

}  // namespace eddy::rt
