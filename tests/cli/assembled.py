#!/usr/bin/env python3
"""Assembles tests/asm and runs each module in machine code too, where the unit tests have the interpreter: what it gives is
the exit status, or the panic that its first line names. So opcodes that the lowering of Eddy never emits are compiled."""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODES = [["--tier=interp"], ["--tier=jit"], ["--tier=jit", "--gc-stress=3"], ["--jit-threshold=1", "--osr-threshold=1"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--eddy", required=True)
    eddy = parser.parse_args().eddy
    mark, failed, runs = "; expect: ", 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(glob.glob(os.path.join(HERE, "../asm/*.eas"))):
            with open(path, encoding="utf-8") as f:
                first = f.readline().rstrip("\n")
            want = first[len(mark):]
            module = os.path.join(folder, "module.ebc")
            subprocess.run([eddy, "asm", path, "-o", module], check=True)
            for mode in MODES:
                result = subprocess.run([eddy, "run", *mode, module], capture_output=True, text=True)
                if want.startswith("panic: "):
                    right = result.returncode == 1 and result.stderr.startswith(want + "\n")
                else:
                    right = result.returncode == int(want) & 255
                runs += 1
                if not right:
                    failed += 1
                    print(f"{os.path.basename(path)} {' '.join(mode)}: expected {want}, got status {result.returncode}\n"
                          f"{result.stdout}{result.stderr}")
    print(f"{runs - failed} of {runs} as expected")
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
