#!/usr/bin/env python3
"""Lists machine code of every program for both instruction sets, on whichever host this is: each function has code on
both, each instruction is one that the disassembler knows, each jump goes to an instruction or a stub, and each call is
followed by the note of its frame.
"""
import argparse
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BASE = 0x100000  # where listed code is supposed to stand
CALL = {"x86-64": re.compile(r"call\b"), "aarch64": re.compile(r"blr?\b")}
# Where jit/codegen/target.cpp lists the stubs that neither look at frames nor come to be looked at.
STUBS = re.findall(r"\w+", re.search(r"for \(void\*\* stub : \{(.*?)\}", open(os.path.join(ROOT, "jit/codegen/stubs.h")).read(), re.S).group(1))
PLAIN = tuple(f"{0x1100 + 0x100 * STUBS.index(stub):#x}" for stub in ("call_plain", "fork"))
JUMP = {"x86-64": re.compile(r"j[a-z]+ 0x([0-9a-f]+)$"), "aarch64": re.compile(r"(?:b|b\.[a-z]+|cbn?z|tbn?z)\b.*#0x([0-9a-f]+)$")}


def problems(arch, name, lines):
    if not lines:
        return [f"{name}: nothing is listed"]
    if "not compiled" in lines[0] or "interpreted" in lines[0]:
        return [f"{name}: {lines[0].strip()}"]
    code = [re.match(r"\s+([0-9a-f]+)  (.*)$", line) for line in lines]
    if not all(code):
        return [f"{name}: not a line of code: {lines[[bool(m) for m in code].index(False)]!r}"]
    code = [(int(m.group(1), 16), m.group(2)) for m in code]
    places = {at for at, _ in code}
    found = []
    rare = [text for _, text in code].count("; rare from here on")
    if rare > 1:
        found.append(f"{name}: what is rare begins {rare} times")
    for i, (at, text) in enumerate(code):
        if text.startswith((".word", ".byte", "udf")):
            found.append(f"{name}: no instruction at {at:x}: {text}")
        if text.endswith(PLAIN):
            continue
        if CALL[arch].match(text) and not (i + 1 < len(code) and code[i + 1][1].startswith(";")):
            found.append(f"{name}: no note behind the call at {at:x}")
        jump = JUMP[arch].match(text)
        if jump and BASE <= int(jump.group(1), 16) and int(jump.group(1), 16) - BASE not in places:
            found.append(f"{name}: a jump to nowhere at {at:x}: {text}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--eddy", required=True)
    parser.add_argument("paths", nargs="*", default=sorted(glob.glob(os.path.join(ROOT, "bench", "programs", "*.eddy"))))
    options = parser.parse_args()
    functions = 0
    found = []
    for path in options.paths:
        for arch in ("x86-64", "aarch64"):
            result = subprocess.run([options.eddy, "disasm", "--jit", "--arch=" + arch, path], capture_output=True, text=True)
            if result.returncode:
                found.append(f"{path}: status {result.returncode}: {result.stderr.strip()}")
                continue
            for part in re.split(r"^function ", result.stdout, flags=re.M)[1:]:
                name, *lines = part.rstrip("\n").split("\n")
                functions += 1
                found += [f"{os.path.basename(path)}, {arch}: {text}" for text in problems(arch, name, lines)]
    print("\n".join(found[:40]))
    print(f"{functions} functions listed, {len(found)} problems")
    return 1 if found or not functions else 0


if __name__ == "__main__":
    sys.exit(main())
