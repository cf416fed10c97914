#!/usr/bin/env python3
"""Instructions executed by the benchmark programs on x86-64 and on AArch64, counted under qemu-user.

What a program needs to start and to be compiled is left out: each is run at two sizes, and the difference counts.
Needs build/release and build/aarch64 (`./dev build`, `./dev build aarch64`). `./dev bench` makes a table of it.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
X64 = os.path.join(ROOT, "build", "release", "eddy")
A64 = os.path.join(ROOT, "build", "aarch64", "eddy")

# Smaller and larger input: at the smaller one everything that is hot has been compiled.
SIZES = {
    "ackermann": (6, 7),
    "concurrent_search": (4, 6),
    "countdown": (300000, 2000000),
    "fibonacci_recursive": (22, 26),
    "generator": (13, 16),
    "handler_sieve": (600, 1500),
    "interruptible_iterator": (5, 10),
    "iterator": (300000, 2000000),
    "list_map": (200, 1000),
    "many_fibers": (3000, 10000),
    "nqueens": (6, 7),
    "parsing_dollars": (300, 1000),
    "product_early": (300, 1000),
    "resume_nontail": (300, 1000),
    "resume_nontail_2": (300, 1000),
    "scheduler": (10, 40),
    "state_reader": (100000, 400000),
    "tree_explore": (5, 8),
    "triples": (20, 50),
}


def executed(emulator, plugin, eddy, flags, name, size):
    program = os.path.join(HERE, "programs", name + ".eddy")
    result = subprocess.run([emulator, "-plugin", plugin, "-d", "plugin", eddy, "run", *flags, program, str(size)],
                            capture_output=True, text=True)
    found = re.search(r"instructions: (\d+)", result.stderr)
    if result.returncode or not found:
        sys.exit(f"{name} {size}: status {result.returncode}\n{result.stderr}")
    return int(found.group(1)), result.stdout


def missing(x64=X64, a64=A64):
    """What is not there to count with."""
    tools = [tool for tool in ("qemu-x86_64", "qemu-aarch64") if not shutil.which(tool)]
    return tools + [os.path.relpath(eddy, ROOT) for eddy in (x64, a64) if not os.path.exists(eddy)]


def count(programs=tuple(sorted(SIZES)), x64=X64, a64=A64, flags=()):
    """[(program, sizes, on x86-64, on AArch64)], one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        plugin = os.path.join(folder, "instructions.so")
        subprocess.run(["clang++-19", "-O2", "-shared", "-fPIC", "-o", plugin,
                        os.path.join(HERE, "count", "instructions.cpp")], check=True)
        for name in programs:
            small, large = SIZES[name]
            counts, outputs = [], []
            for emulator, eddy in (("qemu-x86_64", x64), ("qemu-aarch64", a64)):
                first, _ = executed(emulator, plugin, eddy, flags, name, small)
                second, output = executed(emulator, plugin, eddy, flags, name, large)
                counts.append(second - first)
                outputs.append(output)
            if outputs[0] != outputs[1]:
                sys.exit(f"{name}: different output")
            yield name, f"{small}, {large}", *counts


def folded(sizes, x64, a64):
    """Whether it takes as long at any size: what the compiler makes of it does not go round."""
    small, large = (int(size) for size in sizes.split(","))
    return max(x64, a64) < (large - small) / 100


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", default=sorted(SIZES))
    parser.add_argument("--x64", default=X64)
    parser.add_argument("--a64", default=A64)
    parser.add_argument("--flags", default="", help="of `eddy run`")
    options = parser.parse_args()
    for name, sizes, x64, a64 in count(options.programs, options.x64, options.a64, options.flags.split()):
        ratio = "folded" if folded(sizes, x64, a64) else f"{a64 / x64:.2f}"
        print(f"{name:24} {sizes:>16}  x86-64 {x64:,}  AArch64 {a64:,}  {ratio}", flush=True)


if __name__ == "__main__":
    main()
