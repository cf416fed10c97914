"""Running commands: time, memory, and whether they print what they should."""
import json
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time

from peer import HERE, ROOT


LONG, FEW = 3, 2  # a command that takes so many seconds is run only so often


class Sample:
    def __init__(self, seconds, memory):
        self.seconds, self.memory = seconds, memory  # memory: the most it held, in MB


class Bench:
    def __init__(self, options):
        self.options = options
        self.runs = options.runs or (1 if options.quick else 7)
        self.eddy = os.path.abspath(options.eddy)
        self.problems = []
        deepen_stack()

    def progress(self, text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}"[:110], end="", file=sys.stderr, flush=True)

    def time(self, command, expected):
        """A Sample of one run, or None where it fails; and its output. None in `expected` takes what comes."""
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        guard = threading.Timer(self.options.limit, process.kill)
        guard.start()
        out = process.stdout.read().decode(errors="replace").strip()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        guard.cancel()
        process.stdout.close()
        wall = time.perf_counter() - started
        seconds = usage.ru_utime + usage.ru_stime if self.options.cpu else wall
        if process.returncode == -9 and wall >= self.options.limit:
            self.problems.append(f"`{' '.join(shown(command))}` took longer than {self.options.limit:.0f} s")
            return None, expected
        if process.returncode != 0 or (expected is not None and out != expected):
            self.problems.append(f"`{' '.join(shown(command))}`: status {process.returncode}, printed {out[:60]!r}, expected {expected!r}")
            return None, expected
        return Sample(seconds, usage.ru_maxrss / 1024), out

    def compare(self, label, commands, expected):
        """{name: Sample of medians} for {name: command}, run in turn."""
        samples = {name: [] for name in commands}
        broken = set()
        for round_ in range(self.runs):
            for name, command in commands.items():
                if name in broken or (samples[name] and samples[name][0].seconds > LONG and len(samples[name]) >= FEW):
                    continue
                self.progress(f"{label}: {name}, run {round_ + 1} of {self.runs}")
                sample, expected = self.time(command, expected)
                if sample is None:
                    broken.add(name)
                else:
                    samples[name].append(sample)
        self.progress("")
        return {name: None if name in broken or not s else
                Sample(statistics.median(x.seconds for x in s), statistics.median(x.memory for x in s)) for name, s in samples.items()}

    def statistics(self, name, argument):
        """What `--stats=json` says of a run, or None; the middle one of three by the longest compilation."""
        runs = []
        for _ in range(1 if self.options.quick else 3):
            self.progress(f"{name}: statistics")
            command = self.eddy_command(name, argument, "--stats=json")
            result = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if result.returncode != 0:
                self.problems.append(f"`{' '.join(shown(command))}`: status {result.returncode}")
                return None
            runs.append(json.loads(result.stderr))
        self.progress("")
        return sorted(runs, key=lambda r: r["time"]["longest_compilation_ns"])[len(runs) // 2]

    def c_program(self, name):
        # C++ where C has no word for it.
        for extension, compilers in ((".c", ("clang-19", "clang")), (".cc", ("clang++-19", "clang++"))):
            source = os.path.join(HERE, "c", name + extension)
            compiler = next(filter(None, map(shutil.which, compilers)), None)
            if os.path.exists(source) and compiler:
                break
        else:
            return None
        folder = os.path.join(ROOT, "build", "bench-c")
        os.makedirs(folder, exist_ok=True)
        binary = os.path.join(folder, name)
        if not os.path.exists(binary) or os.path.getmtime(binary) < os.path.getmtime(source):
            subprocess.run([compiler, "-O2", "-w", source, "-o", binary], check=True)
        return binary

    def eddy_command(self, name, argument, *flags):
        return [self.eddy, "run", *flags, self.eddy_source(name), argument]

    @staticmethod
    def eddy_source(name):
        return os.path.join(HERE, "programs", name + ".eddy")

    def eddy_module(self, name):
        """The program as `eddy build` writes it, made ahead."""
        module = os.path.join(ROOT, "build", "bench-modules", name + ".ebc")
        os.makedirs(os.path.dirname(module), exist_ok=True)
        subprocess.run([self.eddy, "build", self.eddy_source(name), "-o", module], check=True)
        return module


def deepen_stack():
    """For the commands, to whom it passes on: a function of their own to set it would cost each of them a fork of this process."""
    try:
        resource.setrlimit(resource.RLIMIT_STACK, (1 << 28, resource.getrlimit(resource.RLIMIT_STACK)[1]))
    except (ValueError, OSError):
        pass


def shown(command):
    return [os.path.relpath(w, ROOT) if w.startswith(ROOT) else os.path.basename(w) if w.startswith("/") else w for w in command]


def geometric_mean(values):
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def exponent(points):
    """The slope of log time over log input, by least squares."""
    points = [(math.log(n), math.log(t)) for n, t in points if t and t > 0]
    if len(points) < 2:
        return None
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
