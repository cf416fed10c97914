// Open files, read and written piece by piece.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/natives/define.h"
#include "runtime/natives/files.h"
#include "runtime/natives/state.h"
#include "runtime/utf8.h"

namespace eddy::rt {

namespace {

constexpr size_t kPending = 1 << 16;

OpenFile* open_file(Context& ctx, Value file) {
  OpenFile* found = native_state(ctx).files.find(as<Resource>(file)->index);
  return found && found->fd >= 0 ? found : nullptr;
}

Value open(Context& ctx, Value* args) {
  static constexpr int kFlags[] = {O_RDONLY, O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_CREAT | O_APPEND};
  if (!args[1].is_small() || static_cast<uint64_t>(args[1].small()) > 2) return panic_index(ctx, args[1], 3);
  std::string path = path_of(ctx, args[0]);
  auto open_it = [&] { return ::open(path.c_str(), kFlags[args[1].small()] | O_CLOEXEC, 0666); };
  int fd = open_it();
  if (fd < 0 && errno == EMFILE) {
    ctx.heap->collect_major();  // closes the files that nobody can reach
    fd = open_it();
  }
  if (fd < 0) return file_error(ctx, path, errno);
  auto file = std::make_unique<OpenFile>();
  file->fd = fd;
  file->path = path;
  Value resource = ptr_value(ctx.heap->allocate(Kind::Resource, 0, sizeof(Resource)));
  native_state(ctx).files.add(std::move(file), resource);
  return make_ok(ctx, resource);
}

Value read_line(Context& ctx, Value* args) {
  OpenFile* file = open_file(ctx, args[0]);
  if (!file) return make_err(ctx, "file is closed");
  size_t searched = file->taken, end;
  while ((end = file->buffered.find('\n', searched)) == std::string::npos && !file->at_end) {
    file->buffered.erase(0, file->taken);
    file->taken = 0;
    searched = file->buffered.size();
    char chunk[1 << 14];
    ssize_t n = ::read(file->fd, chunk, sizeof chunk);
    if (n > 0) {
      file->buffered.append(chunk, static_cast<size_t>(n));
    } else if (n == 0) {
      file->at_end = true;
    } else if (errno != EINTR || ctx.interrupt.load() != Interrupt::None) {
      return file_error(ctx, file->path, errno);
    }
  }
  if (end == std::string::npos) {
    file->at_end = false;  // more may be appended later
    if (file->taken == file->buffered.size()) return make_ok(ctx, make_none());
    end = file->buffered.size();
  }
  std::string_view line(file->buffered.data() + file->taken, end - file->taken);
  file->taken = std::min(end + 1, file->buffered.size());
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  Value text = valid_utf8(line) ? make_string(ctx, line) : make_string(ctx, repair_utf8(line));
  return make_ok(ctx, make_some(ctx, text));
}

Value write_text(Context& ctx, Value* args) {
  OpenFile* file = open_file(ctx, args[0]);
  if (!file) return make_err(ctx, "file is closed");
  file->pending += string_view_of(args[1]);
  int error = 0;
  if (file->pending.size() >= kPending) error = Resources::flush(*file);
  return error ? file_error(ctx, file->path, error) : make_ok(ctx, kUnit);
}

Value close(Context& ctx, Value* args) {
  OpenFile* file = open_file(ctx, args[0]);
  if (!file) return kUnit;
  if (int error = Resources::close(*file)) return panic(ctx, repair_utf8(file->path) + ": " + std::strerror(error));
  return kUnit;
}

const Native table[] = {
    define<"si", open>("file.open"),
    define<"r", read_line>("file.read_line"),
    define<"rs", write_text>("file.write_text"),
    define<"r", close>("file.close", kNoAllocation),
};

}  // namespace

const std::span<const Native> file_handle_natives = table;

}  // namespace eddy::rt
