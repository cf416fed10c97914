#!/usr/bin/env python3
"""eddy-fuzz makes what it has found small at once, and writes it out with its seed: it is given another command to compare
with, which says something else of every program with a mask."""
import os
import subprocess
import sys
import tempfile


def main():
    fuzz, eddy = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        liar = os.path.join(folder, "liar")
        with open(liar, "w", encoding="utf-8") as f:
            f.write('"$1" run "$3"\nstatus=$?\ngrep -q "mask<" "$3" && echo something else\nexit $status\n')
        findings = os.path.join(folder, "findings")
        done = subprocess.run([fuzz, "--seed", "1", "--count", "12", "--jobs", "1", "--quiet", "--modes", "interp", "--findings",
                               findings, "--per-class", "1", "--compare-with", f"sh {liar} {eddy}"],
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 1 or os.listdir(findings) != ["other-binary-differs-other"]:
            sys.exit(f"status {done.returncode}: {done.stderr}")
        found = os.path.join(findings, "other-binary-differs-other")
        with open(os.path.join(found, "seeds.txt"), encoding="utf-8") as f:
            seeds = f.read().split()
        names = sorted(os.listdir(found))
        kept = [n for n in names if n.endswith(".eddy")]
        seed = kept[0][:-5]
        if len(seeds) < 2 or len(kept) != 1 or names != [f"{seed}.eddy", f"{seed}.txt", "seeds.txt"] or seed not in seeds:
            sys.exit(f"seeds {seeds}, files {names}")
        with open(os.path.join(found, kept[0]), encoding="utf-8") as f:
            small = f.read()
        whole = subprocess.run([fuzz, "--print", seed], stdout=subprocess.PIPE, text=True, check=True).stdout
        if "mask<" not in whole or "mask<" not in small or 10 * len(small) > len(whole) or len(whole) < 1000:
            sys.exit(f"of {len(whole)} characters, {len(small)} are left:\n{small}")
        with open(os.path.join(found, seed + ".txt"), encoding="utf-8") as f:
            told = f.read()
        if not told.startswith(f"seed {seed}\nproblem: other binary: differs") or ">>> got\nsomething else" not in told:
            sys.exit(told)


if __name__ == "__main__":
    main()
