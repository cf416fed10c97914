#!/usr/bin/env python3
"""A mutator goes on where it was stopped, tries the same mutants as in one go, and names the one that crashes."""
import os
import signal
import subprocess
import sys
import tempfile
import time

from support import read_state


def main():
    binary, corpus = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        def run(name, *flags):
            path = os.path.join(folder, name)
            subprocess.run([binary, "--seed", "5", "--quiet", "--state", path, *flags, *corpus], check=True, stderr=subprocess.DEVNULL)
            return read_state(path)

        whole = run("whole", "--count", "600")
        run("parts", "--count", "250")
        parts = run("parts", "--count", "600")
        if whole != parts or parts["next"] != 600:
            sys.exit(f"in one go {whole}, in parts {parts}")
        different = run("different", "--distinct", "300")
        if different["different"] != 300:
            sys.exit(f"{different} instead of 300 different ones")
        again = run("different", "--distinct", "300")
        if again != different:
            sys.exit(f"{again} behind {different}")

        for stop in (signal.SIGTERM, signal.SIGSEGV):
            path = os.path.join(folder, f"stopped {stop}")
            process = subprocess.Popen([binary, "--seed", "5", "--count", "1000000000", "--state", path, *corpus],
                                       stderr=subprocess.PIPE, text=True)
            while process.poll() is None and read_state(path).get("next", 0) < 5:
                time.sleep(0.01)
            process.send_signal(stop)
            _, errors = process.communicate()
            if stop == signal.SIGTERM and (process.returncode != 0 or "--start" in errors):
                sys.exit(f"stopped: status {process.returncode}\n{errors}")
            if stop == signal.SIGSEGV and (process.returncode == 0 or "--seed 5 --start" not in errors):
                sys.exit(f"crashed: status {process.returncode}\n{errors}")


if __name__ == "__main__":
    main()
