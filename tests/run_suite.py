#!/usr/bin/env python3
"""Runs the conformance programs and compares what they print and how they end.

NAME.eddy is a test where NAME.out (the whole of standard output) or NAME.status (the exit status, 0 without it)
stands beside it. NAME.err holds texts that standard error must contain, one a line; NAME.args the program's
arguments, NAME.in its standard input, NAME.flags further flags of `eddy run`. A test with NAME.heavy does so much that
it is left out where the mode collects at (nearly) every allocation.
"""
import argparse
import concurrent.futures
import os
import shlex
import sys
import time

import runner

HERE = os.path.dirname(os.path.abspath(__file__))


def read(path, default=None):
    try:
        with open(path, encoding="utf-8", newline="") as f:
            return f.read()
    except FileNotFoundError:
        return default


def find_tests(paths):
    for root in paths:
        if os.path.isfile(root):
            yield root[: -len(".eddy")] if root.endswith(".eddy") else root
            continue
        for folder, _, files in sorted(os.walk(root)):
            names = set(files)
            for name in sorted(files):
                base, ext = os.path.splitext(name)
                if ext == ".eddy" and (base + ".out" in names or base + ".status" in names):
                    yield os.path.join(folder, base)


def run_one(base, options):
    flags = shlex.split(options.mode) + shlex.split(read(base + ".flags", ""))
    args = shlex.split(read(base + ".args", ""))
    stdin = read(base + ".in", "").encode()
    started = time.monotonic()
    status, out, err = runner.run(options.eddy, ["run", *flags, base + ".eddy", *args], stdin, options.timeout)
    out = out.decode(errors="replace")
    if status == "timeout":
        return "timeout", time.monotonic() - started, out[-400:]
    err = err.decode(errors="replace")
    problems = []
    expected_status = int(read(base + ".status", "0").strip() or "0")
    if status != expected_status:
        problems.append(f"status {status}, expected {expected_status}")
    expected_out = read(base + ".out")
    if expected_out is not None and out.rstrip("\n") != expected_out.rstrip("\n"):
        problems.append("output:\n" + indent(out) + "expected:\n" + indent(expected_out))
    for line in read(base + ".err", "").splitlines():
        if line and line not in err:
            problems.append(f"stderr lacks: {line}")
    if problems and err:
        problems.append("stderr:\n" + indent(err))
    return ("ok" if not problems else "failed"), time.monotonic() - started, "\n".join(problems)


def indent(text, most=1200):
    if len(text) > most:
        text = text[:most] + "…\n"
    return "".join("    | " + line + "\n" for line in text.splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", default=[os.path.join(HERE, "conformance")])
    parser.add_argument("--eddy", default="eddy", help="the command to test")
    parser.add_argument("--mode", default="", help="flags of `eddy run` for all tests, such as --tier=interp")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--timeout", type=float, default=300)
    parser.add_argument("--quiet", action="store_true", help="names of failures only")
    parser.add_argument("--slow", type=float, default=0, help="also name tests that took longer, in seconds")
    options = parser.parse_args()
    tests = list(find_tests(options.paths))
    if "--gc-stress" in options.mode:
        tests = [base for base in tests if not os.path.exists(base + ".heavy")]
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for base, (verdict, seconds, detail) in zip(tests, pool.map(lambda t: run_one(t, options), tests)):
            name = os.path.relpath(base, HERE)
            if verdict != "ok":
                failures += 1
                print(f"{verdict}: {name}")
                if not options.quiet and detail:
                    print("\n".join("  " + line for line in detail.splitlines()))
            elif options.slow and seconds > options.slow:
                print(f"slow: {name} {seconds:.2f} s")
    print(f"{len(tests) - failures} of {len(tests)} passed")
    return 1 if failures or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
