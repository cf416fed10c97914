#!/usr/bin/env python3
"""Tests of what the `eddy` command shows of a running program: statistics, names for gdb, traces, profiles, explanations."""
import json
import os
import re
import shutil
import subprocess

import run
from programs import GENERATOR, STATE
from run import OK, PANIC, USAGE

TIERS = ["--tier=interp", "--tier=jit", "--tier=auto"]


class Statistics(run.Tests):
    def stats(self, text, *flags):
        self.write("a.eddy", text)
        return json.loads(self.expect(self.run(*flags, "--stats=json", "a.eddy"), OK).err)

    def test_the_same_performs_in_every_tier(self):
        for tier in TIERS:
            stats = self.stats(STATE, tier)
            assert stats["performs"]["tail"] == 20000, (tier, stats)
            cache = stats["handler_cache"]
            assert cache["hits"] + cache["misses"] == 20000, (tier, stats)
            assert (stats["performs"]["in_line_in_machine_code"] > 0) == (tier != "--tier=interp"), (tier, stats)

    def test_the_same_resumes_in_every_tier(self):
        tail = "fn main() { handle { for i in 0..3000 { emit(i) } } with { emit(x) => { let y = x; defer (); resume(()) } } }"
        inner = "fn main() { handle { for i in 0..3000 { emit(i) } } with { emit(x) => { resume(()); () } } }"
        for tier in TIERS:
            stats = self.stats(GENERATOR, tier)
            assert stats["performs"]["once"] == 5000 and stats["resumes"]["escaped"] == 5000, (tier, stats)
            assert stats["handlers"]["captures"] == 5000 and stats["fibers"]["copied_for_captures_bytes"] == 0, (tier, stats)
            stats = self.stats(inner, tier)
            assert stats["resumes"]["not_tail"] == 3000, (tier, stats)
            self.stats(tail, tier)

    def test_time_and_compilation(self):
        stats = self.stats(STATE, "--tier=jit", "--no-opt=inline")
        compiled = stats["compiled"]
        assert compiled["functions"] >= 2 and compiled["code_bytes"] > 100, stats
        assert 0 < stats["time"]["longest_compilation_ns"] <= stats["time"]["compiling_ns"], stats
        assert stats["time"]["machine_code_ns"] > 0, stats
        assert self.stats(STATE, "--tier=interp")["compiled"]["functions"] == 0

    def test_peaks(self):
        deep = "fn deep(n: Int): Int => if n == 0 { 0 } else { 1 + deep(n - 1) }\nfn main() { println(deep(20000)) }"
        nest = ("effect Ask { ask(): Int }\nfn nest(n: Int): Int => if n == 0 { ask() } else { handle { nest(n - 1) } with { ask() => resume(n) } }\n"
                "fn main() { println(handle { nest(499) } with { ask() => resume(0) }) }")
        for tier in TIERS:
            frames = self.stats(deep, tier)["frames"]["peak"]
            assert 10000 <= frames <= 20010, (tier, frames)
            handlers = self.stats(nest, tier)["handlers"]["peak"]
            assert 250 <= handlers <= 500 and (handlers == 500 or tier == "--tier=jit"), (tier, handlers)

    def test_frames_of_the_interpreter_are_taken_over(self):
        """Those that wait below choices are copied with them: once they wait in machine code, so do all copies."""
        text = """effect Flip { multi flip(): Int }
fn flips(n: Int): Int => if n == 0 { 0 } else { let below = flips(n - 1); below + flip() }
fn main() { println(handle { flips(14) } with { return n => n  flip() => resume(0) + resume(1) }) }"""
        returns = 2 ** 14  # to one frame or another
        for tier in TIERS:
            taken = self.stats(text, tier)["frames"]["taken_over"]
            assert (0 < taken < returns / 4) if tier == "--tier=auto" else taken == 0, (tier, taken)

    def test_leaving_machine_code_has_reasons(self):
        grow = "fn grow(a: Int, n: Int): Int => if n == 0 { a } else { grow(a + a, n - 1) }\nfn main() { for i in 0..100 { grow(1, 100) } }"
        deopts = self.stats(grow, "--tier=jit")["deoptimisations"]
        assert deopts["a_number_that_is_no_small_Int"] > 0, deopts
        self.write("a.eddy", grow)
        err = self.expect(self.run("--trace=jit", "--tier=jit", "a.eddy"), OK).err
        assert "leave grow (a.eddy:1:" in err and ": a number that is no small Int\n" in err, err
        assert sum(self.stats("fn main() { println(1) }", "--tier=jit")["deoptimisations"].values()) == 0

    def test_what_becomes_of_performs(self):
        """Each outcome of a perform's cache has its counter."""
        def run(kinds, late=0):
            handlers = "".join(f"fn h{k}(n: Int): Int => handle {{ use(n) }} with {{ ask() => resume({k}) }}\n" for k in range(kinds))
            calls = "".join(f"else if i % {kinds} == {k} {{ h{k}(100) }} " for k in range(kinds))
            stats = self.stats("effect Ask { ask(): Int }\nfn use(n: Int): Int => if n == 0 { 0 } else { ask() + use(n - 1) }\n" + handlers +
                               "fn other(n: Int): Int => handle { use(n) } with { ask() => resume(9) }\n"
                               "fn main() { var s = 0\n for i in 0..400 { s += if i < 0 { 0 } " + calls + "else { 0 } }\n"
                               f" for i in 0..{late} {{ s += other(100) }}; println(s) }}")
            cache, performs = stats["handler_cache"], stats["performs"]
            assert performs["tail"] == cache["hits"] + cache["misses"] == 100 * (400 + late), stats
            return cache, performs["in_line_in_machine_code"], stats["compiled"]["again"], stats["deoptimisations"]["another_handler"]
        for kinds in (1, 2, 3):  # one handler, several: in line, and nothing is left or made again
            cache, in_line, again, left = run(kinds)
            assert in_line > 30000 and cache["megamorphic_sites"] == again == left == 0, (kinds, cache, in_line, again, left)
        cache, in_line, again, left = run(5)  # too many: looked up
        assert cache["megamorphic_sites"] == 1 and in_line == again == left == 0, (cache, in_line, again, left)
        cache, in_line, again, left = run(1, 100)  # another one later: left, then made again for both
        assert cache["megamorphic_sites"] == 0 and left > 0 and again == 1 and in_line > 45000, (cache, in_line, again, left)
        # Behind a resumption what a cell says is of an older context: the handler is searched for, once.
        text = """effect Yield { yield(): Unit }
effect Tick { tick(): Unit }
fn main() {
  var c = 0
  handle {
    for i in 0..50 { handle { yield(); tick(); tick() } with { yield() => { resume(()); () } } }
  } with { tick() => { c += 1; resume() } }
  println(c)
}"""
        for tier in TIERS:
            cache = self.stats(text, tier)["handler_cache"]
            assert cache["misses"] == 50 and cache["hits"] == 100, (tier, cache)

    def test_table_is_aligned(self):
        self.write("a.eddy", STATE)
        lines = self.expect(self.run("--stats", "a.eddy"), OK).err.splitlines()
        rows = [line for line in lines if line.startswith("  ")]
        assert len({len(row) for row in rows}) == 1, lines
        assert lines[0] == "time" and "  tail   " in "\n".join(rows), lines


