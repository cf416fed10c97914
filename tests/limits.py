#!/usr/bin/env python3
"""Limits hold, and nothing is lost, in every tier: each method of a class here is a test, run with each tier's flags;
`limits.py NAME…` runs those whose name contains one of the words."""
import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "cli"))
import run as cli  # noqa: E402

OK, PANIC, LIMIT, INTERRUPTED = cli.OK, cli.PANIC, cli.LIMIT, cli.INTERRUPTED
TIERS = {"interp": ["--tier=interp"], "jit": ["--tier=jit"], "hot": ["--jit-threshold=1", "--osr-threshold=1"]}

# A loop of each kind that compiled code might not look around in.
LOOPS = {
    "while": "fn main() { var i = 0; while true { i += 1 } }",
    "loop": "fn main() { loop { } }",
    "float": "fn main() { var x = 0.0; loop { x += 1.5 } }",
    "array": "fn main() { let a = array(8, 0); loop { a[3] += 1 } }",
    "range": "fn main() { for i in 0..1000000000000 { } }",
    "call": "fn f(n: Int): Int => n + 1\nfn main() { var i = 0; loop { i = f(i) } }",
    "tail": "fn f(n: Int): Unit { f(n + 1) }\nfn main() { f(0) }",
    "mutual": "fn f(n: Int): Unit { g(n) }\nfn g(n: Int): Unit { f(n) }\nfn main() { f(0) }",
    "closure": "fn main() { let f = fn(n: Int) => n + 1; var i = 0; loop { i = f(i) } }",
    "perform": "effect Tick { tick(): Unit }\nfn main() { handle { loop { tick() } } with { tick() => resume(()) } }",
    "capture": "effect Tick { tick(): Int }\nfn main() { handle { loop { tick() } } with "
               "{ tick() => { let r = resume(1); r } } }",
    "abort": "effect Stop { stop(): Unit }\nfn main() { loop { handle { stop() } with { stop() => () } } }",
    "generator": "fn ones() { loop { emit(1) } }\nfn main() { var n = 0; for x in ones { n += x } }",
    "allocate": "fn main() { var xs = []; loop { xs = [1, 2, 3] } }",
}

# What takes long without coming to a call or a loop's end in Eddy code, with flags.
LONG = {
    "product": ([], "fn main() { var x = 3; for i in 0..60 { x = x * x } }"),
    "digits": ([], 'fn main() { var x = 7; for i in 0..22 { x = x * x }; println("${x}".length()) }'),
    "search": ([], 'fn main() { var s = "ab"; for i in 0..24 { s = s ++ s }; var n = 0; '
                   'loop { if s.contains("bb") { n += 1 } } }'),
    "build": ([], 'fn main() { loop { var s = "ab"; for i in 0..26 { s = s ++ s } } }'),
    "sort": ([], "fn main() { let a = array(4000000, 1); for i in 0..4000000 { a[i] = i * 7919 % 1000003 }; "
                 "loop { a.sort() } }"),
    "collect": (["--gc-stress=1", "--verify-heap"],
                "fn main() { var xs = []; loop { xs = [(1, 2.5), ..xs] } }"),
}

WAYS = """effect Ask { ask(): Int }
effect Stop { stop(): Int }
effect Both { multi both(): Bool }
var_decl
fn note(s: String): Unit / IO { println(s) }
fn returns(): Int {
  defer note("defer return")
  handle { defer note("defer in body"); return ask() } with { ask() => resume(7)  finally => note("finally return") }
}
fn main() {
  handle { defer note("defer normal"); ask() } with { ask() => resume(1)  finally => note("finally normal") }
  println(returns())
  for i in 0..3 {
    handle { defer note("defer loop ${i}"); if ask() == 1 { break }; if i == 0 { continue }; () } with {
      ask() => resume(i)
      finally => note("finally loop ${i}")
    }
  }
  println(handle { defer note("defer abort"); stop() } with { stop() => 2  finally => note("finally abort") })
  println(attempt(fn(): Int { handle { defer note("defer panic"); panic("p"); ask() } with {
    ask() => resume(1)
    finally => note("finally panic")
  } }))
  println(handle { defer note("defer drop"); ask() } with { ask() => { drop(resume); 3 }  finally => note("finally drop") })
  println(attempt(fn(): Int { handle { defer note("defer clause"); ask() } with {
    ask() => { let r = resume(1); if r == 1 { panic("clause") }; r }
    finally => note("finally clause")
  } }))
  println(handle { defer note("defer multi"); if both() { 1 } else { 2 } } with {
    both() => { let a = resume(true); a * 10 + resume(false) }
    finally => note("finally multi")
  })
  var kept: Option<fn(Int): Int> = None
  println(handle { defer note("defer kept"); ask() + 1 } with { ask() => { kept = Some(resume); 0 }
    finally => note("finally kept") })
  match kept { Some(k) => { println(k(40)); println(attempt(fn() => k(41))) }  None => () }
  defer note("last")
}
""".replace("var_decl\n", "")
WAYS_OUT = """defer normal
finally normal
defer in body
finally return
defer return
7
"""


