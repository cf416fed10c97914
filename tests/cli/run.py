#!/usr/bin/env python3
"""Tests of the `eddy` command: every flag, exit status and error path. Each method of a class here is a test;
`run.py NAME…` runs those whose name contains one of the words."""
import argparse
import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

OK, PANIC, USAGE, LIMIT, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 70, 130
HELLO = 'fn main() { println("hello") }\n'
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


class Run(Tests):
    def test_file(self):
        self.write("a.eddy", HELLO)
        self.expect(self.run("run", "a.eddy"), OK, "hello\n", no_err=True)

    def test_run_may_be_left_out(self):
        self.write("a.eddy", HELLO)
        self.expect(self.run("a.eddy"), OK, "hello\n")
        self.expect(self.run("--fuel=1000", "a.eddy"), OK, "hello\n")

    def test_standard_input(self):
        self.expect(self.run("run", "-", stdin=HELLO), OK, "hello\n")
        self.expect(self.run("-", stdin="fn main() { let x: Int = true }"), USAGE, "", "<stdin>")

    def test_expression(self):
        self.expect(self.run("-e", "println(1 + 2)"), OK, "3\n", no_err=True)
        self.expect(self.run("run", "-e", "1 + 2"), OK, "", no_err=True)
        self.expect(self.run("-e", "let x = 20; fn twice(n) => n * 2; println(twice(x) + 2)"), OK, "42\n")
        self.expect(self.run("-e", "fn main() { println(args()) }", "a", "b"), OK, '["a", "b"]\n')
        self.expect(self.run("-e", ""), USAGE)
        self.expect(self.run("-e", "1 +"), USAGE, "", "-e:1")

    def test_arguments(self):
        self.write("a.eddy", "fn main(args: List<String>) { println(args) }")
        self.expect(self.run("a.eddy"), OK, "[]\n")
        self.expect(self.run("run", "a.eddy", "x", "--stats", "-e", "ü", ""), OK, '["x", "--stats", "-e", "ü", ""]\n')
        self.expect(self.run("run", "--", "a.eddy", "--", "x"), OK, '["--", "x"]\n')

    def test_exit_statuses(self):
        self.expect(self.run("-e", "fn main(): Int => 7"), 7)
        self.expect(self.run("-e", "fn main(): Int => 256 + 3"), 3)
        self.expect(self.run("-e", 'print("x"); exit(9)'), 9, "x")
        self.expect(self.run("-e", 'print("x"); panic("oh")'), PANIC, "x", ["panic: oh\n", "-e:1:"])
        self.expect(self.run("-e", "println(nope)"), USAGE, "", "unknown name `nope`")

    def test_program_must_have_main(self):
        self.write("a.eddy", "fn f() => 1")
        self.expect(self.run("a.eddy"), USAGE, "", "no function `main`")

    def test_unhandled_effect(self):
        self.write("a.eddy", "effect Ask { ask(): Int }\nfn main() { println(ask()) }")
        self.expect(self.run("a.eddy"), USAGE, "", ["Ask", "a.eddy:2:21"])

    def test_missing_file(self):
        self.expect(self.run("nope.eddy"), USAGE, "", "nope.eddy: No such file or directory")

    def test_folder(self):
        self.expect(self.run("."), USAGE, "", "is a directory")

    def test_unreadable_file(self):
        self.write("a.eddy", HELLO)
        os.chmod(os.path.join(self.folder, "a.eddy"), 0)
        if os.geteuid() != 0:
            self.expect(self.run("a.eddy"), USAGE, "", "Permission denied")

    def test_invalid_utf8(self):
        self.write("a.eddy", b'fn main() { println("\xff") }')
        self.expect(self.run("a.eddy"), USAGE, "", "UTF-8")

    def test_nul_bytes(self):
        self.write("a.eddy", b"fn main() { \0 }")
        self.expect(self.run("a.eddy"), USAGE, "", "a.eddy:1:13")

    def test_empty_file(self):
        self.write("a.eddy", "")
        self.expect(self.run("a.eddy"), USAGE, "", "main")

    def test_deep_nesting_is_an_error(self):
        self.write("a.eddy", "fn main() { " + "(" * 100000 + "1" + ")" * 100000 + " }")
        assert self.expect(self.run("a.eddy"), USAGE).seconds < 2 * self.slow

    def test_path(self):
        self.write("lib/shapes.eddy", "fn area() => 6")
        self.write("src/a.eddy", "import shapes\nfn main() { println(shapes.area()) }")
        self.expect(self.run("src/a.eddy"), USAGE, "", "shapes")
        self.expect(self.run("run", "--path=lib", "src/a.eddy"), OK, "6\n")
        self.expect(self.run("run", "--path", "nowhere", "--path", "lib", "src/a.eddy"), OK, "6\n")

    def test_reads_its_standard_input(self):
        self.write("a.eddy", "fn main() { loop { match read_line() { None => break\n Some(l) => println(\"<${l}>\") } } }")
        self.expect(self.run("a.eddy", stdin="one\ntwo"), OK, "<one>\n<two>\n")

    def test_output_order(self):
        self.write("a.eddy", 'fn main() { print("a"); eprintln("b"); print("c"); panic("d") }')
        both = self.run("a.eddy", stdout=subprocess.PIPE)
        self.expect(both, PANIC, "ac", "b\npanic: d")

    def test_colours_only_on_a_terminal(self):
        assert "\x1b" not in self.run("-e", "nope").err


