#!/usr/bin/env python3
"""Writes start_order.txt: the functions that a start runs, which the linker lays side by side.

A program touches a few hundred pages of text at its start, a fault for each 64 KiB of the file that it has not
touched before. Apart, they lie in all of it; together they are a sixth of it.

    cmake/start_order.py build/release/eddy     (needs valgrind)

Run it where much of the front end, the loader or the compiler has moved. Names that a build does not have are
ignored, functions that are not listed stand behind those that are, so nothing depends on the list but time.
"""
import collections
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "..", "bench", "programs")
# Small, but large enough that what is hot is compiled.
INPUTS = {
    "ackermann": 5, "countdown": 100000, "fibonacci_recursive": 16, "generator": 10, "handler_sieve": 300,
    "iterator": 100000, "list_map": 1000, "many_fibers": 3000, "nqueens": 6, "product_early": 20, "scheduler": 10,
    "state_reader": 100000, "tree_explore": 5, "triples": 20,
}
# What one program alone needs, from its source and from its module, is no part of a start.
FEWEST = 3


def functions_run(eddy, arguments):
    with tempfile.TemporaryDirectory() as folder:
        profile = os.path.join(folder, "profile")
        subprocess.run(["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={profile}", eddy, "run",
                        *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(profile) as lines:
            names = (re.match(r"c?fn=\(\d+\) (\w[^'\s]*)('\d+)?$", line) for line in lines)
            return {name[1] for name in names if name and not name[1].startswith("0x")}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    eddy = os.path.abspath(sys.argv[1])
    count = collections.Counter()
    for program, size in INPUTS.items():
        print(program, file=sys.stderr)
        source = os.path.join(PROGRAMS, program + ".eddy")
        count.update(functions_run(eddy, [source, str(size)]))
        with tempfile.NamedTemporaryFile(suffix=".ebc") as module:
            subprocess.run([eddy, "build", source, "-o", module.name], check=True)
            count.update(functions_run(eddy, [module.name, str(size)]))
    names = sorted((name for name in count if count[name] >= FEWEST), key=lambda name: (-count[name], name))
    with open(os.path.join(HERE, "start_order.txt"), "w") as out:
        out.write("".join(name + "\n" for name in names))
    print(f"{len(names)} functions", file=sys.stderr)


main()