class TraceCompiler(run.Tests):
    def test_compilations_and_departures(self):
        self.write("a.eddy", STATE)
        lines = self.expect(self.run("--trace=jit", "a.eddy"), OK, "10000\n").err.splitlines()
        assert any(re.fullmatch(r"compile (from the middle of )?count \(a\.eddy:\d+:\d+\): \d+ bytes in \d+ us", line) for line in lines), lines


class Gdb(run.Tests):
    """What gdb shows of a running program. Where a machine forbids to trace processes, as containers do, the code that gdb
    is told of is still made, and the script for it read."""
    PROGRAM = """effect Yield { yield(value: Int): Unit }
effect State { get(): Int; put(v: Int): Unit }
fn report(n: Int) {
  put(get() + n)
  if n == 3 { eprintln("three") }
}
fn numbers(n: Int) {
  for i in 0..n {
    yield(i)
    report(i)
  }
}
fn drive(n: Int): Int {
  let r = handle { numbers(n) } with {
    yield(v) => { let r = resume(()); r }
  }
  n
}
fn main() {
  var s = 0
  handle { drive(6) } with {
    get() => resume(s)
    put(v) => { s = v; resume(()) }
  }
  println(s)
}
"""
    SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/gdb/eddy.py")
    # The program's own line on standard error; sanitizers write too, into pipes of theirs.
    STOP = "catch syscall write\ncondition 1 $rdi == 2\nrun\n"

    def allowed(self):
        assert shutil.which("gdb"), "gdb is not installed"
        result = subprocess.run(["gdb", "-q", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "run", "--args", "true"],
                                cwd=self.folder, capture_output=True, text=True, timeout=run.HANGS)
        if "exited normally" in result.stdout:
            return True
        refusals = ("ptrace", "not permitted", "could not trace", "cannot trace", "denied", "not implemented")
        assert any(word in result.stderr.lower() for word in refusals), (result.stdout, result.stderr)
        print("gdb may not trace processes on this machine, so nothing was stopped in it:", " ".join(result.stderr.split())[:200])
        return False

    def test_without_tracing(self):
        self.write("a.eddy", self.PROGRAM)
        for flags in [["--tier=interp"], ["--tier=jit"], ["--tier=jit", "--jit-filter=number*"], ["--jit-threshold=1", "--osr-threshold=1"]]:
            self.expect(self.run("--gdb", *flags, "a.eddy"), OK, "15\n", "three")
        result = subprocess.run(["gdb", "-q", "-nx", "-batch", "-ex", f"source {self.SCRIPT}", "-ex", "help eddy bt", "-ex", "eddy bt"],
                                cwd=self.folder, capture_output=True, text=True, timeout=run.HANGS)
        assert "eddy bt" in result.stdout and "Traceback" not in result.stderr, (result.stdout, result.stderr)

    def gdb(self, commands, *flags, program=PROGRAM):
        self.write("a.eddy", program)
        self.write("commands", "set pagination off\nset debuginfod enabled off\nset breakpoint pending on\nset width 0\n" + commands)
        result = subprocess.run(["gdb", "-q", "-nx", "-batch", "-x", "commands", "--args", self.eddy, "--gdb", *flags, "a.eddy"],
                                cwd=self.folder, capture_output=True, text=True, timeout=run.HANGS)
        return result.stdout + result.stderr

    def test_our_backtrace_in_the_middle_of_a_resumed_computation(self):
        if not self.allowed():
            return
        # Three times resumed: each resumption waits in its clause.
        waits = r"#\d+ +Yield.yield \(a.eddy:15:27\), fiber 1\n"
        frames = (r"#0 +report \(a.eddy:5:15\), fiber 2\n#1 +numbers \(a.eddy:10:5\), fiber 2\n#2 +handle \(a.eddy:14:20\), fiber 2\n" +
                  waits * 4 + r"#7 +drive \(a.eddy:14:11\), fiber 1\n#8 +main \(a.eddy:21:12\), fiber 1\n")
        for flags in [["--tier=interp"], ["--tier=jit"], ["--tier=jit", "--jit-filter=number*"], ["--jit-threshold=1", "--osr-threshold=1"]]:
            out = self.gdb(f"source {self.SCRIPT}\n{self.STOP}eddy bt\neddy bt 2\neddy fibers\n", *flags)
            assert re.search(frames, out), (flags, out)
            assert "#1   numbers (a.eddy:10:5), fiber 2\n(more frames follow)" in out and "fiber 1: " in out, (flags, out)

    def test_backtrace_of_gdb(self):
        if not self.allowed():
            return
        out = self.gdb(f"{self.STOP}bt\n", "--tier=jit")
        body = os.path.realpath(os.path.join(self.folder, "a.eddy"))
        lines = [line for line in out.splitlines() if line.startswith("#")]
        eddy = [re.sub(r"^#\d+ +(0x[0-9a-f]+ in )?", "", line) for line in lines if body in line]
        assert eddy[0] == f"report () at {body}:5" or eddy[0] == f"numbers () at {body}:5", out
        assert f"handle Yield in drive () at {body}:14" in eddy, out
        assert eddy.count(f"handler Yield.yield () at {body}:15") == 4 and eddy[-1].startswith("main () at "), out
        assert "eddy::tool::run" in lines[-4] or any("Vm::run_main" in line for line in lines[-8:]), out
        assert lines.index(next(line for line in lines if "main () at " + body in line)) < len(lines) - 3, out

    def test_breakpoints(self):
        if not self.allowed():
            return
        deep = "fn deep(n: Int): Int => if n == 0 { 0 } else { 1 + deep(n - 1) }\nfn main() {\n  println(deep(500))\n}\n"
        out = self.gdb("break deep\nrun\nbt 1\ndelete\nbreak a.eddy:1\ncontinue\ndelete\ncontinue\n", "--tier=jit", program=deep)
        assert re.search(r"#0 .*deep \(\) at .*a.eddy:1", out) and "exited normally" in out, out

    def test_between_tiers(self):
        if not self.allowed():
            return
        # Frames of both kinds, and through the interpreter's; the C library may have no names here.
        out = self.gdb(f"{self.STOP}bt\n", "--tier=jit", "--jit-filter=*r*")
        between = r"\n(#\d+ +<signal handler called>\n)+#\d+ +\S+ in "
        assert re.search(r"report \(\) at .*a.eddy:5" + between + r"drive \(\) at .*a.eddy:14", out) and "Vm::run_main" in out and not re.search(r"\?\? \(\)(?! from)", out), out


