// Printing and reading, with the standard streams put aside.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "runtime/natives/state.h"
#include "tests/unit/runtime_fixture.h"

namespace eddy::rt {
namespace {

// Puts `fd` in place of a standard stream for as long as this lives.
class Redirect {
 public:
  Redirect(int stream, int fd) : stream_(stream) {
    std::fflush(stdout);
    saved_ = dup(stream);
    dup2(fd, stream);
    close(fd);
  }
  ~Redirect() {
    dup2(saved_, stream_);
    close(saved_);
  }

 private:
  int stream_, saved_;
};

struct Pipe {
  Pipe() { EXPECT_EQ(pipe(ends), 0); }
  std::string drain() {
    std::string text;
    char chunk[4096];
    for (ssize_t n; (n = read(ends[0], chunk, sizeof chunk)) > 0;) text.append(chunk, static_cast<size_t>(n));
    close(ends[0]);
    return text;
  }
  int ends[2];
};

class ConsoleTest : public RuntimeTest {
 protected:
  // Feeds `input` to standard input while `body` runs.
  template <class Body>
  void with_input(const std::string& input, Body body) {
    Pipe pipe;
    ASSERT_EQ(write(pipe.ends[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
    close(pipe.ends[1]);
    Redirect redirect(STDIN_FILENO, pipe.ends[0]);
    body();
  }
};

TEST_P(ConsoleTest, Printing) {
  Pipe pipe;
  {
    Redirect redirect(STDOUT_FILENO, pipe.ends[1]);
    call("print", {small_int(1)});
    call("print", {make().text("a\n").values[0]});
    call("println", {make().text("b").list(1).values[0]});
    call("println", {char_value('c')});
    std::string problem;
    EXPECT_TRUE(flush_output(ctx, &problem));
  }
  EXPECT_EQ(pipe.drain(), "1a\n[\"b\"]\nc\n");
}

TEST_P(ConsoleTest, OutputComesBeforeErrors) {
  Pipe pipe;
  {
    Redirect out(STDOUT_FILENO, dup(pipe.ends[1]));
    Redirect err(STDERR_FILENO, pipe.ends[1]);
    call("print", {small_int(1)});
    call("eprintln", {small_int(2)});
    call("print", {small_int(3)});
    call("eprint", {small_int(4)});
    call("flush", {});
  }
  EXPECT_EQ(pipe.drain(), "12\n34");
}

TEST_P(ConsoleTest, LongOutputArrivesWhole) {
  std::FILE* kept = std::tmpfile();
  ASSERT_NE(kept, nullptr);
  int keep = fileno(kept);
  int file = dup(keep);
  {
    Redirect redirect(STDOUT_FILENO, file);
    for (int i = 0; i < 50000; ++i) call("println", {small_int(i)});
    call("flush", {});
  }
  EXPECT_EQ(lseek(keep, 0, SEEK_END), 10 * 2 + 90 * 3 + 900 * 4 + 9000 * 5 + 40000 * 6);
  std::fclose(kept);
}

TEST_P(ConsoleTest, OutputThatFails) {
  {
    Redirect redirect(STDOUT_FILENO, open("/dev/full", O_WRONLY));
    EXPECT_EQ(show(call("print", {small_int(1)})), "()");
    EXPECT_EQ(show(call("flush", {})), "panic: standard output: No space left on device");
    EXPECT_EQ(show(call("flush", {})), "()");  // what failed is gone
  }
  Pipe pipe;
  close(pipe.ends[0]);
  Redirect redirect(STDOUT_FILENO, pipe.ends[1]);
  call("print", {small_int(1)});
  std::string problem;
  EXPECT_FALSE(flush_output(ctx, &problem));
  EXPECT_FALSE(flush_output(ctx, &problem));
  EXPECT_EQ(problem, "Broken pipe");
}

TEST_P(ConsoleTest, Lines) {
  with_input("one\r\ntwo é\n\nb\xff\nlast", [&] {
    EXPECT_EQ(show(call("read_line", {})), "Some(\"one\")");
    EXPECT_EQ(show(call("read_line", {})), "Some(\"two é\")");
    EXPECT_EQ(show(call("read_line", {})), "Some(\"\")");
    EXPECT_EQ(show(call("read_line", {})), "Some(\"b\xef\xbf\xbd\")");
    EXPECT_EQ(show(call("read_line", {})), "Some(\"last\")");
    EXPECT_EQ(show(call("read_line", {})), "None");
    EXPECT_EQ(show(call("read_line", {})), "None");
  });
}

TEST_P(ConsoleTest, TheRest) {
  with_input("one\ntwo\nthree\n", [&] {
    EXPECT_EQ(show(call("read_line", {})), "Some(\"one\")");
    EXPECT_EQ(show(call("read_all", {})), R"("two\nthree\n")");
    EXPECT_EQ(show(call("read_all", {})), "\"\"");
    EXPECT_EQ(show(call("read_line", {})), "None");
  });
}

RUNTIME_TESTS(ConsoleTest);

}  // namespace
}  // namespace eddy::rt
