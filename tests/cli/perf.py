#!/usr/bin/env python3
"""Tests of the names and lines that perf is given: the files parsed back, and what perf itself makes of them."""
import contextlib
import os
import re
import shutil
import struct
import subprocess

import run
from programs import STATE
from run import OK

GENERATOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench/programs/generator.eddy")


def perf_map(pid):
    with open(f"/tmp/perf-{pid}.map", encoding="utf-8") as f:
        lines = f.read().splitlines()
    os.unlink(f"/tmp/perf-{pid}.map")
    for line in lines:
        start, size, name = line.split(" ", 2)
        yield int(start, 16), int(size, 16), name


def records(data):
    """The records of a jitdump: (kind, body)."""
    magic, version, head, machine, _, pid, stamp, flags = struct.unpack_from("<IIIIIIQQ", data)
    assert (magic, version, head, flags) == (0x4A695444, 1, 40, 0) and machine in (62, 183) and stamp, "header"
    at = head
    while at < len(data):
        kind, size, stamp = struct.unpack_from("<IIQ", data, at)
        assert stamp and size >= 16 and at + size <= len(data), (kind, size)
        yield kind, data[at + 16:at + size]
        at += size


class Perf(run.Tests):
    def child(self, *args):
        process = self.start(*args)
        out, err = process.communicate(timeout=run.HANGS)
        assert process.returncode == OK, err
        return process.pid, out.decode(), err.decode()

    def test_map(self):
        self.write("a.eddy", STATE)
        pid, out, err = self.child("--perf=map", "--tier=jit", "--no-opt=inline,handlers", "a.eddy")
        assert out == "10000\n" and err == "", (out, err)
        entries = list(perf_map(pid))
        names = [name for _, _, name in entries]
        for name in ["count (a.eddy:3:8)", "handler State.get (a.eddy:11:21)", "eddy: perform", "eddy: interpreted frame"]:
            assert name in names, (name, names)
        assert any(name.startswith("main (a.eddy:") for name in names), names
        end = 0
        for start, size, name in sorted(entries):
            assert start >= end and size > 0 and name, (start, size, name)
            end = start + size

    def test_map_names_inlined_clauses(self):
        self.write("a.eddy", STATE)
        pid, _, _ = self.child("--perf=map", "a.eddy")
        names = [name for _, _, name in perf_map(pid)]
        # Writing the state needs no code of its own in a loop that keeps it in a register.
        assert any(name.startswith("handler State.get ← count (a.eddy:11:") for name in names), names

    def test_functions_inlined_into_themselves(self):
        self.write("a.eddy", """fn leaf(n: Int, d: Int): Int => if d == 0 { n } else { 1 + leaf(n, d - 1) }
fn odd(n: Int): Bool => if n == 0 { false } else { even(n - 1) }
fn even(n: Int): Bool => if n == 0 { true } else { odd(n - 1) }
fn main() { for i in 0..3000 { leaf(i, 20); odd(i % 20) }; println(leaf(1, 20)) }
""")
        for tier in ["--tier=jit", "--tier=auto"]:
            pid, out, _ = self.child("--perf=map", tier, "a.eddy")
            assert out == "21\n" and any(name.startswith("leaf (a.eddy:1:") for _, _, name in perf_map(pid))
            self.expect(self.run("--gdb", tier, "a.eddy"), OK, "21\n", no_err=True)
            self.expect(self.run("--perf=jitdump", tier, "a.eddy"), OK, "21\n", no_err=True)

    def test_jitdump(self):
        self.write("a.eddy", STATE)
        # Inlined, the clauses would be the loop's.
        pid, out, _ = self.child("--perf=jitdump", "--no-opt=inline", "a.eddy")
        assert out == "10000\n"
        self.jitdump_is_whole(self.read(f"jit-{pid}.dump"))

    def jitdump_is_whole(self, data):
        lines, unwinding, loaded, closed = {}, None, {}, False
        for kind, body in records(data):
            assert not closed
            if kind == 2:
                address, count = struct.unpack_from("<QQ", body)
                at, rows = 16, []
                for _ in range(count):
                    row_address, line, _ = struct.unpack_from("<QII", body, at)
                    end = body.index(b"\0", at + 16)
                    rows.append((row_address, line, body[at + 16:end].decode()))
                    at = end + 1
                assert at == len(body) and rows == sorted(rows, key=lambda r: r[0])
                lines[address] = rows
            elif kind == 4:
                size, header, mapped = struct.unpack_from("<QQQ", body)
                assert len(body) == 24 + (size + 7) // 8 * 8 and header == 20 and mapped == size
                unwinding = body[24:24 + size - header]
                index = body[24 + size - header:24 + size]
                # A frame without rbp would be the last to some unwinders.
                assert b"\x07\x06" not in unwinding[:self.description(unwinding)], "rbp is undefined"
                assert index[:4] == bytes([1, 0x1b, 3, 0x3b]) and struct.unpack_from("<iI", index, 4) == (-(size - header + 4), 1)
            elif kind == 0:
                _, _, vma, address, size, number = struct.unpack_from("<IIQQQQ", body)
                end = body.index(b"\0", 40)
                name = body[40:end].decode()
                assert vma == address and len(body) == end + 1 + size and unwinding, name
                start, = struct.unpack_from("<i", unwinding, self.description(unwinding) + 8)
                padded = (size + 7) // 8 * 8
                # Counted from the description to the code that lies before it.
                assert start == -(padded + self.description(unwinding) + 8), name
                loaded[name] = (address, size)
                assert all(address <= row[0] < address + size for row in lines.get(address, [])), name
                unwinding = None
            else:
                assert kind == 3, kind
                closed = True
        assert closed and {"count", "handler State.get", "eddy: perform"} <= set(loaded), loaded
        rows = [row for rows in lines.values() for row in rows]
        assert {line for _, line, file in rows if file == os.path.realpath(os.path.join(self.folder, "a.eddy"))} >= {3, 4, 11, 12}, rows

    @staticmethod
    def description(section):
        length, = struct.unpack_from("<I", section)
        return 4 + length

    def test_jitdump_folder(self):
        self.write("a.eddy", STATE)
        os.mkdir(os.path.join(self.folder, "dumps"))
        process = self.start("--perf=jitdump", "a.eddy", env={**os.environ, "JITDUMPDIR": "dumps"})
        process.communicate(timeout=run.HANGS)
        assert os.listdir(os.path.join(self.folder, "dumps")) == [f"jit-{process.pid}.dump"]
        result = self.run("--perf=jitdump", "a.eddy", env={**os.environ, "JITDUMPDIR": "nowhere"})
        self.expect(result, OK, "10000\n", "nowhere/jit-")


