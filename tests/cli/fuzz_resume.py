#!/usr/bin/env python3
"""eddy-fuzz stops when it is told to, between two programs, and goes on where it was: every program is run, and none of
its processes dies of the signal, whatever it was doing."""
import os
import signal
import subprocess
import sys
import tempfile
import time

from support import read_state


def main():
    with tempfile.TemporaryDirectory() as folder:
        state = os.path.join(folder, "state")
        command = [sys.argv[1], "--seed", "1000", "--count", "60", "--jobs", "2", "--batch", "7", "--quiet", "--state", state,
                   "--findings", os.path.join(folder, "findings"), "--modes", "interp,jit,jit-stress3"]
        rounds, next_seed = 0, 1000
        while next_seed < 1060:
            # A group of its own: the signal goes to every process of it, as from a terminal.
            process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
            before = read_state(state).get("programs", 0)
            while rounds < 3 and process.poll() is None and read_state(state).get("programs", 0) < before + 3:
                time.sleep(0.01)
            if process.poll() is None and rounds < 3:
                os.killpg(process.pid, signal.SIGTERM)
            _, errors = process.communicate()
            after = read_state(state)
            rounds += 1
            if process.returncode != 0 or after["found"] != 0 or after["next"] < next_seed:
                sys.exit(f"round {rounds}: status {process.returncode}, {after}\n{errors}")
            next_seed = after["next"]
        # Some may have been run twice, none left out.
        if after["programs"] < 60:
            sys.exit(f"only {after['programs']} programs were run")


if __name__ == "__main__":
    main()
