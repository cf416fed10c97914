"""`eddy run`: what is run, how it ends, its errors and limits."""
import json
import os
import re
import signal
import subprocess
import time

from support import FOREVER, HANGS, HELLO, INTERNAL, INTERRUPTED, LIMIT, OK, PANIC, USAGE, Tests


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
        self.expect(self.run("a.eddy"), USAGE)

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
        self.write("a.eddy", 'fn main() { defer println("cleaned"); println("out"); eprintln("go"); var i = 0; loop { i += 1 } }')
        child = self.started("a.eddy")
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=HANGS)
        assert child.returncode == INTERRUPTED and out.decode() == "out\ncleaned\n", (child.returncode, out, err)

    def test_ctrl_c_is_not_caught(self):
        self.write("a.eddy", 'fn main() { let r = attempt(fn() { eprintln("go"); var i = 0; loop { i += 1 } }); println(r) }')
        child = self.started("a.eddy")
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=HANGS)
        assert child.returncode == INTERRUPTED and out == b"", (child.returncode, out, err)

    def test_ctrl_c_while_reading_and_sleeping(self):
        for code in ["read_line()", "time.sleep(30000)"]:
            self.write("a.eddy", "import std/time\nfn main() { defer println(\"cleaned\"); eprintln(\"go\"); " + code + "; () }")
            child = self.started("a.eddy")
            time.sleep(0.3)  # most likely it waits by then
            child.send_signal(signal.SIGINT)
            child.wait(HANGS)  # before its input is closed
            out, err = child.communicate(timeout=HANGS)
            assert child.returncode == INTERRUPTED and out == b"cleaned\n", (code, child.returncode, out, err)

    def test_second_ctrl_c_forces(self):
        self.write("a.eddy", 'fn main() { defer { eprintln("still"); var j = 0; loop { j += 1 } }; eprintln("go"); var i = 0; loop { i += 1 } }')
        child = self.started("a.eddy")
        child.send_signal(signal.SIGINT)
        assert child.stderr.readline() == b"still\n"
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=HANGS)
        assert child.returncode == INTERRUPTED

    def test_crash_report(self):
        # A fatal signal from outside looks like one from inside.
        if self.sanitized:
            return  # the sanitizer reports
        self.write("a.eddy", 'fn main() { eprintln("go"); var i = 0; loop { i += 1 } }')
        child = self.started("run", "a.eddy", "it's")
        child.send_signal(signal.SIGSEGV)
        out, err = child.communicate(timeout=HANGS)
        assert child.returncode == INTERNAL, child.returncode
        assert b"internal error" in err and b"run a.eddy 'it'\\''s'" in err, err

    def test_usage(self):
        for words in [["--nope"], ["run", "--nope", "x"], ["run"], ["check"], ["build", "x.eddy"], ["asm", "x.eas"],
                      ["verify"], ["fmt"], ["doc"], ["run", "--timeout=soon", "x"], ["run", "--timeout=-1", "x"],
                      ["run", "--stats=xml", "x"], ["run", "--trace=dreams", "x"], ["run", "--max-heap=1Q", "x"],
                      ["run", "--fuel=-3", "x"], ["run", "--log-level=loud", "x"], ["check", "--stats", "x"]]:
            result = self.expect(self.run(*words), USAGE, "")
            assert result.err.startswith("eddy: "), result
        result = self.expect(self.run(), USAGE, "", err=["Usage: eddy"])

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
        assert result.seconds > 0.25, result

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
            self.expect(self.run("--timeout=0.3", name + ".eddy"), LIMIT, "", "timeout")
        child = self.start("--timeout=0.3", "read.eddy")
        assert child.wait(HANGS) == LIMIT
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
        for flag in ["--jit-threshold=-1", "--osr-threshold=many"]:
            self.expect(self.run(flag, "a.eddy"), USAGE, "", err=["is not a number, 0 or more"])

    def test_filter(self):
        self.write("a.eddy", "fn half(n) => n / 2\nfn halves(n) => half(n) + half(n + 1)\nfn main() { println(halves(4)) }")
        for glob, compiled in {"half": ["half"], "hal*": ["half", "halves"], "*s": ["halves"], "[a-h]???": ["half"],
                               "alv": [], "*": ["half", "halves", "main"]}.items():
            result = self.expect(self.run("--tier=jit", "--no-opt=inline", "--trace=jit", "--jit-filter=" + glob, "a.eddy"), OK, "4\n")
            assert sorted(set(re.findall(r"compile (half|halves|main) ", result.err))) == compiled, (glob, result)

    def test_listings(self):
        self.write("a.eddy", self.LOOP)
        for flag in ["--jit", "--ir"]:
            if os.uname().machine == "x86_64":
                result = self.expect(self.run("disasm", flag, "--fn=square", "a.eddy"), OK, no_err=True)
                assert "square" in result.out, result
                assert result.out.count("; rare from here on\n") == (flag == "--jit"), result
