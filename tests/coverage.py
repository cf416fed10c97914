#!/usr/bin/env python3
"""What of vm, runtime, jit and lang the tests run: a table by folder, the opcodes that a tier has not seen, and the files
with most that never ran. Exit status 1 where that is less than is promised: 90 % of the lines, 80 % of the branches, every
opcode in every tier.

Works on a build with EDDY_COVERAGE whose tests were run with LLVM_PROFILE_FILE=BUILD/profiles/%4m.profraw, as
`./dev coverage` does it."""
import argparse
import glob
import json
import os
import re
import stat
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ["vm", "runtime", "jit", "lang"]
LINES, BRANCHES = 0.9, 0.8


def programs(build):
    """The executables that were linked with what is measured."""
    for folder in ["", "tests", "tools/fuzz", "tools/eddy"]:
        for path in sorted(glob.glob(os.path.join(build, folder, "*"))):
            if os.path.isfile(path) and os.stat(path).st_mode & stat.S_IXUSR:
                with open(path, "rb") as f:
                    if f.read(4) == b"\x7fELF":
                        yield path


# Code of the VM's own frames, and what only leads from one tier to the other.
INTERPRETED = {"UNWIND_NEXT", "CLAUSE_END", "TRACE_CALL", "COUNT", "ENTER_MACHINE"}


def opcodes(merged, objects):
    """Says which opcodes the interpreter never ran, and which the compiler never translated; whether there are none."""
    with open(os.path.join(ROOT, "vm/opcodes.def"), encoding="utf-8") as f:
        names = re.findall(r"^OP\((\w+),", f.read(), re.M)
    command = ["llvm-cov-19", "export", "-format=lcov", "-instr-profile", merged, objects[0]]
    for path in objects[1:]:
        command += ["-object", path]
    command += [os.path.join(ROOT, "vm/interpreter"), os.path.join(ROOT, "jit/build")]
    interpreted, translated, lines, counts = set(), set(), [], {}
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    for line in text.splitlines():
        if line.startswith("SF:"):
            path = line[3:]
            counts = {}
            with open(path, encoding="utf-8") as f:
                lines = f.read().splitlines()
        elif line.startswith("DA:"):
            number, count = line[3:].split(",")[:2]
            counts[int(number)] = int(count)
        elif line.startswith("FNDA:"):
            count, name = line[5:].split(",", 1)
            for found in re.finditer(r"(\d+)op_", name):
                if int(count):
                    interpreted.add(name[found.end(1):][3:int(found.group(1))])
        elif line == "end_of_record" and "/jit/build/" in path:
            for number, source in enumerate(lines, 1):
                if counts.get(number):
                    translated.update(re.findall(r"case (?:vm::)?Op::(\w+)", source))
    print(f"\n{len(names)} opcodes")
    not_run = [n for n in names if n not in interpreted]
    print("never run by the interpreter: " + (", ".join(not_run) or "none"))
    not_compiled = [n for n in names if n not in translated and n not in INTERPRETED]
    print(f"never translated, but for {len(INTERPRETED)} that are the VM's own: " + (", ".join(not_compiled) or "none"))
    return not not_run and not not_compiled


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
    enough = opcodes(merged, objects)
    print("\nmost that never ran:")
    for lines, branches, name in sorted(files, reverse=True)[: options.worst]:
        print(f"  {lines:4} lines {branches:4} branches  {name}")
    line, line_count, branch, branch_count = sums["all"]
    enough = enough and line >= LINES * line_count and branch >= BRANCHES * branch_count
    print("\nenough" if enough else "\nless than is promised")
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
