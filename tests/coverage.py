#!/usr/bin/env python3
"""What of vm, runtime, jit and lang the tests run: a table by folder, and the files with most that never ran.

Works on a build with EDDY_COVERAGE whose tests were run with LLVM_PROFILE_FILE=BUILD/profiles/%4m.profraw, as
`./dev coverage` does it."""
import argparse
import glob
import json
import os
import stat
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ["vm", "runtime", "jit", "lang"]


def programs(build):
    """The executables that were linked with what is measured."""
    for folder in ["", "tests", "tools/fuzz", "tools/eddy"]:
        for path in sorted(glob.glob(os.path.join(build, folder, "*"))):
            if os.path.isfile(path) and os.stat(path).st_mode & stat.S_IXUSR:
                with open(path, "rb") as f:
                    if f.read(4) == b"\x7fELF":
                        yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--worst", type=int, default=15, help="how many files to name")
    options = parser.parse_args()
    profiles = glob.glob(os.path.join(options.build, "profiles", "*.profraw"))
    if not profiles:
        sys.exit("no profiles: were the tests run?")
    merged = os.path.join(options.build, "coverage.profdata")
    subprocess.run(["llvm-profdata-19", "merge", "-sparse", "--failure-mode=all", *profiles, "-o", merged], check=True)
    objects = list(programs(options.build))
    command = ["llvm-cov-19", "export", "-summary-only", "-instr-profile", merged, objects[0]]
    for path in objects[1:]:
        command += ["-object", path]
    data = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
    sums = {folder: [0, 0, 0, 0] for folder in FOLDERS + ["all"]}
    files = []
    for entry in data["data"][0]["files"]:
        name = os.path.relpath(entry["filename"], ROOT)
        folder = name.split(os.sep)[0]
        if folder not in FOLDERS:
            continue
        lines, branches = entry["summary"]["lines"], entry["summary"]["branches"]
        for total in (sums[folder], sums["all"]):
            for i, n in enumerate([lines["covered"], lines["count"], branches["covered"], branches["count"]]):
                total[i] += n
        files.append((lines["count"] - lines["covered"], branches["count"] - branches["covered"], name))
    print("| | lines | branches |\n| --- | --- | --- |")
    for folder, (line, line_count, branch, branch_count) in sums.items():
        print(f"| {folder} | {100 * line / max(1, line_count):.1f} % of {line_count} "
              f"| {100 * branch / max(1, branch_count):.1f} % of {branch_count} |")
    print("\nmost that never ran:")
    for lines, branches, name in sorted(files, reverse=True)[: options.worst]:
        print(f"  {lines:4} lines {branches:4} branches  {name}")


if __name__ == "__main__":
    main()