class Errors(Tests):
    def test_closed_standard_output(self):
        code = 'for i in 0..200000 { println("line ${i}") }'
        child = self.start("-e", code)
        child.stdout.close()
        err = child.stderr.read().decode()
        child.stdin.close()
        assert child.wait(60) == PANIC and "Broken pipe" in err, err

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.expect(self.run("-e", "println(1)", stdout=full), PANIC, err="No space left on device")
            self.expect(self.run("--version", stdout=full), PANIC)
            self.write("a.eddy", "/// Doc.\nfn f() => 1\n")
            self.expect(self.run("doc", "a.eddy", stdout=full), PANIC, err="standard output")
            self.expect(self.run("disasm", "a.eddy", stdout=full), PANIC, err="standard output")
        self.write("b.eddy", HELLO)
        self.expect(self.run("build", "b.eddy", "-o", "/dev/full"), USAGE, err="No space left on device")

    def test_ctrl_c_runs_defers(self):
        self.write("a.eddy", 'fn main() { defer println("cleaned"); println("go"); var i = 0; loop { i += 1 } }')
        child = self.start("a.eddy")
        time.sleep(0.5 * self.slow)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
        assert child.returncode == INTERRUPTED and out.decode() == "go\ncleaned\n", (child.returncode, out, err)

    def test_ctrl_c_is_not_caught(self):
        self.write("a.eddy", 'fn main() { let r = attempt(fn() { var i = 0; loop { i += 1 } }); println(r) }')
        child = self.start("a.eddy")
        time.sleep(0.5 * self.slow)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
        assert child.returncode == INTERRUPTED and out == b"", (child.returncode, out, err)

    def test_ctrl_c_while_reading_and_sleeping(self):
        for code in ["read_line()", "time.sleep(30000)"]:
            self.write("a.eddy", "import std/time\nfn main() { defer println(\"cleaned\"); " + code + "; () }")
            child = self.start("a.eddy")
            time.sleep(0.5 * self.slow)
            child.send_signal(signal.SIGINT)
            child.wait(20)  # before its input is closed
            out, err = child.communicate(timeout=20)
            assert child.returncode == INTERRUPTED and out == b"cleaned\n", (code, child.returncode, out, err)

    def test_second_ctrl_c_forces(self):
        self.write("a.eddy", 'fn main() { defer { var j = 0; loop { j += 1 } }; var i = 0; loop { i += 1 } }')
        child = self.start("a.eddy")
        time.sleep(0.5 * self.slow)
        child.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert child.poll() is None
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=20)
        assert child.returncode == INTERRUPTED

    def test_crash_report(self):
        # A fatal signal from outside looks like one from inside.
        if self.sanitized:
            return  # the sanitizer reports
        self.write("a.eddy", FOREVER)
        child = self.start("run", "a.eddy", "it's")
        time.sleep(0.3)
        child.send_signal(signal.SIGSEGV)
        out, err = child.communicate(timeout=20)
        assert child.returncode == INTERNAL, child.returncode
        assert b"internal error" in err and b"run a.eddy 'it'\\''s'" in err, err

    def test_usage(self):
        for words in [["--nope"], ["run", "--nope", "x"], ["run"], ["check"], ["build", "x.eddy"], ["asm", "x.eas"],
                      ["verify"], ["fmt"], ["doc"], ["run", "--timeout=soon", "x"], ["run", "--timeout=-1", "x"],
                      ["run", "--stats=xml", "x"], ["run", "--trace=dreams", "x"], ["run", "--max-heap=1Q", "x"],
                      ["run", "--fuel=-3", "x"], ["run", "--log-level=loud", "x"], ["check", "--stats", "x"]]:
            result = self.expect(self.run(*words), USAGE, "")
            assert result.err.startswith("eddy: "), result
        result = self.expect(self.run(), USAGE)

    def test_help(self):
        for command in ["run", "check", "build", "test", "repl", "disasm", "asm", "verify", "fmt", "doc"]:
            for words in [[command, "--help"], ["help", command]]:
                result = self.expect(self.run(*words), OK, no_err=True)
                assert "Usage:" in result.out
            assert command in self.run("--help").out
        text = self.run("run", "--help").out
        for flag in ["--stats", "--trace", "--log-level", "--max-heap", "--max-stack", "--fuel", "--timeout", "--gc-stress",
                     "--verify-heap", "--seed", "--path"]:
            assert flag in text, flag
        assert "1G" in text and "Limits" in text

    def test_version(self):
        result = self.expect(self.run("--version"), OK, no_err=True)
        assert result.out.startswith("eddy "), result