class Profile(run.Tests):
    WORK = """effect Tick { tick(n: Int): Int }
effect Yield { yield(value: Int): Unit }
fn spin(n: Int): Int { var s = 0; for i in 0..n { s = (s + i * 7) % 1000003 }; s }
fn work(n: Int) { for i in 0..n { yield(i); tick(spin(10000)) } }
fn serve(n: Int): Int {
  var t = 0
  handle { work(n) } with { yield(v) => { t = t + spin(10000); let r = resume(()); r } }
  t
}
fn main() {
  println(handle { serve(1500) } with { tick(n) => resume(spin(10000) + n) })
}
"""

    def profile(self, *flags):
        self.write("a.eddy", self.WORK)
        self.expect(self.run(*flags, "--profile=out.folded", "a.eddy"), OK, no_err=True)
        stacks = {}
        for line in self.read("out.folded").decode().splitlines():
            stack, count = line.rsplit(" ", 1)
            assert stack not in stacks and int(count) > 0, line
            stacks[stack] = int(count)
        return stacks

    def test_stacks_go_through_handlers_and_resumptions(self):
        for flags in [["--tier=interp"], ["--tier=auto"]]:
            stacks = self.profile(*flags)
            assert all(stack.startswith("main") for stack in stacks), stacks
            ends = {}
            for stack, count in stacks.items():
                names = stack.split(";")
                if names[-1] == "spin":
                    ends[names[-2]] = ends.get(names[-2], 0) + count
            # The performer below the clause that resumed it, and a clause above its performer.
            assert "work" in ends and "handler Tick.tick" in ends and "handler Yield.yield" in ends, (flags, stacks)
            assert any("handler Yield.yield;" in stack and ";work;handler Tick.tick;spin" in stack for stack in stacks), (flags, stacks)

    def test_flame_graph(self):
        import xml.dom.minidom
        self.write("a.eddy", self.WORK)
        self.expect(self.run("--profile", "out.svg", "a.eddy"), OK, no_err=True)
        text = self.read("out.svg").decode()
        titles = [node.firstChild.data for node in xml.dom.minidom.parseString(text).getElementsByTagName("title")]
        assert titles[0].startswith("all — ") and "100.0 %" in titles[0], titles
        assert any(title.startswith("handler Tick.tick at a.eddy:11:") for title in titles), titles
        assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), "it refers to something else"

    def test_deep_stacks_are_cut(self):
        self.write("a.eddy", """fn odd(n: Int): Int => if n == 0 { spin(3000000) } else { 1 + even(n - 1) }
fn even(n: Int): Int => if n == 0 { spin(3000000) } else { 1 + odd(n - 1) }
fn spin(n: Int): Int { var s = 0; for i in 0..n { s = (s + i) % 7 }; s }
fn main() { println(odd(100000)) }
""")
        self.expect(self.run("--profile=out", "a.eddy"), OK)
        lines = self.read("out").decode().splitlines()
        assert any(line.startswith("(older frames);") for line in lines) and max(map(len, lines)) < 5000, lines[:3]

    def test_problems(self):
        self.expect(self.run("--profile=no/where", "-e", "println(1)"), PANIC, "1\n", "no/where")
        self.expect(self.run("--profile=out", "-e", 'panic("x")'), PANIC)
        assert os.path.exists(os.path.join(self.folder, "out"))


