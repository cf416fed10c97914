#include "runtime/resources.h"

#include <unistd.h>

#include <cerrno>

#include "runtime/natives/state.h"

namespace eddy::rt {

Resources::~Resources() {
  for (auto& file : files_)
    if (file) close(*file);
}

uint32_t Resources::add(std::unique_ptr<OpenFile> file) {
  ++live_;
  if (free_.empty()) {
    files_.push_back(std::move(file));
    return static_cast<uint32_t>(files_.size() - 1);
  }
  uint32_t index = free_.back();
  free_.pop_back();
  files_[index] = std::move(file);
  return index;
}

OpenFile* Resources::find(uint64_t index) { return index < files_.size() ? files_[index].get() : nullptr; }

void Resources::sweep(const std::function<bool(uint32_t)>& is_live) {
  for (uint32_t i = 0; i < files_.size(); ++i) {
    if (!files_[i] || is_live(i)) continue;
    close(*files_[i]);
    files_[i].reset();
    free_.push_back(i);
    --live_;
  }
}

void Resources::flush_all() {
  for (auto& file : files_)
    if (file) flush(*file);
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

void sweep_resources(Context& ctx, const std::function<bool(uint32_t)>& is_live) {
  if (ctx.natives) ctx.natives->files.sweep(is_live);
}

bool has_resources(const Context& ctx) { return ctx.natives && !ctx.natives->files.empty(); }

}  // namespace eddy::rt
