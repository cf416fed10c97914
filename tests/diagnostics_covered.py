#!/usr/bin/env python3
"""Every diagnostic that the front end can emit has a golden test.

Reads the texts of errors and warnings out of lang/ (a call of error, warning, report, report_here or type_error, with the
string literals of its message) and looks for each among the goldens in tests/diagnostics, where a text's {} stands for
anything. Prints those that no golden shows and fails then."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CALL = re.compile(r"\b(?:error|warning|report|report_here|type_error|fail)\(")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
# Reports on programs too large to keep as goldens, by the unit test that provokes them.
UNIT_TESTS = {
    "cannot read `{}`: {}": "lang_modules_test.cpp",
    "imports are nested too deeply": "lang_modules_test.cpp",
}
# Takes a file of four gigabytes.
NOT_TESTED = {"`{}` is too large"}


def arguments(text, start):
    """The argument texts of the call whose `(` stands before `start`."""
    depth, at, parts, begin = 1, start, [], start
    while depth and at < len(text):
        c = text[at]
        if c == '"':
            at = LITERAL.match(text, at).end()
            continue
        if c == "'" and text[at + 2:at + 3] == "'" or text[at:at + 2] == "'\\":
            at = text.index("'", at + 2) + 1
            continue
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        if depth == 0 or depth == 1 and c == ",":
            parts.append(text[begin:at])
            begin = at + 1
        at += 1
    return parts


def joined(text):
    """Adjacent literals as one; nothing but literals and space."""
    return "".join(LITERAL.findall(text)).replace('\\"', '"').replace("\\\\", "\\")


def templates(expression):
    """The texts an argument can have: a literal, a fmt::format of one, or one of the branches of a ?:"""
    found = []
    i = 0
    while True:
        m = re.compile(r'(?:"(?:[^"\\]|\\.)*"\s*)+').search(expression, i)
        if not m:
            return found
        found.append(joined(m.group(0)))
        i = m.end()


def messages():
    for path in sorted(ROOT.glob("lang/**/*.cpp")):
        name = str(path.relative_to(ROOT))
        text = re.sub(r"(?m)^\s*//.*$", "", path.read_text())
        for m in CALL.finditer(text):
            parts = arguments(text, m.end())
            message = next((p for p in parts if '"' in p), None)
            if message is None or "UnifyError" in "".join(parts):
                continue
            # A format's own arguments are no messages: only what stands in the first place of it.
            form = re.search(r"fmt::format\(", message)
            if form:
                message = message[:form.start()] + arguments(message, form.end())[0]
            found = [t for t in templates(message) if len(t) > 3]
            if found:
                yield f"{name}:{text.count(chr(10), 0, m.start()) + 1}", found


def pattern(template):
    parts = re.split(r"\{[^{}]*\}", template.replace("{{", "\0").replace("}}", "\1"))
    return ".*".join(re.escape(p.replace("\0", "{").replace("\1", "}")) for p in parts)


def main():
    shown = "\n".join(
        line for golden in ROOT.glob("tests/diagnostics/**/*.err")
        for line in golden.read_text().splitlines() if line.startswith(("error: ", "warning: ")))
    count, missing = 0, []
    for place, found in messages():
        for template in found:
            count += 1
            if template in NOT_TESTED or template in UNIT_TESTS and pattern(template).split(".*")[0].replace(
                    "\\", "") in (ROOT / "tests/unit" / UNIT_TESTS[template]).read_text():
                continue
            if not re.search(pattern(template), shown):
                missing.append(f"{place}: {template}")
    for line in missing:
        print("no golden shows", line)
    print(f"{count} diagnostics, {len(missing)} without a golden")
    return 1 if missing or count < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