class Traces(run.Tests):
    def effects(self, text, *flags):
        self.write("a.eddy", text)
        return self.expect(self.run("--trace=effects", *flags, "a.eddy"), OK).err

    def test_effects_are_the_same_in_every_tier(self):
        for program in [STATE.replace("10000", "50"), GENERATOR.replace("5000", "20"), Gdb.PROGRAM]:
            traces = [self.effects(program, *flags) for flags in
                      [["--tier=interp"], ["--tier=jit"], ["--jit-threshold=1", "--osr-threshold=1"], ["--gc-stress=3"]]]
            assert traces.count(traces[0]) == len(traces) and "perform " in traces[0], traces

    def test_to_a_file(self):
        self.write("a.eddy", STATE)
        self.expect(self.run("--trace=effects", "--trace-file=out", "a.eddy"), OK, "10000\n", no_err=True)
        assert len(self.read("out").splitlines()) == 20000
        self.expect(self.run("--trace=effects", "--trace-file=no/where", "a.eddy"), OK, "10000\n", "no/where")
        self.expect(self.run("--trace=effects", "--trace-file=/dev/full", "a.eddy"), OK, "10000\n", "could not be written")

    def chrome(self, text, *flags):
        self.write("a.eddy", text)
        self.expect(self.run("--trace-format=chrome", "--trace-file=out.json", *flags, "a.eddy"), OK, no_err=True)
        return json.loads(self.read("out.json"))

    def test_chrome(self):
        for tier in TIERS:
            events = self.chrome(GENERATOR.replace("5000", "20"), "--trace=effects", tier)
            stamps = [e["ts"] for e in events]
            assert stamps == sorted(stamps) and len(set(stamps)) == len(stamps), tier
            open_ = None  # one fiber runs at a time
            arrows = {}
            for e in events:
                if e["ph"] == "B":
                    assert open_ is None
                    open_ = e["tid"]
                elif e["ph"] == "E":
                    assert open_ == e["tid"]
                    open_ = None
                else:
                    assert e["tid"] == open_, e
                if e["ph"] in "sf":
                    arrows.setdefault(e["id"], []).append((e["ph"], e["tid"], e["name"]))
            assert open_ is None
            for ends in arrows.values():
                assert [end for end, _, _ in ends] == ["s", "f"] and ends[0][1] != ends[1][1] and ends[0][2] == ends[1][2], ends
            names = [ends[0][2] for ends in arrows.values()]
            assert names.count("perform") == 20 and names.count("resume") == 20, (tier, names)
            performs = [e for e in events if e.get("name") == "perform Yield.yield"]
            assert len(performs) == 20 and performs[0]["args"]["kind"] == "once" and "a.eddy:3:" in performs[0]["args"]["at"], performs[:1]

    def test_chrome_takes_everything(self):
        events = self.chrome(STATE, "--trace=effects,calls,jit,gc", "--gc-stress")
        assert any(e.get("name", "").startswith("minor collection") for e in events) and any(e.get("name") == "call count(10000)" for e in events)
        events = self.chrome('fn main() { println("q\\"uo\\\\te\\n"); f("q\\"uo\\\\te\\n") }\nfn f(s: String) { println(s) }\n', "--trace=calls,jit")
        assert any("q" in e.get("name", "") for e in events), events

    def test_calls(self):
        self.write("a.eddy", "fn add(a: Int, b: String): Int { let f = fn(x) { x + 1 }; f(a) }\nfn main() {\n  println(add(1, \"two\"))\n}\n")
        for tier in TIERS:
            lines = self.expect(self.run("--trace=calls", tier, "a.eddy"), OK, "2\n").err.splitlines()
            assert lines[0] == "call main() in fiber 1 from outside", lines
            assert lines[1] == 'call add(1, "two") in fiber 1 from main (a.eddy:3:11)', lines
            assert len(lines) == 3 and lines[2].endswith("(1) in fiber 1 from main (a.eddy:3:11)"), lines

    def test_a_million_events_take_linear_time_and_no_memory(self):
        # Peak memory of the process with ten times the events. AddressSanitizer would keep what was freed.
        import resource
        options = {"env": {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}}
        peaks = []
        for n in ["50000", "500000"]:
            self.write("a.eddy", STATE.replace("10000", n))
            self.expect(self.run("--trace=effects", "--trace-format=chrome", "--trace-file=/dev/null", "a.eddy", **options), OK)
            peaks.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        assert peaks[1] - peaks[0] < 20000, peaks  # KiB


