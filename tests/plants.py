#!/usr/bin/env python3
"""Switches on one planted fault after the other (runtime/plants.def) and says what notices: random programs, the suite.

Needs a build with -DEDDY_PLANTS=ON. Prints a table for docs/testing.md; exit status 1 where a fault goes unnoticed.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types

import run_suite

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
MODES = ["--tier=interp --gc-stress=3 --verify-heap", "--jit-threshold=1 --osr-threshold=1",
         "--jit-threshold=3 --osr-threshold=3", "--tier=jit --gc-stress=3"]


def plants():
    text = open(os.path.join(ROOT, "runtime/plants.def"), encoding="utf-8").read()
    return re.findall(r'^PLANT\((\w+), "(.*)"\)', text, re.M)


def fuzz(options, environment):
    """How many random programs it took, but for those that other workers were at; or None; and as what it showed."""
    folder = tempfile.mkdtemp()
    command = [os.path.join(options.build, "eddy-fuzz"), "--count", str(options.programs), "--seed", str(options.seed),
               "--quiet", "--first", "--reduce-seconds", "0", "--findings", folder, "--mode-seconds", "5",
               "--jobs", str(options.jobs), "--batch", "4", "--known", os.path.join(ROOT, "tools/eddy-fuzz/known.txt")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    shutil.rmtree(folder, ignore_errors=True)
    # A fault that kills the fuzzer itself would be none of a program.
    done = re.search(r"^(\d+) programs", result.stderr, re.M)
    seen = re.search(r"seed \d+: (.*)", result.stderr)
    if result.returncode == 0 or not done or not seen:
        return None, ""
    return int(done.group(1)), seen.group(1).replace(" `", "")


def suite(options, environment, tests):
    """How many programs of the suite it took, or None; and which one it was."""
    os.environ.clear()
    os.environ.update(environment)
    eddy = os.path.join(options.build, "eddy")
    settings = [types.SimpleNamespace(mode=m, eddy=eddy, timeout=60) for m in MODES]

    def fails(base, setting):
        return run_suite.run_one(base, setting)[0] != "ok"

    def wrong(base):
        heavy = os.path.exists(base + ".heavy")
        return [s for s in settings if not (heavy and "stress" in s.mode) and fails(base, s)]

    # Not what fails anyway, because the machine is busy, say.
    def is_the_fault(base, failing):
        os.environ["EDDY_PLANT"] = ""
        sound = [s for s in failing if not fails(base, s)]
        os.environ["EDDY_PLANT"] = environment["EDDY_PLANT"]
        return any(fails(base, s) for s in sound)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        # In portions, so that little is done after the first failure.
        for start in range(0, len(tests), 16):
            part = tests[start:start + 16]
            # All of one, before the fault is switched off to judge.
            for i, bad in enumerate(list(pool.map(wrong, part))):
                if bad and is_the_fault(part[i], bad):
                    return start + i + 1, os.path.relpath(part[i], HERE)
    return None, ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="build folder with EDDY_PLANTS")
    parser.add_argument("--programs", type=int, default=2000, help="random programs to try")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="names of faults, with commas")
    parser.add_argument("--paths", nargs="*", default=["regressions", "conformance/05_effects", "conformance/06_named",
                                                       "conformance"])
    options = parser.parse_args()
    clean = dict(os.environ, EDDY_PLANT="")
    tests = list(dict.fromkeys(run_suite.find_tests(os.path.join(HERE, p) for p in options.paths)))
    print("| fault | random programs | the suite |\n| --- | --- | --- |", flush=True)
    missed = 0
    only = options.only.split(",") if options.only else None
    for name, what in plants():
        if only and name not in only:
            continue
        environment = dict(clean, EDDY_PLANT=name)
        count, how = fuzz(options, environment)
        number, where = suite(options, environment, tests)
        missed += count is None and number is None
        left = f"{count}: {how}" if count else "–"
        right = f"{number}: {where}" if number else "–"
        print(f"| `{name}`: {what} | {left} | {right} |", flush=True)
    print(f"\n{missed} unnoticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
