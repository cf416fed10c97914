#!/usr/bin/env python3
"""Runs programs with two builds of the command, such as those for two processors, and compares byte for byte: output,
exit status, the trace of effects, and where a run out of fuel stops.

Programs are found as run_suite.py finds them; NAME.args, NAME.in and NAME.flags are taken from there too. The benchmark
programs run at their small inputs.
"""
import argparse
import concurrent.futures
import os
import shlex
import sys

import run_programs
import run_suite
import runner

HERE = os.path.dirname(os.path.abspath(__file__))
BENCHMARKS = [os.path.join(os.path.dirname(HERE), "bench", folder) for folder in ("programs", "interp")]

# A trace of a long run fills the memory, so those end early.
MODES = ["--tier=interp --trace=effects --fuel=3001", "--tier=jit --trace=effects --fuel=3001", "--tier=jit", "--tier=jit --fuel=97",
         "--fuel=4001 --jit-threshold=1 --osr-threshold=1"]


def run(eddy, mode, base, timeout):
    flags = shlex.split(mode) + shlex.split(run_suite.read(base + ".flags", ""))
    words = ["run", *flags, base + ".eddy", *arguments(base)]
    return runner.run(eddy, words, run_suite.read(base + ".in", "").encode(), timeout)


def arguments(base):
    if os.path.dirname(base) in BENCHMARKS:
        return [run_programs.first_pair(base + ".eddy")[0]]
    return shlex.split(run_suite.read(base + ".args", ""))


def find(paths):
    for path in paths:
        if path in BENCHMARKS:
            yield from (os.path.join(path, f[: -len(".eddy")]) for f in sorted(os.listdir(path)) if f.endswith(".eddy"))
        else:
            yield from run_suite.find_tests([path])


def differences(base, options):
    found = []
    for mode in options.mode or MODES:
        one, other = (run(eddy, mode, base, options.timeout) for eddy in (options.reference, options.eddy))
        for what, a, b in zip(("status", "output", "standard error"), one, other):
            if a != b:
                found.append(f"{mode}: {what}\n{show(a)}    and\n{show(b)}")
    return found


def show(text, most=600):
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    text = str(text)
    return "".join("    | " + line + "\n" for line in text[-most:].splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", default=[os.path.join(HERE, "conformance"), os.path.join(HERE, "regressions"), *BENCHMARKS])
    parser.add_argument("--reference", required=True, help="the command to compare with")
    parser.add_argument("--eddy", required=True, help="the command to test")
    parser.add_argument("--mode", action="append", help="flags of `eddy run`; may be repeated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--timeout", type=float, default=120)
    options = parser.parse_args()
    if not os.access(options.reference, os.X_OK):
        sys.exit(f"there is no {options.reference} to compare with")
    tests = list(find(options.paths))
    different = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for base, found in zip(tests, pool.map(lambda t: differences(t, options), tests)):
            if not found:
                continue
            different += 1
            print(f"different: {os.path.relpath(base, HERE)}")
            for text in found:
                print("  " + text)
    print(f"{len(tests) - different} of {len(tests)} the same")
    return 1 if different or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