class Explain(run.Tests):
    ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    # What the design's table implies for each clause of the benchmark programs.
    KINDS = {
        "ackermann": {},
        "concurrent_search": {"Yield.yield": "once"},
        "countdown": {"State.get": "tail", "State.set": "tail"},
        "fibonacci_recursive": {},
        "generator": {"Yield.yield": "once"},
        "handler_sieve": {"Prime.prime": "tail"},
        "interruptible_iterator": {"Replace.replace": "tail", "Behead.behead": "tail", "Yield.yield": "tail"},
        "iterator": {"Emitter.put": "tail"},
        "list_map": {},
        "many_fibers": {"Yield.yield": "once"},
        "nqueens": {"Search.fail": "abort", "Search.pick": "multi"},
        "parsing_dollars": {"Emitter.put": "tail", "Stop.stop": "abort", "Read.read": "tail"},  # `stop()` never comes back
        "product_early": {"Abort.done": "abort"},
        "resume_nontail": {"Operator.operator": "once"},
        "resume_nontail_2": {"Operator.operator": "once"},
        "scheduler": {"Process.yield": "once", "Process.fork": "once", "Tick.tick": "tail"},
        "state_reader": {"Reader.ask": "tail", "State.get": "tail", "State.put": "tail"},
        "tree_explore": {"Choose.choose": "multi"},
        "triples": {"Choice.fail": "abort", "Choice.flip": "multi"},
    }

    def explain(self, *args):
        return json.loads(self.expect(self.run("explain", "--json", *args), OK).out)

    def test_kinds_of_the_benchmark_programs(self):
        folder = os.path.join(self.ROOT, "bench/programs")
        for name in sorted(os.listdir(folder)):
            e = self.explain(os.path.join(folder, name))
            kinds = {c["name"]: c["kind"] for c in e["clauses"]}
            name = name.removesuffix(".eddy")
            assert kinds == self.KINDS[name], (name, kinds)
            assert all(c["why"] and c["place"]["line"] and c["handler"]["line"] for c in e["clauses"]), name
            assert all(p["candidates"] for p in e["performs"]), (name, e["performs"])

    def test_cache_states_of_the_benchmark_programs(self):
        folder = os.path.join(self.ROOT, "bench/programs")
        for name in sorted(os.listdir(folder)):
            for p in self.explain("--run", os.path.join(folder, name), "6")["performs"]:
                assert p["cache"] in ("one handler", "2 handlers", "3 handlers", "many handlers", "never performed"), (name, p)
                assert (p["count"] == 0) == (p["cache"] == "never performed") and p["machine_code"], (name, p)

    def test_golden(self):
        self.write("a.eddy", STATE)
        self.expect(self.run("explain", "a.eddy"), OK, """a.eddy:4:5  perform State.put in count
    One clause can answer: tail at a.eddy:12:21.

a.eddy:4:9  perform State.get in count
    One clause can answer: tail at a.eddy:11:21.

a.eddy:11:21  clause State.get of the handler at a.eddy:10:3: tail, plain
    It resumes as the last thing on every path, and performs, calls and fails nowhere: it is called
    in place like a function, without a change of context.

a.eddy:12:21  clause State.put of the handler at a.eddy:10:3: tail, plain
    It resumes as the last thing on every path, and performs, calls and fails nowhere: it is called
    in place like a function, without a change of context.
""")

    def test_after_a_run(self):
        self.write("a.eddy", STATE)
        result = self.expect(self.run("explain", "--run", "--json", "a.eddy"), OK, None, "10000\n")
        e = json.loads(result.out)
        for p in e["performs"]:
            assert p["count"] == 10000 and p["cache"] == "one handler" and p["met"] == ["a.eddy:10:3"], p
            assert p["machine_code"] == "inlined" and 0 < p["in_line"] < 10000, p
        for p in self.explain("--run", "--tier=interp", "a.eddy")["performs"]:
            assert p["machine_code"] == "interpreted" and p["count"] == 10000 and p["why"], p
        self.write("b.eddy", GENERATOR)
        perform, = self.explain("--run", "b.eddy")["performs"]
        assert perform["machine_code"] == "captured in line" and "changes fibers" in perform["why"] and perform["count"] == 5000, perform
        perform, = self.explain("--run", os.path.join(self.ROOT, "bench/programs/resume_nontail.eddy"), "10")["performs"]
        assert perform["machine_code"] == "resumed in line" and perform["count"] == 10000, perform
        perform, = self.explain("--run", "--jit-threshold=1", os.path.join(self.ROOT, "bench/programs/product_early.eddy"), "3000")["performs"]
        assert perform["machine_code"] == "aborted in line" and perform["count"] == 3000, perform
        text = self.expect(self.run("explain", "--run", "a.eddy"), OK).out
        assert "Performed 10000 times; met one handler (a.eddy:10:3); " in text and "In machine code: inlined, " in text, text

    def test_many_handlers(self):
        handlers = "".join(f"handle {{ f() }} with {{ ask() => resume({i}) }}; " for i in range(5))
        self.write("a.eddy", "effect Ask { ask(): Int }\nfn f() => ask()\nfn main() { " + handlers + "() }")
        perform, = self.explain("--run", "a.eddy")["performs"]
        assert perform["cache"] == "many handlers" and len(perform["candidates"]) == 5 and len(perform["met"]) == 3, perform

    def test_arguments_and_problems(self):
        self.write("a.eddy", 'effect Ask { ask(): Int }\nfn main(args: List<String>) { println(args); handle { ask() } with { ask() => resume(1) }; () }')
        result = self.expect(self.run("explain", "--run", "a.eddy", "x", "--json"), OK, None, '["x", "--json"]\n')
        assert "Performed 1 times" in result.out, result
        self.expect(self.run("explain", "nope.eddy"), USAGE, "", "nope.eddy")
        self.expect(self.run("explain"), USAGE)
        self.write("b.eddy", "fn f() => 1\n")
        self.expect(self.run("explain", "b.eddy"), OK, "No clauses and no performs.\n")
        self.expect(self.run("explain", "--run", "-e"), USAGE)
        self.write("c.eddy", 'fn main() { panic("x") }')
        self.expect(self.run("explain", "--run", "c.eddy"), PANIC, None, "panic: x")

    def test_modules(self):
        self.write("a.eddy", STATE)
        self.expect(self.run("build", "a.eddy", "-o", "a.ebc"), OK)
        assert self.explain("a.ebc") == self.explain("a.eddy")


if __name__ == "__main__":
    import sys
    sys.exit(run.main(lambda cls: cls.__module__ == "__main__"))
