"""The languages that are measured beside Eddy, each with its programs in peers/FOLDER."""
import concurrent.futures
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
PROGRAMS = os.path.join(HERE, "peers")


class Peer:
    ahead = False  # whether it is a compiler that makes a program ahead of time

    def __init__(self, name, folder, extension, command, version, what):
        self.name, self.folder, self.extension, self.command, self.version_command, self.what = name, folder, extension, command, version, what

    def missing(self):
        """What it lacks to run here, or None."""
        return None if shutil.which(self.command[0]) else f"{self.command[0]} is not installed"

    def installed(self):
        return self.missing() is None

    def source(self, name):
        file = os.path.join(PROGRAMS, self.folder, name + self.extension)
        return file if os.path.exists(file) else None

    program = source  # what is run, where there is one

    def run(self, name, argument):
        return [*self.command, self.program(name), argument]

    def version(self):
        result = subprocess.run([self.command[0], *self.version_command], capture_output=True, text=True)
        return (result.stdout or result.stderr).splitlines()[0]

    def prepare(self, names, progress):
        """Compiles ahead what would otherwise be compiled in every run; the problems."""
        return []


class Racket(Peer):
    def prepare(self, names, progress):
        os.environ["PLTCOMPILEDROOTS"] = os.path.join(ROOT, "build", "bench-racket") + ":"  # and where racket keeps its own
        if not shutil.which("raco"):
            return ["racket: there is no raco to compile its programs ahead"]
        progress("racket: compiling")
        result = subprocess.run(["raco", "make", *(f for f in map(self.source, names) if f)], capture_output=True, text=True)
        return [] if result.returncode == 0 else ["racket: " + result.stderr.splitlines()[0]]


class Effekt(Peer):
    """Effekt (effekt-lang.org), which comes as an npm package and runs on Java."""
    INSTALL = "npm install --prefix build/effekt @effekt-lang/effekt"
    LLVMS = ("19", "18", "20", "17")

    def __init__(self, name, backend, what):
        super().__init__(name, "effekt", ".effekt", ["node", "--stack-size=60000"] if backend == "js" else [], [], what)
        self.backend, self.ahead = backend, backend == "llvm"

    @staticmethod
    def compiler():
        own = os.path.join(ROOT, "build", "effekt", "node_modules", ".bin", "effekt")
        return own if os.path.exists(own) else shutil.which("effekt")

    def llvm(self):
        return next((v for v in self.LLVMS if all(shutil.which(f"{tool}-{v}") for tool in ("llc", "opt", "clang"))), None)

    def missing(self):
        if not self.compiler():
            return f"`{self.INSTALL}` installs it"
        if not shutil.which("java"):
            return "java is not installed"
        if self.backend == "js":
            return super().missing()
        if not self.llvm():
            return "packages llvm-19 and clang-19 are not installed"
        if subprocess.run(["pkg-config", "--exists", "libuv"], capture_output=True).returncode != 0:
            return "package libuv1-dev is not installed"
        return None

    def built(self, name):
        return os.path.join(ROOT, "build", "bench-effekt", self.backend, name, name)

    def program(self, name):
        return self.built(name) if self.source(name) and os.path.exists(self.built(name)) else None

    def version(self):
        result = subprocess.run([self.compiler(), "--version"], capture_output=True, text=True)
        return " ".join(re.findall(r"Effekt [\d.]+", result.stdout + result.stderr)[:1])

    def fresh(self, name):
        sources = (self.source(name), self.source("argument"), self.compiler())
        return os.path.exists(self.built(name)) and all(os.path.getmtime(s) < os.path.getmtime(self.built(name)) for s in sources)

    def compile(self, name):
        folder = os.path.dirname(self.built(name))
        shutil.rmtree(folder, ignore_errors=True)
        flags = ["--llvm-version", self.llvm()] if self.backend == "llvm" else []
        # The compiler lives for seconds: what it does is not worth its own compiler's best.
        environment = {**os.environ, "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
        result = subprocess.run([self.compiler(), "--build", "--backend", self.backend, *flags, "-o", folder, name + self.extension],
                                cwd=os.path.join(PROGRAMS, self.folder), env=environment, capture_output=True, text=True)
        if os.path.exists(self.built(name)):
            return None
        text = re.sub(r"\x1b\[\d+m", "", result.stdout + result.stderr)
        lines = [line for line in text.splitlines() if line.strip() and "JAVA_TOOL_OPTIONS" not in line]
        return f"{self.name}: {name} was not compiled: {' '.join(lines)[:300]}"

    def prepare(self, names, progress):
        stale = [name for name in names if self.source(name) and not self.fresh(name)]
        problems = []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for done, problem in enumerate(pool.map(self.compile, stale), 1):
                progress(f"{self.name}: compiling ahead, {done} of {len(stale)}")
                problems += [problem] if problem else []
        return problems


PEERS = [
    Peer("lua5.4", "lua", ".lua", ["lua5.4"], ["-v"], "coroutines"),
    Peer("luajit", "lua", ".lua", ["luajit"], ["-v"], "coroutines"),
    Peer("node", "node", ".js", ["node", "--stack-size=60000"], ["--version"], "generators"),
    Peer("python", "python", ".py", ["python3"], ["--version"], "generators"),
    Peer("chez", "scheme", ".scm", ["chezscheme", "--script", os.path.join(PROGRAMS, "chez", "run.ss")], ["--version"], "call/cc"),
    Racket("racket", "racket", ".rkt", ["racket"], ["--version"], "prompts"),
    Effekt("effekt-js", "js", "handlers, compiled to JavaScript"),
    Effekt("effekt-llvm", "llvm", "handlers, compiled to machine code ahead of time"),
]