class Limits(Tests):
    def test_timeout_of_a_tight_loop(self):
        self.write("a.eddy", FOREVER)
        result = self.expect(self.run("--timeout=0.3", "a.eddy"), LIMIT, "", "timeout")
        assert 0.25 < result.seconds < 0.3 + 0.25 * self.slow, result

    def test_timeout_keeps_the_output(self):
        self.write("a.eddy", 'fn main() { println("before"); defer println("never"); var i = 0; loop { i += 1 } }')
        self.expect(self.run("--timeout=0.2", "a.eddy"), LIMIT, "before\n", "timeout")

    def test_timeout_everywhere(self):
        self.write("sleep.eddy", "import std/time\nfn main() { time.sleep(30000) }")
        self.write("native.eddy", "fn main() { println(int.bit_count(int.pow(3, 300000000))) }")
        self.write("perform.eddy", "effect Tick { tick(): Unit }\nfn main() { handle { loop { tick() } } with { tick() => resume(()) } }")
        self.write("fibers.eddy", "fn ones() { loop { emit(1) } }\nfn main() { var n = 0; for x in ones { n += x } }")
        self.write("read.eddy", "fn main() { let l = read_line() }")
        for name in ["sleep", "native", "perform", "fibers"]:
            result = self.expect(self.run("--timeout=0.3", name + ".eddy"), LIMIT, "", "timeout")
            assert result.seconds < 0.3 + 0.5 * self.slow, (name, result)
        child = self.start("--timeout=0.3", "read.eddy")
        assert child.wait(20) == LIMIT
        child.communicate()

    def test_timeout_not_reached(self):
        self.expect(self.run("--timeout=60", "-e", "println(1)"), OK, "1\n", no_err=True)

    def test_fuel(self):
        self.write("a.eddy", FOREVER)
        self.expect(self.run("--fuel=100000", "a.eddy"), LIMIT, "", "fuel")
        self.write("b.eddy", "fn main() { var i = 0; while i < 1000 { i += 1 }; println(i) }")
        self.expect(self.run("--fuel=100", "b.eddy"), LIMIT, "")
        self.expect(self.run("--fuel=100000", "b.eddy"), OK, "1000\n")

    def test_fuel_is_deterministic(self):
        self.write("a.eddy", "fn f(n) { println(n); f(n + 1) }\nfn main() { f(0) }")
        outs = {self.expect(self.run("--fuel=5000", "a.eddy"), LIMIT).out for _ in range(3)}
        assert len(outs) == 1
        assert self.run("--fuel=5000", "--gc-stress=50", "a.eddy").out in outs

    def test_heap(self):
        self.write("a.eddy", "fn grow(xs) => grow([1, ..xs])\nfn main() { grow([]) }")
        self.expect(self.run("--max-heap=32M", "a.eddy"), LIMIT, "", "out of memory")
        self.write("b.eddy", "fn main() { println(attempt(fn() => array(100000000, 0))) }")
        result = self.expect(self.run("--max-heap=32M", "b.eddy"), OK, err=[])
        assert "out of memory" in result.out, result

    def test_stack(self):
        self.write("a.eddy", "fn f(n: Int): Int => 1 + f(n + 1)\nfn main() { println(f(0)) }")
        self.expect(self.run("--max-stack=8M", "a.eddy"), PANIC, "", "panic: stack overflow")
        self.write("b.eddy", "fn f(n: Int): Int => if n == 0 { 0 } else { 1 + f(n - 1) }\nfn main() { println(f(1000000)) }")
        self.expect(self.run("b.eddy"), OK, "1000000\n")

    def test_sizes(self):
        for size in ["64M", "65536K", "1G", "67108864"]:
            self.expect(self.run("--max-heap", size, "-e", "println(1)"), OK, "1\n")


