#!/usr/bin/env python3
"""Prints unicode_tables.cpp from Python's own Unicode database: unicode_tables.py > unicode_tables.cpp"""
import sys
import unicodedata

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def ranges(wanted):
    out = []
    for c in SCALARS:
        if wanted(c):
            if out and out[-1][1] == c - 1:
                out[-1][1] = c
            else:
                out.append([c, c])
    return out


def simple(c, full):
    if c == 0x130 and full is str.lower:
        return 0x69  # the one lower case that takes two characters in full
    text = full(chr(c))
    if len(text) != 1:
        text = chr(c).title()  # some have a one-character title case where upper case takes several
    return ord(text) if len(text) == 1 else c


def mappings(full):
    pairs = [(c, simple(c, full)) for c in SCALARS]
    pairs = [(c, m - c) for c, m in pairs if m != c]
    out = []
    for c, delta in pairs:
        if out and out[-1][2] == delta:
            first, last, _, stride = out[-1]
            step = c - last
            if step in (1, 2) and (first == last or step == stride):
                out[-1] = [first, c, delta, step]
                continue
        out.append([c, c, delta, 1])
    return out


def table(kind, name, rows):
    print(f"const {kind} {name}_table[] = {{")
    line = "   "
    for row in rows:
        item = " {" + ", ".join(f"0x{v:x}" if i < 2 else str(v) for i, v in enumerate(row)) + "},"
        if len(line) + len(item) > 110:
            print(line)
            line = "   "
        line += item
    print(line)
    print("};\n")


category = lambda c: unicodedata.category(chr(c))
print(f"// Made by unicode_tables.py from Unicode {unicodedata.unidata_version}.")
print('#include "runtime/unicode_tables.h"\n\nnamespace eddy::rt::unicode {\n\nnamespace {\n')
table("Range", "letters", ranges(lambda c: category(c)[0] == "L"))
table("Range", "upper", ranges(lambda c: category(c) == "Lu"))
table("Range", "lower", ranges(lambda c: category(c) == "Ll"))
table("Mapping", "to_upper", mappings(str.upper))
table("Mapping", "to_lower", mappings(str.lower))
print("}  // namespace\n")
for kind, name in [("Range", "letters"), ("Range", "upper"), ("Range", "lower"), ("Mapping", "to_upper"),
                   ("Mapping", "to_lower")]:
    print(f"const std::span<const {kind}> {name} = {name}_table;")
print("\n}  // namespace eddy::rt::unicode")
sys.stdout.flush()
