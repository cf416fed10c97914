#!/usr/bin/env python3
"""The benchmark programs beside C and the peers that are installed, whole processes, median of interleaved runs.

Every program's output is checked. Writes docs/performance.md (--quick: small inputs, fewer runs, only prints).
"""
import argparse
import datetime
import math
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

# Program: (input, output), for --quick and for the table.
PROGRAMS = {
    "countdown": (("1000000", "0"), ("200000000", "0")),
    "fibonacci_recursive": (("24", "46368"), ("42", "267914296")),
    "ackermann": (("6", "509"), ("11", "16381")),
    "product_early": (("1000", "0"), ("100000", "0")),
    "iterator": (("100000", "5000050000"), ("40000000", "800000020000000")),
    "nqueens": (("8", "92"), ("12", "14200")),
    "generator": (("14", "32752"), ("25", "67108837")),
    "tree_explore": (("8", "1006"), ("16", "1005")),
    "triples": (("60", None), ("300", "460212934")),
    "parsing_dollars": (("200", "20100"), ("20000", "200010000")),
    "resume_nontail": (("100", None), ("10000", "860")),
    "resume_nontail_2": (("100", None), ("10000", "912")),
    "handler_sieve": (("1000", "76127"), ("60000", "171848738")),
    "scheduler": (("30", "30000"), ("3000", "3000000")),
    "concurrent_search": (("8", None), ("13", "3366897")),
    "interruptible_iterator": (("30", None), ("3000", "9003000000")),
    "state_reader": (("10000", None), ("10000000", None)),
    "list_map": (("1000", None), ("200000", None)),
    "many_fibers": (("1000", None), ("1000000", None)),
}
# Inputs at which the slowest peer takes seconds.
MEDIUM = {
    "fibonacci_recursive": ("34", "5702887"),
    "ackermann": ("9", "4093"),
    "iterator": ("10000000", "50000005000000"),
    "generator": ("21", "4194281"),
    "scheduler": ("1000", "1000000"),
}
INTERP = ["fibonacci", "ackermann", "array_loop", "string_building", "binary_trees"]
PEERS = [("lua5.4", "lua", ".lua", ["lua5.4"]), ("luajit", "lua", ".lua", ["luajit"]), ("node", "node", ".js", ["node", "--stack-size=60000"]),
         ("python", "python", ".py", ["python3"])]


class Bench:
    def __init__(self, options):
        self.options = options
        self.runs = options.runs or (3 if options.quick else 7)
        self.eddy = os.path.abspath(options.eddy)
        self.has_tiers = "--tier" in subprocess.run([self.eddy, "run", "--help"], capture_output=True, text=True).stdout
        self.problems = []

    def time(self, command, expected):
        """Seconds of one run, or None where it fails; None in `expected` takes what comes first."""
        started, cpu_before = time.perf_counter(), cpu_of_children()
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=self.options.limit, preexec_fn=deep_stack)
        except subprocess.TimeoutExpired:
            self.problems.append(f"`{' '.join(shown(command))}` took longer than {self.options.limit:.0f} s")
            return None, expected
        seconds = time.perf_counter() - started
        if self.options.cpu:
            seconds = cpu_of_children() - cpu_before
        out = result.stdout.strip()
        if result.returncode != 0 or (expected is not None and out != expected):
            self.problems.append(f"`{' '.join(shown(command))}`: status {result.returncode}, printed {out[:60]!r}, expected {expected!r}")
            return None, expected
        return seconds, out

    def compare(self, commands, expected):
        """Medians of {name: command}, run in turn."""
        times = {name: [] for name in commands}
        broken = set()
        for _ in range(self.runs):
            for name, command in commands.items():
                if name in broken:
                    continue
                seconds, expected = self.time(command, expected)
                if seconds is None:
                    broken.add(name)
                else:
                    times[name].append(seconds)
        return {name: statistics.median(t) if t and name not in broken else None for name, t in times.items()}

    def c_program(self, name):
        source = os.path.join(HERE, "c", name + ".c")
        if not os.path.exists(source):
            return None
        folder = os.path.join(ROOT, "build", "bench-c")
        os.makedirs(folder, exist_ok=True)
        binary = os.path.join(folder, name)
        compiler = shutil.which("clang-19") or shutil.which("clang")
        if not os.path.exists(binary) or os.path.getmtime(binary) < os.path.getmtime(source):
            subprocess.run([compiler, "-O2", "-w", source, "-o", binary], check=True)
        return binary

    def eddy_command(self, name, argument):
        return [self.eddy, "run", os.path.join(HERE, "programs", name + ".eddy"), argument]

    def effects_table(self):
        rows = []
        for name in self.options.only or PROGRAMS:
            argument, expected = PROGRAMS[name][0 if self.options.quick else 1]
            commands = {"eddy": self.eddy_command(name, argument)}
            c = self.c_program(name)
            if c:
                commands["C"] = [c, argument]
            rows.append((name, argument, self.compare(commands, expected)))
            print(line(name, argument, rows[-1][2]), flush=True)
        return rows

    def peers_table(self):
        rows = []
        for name, medium in MEDIUM.items():
            argument, expected = PROGRAMS[name][0] if self.options.quick else medium
            commands = {"eddy": self.eddy_command(name, argument)}
            for peer, folder, extension, command in PEERS:
                file = os.path.join(HERE, "peers", folder, name + extension)
                if os.path.exists(file) and shutil.which(command[0]):
                    commands[peer] = [*command, file, argument]
            rows.append((name, argument, self.compare(commands, expected)))
            print(line(name, argument, rows[-1][2]), flush=True)
        return rows

    def interpreter_table(self):
        rows = []
        for name in INTERP:
            file = os.path.join(HERE, "interp", name)
            with open(file + ".eddy", encoding="utf-8") as f:
                pairs = re.findall(r"(\d+) → (\d+)", f.readline())
            argument, expected = pairs[0 if self.options.quick else 1]
            tier = ["--tier=interp"] if self.has_tiers else []
            commands = {"eddy": [self.eddy, "run", *tier, file + ".eddy", argument]}
            if shutil.which("lua5.4"):
                commands["lua5.4"] = ["lua5.4", file + ".lua", argument]
            if shutil.which("luajit"):
                commands["luajit -joff"] = ["luajit", "-joff", file + ".lua", argument]
            rows.append((name, argument, self.compare(commands, expected)))
            print(line(name, argument, rows[-1][2]), flush=True)
        return rows


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def deep_stack():
    try:
        resource.setrlimit(resource.RLIMIT_STACK, (1 << 28, resource.getrlimit(resource.RLIMIT_STACK)[1]))
    except (ValueError, OSError):
        pass


