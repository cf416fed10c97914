#!/usr/bin/env python3
"""Runs every block of Eddy code in Markdown files.

A block ```eddy is a program of its own; one without `main` whose other lines are declarations is only checked, and
one with statements outside of functions runs as a script. A block ```output right after it holds what it prints;
```error what its diagnostics or panic contain, a text a line; the program then has to fail. Words after `eddy`:
`fragment` (not checked: part of a program), `continued` (the blocks so far of this file come before it).
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^(```+)\s*(.*?)\s*$")


def blocks(path):
    """Yields (line, words after the fence, text)."""
    fence = None
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            found = FENCE.match(line)
            if fence is None and found:
                fence, words, start, text = found[1], found[2].split(), number, []
            elif fence is not None and found and found[1] == fence and not found[2]:
                yield start, words, "".join(text)
                fence = None
            elif fence is not None:
                text.append(line)


def run(eddy, code, folder):
    main = re.search(r"^fn main\b", code, re.M)
    path = os.path.join(folder, "block.eddy")
    with open(path, "w", encoding="utf-8") as f:
        f.write(code)
    if main:
        command = [eddy, "run", path]
    else:
        # A script, or declarations alone.
        command = [eddy, "run", "-e", code]
        if subprocess.run([eddy, "check", path], capture_output=True, cwd=folder).returncode == 0:
            command = [eddy, "check", path]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, input="")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--eddy", default="eddy")
    options = parser.parse_args()
    eddy = os.path.abspath(options.eddy)
    total = failed = 0
    for file in options.files:
        all_blocks = list(blocks(file))
        so_far = ""
        for i, (line, words, text) in enumerate(all_blocks):
            if not words or words[0] != "eddy" or "fragment" in words:
                continue
            code = so_far + text if "continued" in words else text
            so_far = code if "continued" in words else so_far + text
            follow = all_blocks[i + 1] if i + 1 < len(all_blocks) else (0, [""], "")
            kind = follow[1][0] if follow[1] else ""
            total += 1
            with tempfile.TemporaryDirectory() as folder:
                result = run(eddy, code, folder)
            problem = None
            if kind == "error":
                missing = [t for t in follow[2].splitlines() if t.strip() and t.strip() not in result.stderr]
                if result.returncode == 0 or missing:
                    problem = f"status {result.returncode}, standard error lacks {missing}"
            elif result.returncode != 0:
                problem = f"status {result.returncode}"
            elif kind == "output" and result.stdout.rstrip("\n") != follow[2].rstrip("\n"):
                problem = f"it printed\n{result.stdout}"
            if problem:
                failed += 1
                print(f"{file}:{line}: {problem}\n{result.stderr}")
    print(f"{total - failed} of {total} blocks are right")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
