#!/usr/bin/env python3
"""The benchmark programs in our tiers, beside C and the peers that are installed: whole processes, medians of interleaved
runs, every output checked. Writes docs/performance.md and docs/plots (--quick: small inputs once, only prints)."""
import argparse
import os
import re
import shutil
import sys

import instructions
import report
from catalogue import INTERP, LARGE, MEDIUM, PROGRAMS, QUICK, SCALING
from measure import Bench
from peer import HERE, PEERS, ROOT


def line(name, argument, samples):
    parts = [f"{who} {report.seconds(sample)}" for who, sample in samples.items()]
    return f"{name:24} {argument:>10}  " + "  ".join(parts)


def effects_table(bench, names):
    rows = []
    for name in names:
        argument, expected = PROGRAMS[name][QUICK if bench.options.quick else LARGE]
        commands = {"eddy": bench.eddy_command(name, argument)}
        c = bench.c_program(name)
        if c:
            commands["C"] = [c, argument]
        for peer in PEERS:
            if peer.ahead and peer.installed() and peer.program(name):
                commands[peer.name] = peer.run(name, argument)
        rows.append((name, argument, bench.compare(name, commands, expected)))
        print(line(*rows[-1]), flush=True)
    return rows


def peers_table(bench, names):
    rows = []
    for name in names:
        argument, expected = PROGRAMS[name][QUICK if bench.options.quick else MEDIUM]
        commands = {"eddy": bench.eddy_command(name, argument), "module": [bench.eddy, "run", bench.eddy_module(name), argument],
                    "jit": bench.eddy_command(name, argument, "--tier=jit"),
                    "interp": bench.eddy_command(name, argument, "--tier=interp")}
        for peer in PEERS:
            if peer.installed() and peer.program(name):
                commands[peer.name] = peer.run(name, argument)
        rows.append((name, argument, bench.compare(name, commands, expected)))
        print(line(*rows[-1]), flush=True)
    return rows


def interpreter_table(bench):
    rows = []
    for name in INTERP:
        file = os.path.join(HERE, "interp", name)
        with open(file + ".eddy", encoding="utf-8") as f:
            pairs = re.findall(r"(\d+) → (\d+)", f.readline())
        argument, expected = pairs[0 if bench.options.quick else 1]
        commands = {"eddy": [bench.eddy, "run", "--tier=interp", file + ".eddy", argument]}
        if shutil.which("lua5.4"):
            commands["lua5.4"] = ["lua5.4", file + ".lua", argument]
        if shutil.which("luajit"):
            commands["luajit -joff"] = ["luajit", "-joff", file + ".lua", argument]
        rows.append((name, argument, bench.compare(name, commands, expected)))
        print(line(*rows[-1]), flush=True)
    return rows


def scaling(bench, names):
    """{program: [(input, work, seconds beyond start-up)]}"""
    runs, bench.runs = bench.runs, min(bench.runs, 3)
    start = bench.compare("start-up", {"eddy": [bench.eddy, "run", "-e", "()"]}, "")["eddy"]
    curves = {}
    for name in names:
        inputs, work = SCALING[name]
        points = []
        for n in inputs:
            n = max(8, n // 50) if bench.options.quick else n
            sample = bench.compare(f"{name} {n}", {"eddy": bench.eddy_command(name, str(n))}, None)["eddy"]
            beyond = None if sample is None or start is None else sample.seconds - start.seconds
            points.append((n, work(n), beyond if beyond and beyond > 0 else None))
        curves[name] = points
        print(f"{name:24} " + "  ".join(f"{n}: {'–' if t is None else f'{t:.3f}'}" for n, _, t in points), flush=True)
    bench.runs = runs
    return curves


def compilation(bench, names):
    """[(program, input, statistics)]"""
    rows = []
    for name in names:
        argument, _ = PROGRAMS[name][QUICK if bench.options.quick else MEDIUM]
        statistics = bench.statistics(name, argument)
        if statistics:
            rows.append((name, argument, statistics))
            print(f"{name:24} {argument:>10}  longest {statistics['time']['longest_compilation_ns'] / 1e6:.2f} ms of "
                  f"{statistics['time']['compiling_ns'] / 1e6:.2f}", flush=True)
    return rows


def count_instructions(bench):
    absent = instructions.missing(bench.eddy)
    if absent:
        bench.problems.append("instructions on AArch64: not there: " + ", ".join(absent) + " (`./dev build aarch64`)")
        return []
    rows = []
    for row in instructions.count(x64=bench.eddy):
        rows.append(row)
        print(f"{row[0]:24} x86-64 {row[2]:,}  AArch64 {row[3]:,}  {row[3] / row[2]:.2f}", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small inputs, one run, no file is written")
    parser.add_argument("--runs", type=int, help="runs of each command")
    parser.add_argument("--cpu", action="store_true", help="processor time instead of elapsed time, for a busy machine")
    parser.add_argument("--limit", type=float, default=120, help="seconds after which a run is given up")
    parser.add_argument("--eddy", default=os.path.join(ROOT, "build", "release", "eddy"))
    parser.add_argument("--out", default=os.path.join(ROOT, "docs", "performance.md"))
    parser.add_argument("only", nargs="*", help="only these programs; no file is written")
    options = parser.parse_args()
    unknown = [name for name in options.only if name not in PROGRAMS]
    if unknown:
        parser.error("no program " + ", ".join(unknown))
    bench = Bench(options)
    for peer in PEERS:
        if not peer.installed():
            print(f"missing peer: {peer.name}: {peer.missing()}")
    names = options.only or list(PROGRAMS)
    for peer in PEERS:
        if peer.installed():
            bench.problems += peer.prepare(names, bench.progress)
    bench.progress("")
    print("beside C")
    effects = effects_table(bench, names)
    print("tiers and peers")
    peers = peers_table(bench, names)
    print("growth")
    curves = scaling(bench, [name for name in names if name in SCALING])
    print("compiling")
    compiled = compilation(bench, names)
    interp, counted = [], []
    if not options.only:
        print("the interpreter beside interpreters")
        interp = interpreter_table(bench)
    if not options.only and not options.quick:
        print("instructions on AArch64")
        counted = count_instructions(bench)
    for problem in dict.fromkeys(bench.problems):
        print("problem: " + problem)
    if not options.quick and not options.only:
        report.write_plots(os.path.join(os.path.dirname(options.out), "plots"), effects, curves)
        with open(options.out, "w", encoding="utf-8") as f:
            f.write(report.page(bench, effects, peers, interp, curves, compiled, counted))
        print("wrote " + os.path.relpath(options.out, ROOT))
    return 1 if options.quick and bench.problems else 0


if __name__ == "__main__":
    sys.exit(main())
