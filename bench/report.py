"""docs/performance.md."""
import datetime
import os
import platform
import resource
import shutil
import subprocess

import plot
from catalogue import PUBLISHED
from instructions import folded
from measure import FEW, LONG, exponent, geometric_mean
from peer import PEERS


def seconds(sample):
    return "–" if sample is None else f"{sample.seconds:.{3 if sample.seconds >= 0.01 else 4}f}"


def megabytes(sample):
    # A process is counted from the fork on, as what it was forked from: this driver.
    least = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return "–" if sample is None else f"< {least + 1:.0f}" if sample.memory <= least + 1 else f"{sample.memory:.0f}"


def ratio(a, b):
    return None if a is None or b is None or not b.seconds else a.seconds / b.seconds


def shown_ratio(r):
    return "–" if r is None else f"{r:.2f}" if r < 100 else f"{r:.0f}"


def markdown_table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "| --- " + "| ---: " * (len(head) - 1) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def machine():
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            model = next((l.split(":")[1].strip() for l in f if l.startswith("model name")), model)
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


def versions():
    if shutil.which("clang-19"):
        yield subprocess.run(["clang-19", "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    for peer in PEERS:
        yield f"{peer.name}: {peer.version() if peer.installed() else '**missing**: ' + peer.missing()}"


def beside_c(rows):
    ahead = [p.name for p in PEERS if p.ahead]
    ratios = {who: [] for who in ["eddy", *ahead]}
    table = []
    for name, argument, t in rows:
        r = ratio(t.get("eddy"), t.get("C"))
        for who in ratios:
            ratios[who].append(ratio(t.get(who), t.get("C")))
        best, who = PUBLISHED.get(name, (None, ""))
        table.append([name, argument, seconds(t.get("eddy")), seconds(t["C"]) if "C" in t else "", shown_ratio(r) if "C" in t else "",
                      *(peer_beside_c(t, who) for who in ahead), f"{best:g} ({who})" if best else "", megabytes(t.get("eddy")), megabytes(t["C"]) if "C" in t else ""])
    table.append(["geometric mean", "", "", "", *(shown_ratio(geometric_mean(r)) for r in ratios.values()), "", "", ""])
    head = ["program", "input", "eddy", "C", "× C", *(f"{who}, × C" for who in ahead), "best published × C", "MB", "MB, C"]
    return list(markdown_table(head, table))


def peer_beside_c(samples, who):
    if who not in samples:
        return ""
    return f"{seconds(samples[who])}, {shown_ratio(ratio(samples[who], samples['C']))}" if samples.get("C") else seconds(samples[who])


def tiers_and_peers(rows):
    columns = ["eddy", "module", "jit", "interp"] + [p.name for p in PEERS]
    table, ratios = [], {c: [] for c in columns}
    for name, argument, t in rows:
        row = [name, argument]
        for column in columns:
            if column not in t:
                row.append("")
            elif column == "eddy":
                row.append(seconds(t[column]))
            else:
                r = ratio(t[column], t.get("eddy"))
                ratios[column].append(r)
                row.append(f"{seconds(t[column])} ({shown_ratio(r)})")
        table.append(row)
    table.append(["geometric mean", "", ""] + [f"({shown_ratio(geometric_mean(ratios[c]))})" if any(ratios[c]) else "" for c in columns[1:]])
    return list(markdown_table(["program", "input", "eddy", "from a module", "compiled at once", "interpreter"] + [p.name for p in PEERS], table))


def interpreters(rows):
    table, ratios = [], {"lua5.4": [], "luajit -joff": []}
    for name, argument, t in rows:
        row = [name, argument, seconds(t.get("eddy"))]
        for peer in ratios:
            r = ratio(t.get(peer), t.get("eddy"))
            ratios[peer].append(r)
            row += [seconds(t.get(peer)), shown_ratio(r)]
        table.append(row)
    table.append(["geometric mean", "", ""] + [x for peer in ratios for x in ("", shown_ratio(geometric_mean(ratios[peer])))])
    return list(markdown_table(["program", "input", "eddy", "lua5.4", "ratio", "luajit -joff", "ratio"], table))


def behind_the_interpreter(rows):
    """Of what is compiled when hot: whether that ever costs more than a tenth."""
    ratios = sorted(((r, name) for name, _, t in rows if (r := ratio(t.get("eddy"), t.get("interp")))), reverse=True)
    slower = [f"{name} ({r:.2f} of the interpreter's time)" for r, name in ratios if r > 1.1]
    if slower:
        return "Slower than the interpreter alone by more than a tenth: " + ", ".join(slower) + "."
    return f"Compiling what is hot never takes more than 1.1 of the interpreter's time; the most is {ratios[0][0]:.2f}, {ratios[0][1]}." if ratios else ""


def compilation_table(rows):
    table = []
    for name, argument, s in rows:
        c, t = s["compiled"], s["time"]
        table.append([name, argument, str(c["functions"]), f"{c['code_bytes'] / 1024:.1f}", f"{t['compiling_ns'] / 1e6:.2f}",
                      f"{t['longest_compilation_ns'] / 1e6:.2f}"])
    if rows:
        table.append(["most", "", "", "", "", f"{max(s['time']['longest_compilation_ns'] for _, _, s in rows) / 1e6:.2f}"])
    return list(markdown_table(["program", "input", "compilations", "KB of code", "ms", "longest, ms"], table))


def scaling_table(curves):
    table = []
    for name, points in curves.items():
        fitted = exponent([(work, t) for _, work, t in points])
        table.append([name, " · ".join(str(n) for n, _, _ in points), " · ".join("–" if t is None else f"{t:.3f}" for _, _, t in points),
                      "–" if fitted is None else f"{fitted:.2f}"])
    return list(markdown_table(["program", "inputs", "seconds beyond start-up", "exponent over the work"], table))


def write_plots(folder, effects, curves):
    os.makedirs(folder, exist_ok=True)
    rows = [(name, ratio(t.get("eddy"), t.get("C")), PUBLISHED.get(name, (None,))[0]) for name, _, t in effects if "C" in t]
    series = {name: [(n, t) for n, _, t in points if t] for name, points in curves.items()}
    series = {name: points for name, points in series.items() if points}
    for file, text in [("beside_c.svg", plot.bars("Time as a multiple of C", rows)), ("scaling.svg", plot.curves("Time over input", series))]:
        if text:
            with open(os.path.join(folder, file), "w", encoding="utf-8") as f:
                f.write(text)


def instructions(counted):
    out = ["| program | sizes | x86-64 | AArch64 | ratio |", "| --- | --- | ---: | ---: | ---: |"]
    ratios = []
    for name, sizes, x64, a64 in counted:
        if folded(sizes, x64, a64):
            out.append(f"| {name} | {sizes} | folded | folded | |")
        else:
            ratios.append(a64 / x64)
            out.append(f"| {name} | {sizes} | {x64:,} | {a64:,} | {ratios[-1]:.2f} |")
    return out + [f"| geometric mean | | | | {geometric_mean(ratios):.2f} |"]


def page(bench, effects, peers, interp, curves, compiled, counted):
    time = "processor time" if bench.options.cpu else "elapsed time"
    out = ["# Performance", "",
           f"Made by `./dev bench`; `./dev bench --quick` runs small inputs once and prints only. Whole processes, start-up and compilation "
           f"included, in seconds of {time}: the median of {bench.runs} runs, those of a row taken in turn "
           f"(of what takes more than {LONG} s: {FEW}). Every output is checked.", "",
           f"- {machine()}", f"- {datetime.date.today().isoformat()}"]
    out += [f"- {v}" for v in versions()]
    out += ["", "## Beside C", "",
            "The programs are those of the community's effect handler benchmarks and of Lexa's, under the same names, and a few of our own. "
            "`× C`: time as a multiple of the same work in plain C without effects (`bench/c`, `clang -O2`; for list_map, C++ templates). MB: the most memory it held. The "
            "best published results were measured elsewhere, beside the same C; they are for orientation. " +
            "; ".join(f"{p.name}: {p.what}" for p in PEERS if p.ahead) + ".", ""]
    out += beside_c(effects)
    out += ["", "What the objects of Floats in lists cost list_map at most, by the same work in C++ in five ways (`bench/c/float_lists.cc`), is in [jit.md](jit.md)."]
    out += ["", "![Time as a multiple of C](plots/beside_c.svg)", "", "## Tiers, and what other languages have for the shape", "",
            "Smaller inputs, at which the slowest takes seconds. In brackets: the time over that of `eddy`, which compiles what is hot; "
            "\"from a module\" runs what `eddy build` wrote ahead, as the compilers of the last three peers did; \"compiled at once\" is "
            "`--tier=jit`. " +
            "; ".join(f"{p.name}: {p.what}" for p in PEERS) + " (`bench/peers`). An empty field: the language has nothing that fits, as "
            "generators and coroutines have not for resuming twice.", ""]
    out += tiers_and_peers(peers)
    out += ["", behind_the_interpreter(peers)]
    out += ["", "## Growth", "", "The exponent is fitted to the time beyond start-up over the work that an input means: n for most, n² for parsing_dollars, "
            "n³ for triples, its divisions for handler_sieve. 1 is a cost that grows as the work does.", ""]
    out += scaling_table(curves)
    out += ["", "![Time over input](plots/scaling.svg)", "", "## Compiling", "",
            "The inputs of the peers' table. A compilation is a function or a loop of one; the program waits for it.", ""]
    out += compilation_table(compiled)
    out += ["", "## The interpreter alone, beside interpreters", "",
            "`bench/interp`. Ratios are the peer's time over ours: above 1, we are ahead.", ""]
    out += interpreters(interp)
    if counted:
        out += ["", "## Instructions on AArch64", "",
                "Counted under qemu-user: what each program executes on both processors between a smaller and a larger input, so that start "
                "and compiling do not count (`bench/instructions.py`). folded: as many at any size, because the loop became what it comes to.", ""]
        out += instructions(counted)
    missing = [f"{p.name} ({p.missing()})" for p in PEERS if not p.installed()]
    if missing:
        out += ["", "Peers that were not there: " + ", ".join(missing) + "."]
    if bench.problems:
        out += ["", "Not measured:", ""] + [f"- {p}" for p in dict.fromkeys(bench.problems)]
    return "\n".join(out) + "\n"
