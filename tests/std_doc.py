#!/usr/bin/env python3
"""Compares docs/std.md with what `eddy doc` says of the library; EDDY_UPDATE_GOLDEN=1 writes it anew."""
import glob
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(ROOT, "docs", "std.md")
HEAD = "<!-- Made by `eddy doc`; refresh with EDDY_UPDATE_GOLDEN=1 tests/std_doc.py EDDY. -->\n\n"


def main():
    modules = sorted(os.path.relpath(m, ROOT) for m in glob.glob(os.path.join(ROOT, "std", "*.eddy")))
    modules.sort(key=lambda m: m != os.path.join("std", "prelude.eddy"))
    made = subprocess.run([os.path.abspath(sys.argv[1]), "doc", *modules], cwd=ROOT, capture_output=True, text=True)
    if made.returncode != 0:
        sys.exit(made.stderr)
    text = HEAD + made.stdout
    if os.environ.get("EDDY_UPDATE_GOLDEN"):
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(text)
        return
    with open(PAGE, encoding="utf-8") as f:
        if f.read() != text:
            sys.exit("docs/std.md is not what `eddy doc` says of std/")


main()