class Limits(cli.Tests):
    flags = []

    def eddy_run(self, *args, **how):
        return self.run("run", *self.flags, *args, **how)

    def test_timeout_in_loops(self):
        for name, text in LOOPS.items():
            self.write(name + ".eddy", text)
            # The stack of `capture` grows by more than a megabyte a millisecond.
            heap = "2G" if name == "capture" else "200M"
            self.expect(self.eddy_run("--timeout=0.2", "--max-heap=" + heap, name + ".eddy"), LIMIT, "", "timeout")

    def test_timeout_without_a_safepoint(self):
        # Where the VM looks at nothing for long; each would take minutes.
        for name, (flags, text) in LONG.items():
            self.write(name + ".eddy", text)
            self.expect(self.eddy_run("--timeout=0.2", "--max-heap=900M", *flags, name + ".eddy"), LIMIT, None, "timeout")

    def test_timeout_while_compiling(self):
        lines = "".join(f"  let v{i} = v{i - 1} * {i} + {i}\n" for i in range(1, 60000))
        self.write("long.eddy", f"fn main() {{\n  let v0 = 1\n{lines}  println(v0)\n}}\n")
        self.expect(self.eddy_run("--timeout=0.05", "long.eddy"), LIMIT, "", "timeout")

    def test_timeout_keeps_what_was_printed(self):
        self.write("a.eddy", "fn main() {\n  println(\"before\")\n  var x = 3\n  for i in 0..60 { x = x * x }\n}\n")
        # How long it takes to come to the point is up to the machine.
        for seconds in ("0.3", "2", "20"):
            done = self.eddy_run("--timeout=" + seconds, "a.eddy")
            if done.out:
                break
        self.expect(done, LIMIT, "before\n", "timeout")

    def test_fuel_in_loops(self):
        for name, text in LOOPS.items():
            self.write(name + ".eddy", text)
            self.expect(self.eddy_run("--fuel=30000", name + ".eddy"), LIMIT, "", "fuel")

    # The same count in every tier: the last thing that is printed says how far it came.
    def test_fuel_is_the_same(self):
        self.write("a.eddy", """effect Ask { ask(n: Int): Int }
effect Get { get(): Int }
fn fib(n: Int): Int => if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
fn ones(n: Int) { for i in 0..n { emit(i) } }
fn main() {
  var total = 0
  loop {
    total += fib(7)
    println(total)
    for x in fn() => ones(5) { total += x }
    println(total)
    total += handle { ask(1) + ask(2) } with { ask(n) => resume(n * 2) }
    println(total)
    total += handle { get() + get() } with { get() => { let r = resume(1); r + 1 } }
    println(total)
  }
}
""")
        for fuel in [1, 2, 3, 10, 47, 100, 333, 1000, 4711]:
            expected = self.run("run", "--tier=interp", f"--fuel={fuel}", "a.eddy")
            self.expect(expected, LIMIT, err="fuel")
            self.expect(self.eddy_run(f"--fuel={fuel}", "a.eddy"), LIMIT, expected.out, "fuel")

    def test_heap(self):
        programs = {
            "list": "fn grow(xs) => grow([1, ..xs])\nfn main() { grow([]) }",
            "string": 'fn main() { var s = "ab"; loop { s = s ++ s } }',
            "integer": "fn main() { var n = 3; loop { n = n * n } }",
            "array": "fn main() { var a = [array(1, 0)]; loop { a = [array(100000, 1), ..a] } }",
            "closures": "fn main() { var f = fn(): Int => 0; loop { let g = f; f = fn(): Int => g() } }",
            "continuations": "effect Ask { ask(): Int }\nfn main() { var ks: List<fn(Int): Int> = []; loop { handle { ask() } "
                             "with { ask() => { ks = [resume, ..ks]; 0 } } } }",
        }
        for name, text in programs.items():
            self.write(name + ".eddy", text)
            # Stacks are of the heap's limit too; which of them is met first is the program's affair.
            result = self.eddy_run("--max-heap=24M", name + ".eddy")
            assert result.status == LIMIT and "out of memory" in result.err, (name, result)
        self.write("caught.eddy", "fn main() { for i in 0..3 { println(attempt(fn() => array.length(array(100000000, 0)))) } }")
        result = self.expect(self.eddy_run("--max-heap=24M", "caught.eddy"), OK)
        assert result.out.count("out of memory") == 3, result

    # Not the limit that was asked for but the system's: a clean end all the same.
    def test_address_space(self):
        if self.sanitized:
            return
        self.write("a.eddy", "fn grow(xs) => grow([1, ..xs])\nfn main() { grow([]) }")
        self.write("b.eddy", "fn f(n: Int): Int => 1 + f(n + 1)\nfn main() { println(f(0)) }")
        for megabytes in [40, 60, 100, 200]:
            def limit(bytes_=megabytes << 20):
                resource.setrlimit(resource.RLIMIT_AS, (bytes_, bytes_))
            for name in ["a.eddy", "b.eddy"]:
                result = self.eddy_run(name, preexec_fn=limit)
                assert result.status in (PANIC, LIMIT), (megabytes, name, result)
                assert "out of memory" in result.err or "stack overflow" in result.err, (megabytes, name, result)

    def test_stack(self):
        self.write("a.eddy", "fn f(n: Int): Int => 1 + f(n + 1)\nfn main() { println(f(0)) }")
        self.expect(self.eddy_run("--max-stack=8M", "a.eddy"), PANIC, "", "panic: stack overflow")
        self.write("b.eddy", "fn f(n: Int): Int => 1 + f(n + 1)\n"
                   "fn main() { defer println(\"left\"); for i in 0..3 { println(attempt(fn() => f(0))) } }")
        result = self.expect(self.eddy_run("--max-stack=8M", "b.eddy"), OK)
        assert result.out.count("stack overflow") == 3 and result.out.endswith("left\n"), result
        self.write("c.eddy", "effect Ask { ask(): Int }\nfn f(n: Int): Int => handle { 1 + f(n + 1) + ask() } with "
                   "{ ask() => { let r = resume(1); r } }\nfn main() { println(f(0)) }")
        self.expect(self.eddy_run("--max-stack=8M", "c.eddy"), PANIC, "", "panic: stack overflow")

    def interrupt(self, text, times=1):
        self.write("a.eddy", text)
        child = self.start("run", *self.flags, "a.eddy")
        assert child.stderr.readline() == b"go\n"
        for i in range(times):
            time.sleep(0.2 * self.slow)
            child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=cli.HANGS)
        return child.returncode, out.decode()

    def test_interrupt_runs_what_is_pending(self):
        text = """effect Ask { ask(): Int }
fn main() {
  defer println("outer")
  handle {
    defer println("inner")
    let n = ask()
    eprintln("go")
    var i = 0
    loop { i += n }
  } with { ask() => { let r = resume(1); r }  finally => println("finally") }
}
"""
        status, out = self.interrupt(text)
        assert (status, out) == (INTERRUPTED, "inner\nfinally\nouter\n"), (status, out)

    def test_second_interrupt_forces(self):
        status, out = self.interrupt('fn main() { defer { var j = 0; loop { j += 1 } }; eprintln("go"); var i = 0; '
                                     'loop { i += 1 } }', 2)
        assert (status, out) == (INTERRUPTED, ""), (status, out)

    def test_closed_output(self):
        child = self.start("run", *self.flags, "-e", 'for i in 0..200000 { println("line ${i}") }')
        child.stdout.close()
        err = child.stderr.read().decode()
        child.stdin.close()
        assert child.wait(cli.HANGS) == PANIC and "Broken pipe" in err, err

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.expect(self.eddy_run("-e", "println(1)", stdout=full), PANIC, err="No space left on device")
        self.write("a.eddy", 'import std/file\nfn main() { println(file.write("/dev/full", "text")) }')
        result = self.expect(self.eddy_run("a.eddy"), OK)
        assert "No space left on device" in result.out, result


