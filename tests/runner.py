"""Runs the eddy command. Under an emulator, where most of the time would go to translating the command again, it runs in
children of a process that has done that (tests/support/server.cpp): one such process a thread. The build says so by a
script COMMAND-server beside the command."""
import os
import subprocess
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
# What gets the server ready.
REHEARSALS = ["--tier=jit --gc-stress=97", "--tier=interp --trace=effects", "--jit-threshold=1 --osr-threshold=1"]

_threads = threading.local()


class Server:
    def __init__(self, command):
        self.process = subprocess.Popen([command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for flags in REHEARSALS:
            self.send(0, b"", ["run", *flags.split(), os.path.join(HERE, "support", "rehearsal.eddy")])

    def send(self, timeout, stdin, words):
        texts = [stdin, *(word.encode() for word in words)]
        head = f"{timeout} {len(texts)} {' '.join(str(len(t)) for t in texts)}\n"
        self.process.stdin.write(head.encode() + b"".join(texts))
        self.process.stdin.flush()

    def run(self, timeout, stdin, words):
        self.send(timeout, stdin, words)
        how, out, err = self.process.stdout.readline().split()
        out, err = self.process.stdout.read(int(out)), self.process.stdout.read(int(err))
        return "timeout" if how == b"timeout" else int(how), out, err


def run(eddy, words, stdin=b"", timeout=60):
    """The exit status (minus a signal's number, or "timeout"), standard output and standard error."""
    if os.access(eddy + "-server", os.X_OK):
        servers = _threads.__dict__.setdefault("servers", {})
        if eddy not in servers:
            servers[eddy] = Server(eddy + "-server")
        return servers[eddy].run(timeout, stdin, words)
    try:
        result = subprocess.run([eddy, *words], input=stdin, capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired as expired:
        return "timeout", expired.stdout or b"", expired.stderr or b""
    return result.returncode, result.stdout, result.stderr
