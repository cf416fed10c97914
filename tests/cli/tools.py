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
        self.expect(self.run("verify", "text.ebc"), USAGE, "", err=["text.ebc", "no module file"])

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


class Test(Tests):
    FILE = "@test fn good() { assert(1 + 1 == 2) }\n@test fn bad() {\n  assert(1 == 2)\n}\nfn main() { }\n"

    def test_files_and_folders(self):
        self.write("t/a.eddy", self.FILE)
        self.write("t/deep/b.eddy", "@test fn other() { }")
        result = self.expect(self.run("test", "t"), PANIC, err=["ok     good", "FAILED bad", "assertion failed", "t/a.eddy:3:3", "ok     other", "2 passed, 1 failed"])
        result = self.expect(self.run("test", "t/deep/b.eddy"), OK, err=["1 passed, 0 failed"])
        self.expect(self.run("test"), PANIC, err=["2 passed, 1 failed"])

    def test_failures_show_the_source(self):
        self.write("a.eddy", self.FILE)
        self.expect(self.run("test", "a.eddy"), PANIC, err=["assert(1 == 2)"])

    def test_filter(self):
        self.write("a.eddy", self.FILE)
        result = self.expect(self.run("test", "--filter", "goo", "a.eddy"), OK, err=["1 passed, 0 failed"])
        assert "bad" not in result.err, result

    def test_broken_files(self):
        self.write("a.eddy", "@test fn t() { nope }")
        self.write("b.eddy", "@test fn fine() { }")
        self.expect(self.run("test", "a.eddy", "b.eddy"), USAGE, err=["unknown name", "1 passed", "1 file does not compile"])

    def test_nothing_there(self):
        self.expect(self.run("test", "nope"), USAGE, err="nope")

    def test_limits(self):
        self.write("a.eddy", "@test fn slow() { var i = 0; loop { i += 1 } }\n@test fn fine() { }")
        self.expect(self.run("test", "--timeout=0.2", "a.eddy"), PANIC, err=["FAILED slow", "timeout", "ok     fine"])

    def test_with_stress(self):
        self.write("a.eddy", "@test fn t() { assert([1, 2].map(fn(x) => x + 1) == [2, 3]) }")
        self.expect(self.run("test", "--gc-stress", "--verify-heap", "a.eddy"), OK)


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
