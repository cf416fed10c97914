// Whole files and directories. Failures are results: `PATH: why`.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "runtime/memory_limit.h"
#include "runtime/natives/files.h"
#include "runtime/natives/define.h"
#include "runtime/natives/state.h"
#include "runtime/utf8.h"

namespace eddy::rt {

Value file_error(Context& ctx, std::string_view path, std::string_view why) {
  return make_err(ctx, repair_utf8(std::string(path) + ": " + std::string(why)));
}
Value file_error(Context& ctx, std::string_view path, int error) { return file_error(ctx, path, std::strerror(error)); }

std::string path_of(Context& ctx, Value text) {
  native_state(ctx).files.flush_all();
  std::string path(string_view_of(text));
  // The system would stop at a zero byte and take another file; an empty path names none.
  return path.find('\0') == std::string::npos ? path : std::string();
}

namespace {

Value read(Context& ctx, Value* args) {
  std::string path = path_of(ctx, args[0]);
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return file_error(ctx, path, errno);
  std::string text;
  struct stat info{};
  if (fstat(fd, &info) == 0 && info.st_size > 0) {
    if (!check_size(ctx, static_cast<uint64_t>(info.st_size))) return ::close(fd), kNull;
    text.reserve(static_cast<size_t>(info.st_size) + 1);
  }
  char chunk[1 << 16];
  for (;;) {
    ssize_t n = ::read(fd, chunk, sizeof chunk);
    if (n == 0) break;
    if (n < 0) {
      if (errno == EINTR && ctx.interrupt.load() == Interrupt::None) continue;
      int error = errno;
      ::close(fd);
      return file_error(ctx, path, error);
    }
    text.append(chunk, static_cast<size_t>(n));
    if (text.size() > kMaxStringBytes || !check_size(ctx, text.size())) {
      ::close(fd);
      return panic(ctx, "out of memory");
    }
  }
  ::close(fd);
  if (!valid_utf8(text)) return file_error(ctx, path, "not valid UTF-8");
  return make_ok(ctx, make_string(ctx, text));
}

Value write_with(Context& ctx, Value* args, int flags) {
  std::string path = path_of(ctx, args[0]);
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
  if (fd < 0) return file_error(ctx, path, errno);
  int error = write_fully(fd, string_view_of(args[1]));
  if (::close(fd) != 0 && !error && errno != EINTR) error = errno;
  return error ? file_error(ctx, path, error) : make_ok(ctx, kUnit);
}

Value write(Context& ctx, Value* args) { return write_with(ctx, args, O_TRUNC); }
Value append(Context& ctx, Value* args) { return write_with(ctx, args, O_APPEND); }

Value exists(Context& ctx, Value* args) {
  struct stat info{};
  return bool_value(::stat(path_of(ctx, args[0]).c_str(), &info) == 0);
}
Value is_file(Context& ctx, Value* args) {
  struct stat info{};
  return bool_value(::stat(path_of(ctx, args[0]).c_str(), &info) == 0 && S_ISREG(info.st_mode));
}
Value is_directory(Context& ctx, Value* args) {
  struct stat info{};
  return bool_value(::stat(path_of(ctx, args[0]).c_str(), &info) == 0 && S_ISDIR(info.st_mode));
}

Value size(Context& ctx, Value* args) {
  std::string path = path_of(ctx, args[0]);
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return file_error(ctx, path, errno);
  return make_ok(ctx, int_from_i64(ctx, info.st_size));
}

Value modified(Context& ctx, Value* args) {
  std::string path = path_of(ctx, args[0]);
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return file_error(ctx, path, errno);
  return make_ok(ctx, int_from_i64(ctx, static_cast<int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec));
}

Value remove(Context& ctx, Value* args) {
  std::string path = path_of(ctx, args[0]);
  if (std::remove(path.c_str()) != 0) return file_error(ctx, path, errno);
  return make_ok(ctx, kUnit);
}

Value rename(Context& ctx, Value* args) {
  std::string from = path_of(ctx, args[0]), to = path_of(ctx, args[1]);
  if (std::rename(from.c_str(), to.c_str()) != 0) return file_error(ctx, from, errno);
  return make_ok(ctx, kUnit);
}

Value create_directory(Context& ctx, Value* args) {
  std::string path = path_of(ctx, args[0]);
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && !std::filesystem::is_directory(path, error) && !error) error = std::make_error_code(std::errc::file_exists);
  return error ? file_error(ctx, path, error.value()) : make_ok(ctx, kUnit);
}

Value list(Context& ctx, Value* args) {
  std::string path = path_of(ctx, args[0]);
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator at(path, error), end;
  while (!error && at != end) {
    names.push_back(repair_utf8(at->path().filename().native()));
    at.increment(error);
  }
  if (error) return file_error(ctx, path, error.value());
  std::sort(names.begin(), names.end());
  return make_ok(ctx, make_text_list(ctx, names));
}

const Native table[] = {
    define<"s", read>("file.read"),
    define<"ss", write>("file.write"),
    define<"ss", append>("file.append"),
    define<"s", exists>("file.exists", kNoAllocation),
    define<"s", is_file>("file.is_file", kNoAllocation),
    define<"s", is_directory>("file.is_directory", kNoAllocation),
    define<"s", size>("file.size"),
    define<"s", modified>("file.modified"),
    define<"s", remove>("file.remove"),
    define<"ss", rename>("file.rename"),
    define<"s", create_directory>("file.create_directory"),
    define<"s", list>("file.list"),
};

}  // namespace

const std::span<const Native> file_natives = table;

}  // namespace eddy::rt
