"""What the tests of the `eddy` command share: each method of a class derived from Tests is a test."""
import argparse
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

OK, PANIC, USAGE, LIMIT, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 70, 130
HELLO = 'fn main() { println("hello") }\n'
HANGS = 300  # seconds after which a test gives a process up; a busy machine may be slow
FOREVER = "fn main() { var i = 0; loop { i += 1 } }\n"


class Result:
    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds

    def __repr__(self):
        return f"status {self.status} after {self.seconds:.3f} s\nstdout: {self.out[-1500:]!r}\nstderr: {self.err[-1500:]!r}"


class Tests:
    eddy = "eddy"
    sanitized = False
    slow = 1.0  # how much slower than a release build this one may be

    def __init__(self, folder):
        self.folder = folder

    def run(self, *args, stdin="", **how):
        started = time.monotonic()
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        how.setdefault("stdout", subprocess.PIPE)
        how.setdefault("timeout", HANGS)
        result = subprocess.run([self.eddy, *args], input=data, stderr=subprocess.PIPE, cwd=self.folder, **how)
        out = (result.stdout or b"").decode(errors="replace")
        return Result(result.returncode, out, result.stderr.decode(errors="replace"), time.monotonic() - started)

    def start(self, *args, **how):
        return subprocess.Popen([self.eddy, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                cwd=self.folder, **how)

    def started(self, *args):
        """A program that writes `go` to standard error and runs on."""
        child = self.start(*args)
        assert child.stderr.readline() == b"go\n"
        return child

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return name

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as f:
            return f.read()

    def expect(self, result, status=OK, out=None, err=None, no_err=False):
        assert result.status == status, f"expected status {status}\n{result}"
        if out is not None:
            assert result.out == out, f"expected output {out!r}\n{result}"
        for text in [err] if isinstance(err, str) else err or []:
            assert text in result.err, f"standard error lacks {text!r}\n{result}"
        if no_err:
            assert result.err == "", f"expected nothing on standard error\n{result}"
        return result

def main(wanted=lambda cls: True):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--eddy", default="eddy")
    parser.add_argument("--slow", type=float, default=1, help="factor for times, for instrumented builds")
    parser.add_argument("--sanitized", action="store_true", help="the sanitizers have their own crash reports")
    options = parser.parse_args()
    Tests.sanitized = options.sanitized
    found = shutil.which(options.eddy)
    if not found:
        parser.error("there is no " + options.eddy)
    Tests.eddy, Tests.slow = os.path.abspath(found), options.slow
    os.environ.pop("EDDY_UPDATE_GOLDEN", None)
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")  # not under gdb, and a command ends with what it has
    failed = total = 0
    for cls in filter(wanted, Tests.__subclasses__()):
        for name, _ in inspect.getmembers(cls, inspect.isfunction):
            full = f"{cls.__name__}.{name}"
            if not name.startswith("test_") or (options.names and not any(n in full for n in options.names)):
                continue
            total += 1
            with tempfile.TemporaryDirectory() as folder:
                try:
                    getattr(cls(folder), name)()
                except Exception as problem:  # a test may fail in any way
                    failed += 1
                    print(f"failed: {full}\n{problem if str(problem) else traceback.format_exc()}\n")
    print(f"{total - failed} of {total} passed")
    return 1 if failed or not total else 0


def read_state(path):
    """What a fuzzer or mutator wrote down to go on from: names and numbers."""
    try:
        with open(path, encoding="utf-8") as f:
            return dict((line.split()[0], int(line.split()[1])) for line in f)
    except FileNotFoundError:
        return {}
