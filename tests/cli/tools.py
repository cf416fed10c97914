"""`eddy check`, `build`, `disasm`, `asm`, `verify`, `test`, `fmt` and `doc`."""
import json
import os
import subprocess
import time

from support import HELLO, OK, PANIC, USAGE, Tests


class Check(Tests):
    def test_good(self):
        self.write("a.eddy", HELLO)
        self.write("b.eddy", "fn f(x) => x")
        self.expect(self.run("check", "a.eddy", "b.eddy"), OK, "", no_err=True)

    def test_bad(self):
        self.write("a.eddy", 'fn main() {\n  let x: Int = "a"\n}')
        self.write("b.eddy", "fn main() { nope }")
        result = self.expect(self.run("check", "a.eddy", "b.eddy"), USAGE, "", ["a.eddy:2:16", '2 |   let x: Int = "a"', "^^^", "b.eddy:1:13"])

    def test_json(self):
        self.write("a.eddy", 'fn main() {\n  let x: Int = "a"\n  nope\n}')
        result = self.expect(self.run("check", "--json", "a.eddy"), USAGE, no_err=True)
        found = [json.loads(line) for line in result.out.splitlines()]
        assert len(found) == 2 and {d["severity"] for d in found} == {"error"}, result
        self.write("b.eddy", HELLO)
        self.expect(self.run("check", "--json", "b.eddy"), OK, "", no_err=True)

    def test_standard_input(self):
        self.expect(self.run("check", "-", stdin=HELLO), OK, "", no_err=True)

    def test_some_files_missing(self):
        self.write("a.eddy", HELLO)
        self.expect(self.run("check", "nope.eddy", "a.eddy"), USAGE, "", "nope.eddy")