def shown(command):
    return [os.path.relpath(w, ROOT) if w.startswith(ROOT) else w for w in command]


def line(name, argument, medians):
    return f"{name:24} {argument:>10}  " + "  ".join(f"{n} {seconds(t)}" for n, t in medians.items())


def seconds(t):
    return "–" if t is None else f"{t:.3f}"


def ratio(a, b):
    return None if a is None or b is None else a / b


def shown_ratio(r):
    return "–" if r is None else f"{r:.2f}"


def geometric_mean(values):
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def markdown_table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "| --- " + "| ---: " * (len(head) - 1) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def machine():
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            model = next((l.split(":")[1].strip() for l in f if l.startswith("model name")), model)
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


def versions():
    for name, command in [("clang", ["clang-19", "--version"]), ("lua5.4", ["lua5.4", "-v"]), ("luajit", ["luajit", "-v"]),
                          ("node", ["node", "--version"]), ("python", ["python3", "--version"])]:
        if shutil.which(command[0]):
            result = subprocess.run(command, capture_output=True, text=True)
            yield name + ": " + (result.stdout or result.stderr).splitlines()[0]
        else:
            yield name + ": not installed"


def report(bench, effects, peers, interp):
    out = ["# Performance", "",
           "Made by `./dev bench`; `./dev bench --quick` runs small inputs and prints only. Whole processes, start-up and "
           f"compilation included, in seconds{' of processor time' if bench.options.cpu else ''}: the median of " + f"{bench.runs} runs, taken in turn.", "",
           f"- {machine()}", f"- {datetime.date.today().isoformat()}"]
    out += [f"- {v}" for v in versions()]
    out += ["", "## Beside C", "",
            "`× C`: time as a multiple of the same work in plain C without effects (`bench/c`, `clang -O2`).", ""]
    out += markdown_table(["program", "input", "eddy", "C", "× C"],
                          [[name, argument, seconds(t.get("eddy")), seconds(t["C"]) if "C" in t else "",
                            shown_ratio(ratio(t.get("eddy"), t.get("C"))) if "C" in t else ""] for name, argument, t in effects])
    names = [p[0] for p in PEERS]
    out += ["", "## Beside what other languages have for the shape", "",
            "Coroutines, generators or plain calls (`bench/peers`). In brackets: their time over ours.", ""]
    out += markdown_table(["program", "input", "eddy"] + names,
                          [[name, argument, seconds(t.get("eddy"))] +
                           [f"{seconds(t[n])} ({shown_ratio(ratio(t[n], t.get('eddy')))})" if n in t else "" for n in names]
                           for name, argument, t in peers])
    out += ["", "## The interpreter alone, beside interpreters", "",
            "`bench/interp`. Ratios are the peer's time over ours: above 1, we are ahead.", ""]
    rows, ratios = [], {"lua5.4": [], "luajit -joff": []}
    for name, argument, t in interp:
        row = [name, argument, seconds(t.get("eddy"))]
        for peer in ratios:
            r = ratio(t.get(peer), t.get("eddy"))
            ratios[peer].append(r)
            row += [seconds(t.get(peer)), shown_ratio(r)]
        rows.append(row)
    rows.append(["geometric mean", "", ""] + [x for peer in ratios for x in ("", shown_ratio(geometric_mean(ratios[peer])))])
    out += markdown_table(["program", "input", "eddy", "lua5.4", "ratio", "luajit -joff", "ratio"], rows)
    if bench.problems:
        out += ["", "Not measured:", ""] + [f"- {p}" for p in dict.fromkeys(bench.problems)]
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small inputs, three runs, no file is written")
    parser.add_argument("--runs", type=int, help="runs of each command")
    parser.add_argument("--cpu", action="store_true", help="processor time instead of elapsed time, for a busy machine")
    parser.add_argument("--limit", type=float, default=120, help="seconds after which a run is given up")
    parser.add_argument("--eddy", default=os.path.join(ROOT, "build", "release", "eddy"))
    parser.add_argument("--out", default=os.path.join(ROOT, "docs", "performance.md"))
    parser.add_argument("only", nargs="*", help="only these programs; no file is written")
    options = parser.parse_args()
    bench = Bench(options)
    for peer, _, _, command in PEERS:
        if not shutil.which(command[0]):
            print(f"missing peer: {peer}")
    effects = bench.effects_table()
    peers = [] if options.only else bench.peers_table()
    interp = [] if options.only else bench.interpreter_table()
    for problem in dict.fromkeys(bench.problems):
        print("problem: " + problem)
    if not options.quick and not options.only:
        with open(options.out, "w", encoding="utf-8") as f:
            f.write(report(bench, effects, peers, interp))
        print("wrote " + os.path.relpath(options.out, ROOT))
    return 1 if options.quick and bench.problems else 0


if __name__ == "__main__":
    sys.exit(main())
