#!/usr/bin/env python3
"""Runs the benchmark programs at their small inputs, or the examples, and compares what they print.

Benchmarks: the first line of each program names inputs with outputs, `5 → 57, 25 → 67108837`; the first pair counts,
and SMALL has the ones that name none. Examples: tests/examples/NAME.out is the whole output, NAME.in the input;
EDDY_UPDATE_GOLDEN=1 writes the former anew.
"""
import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile

import runner

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

SMALL = {
    "ackermann": ("7", "1021"),
    "list_map": ("5", "250 200.0"),
    "many_fibers": ("5", "45"),
    "resume_nontail_2": ("5", "487"),
    "state_reader": ("5", "15"),
}


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return None


def first_pair(path):
    name = os.path.splitext(os.path.basename(path))[0]
    if name in SMALL:
        return SMALL[name]
    found = re.search(r"(\d+) → (\S+?)(?:,|$)", read(path).splitlines()[0])
    return found.groups() if found else None


def run(command, stdin="", cwd=None):
    if cwd is None:
        status, out, err = runner.run(command[0], command[1:], stdin.encode(), 600)
    else:
        result = subprocess.run(command, input=stdin.encode(), capture_output=True, cwd=cwd)
        status, out, err = result.returncode, result.stdout, result.stderr
    return status, out.decode(errors="replace"), err.decode(errors="replace")


def check(name, command, expected, stdin="", cwd=None):
    status, out, err = run(command, stdin, cwd)
    if status == 0 and out.rstrip("\n") == expected.rstrip("\n"):
        return True
    print(f"failed: {name}\n  {shlex.join(command)}\n  status {status}\n  output: {out[:2000]!r}\n"
          f"  expected: {expected[:2000]!r}\n  {err[:2000]}")
    return False


def benchmarks(eddy, flags, folders):
    good = total = 0
    for folder in folders:
        for file in sorted(os.listdir(folder)):
            if not file.endswith(".eddy"):
                continue
            path = os.path.join(folder, file)
            pair = first_pair(path)
            total += 1
            if pair is None:
                print(f"failed: {file} names no input with its output in the first line")
                continue
            good += check(file, [eddy, "run", *flags, path, pair[0]], pair[1])
    return good, total


def examples(eddy, flags):
    good = total = 0
    update = os.environ.get("EDDY_UPDATE_GOLDEN")
    folder = os.path.join(ROOT, "examples")
    with tempfile.TemporaryDirectory() as scratch:
        for file in sorted(os.listdir(folder)):
            if not file.endswith(".eddy"):
                continue
            base = os.path.join(HERE, "examples", file[: -len(".eddy")])
            command = [eddy, "run", *flags, os.path.join(folder, file)]
            stdin = read(base + ".in") or ""
            total += 1
            if update:
                with open(base + ".out", "w", encoding="utf-8") as f:
                    f.write(run(command, stdin, scratch)[1])
            expected = read(base + ".out")
            if expected is None:
                print(f"failed: {base}.out is missing")
                continue
            good += check(file, command, expected, stdin, scratch)
    return good, total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["benchmarks", "examples"])
    parser.add_argument("--eddy", default="eddy", help="the command to test")
    parser.add_argument("--mode", default="", help="flags of `eddy run`")
    options = parser.parse_args()
    eddy, flags = os.path.abspath(options.eddy), shlex.split(options.mode)
    if options.what == "benchmarks":
        folders = [os.path.join(ROOT, "bench", f) for f in ("programs", "interp")]
        good, total = benchmarks(eddy, flags, [f for f in folders if os.path.isdir(f)])
    else:
        good, total = examples(eddy, flags)
    print(f"{good} of {total} passed")
    return 0 if good == total and total else 1


if __name__ == "__main__":
    sys.exit(main())
