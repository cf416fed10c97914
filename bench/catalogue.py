"""What is measured: programs, their inputs and outputs, and who else runs them."""
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

# Program: (input, output) for --quick, for the table beside C, and for the table of peers, where the slowest one
# takes seconds. None: what the first run prints is what the others have to print.
PROGRAMS = {
    "countdown": (("1000000", "0"), ("200000000", "0"), ("2000000", "0")),
    "fibonacci_recursive": (("24", "46368"), ("42", "267914296"), ("34", "5702887")),
    "ackermann": (("6", "509"), ("11", "16381"), ("9", "4093")),
    "product_early": (("1000", "0"), ("100000", "0"), ("10000", "0")),
    "iterator": (("100000", "5000050000"), ("40000000", "800000020000000"), ("3000000", "4500001500000")),
    "nqueens": (("8", "92"), ("12", "14200"), ("9", "352")),
    "generator": (("14", "32752"), ("25", "67108837"), ("19", "1048555")),
    "tree_explore": (("8", "1006"), ("16", "1005"), ("13", None)),
    "triples": (("60", None), ("300", "460212934"), ("100", None)),
    "parsing_dollars": (("200", "20100"), ("20000", "200010000"), ("1500", "1125750")),
    "resume_nontail": (("100", None), ("10000", "860"), ("1000", None)),
    "resume_nontail_2": (("100", None), ("10000", "912"), ("300", None)),
    "handler_sieve": (("1000", "76127"), ("60000", "171848738"), ("10000", None)),
    "scheduler": (("30", "30000"), ("3000", "3000000"), ("500", "500000")),
    "concurrent_search": (("8", None), ("13", "3366897"), ("9", None)),
    "interruptible_iterator": (("30", None), ("3000", "9003000000"), ("500", None)),
    "state_reader": (("10000", None), ("10000000", None), ("1000000", None)),
    "list_map": (("1000", None), ("200000", None), ("50000", None)),
    "many_fibers": (("1000", None), ("1000000", None), ("100000", None)),
}
QUICK, LARGE, MEDIUM = 0, 1, 2

# The best published results for these programs, as multiples of the same C on one machine; for orientation.
PUBLISHED = {
    "countdown": (0.55, "Lexa"), "fibonacci_recursive": (0.94, "Lexa"), "product_early": (0.92, "Lexa"), "iterator": (1.1, "Lexa"),
    "nqueens": (4.3, "Lexa"), "generator": (6.6, "libseff"), "tree_explore": (7.4, "OCaml 5 + multicont"),
    "triples": (38, "Effekt (LLVM)"), "parsing_dollars": (1.6, "Lexa"), "resume_nontail": (2.8, "Effekt (LLVM)"),
    "resume_nontail_2": (2.7, "Effekt (LLVM)"), "handler_sieve": (2.0, "Effekt (LLVM)"), "scheduler": (12.5, "Lexa"),
    "concurrent_search": (3.3, "Lexa"), "interruptible_iterator": (1.0, "Lexa"),
}

# Program: the smallest of the inputs n, 2n, 4n, 8n, and the exponent of the work that there is to do.
SCALING = {
    "countdown": (4000000, 1), "product_early": (4000, 1), "iterator": (4000000, 1), "parsing_dollars": (1500, 2), "triples": (40, 3),
    "resume_nontail": (1000, 1), "resume_nontail_2": (1000, 1), "handler_sieve": (8000, None), "scheduler": (200, 1),
    "interruptible_iterator": (300, 1), "state_reader": (4000000, 1), "list_map": (50000, 1), "many_fibers": (60000, 1),
}

INTERP = ["fibonacci", "ackermann", "array_loop", "string_building", "binary_trees"]


class Peer:
    """Somebody whose programs stand in peers/FOLDER."""

    def __init__(self, name, folder, extension, command, version, what):
        self.name, self.folder, self.extension, self.command, self.version_command, self.what = name, folder, extension, command, version, what

    def installed(self):
        return shutil.which(self.command[0]) is not None

    def program(self, name):
        file = os.path.join(HERE, "peers", self.folder, name + self.extension)
        return file if os.path.exists(file) else None

    def run(self, name, argument):
        return [*self.command, self.program(name), argument]

    def version(self):
        result = subprocess.run([self.command[0], *self.version_command], capture_output=True, text=True)
        return (result.stdout or result.stderr).splitlines()[0]


PEERS = [
    Peer("lua5.4", "lua", ".lua", ["lua5.4"], ["-v"], "coroutines"),
    Peer("luajit", "lua", ".lua", ["luajit"], ["-v"], "coroutines"),
    Peer("node", "node", ".js", ["node", "--stack-size=60000"], ["--version"], "generators"),
    Peer("python", "python", ".py", ["python3"], ["--version"], "generators"),
    Peer("chez", "scheme", ".scm", ["chezscheme", "--script", os.path.join(HERE, "peers", "chez", "run.ss")], ["--version"], "call/cc"),
    Peer("racket", "racket", ".rkt", ["racket"], ["--version"], "prompts"),
]


def prepare_peers():
    """Compiles ahead what would otherwise be compiled in every run."""
    os.environ["PLTCOMPILEDROOTS"] = os.path.join(ROOT, "build", "bench-racket") + ":"  # and where racket keeps its own
    if shutil.which("raco"):
        folder = os.path.join(HERE, "peers", "racket")
        files = [os.path.join(folder, f) for f in sorted(os.listdir(folder)) if f.endswith(".rkt")]
        subprocess.run(["raco", "make", *files], check=True)
