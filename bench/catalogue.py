"""What is measured: programs, their inputs and outputs."""

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


def divisions(n):
    """Of handler_sieve: each number asks the primes before it, from the largest on, until one divides it."""
    largest, position, total = list(range(n)), {}, 0
    for i in range(2, n):
        if largest[i] == i:
            total += len(position)
            position[i] = len(position)
            for multiple in range(2 * i, n, i):
                largest[multiple] = i
        else:
            total += len(position) - position[largest[i]]
    return total


def linear(n):
    return n


# Program: inputs, and the work that there is to do for one.
SCALING = {
    "countdown": ((4000000, 8000000, 16000000, 32000000), linear),
    "product_early": ((4000, 8000, 16000, 32000), linear),
    "iterator": ((4000000, 8000000, 16000000, 32000000), linear),
    "parsing_dollars": ((2500, 5000, 10000, 20000), lambda n: n * n),
    "triples": ((75, 150, 300, 600), lambda n: n ** 3),
    "resume_nontail": ((1000, 3000, 10000, 30000, 100000), linear),
    "resume_nontail_2": ((1000, 3000, 10000, 30000, 100000), linear),
    "handler_sieve": ((7500, 15000, 30000, 60000), divisions),
    "scheduler": ((200, 400, 800, 1600), linear),
    "interruptible_iterator": ((100, 300, 1000, 3000), linear),
    "state_reader": ((4000000, 8000000, 16000000, 32000000), linear),
    "list_map": ((50000, 100000, 200000, 400000), linear),
    "many_fibers": ((60000, 120000, 240000, 480000), linear),
}

INTERP = ["fibonacci", "ackermann", "array_loop", "string_building", "binary_trees"]
