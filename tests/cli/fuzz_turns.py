#!/usr/bin/env python3
"""eddy-fuzz --turns: every mode has its share of the programs, and what it is compared with runs beside it."""
import os
import subprocess
import sys
import tempfile

from support import read_state


def main():
    with tempfile.TemporaryDirectory() as folder:
        state = os.path.join(folder, "state")

        def run(*more):
            done = subprocess.run([sys.argv[1], "--seed", "1000", "--quiet", "--jobs", "2", "--state", state, "--findings",
                                   os.path.join(folder, "findings"), *more], stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                sys.exit(f"status {done.returncode}\n{done.stderr}")
            return read_state(state)

        # Two share a VM, one brings what its fuel is compared with: four turns, and three rounds of them.
        modes = "--modes=interp,fuel,nursery,jit,jit-stress3,auto,auto-fuel"
        want = {"interp": 12, "fuel": 3, "nursery": 3, "jit": 3, "jit-stress3": 3, "auto": 3, "auto-fuel": 3}
        got = run(modes, "--count", "12", "--turns", "1")
        if {k: got.get(k) for k in want} != want:
            sys.exit(f"one turn: {got}")
        # What was counted before is kept, and what goes on need not take the same turns.
        got = run(modes, "--count", "24", "--turns", "0")
        if {k: got.get(k) for k in want} != {k: n + 12 for k, n in want.items()}:
            sys.exit(f"all turns: {got}")
        if got["runs"] != sum(want.values()) + 12 * len(want):
            sys.exit(f"runs: {got}")


if __name__ == "__main__":
    main()