class Insight(Tests):
    STATE = """effect State { get(): Int; put(v: Int): Unit }
fn count(n: Int) { if n > 0 { put(get() + 1); count(n - 1) } }
fn main() { var s = 0; handle { count(100) } with { get() => resume(s)  put(v) => { s = v; resume(()) } }; println(s) }
"""

    def test_stats_table(self):
        self.write("a.eddy", self.STATE)
        result = self.expect(self.run("--stats", "a.eddy"), OK, "100\n", ["performs", "collector", "fibers", "handler cache"])
        row = [line for line in result.err.splitlines() if line.split()[:1] == ["tail"]][0]
        assert row.split()[-1] == "200", row

    def test_stats_json(self):
        self.write("a.eddy", self.STATE)
        result = self.expect(self.run("run", "--stats=json", "a.eddy"), OK, "100\n")
        stats = json.loads(result.err)
        assert stats["performs"]["tail"] == 200, stats
        assert stats["handler_cache"]["hits"] + stats["handler_cache"]["misses"] == 200, stats
        assert stats["time"]["interpreter_ns"] + stats["time"]["machine_code_ns"] > 0, stats
        generator = "fn main() { let f = fn() { emit(1); emit(2) }; handle { f() } with { emit(x) => { resume(()); () } } }"
        stats = json.loads(self.expect(self.run("--stats=json", "-e", generator), OK).err)
        assert stats["resumes"]["not_tail"] == 2 and stats["fibers"]["made"] >= 2, stats

    def test_stats_after_a_panic(self):
        result = self.expect(self.run("--stats=json", "-e", 'panic("x")'), PANIC)
        json.loads(result.err[result.err.index("{"):])

    def test_trace_effects(self):
        self.write("a.eddy", self.STATE.replace("100", "1"))
        result = self.expect(self.run("--trace=effects", "a.eddy"), OK, "1\n")
        lines = result.err.splitlines()
        assert [line.split()[1] for line in lines if line.startswith("perform")] == ["State.get", "State.put"], result
        assert "a.eddy:2:" in lines[0] and "fiber" in lines[0], result

    def test_trace_gc(self):
        result = self.expect(self.run("--trace=gc", "--gc-stress", "-e", "println([1, 2, 3])"), OK, "[1, 2, 3]\n")
        assert "minor collection" in result.err, result
        both = self.expect(self.run("--trace=gc,effects", "--gc-stress=100", "-e", "println(1)"), OK, "1\n")

    def test_gc_stress_and_heap_verifier(self):
        self.write("a.eddy", self.STATE)
        self.expect(self.run("--gc-stress", "--verify-heap", "a.eddy"), OK, "100\n", no_err=True)
        self.expect(self.run("--gc-stress=3", "--verify-heap", "a.eddy"), OK, "100\n", no_err=True)

    def test_seed(self):
        code = "import std/random\nfn main() { let r = random.system(); println(random.next(r)) }"
        self.write("a.eddy", code)
        one = [self.expect(self.run("--seed=1", "a.eddy"), OK).out for _ in range(2)]
        other = self.expect(self.run("--seed=2", "a.eddy"), OK).out
        assert one[0] == one[1] != other

    def test_log_level(self):
        for level in ["trace", "debug", "info", "warn", "error", "off"]:
            self.expect(self.run("--log-level=" + level, "-e", "println(1)"), OK, "1\n")