class Modules(Tests):
    PROGRAM = """import std/map
type Shape { Circle(r: Float)  Square(side: Float) }
effect Ask { ask(n: Int): Int; multi pick(): Bool; stop(): Never }
let big = 123456789012345678901234567890
fn area(s) => match s { Circle(r) => r * r * 3.0  Square(a) => a * a }
@memo fn fib(n: Int): Int => if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
fn main(args: List<String>) {
  println(area(Circle(2.0)), )
  println(big)
  println(fib(50))
  println(map.from_list([(1, 'a'), (2, '\\u{1F600}')]))
  let all = handle { let x = if pick() { 1 } else { 2 }; [x + ask(x)] } with {
    ask(n) => resume(n * 10)
    pick() => resume(true) ++ resume(false)
    stop() => []
  }
  println("${all} ${args}")
}
"""
    OUT = '12.0\n123456789012345678901234567890\n12586269025\nmap.from_list([(1, \'a\'), (2, \'😀\')])\n[11, 22] ["x"]\n'

    def program(self):
        return self.PROGRAM.replace("println(area(Circle(2.0)), )", "println(area(Circle(2.0)))")

    def test_round_trip(self):
        self.write("a.eddy", self.program())
        self.expect(self.run("run", "a.eddy", "x"), OK, self.OUT)
        self.expect(self.run("build", "a.eddy", "-o", "a.ebc"), OK, "", no_err=True)
        self.expect(self.run("run", "a.ebc", "x"), OK, self.OUT)
        self.expect(self.run("a.ebc", "x"), OK, self.OUT)
        self.expect(self.run("verify", "a.ebc"), OK, "", no_err=True)
        listing = self.expect(self.run("disasm", "--plain", "a.ebc"), OK, no_err=True).out
        self.write("a.eas", listing)
        self.expect(self.run("asm", "a.eas", "-o", "b.ebc"), OK, "", no_err=True)
        assert self.read("a.ebc") == self.read("b.ebc"), "not the same bytes"
        assert self.expect(self.run("disasm", "--plain", "a.eddy"), OK).out == listing

    def test_build_is_deterministic(self):
        self.write("a.eddy", self.program())
        self.run("build", "a.eddy", "-o", "a.ebc")
        self.run("build", "a.eddy", "-o", "b.ebc")
        assert self.read("a.ebc") == self.read("b.ebc")

    def test_module_from_standard_input(self):
        self.write("a.eddy", HELLO)
        self.run("build", "a.eddy", "-o", "a.ebc")
        self.expect(self.run("run", "-", stdin=self.read("a.ebc")), OK, "hello\n")

    def test_traces_of_modules_have_places(self):
        self.write("a.eddy", "fn main() {\n  panic(\"oh\")\n}")
        self.run("build", "a.eddy", "-o", "a.ebc")
        self.expect(self.run("a.ebc"), PANIC, "", ["panic: oh", "a.eddy:2:3"])

    def test_build_needs_main_and_a_place(self):
        self.write("a.eddy", "fn f() => 1")
        self.expect(self.run("build", "a.eddy", "-o", "a.ebc"), USAGE, "", "main")
        self.write("b.eddy", HELLO)
        self.expect(self.run("build", "b.eddy", "-o", "no/such/a.ebc"), USAGE, "", "No such file")

    def test_damaged_modules(self):
        self.write("a.eddy", self.program())
        self.run("build", "a.eddy", "-o", "a.ebc")
        good = self.read("a.ebc")
        for name, data in {"cut": good[: len(good) // 2], "header": good[:9], "flipped": good[:200] + b"\x55" + good[201:],
                           "version": good[:6] + b"\xff\xff" + good[8:]}.items():
            self.write(name + ".ebc", data)
            for command in ["verify", "run", "disasm"]:
                self.expect(self.run(command, name + ".ebc"), USAGE, "", name + ".ebc")
        self.write("text.ebc", "hello")
        self.expect(self.run("verify", "text.ebc"), USAGE, "", "text.ebc")

    def test_disasm(self):
        self.write("a.eddy", "fn twice(n) => n * 2\nfn main() { println(twice(4)) }")
        result = self.expect(self.run("disasm", "a.eddy"), OK)
        assert "function twice" in result.out and "fn twice(n) => n * 2" in result.out, result
        result = self.expect(self.run("disasm", "--fn", "twice", "a.eddy"), OK)
        assert "function twice" in result.out and "function main" not in result.out, result
        self.expect(self.run("disasm", "--fn=nope", "a.eddy"), USAGE, "", "nope")

    def test_asm_errors(self):
        self.write("a.eas", "function f {\n  NOPE r1\n}\n")
        self.expect(self.run("asm", "a.eas", "-o", "a.ebc"), USAGE, "", "a.eas:2:")
        self.write("b.eas", "main main\nfunction main params 0 {\n  RET r3\n}\n")
        self.expect(self.run("asm", "b.eas", "-o", "b.ebc"), USAGE, "", "b.eas")


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
        how.setdefault("timeout", 120)
        result = subprocess.run([self.eddy, *args], input=data, stderr=subprocess.PIPE, cwd=self.folder, **how)
        out = (result.stdout or b"").decode(errors="replace")
        return Result(result.returncode, out, result.stderr.decode(errors="replace"), time.monotonic() - started)

    def start(self, *args, **how):
        return subprocess.Popen([self.eddy, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                cwd=self.folder, **how)

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


class Format(Tests):
    def test_files(self):
        self.write("a.eddy", "fn   main( ) {println(1)}\n")
        self.expect(self.run("fmt", "--check", "a.eddy"), PANIC, "a.eddy\n")
        before = self.read("a.eddy")
        self.expect(self.run("fmt", "a.eddy"), OK, "", no_err=True)
        assert self.read("a.eddy") != before
        self.expect(self.run("fmt", "--check", "a.eddy"), OK, "", no_err=True)
        self.expect(self.run("run", "a.eddy"), OK, "1\n")

    def test_standard_input(self):
        result = self.expect(self.run("fmt", "-", stdin="fn f( x )=>x"), OK, no_err=True)
        assert result.out == "fn f(x) => x\n", result

    def test_errors(self):
        self.write("a.eddy", "fn f( {")
        self.expect(self.run("fmt", "a.eddy"), USAGE, "", "a.eddy:1:")
        assert self.read("a.eddy") == b"fn f( {"
        self.expect(self.run("fmt", "nope.eddy"), USAGE, "", "nope.eddy")


class Doc(Tests):
    def test_file(self):
        self.write("a.eddy", "effect Ask { ask(): Int }\n/// Asks twice.\nfn twice() => ask() + ask()\nprivate fn hidden() => 1\n")
        result = self.expect(self.run("doc", "a.eddy"), OK, no_err=True)
        assert "Asks twice." in result.out and "fn twice(): Int / " in result.out and "Ask" in result.out, result
        assert "hidden" not in result.out, result

    def test_library(self):
        result = self.expect(self.run("doc", "std/list", "std/map"), OK, no_err=True)
        assert "fold" in result.out, result

    def test_errors(self):
        self.write("a.eddy", "fn f() => nope")
        self.expect(self.run("doc", "a.eddy"), USAGE, "", "a.eddy:1:11")