class Recorded(run.Tests):
    """`perf record`, `inject` and `report`. A machine that forbids the measuring still has the files checked above."""
    NAMES = {"iterate", "sum", "handler Yield.yield"}

    def perf(self, *args, may_fail=False):
        result = subprocess.run(["perf", *args], cwd=self.folder, capture_output=True, text=True, timeout=run.HANGS,
                                env={**os.environ, "JITDUMPDIR": ".", "HOME": self.folder, "LC_ALL": "C.UTF-8"})
        assert may_fail or result.returncode == 0, f"perf {' '.join(args)}\n{result.stdout[-1000:]}{result.stderr[-2000:]}"
        return result

    def allowed(self):
        assert shutil.which("perf"), "perf is not installed: package linux-perf"
        result = self.perf("record", "-q", "-e", "cpu-clock", "-o", "probe", "true", may_fail=True)
        if result.returncode == 0:
            return True
        refusals = ("permission", "not permitted", "paranoid", "denied", "not supported", "not implemented")
        assert any(word in result.stderr.lower() for word in refusals), result.stderr
        print("perf may not measure on this machine, so nothing was recorded:", " ".join(result.stderr.split())[:200])
        return False

    def recorded(self, *flags, perf_flags=(), enough=300):
        """(samples, shared object, symbol) of runs of the generator, one that takes long enough for so many samples."""
        for n in range(22, 30):
            self.perf("record", "-q", *perf_flags, "-e", "cpu-clock", "-F", "4000", "-o", "data", self.eddy, "run", *flags, GENERATOR, str(n))
            rows = self.rows("data")
            if sum(count for count, _, _ in rows) >= enough:
                return rows
        raise AssertionError(f"too few samples: {rows}")

    def rows(self, file):
        text = self.perf("report", "-i", file, "--stdio", "-q", "-n", "-t", "|", "--sort", "dso,sym").stdout
        rows = [[field.strip() for field in line.split("|", 3)] for line in text.splitlines() if line.count("|") >= 3]
        for pid in set(re.findall(r"\[JIT\] tid (\d+)", text)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"/tmp/perf-{pid}.map")
        return [(int(count), dso, re.sub(r"^\[.\] ", "", symbol)) for _, count, dso, symbol in rows]

    def named(self, rows):
        """Of the samples in machine code of the program, 95 % have names, those of its functions among them."""
        binary = os.path.basename(self.eddy)
        code = [(count, symbol) for count, dso, symbol in rows
                if dso != binary and not dso.startswith(("[kernel", "[vdso", "[guest")) and (dso.startswith("jitted-") or ".so" not in dso)]
        total = sum(count for count, _ in code)
        unnamed = sum(count for count, symbol in code if re.match(r"0x|\[unknown\]|$", symbol))
        assert total >= 100 and unnamed <= total * 0.05, (total, unnamed, rows)
        assert {symbol.split(" (")[0] for _, symbol in code} >= self.NAMES, rows

    def test_map(self):
        if self.allowed():
            self.named(self.recorded("--perf=map"))

    def test_interpreter(self):
        if self.allowed():
            rows = self.recorded("--tier=interp", "--perf=map")
            ours = [(count, symbol) for count, dso, symbol in rows if dso == os.path.basename(self.eddy)]
            unnamed = sum(count for count, symbol in ours if re.match(r"0x|\[unknown\]|$", symbol))
            assert unnamed <= sum(count for count, _ in ours) * 0.05 and any("eddy::vm::" in symbol for _, symbol in ours), rows

    def test_jitdump(self):
        if not self.allowed():
            return
        self.recorded("--perf=jitdump", perf_flags=("-k", "mono"))
        self.perf("inject", "--jit", "-i", "data", "-o", "injected")
        self.named(self.rows("injected"))
        lines = set()
        text = self.perf("script", "-i", "injected", "-F", "ip,sym,srcline").stdout
        for name, line in re.findall(r"^ *[0-9a-f]+ (.+)\n +generator.eddy:(\d+)", text, re.M):
            lines.add((name, int(line)))
        with open(GENERATOR, encoding="utf-8") as f:
            source = f.read().splitlines()
        body = next(i for i, line in enumerate(source, 1) if "yield(v); iterate(r)" in line)
        clause = next(i for i, line in enumerate(source, 1) if "yield(v) =>" in line)
        assert ("iterate", body) in lines and ("handler Yield.yield", clause) in lines, lines


if __name__ == "__main__":
    import sys
    sys.exit(run.main(lambda cls: cls.__module__ == "__main__"))