class Compiler(Tests):
    LOOP = "fn square(n: Int): Int => n * n\nfn main() { var s = 0; for i in 0..2000 { s += square(i) }; println(s) }"

    def test_tiers(self):
        self.write("a.eddy", self.LOOP)
        for flags in [["--tier=auto"], ["--tier=interp"], ["--tier=jit"], ["--jit-threshold=1"], ["--osr-threshold=1"],
                      ["--tier", "jit", "--jit-filter=square"], ["--jit-threshold=1", "--osr-threshold=1", "--gc-stress=5"]]:
            self.expect(self.run(*flags, "a.eddy"), OK, "2664667000\n", no_err=True)
        self.expect(self.run("--tier=fast", "a.eddy"), USAGE, "")
        self.expect(self.run("--jit-threshold=-1", "a.eddy"), USAGE, "")

    def test_listings(self):
        self.write("a.eddy", self.LOOP)
        for flag in ["--jit", "--ir"]:
            if os.uname().machine == "x86_64":
                result = self.expect(self.run("disasm", flag, "--fn=square", "a.eddy"), OK, no_err=True)
                assert "square" in result.out, result


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


class Repl(Tests):
    def session(self, text, *flags):
        return self.run("repl", *flags, stdin=text)

    def test_values_and_types(self):
        result = self.session("1 + 2\nlet x = 5\nx * 2\nit1\n\"a\"\nprintln(\"out\")\n")
        self.expect(result, OK, '3 : Int\nx = 5 : Int\n10 : Int\n3 : Int\n"a" : String\nout\n', no_err=True)

    def test_constants_are_evaluated_once(self):
        self.expect(self.session("let r = { println(\"once\"); ref(0) }\nr.value = 7\nr.value\n"), OK,
                    "once\nr = ref(0) : Ref<Int>\n7 : Int\n")

    def test_declarations(self):
        self.expect(self.session("fn f(n) => n + 1\nf(1)\nfn f(s) => s ++ \"!\"\nf(\"a\")\ntype P(x: Int)\nP(3).x\n"), OK,
                    'f : fn(Int): Int\n2 : Int\nf : fn(String): String\n"a!" : String\n3 : Int\n')

    def test_several_lines(self):
        self.expect(self.session("fn f(n) {\n  n * 2\n}\nf(\n4)\n\"\"\"\n  a\n  \"\"\"\n"), OK, None)
        out = self.session("fn f(n) {\n  n * 2\n}\nf(\n4)\n").out
        assert out == "f : fn(Int): Int\n8 : Int\n", out

    def test_errors_leave_the_session(self):
        result = self.expect(self.session("let x = 1\nnope\n1 / 0\n1 +\n\nx\n"), OK, "x = 1 : Int\n1 : Int\n",
                             ["unknown name `nope`", "repl:1:1", "panic: division by zero"])

    def test_effects(self):
        result = self.session("effect Ask { ask(): Int }\nfn f() => ask() + 1\n:type f\n:effects f\n:effects ask()\n"
                              "handle { f() } with { ask() => resume(41) }\nask()\n")
        lines = result.out.splitlines()
        assert lines[-1] == "42 : Int" and "Ask" in lines[-2] and "Ask" in lines[-3] and "fn(): Int" in lines[-4], result
        assert "nobody handles" in result.err, result

    def test_asm_and_time(self):
        result = self.expect(self.session("fn f(n) => n + 1\n:asm f\n:asm 1 + f(2)\n:time f(1)\n"), OK, None, no_err=True)
        assert "function f" in result.out and "CALL" in result.out and " ms" in result.out, result

    def test_load(self):
        self.write("lib/a.eddy", "import b\nlet k = 3\nfn f() => k + b.g()\n")
        self.write("lib/b.eddy", "fn g() => 1\n")
        result = self.expect(self.session(":load lib/a.eddy\nf()\n:load nope.eddy\n"), OK, None, "nope.eddy")
        assert result.out.endswith("4 : Int\n"), result

    def test_commands(self):
        result = self.expect(self.session(":help\n:nope\n:type\n:quit\n1\n"), OK, None, [":nope", "needs an expression"])
        assert ":effects" in result.out and "1 : Int" not in result.out, result

    def test_exit_and_limits(self):
        self.expect(self.session("exit(4)\n1\n"), 4, "")
        self.expect(self.session("loop { }\n1\n", "--fuel=1000"), LIMIT, "")


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


if __name__ == "__main__":
    sys.exit(main())
