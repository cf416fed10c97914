#!/usr/bin/env python3
"""Runs the programs in Markdown files: each ```eddy block that is followed by an ```output block must print it."""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BLOCK = re.compile(r"^```eddy\n(.*?)^```\n+^```output\n(.*?)^```", re.S | re.M)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=[os.path.join(HERE, "..", "docs", "tour.md")])
    parser.add_argument("--eddy", default="eddy")
    options = parser.parse_args()
    failures = count = 0
    for path in options.files:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for match in BLOCK.finditer(text):
            count += 1
            line = text.count("\n", 0, match.start()) + 1
            with tempfile.TemporaryDirectory() as folder:
                program = os.path.join(folder, "program.eddy")
                with open(program, "w", encoding="utf-8") as f:
                    f.write(match.group(1))
                result = subprocess.run([options.eddy, "run", program], capture_output=True, text=True, timeout=60)
            if result.returncode != 0 or result.stdout != match.group(2):
                failures += 1
                print(f"{path}:{line}: status {result.returncode}\n{result.stderr}prints\n{result.stdout}not\n{match.group(2)}")
    print(f"{count - failures} of {count} programs passed")
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main())
