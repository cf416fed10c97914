#!/usr/bin/env python3
"""How long after its time `--timeout` ends a program: for each loop and each long native of tests/limits.py, in each tier,
from the start of the process to its message and to its end, less the time that it was given. Starting the process is
part of that, and so is what the system needs to take back the memory of some programs before the end.

No test, for it measures; on a machine that is not idle, run it as root: it then asks to run before everything else."""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import limits  # noqa: E402

GIVEN = 0.2


def run(command):
    """Milliseconds beyond the given time until it says so, and until it is gone."""
    time.sleep(0.1)  # what runs before everything else may not do so for long
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = os.read(child.stderr.fileno(), 1000)
    said = time.perf_counter()
    status = child.wait()
    gone = time.perf_counter()
    if status != limits.LIMIT or b"timeout" not in message:
        sys.exit(f"{' '.join(command)}: status {status}, {message}")
    child.stderr.close()
    return (said - start - GIVEN) * 1000, (gone - start - GIVEN) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--eddy", required=True)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        print("(at usual priority)")
    programs = {name: ([], text) for name, text in limits.LOOPS.items()} | limits.LONG
    print("| | " + " | ".join(limits.TIERS) + " |\n| --- |" + " ---: |" * len(limits.TIERS))
    everything, ends = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, (flags, text) in programs.items():
            path = os.path.join(folder, name + ".eddy")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            cells = []
            for tier in limits.TIERS.values():
                command = [os.path.abspath(options.eddy), "run", *tier, f"--timeout={GIVEN}", "--max-heap=900M", *flags, path]
                runs = [run(command) for _ in range(options.times)]
                late, gone = [r[0] for r in runs], [r[1] for r in runs]
                everything += late
                ends += gone
                cells.append(f"{statistics.median(late):.1f} / {max(late):.1f} / {statistics.median(gone):.1f}")
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print(f"\nmilliseconds to the message (median of {options.times}, most) and to the end (median); of all {len(ends)} runs: "
          f"median {statistics.median(everything):.1f}, most {max(everything):.1f}, later than 10 ms "
          f"{sum(n > 10 for n in everything)}; to the end {statistics.median(ends):.1f}, {max(ends):.1f}, {sum(n > 10 for n in ends)}")


if __name__ == "__main__":
    main()