class Resources(cli.Tests):
    flags = []

    def test_every_way_out_runs_what_is_pending_once(self):
        self.write("a.eddy", WAYS)
        result = self.expect(self.run("run", *self.flags, "a.eddy"), OK)
        lines = result.out.split("\n")
        for way in ["normal", "return", "abort", "panic", "drop", "clause", "kept"]:
            for kind in ["finally"] + (["defer"] if way != "return" else ["defer return", "defer in body"][:1]):
                name = kind if " " in kind else f"{kind} {way}"
                assert lines.count(name) == 1, (name, result)
        # Each copy of a piece has its own; the handler's region is left once for each.
        assert lines.count("defer multi") == 2, result
        for i in range(2):
            assert lines.count(f"defer loop {i}") == 1 and lines.count(f"finally loop {i}") == 1, result
        assert "defer loop 2" not in lines and lines[-2] == "last", result
        assert result.out.startswith(WAYS_OUT), result
        assert result.out == self.run("run", "--tier=interp", "a.eddy").out

    DROPPED = """effect Ask { ask(): Int }
fn main() {
  var kept: Option<fn(Int): Int> = None
  for i in 0..1000000 { handle { let a = array(20, i); ask() + a[3] } with { ask() => ACTION } }
  println("done")
}
"""

    def test_a_million_dropped_resumptions(self):
        for name, action in {"drop": "{ drop(resume); 0 }", "forget": "{ kept = Some(resume); 0 }"}.items():
            self.write(name + ".eddy", self.DROPPED.replace("ACTION", action))
            child = self.start("run", *self.flags, "--max-heap=64M", name + ".eddy")
            out = child.stdout.read()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            assert child.returncode == OK and out == b"done\n", (name, child.returncode, out, child.stderr.read())
            assert self.sanitized or usage.ru_maxrss < 120 << 10, (name, usage.ru_maxrss)
            child.communicate()

    def test_files_of_dropped_resumptions(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
        for name, action in {"drop": "{ drop(resume); 0 }", "forget": "{ kept = Some(resume); 0 }"}.items():
            self.write(name + ".eddy", """import std/file
effect Ask { ask(): Int }
fn main() {
  var kept: Option<fn(Int): Int> = None
  for i in 0..2000 {
    handle {
      match file.open("file.eddy") {
        Ok(f) => { let n = ask(); println(file.read_line(f)); n }
        Err(e) => { println(e); exit(9) }
      }
    } with { ask() => ACTION }
  }
  println("done")
}
""".replace("ACTION", action))
            self.write("file.eddy", "one line\n")
            self.expect(self.run("run", *self.flags, name + ".eddy", preexec_fn=few), OK, "done\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--eddy", default="eddy")
    parser.add_argument("--sanitized", action="store_true")
    parser.add_argument("--slow", type=float, default=1.0)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    cli.Tests.eddy = os.path.abspath(options.eddy) if os.path.exists(options.eddy) else options.eddy
    cli.Tests.sanitized = options.sanitized
    cli.Tests.slow = options.slow
    failed = ran = 0
    for group in [Limits, Resources]:
        for name in [n for n in dir(group) if n.startswith("test_")]:
            if options.names and not any(word in name for word in options.names):
                continue
            for tier, flags in TIERS.items():
                folder = tempfile.mkdtemp(prefix="eddy-limits-")
                test = group(folder)
                test.flags = flags
                ran += 1
                try:
                    getattr(test, name)()
                except (AssertionError, subprocess.TimeoutExpired) as problem:
                    failed += 1
                    print(f"FAILED {name} ({tier})\n  {problem}", flush=True)
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
    print(f"{ran - failed} of {ran} passed")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
