"""Programs that nobody would write: each a clear error or a quick success, in every command that reads programs."""
import os

from support import OK, USAGE, Tests

MANY = 100_000
LONG = 10_000_000
READERS = [["check"], ["fmt", "--check"], ["doc"], ["run"]]
CHECKERS = [["check"], ["doc"], ["run"]]  # look at types and names, too


def main_of(text):
    return "fn main() { " + text + " }"


class Hostile(Tests):
    def refuse(self, content, err="", readers=None):
        """No reader takes it, none crashes, and the report is short."""
        name = self.write("a.eddy", content)
        for reader in readers or READERS:
            result = self.expect(self.run(*reader, name), USAGE, None, err)
            assert "error" in result.err and len(result.err) < 50_000, f"{reader}\n{result}"

    def accept(self, content, out=None):
        name = self.write("a.eddy", content)
        for reader in CHECKERS:
            result = self.expect(self.run(*reader, name), OK, no_err=True)
        assert out is None or result.out == out, result

    def survive(self, content):
        """Too deep or not."""
        name = self.write("a.eddy", content)
        for reader in READERS:
            result = self.run(*reader, name)
            assert result.status in (OK, 1 if reader[0] == "fmt" else OK, USAGE) and len(result.err) < 50_000, result

    def test_nested_brackets(self):
        for left, right in ("()", "[]", "{}", ("#[", "]")):
            self.refuse(main_of(f"let x = {left * MANY}1{right * MANY}"), "nested too deeply")

    def test_open_brackets(self):
        for left in ("(", "[", "{", "#["):
            self.refuse(main_of("let x = ") + left * MANY)

    def test_closing_brackets(self):
        for right in ")]}":
            self.refuse(main_of("let x = " + right * MANY))

    def test_nested_types_and_patterns(self):
        self.refuse(f"fn f(x: {'List<' * MANY}Int{'>' * MANY}) => 1", "nested too deeply")
        self.refuse(f"fn f(x: {'fn(' * MANY}Int{')' * MANY}) => 1")
        self.refuse(f"fn f(x: {'fn(): ' * MANY}Int) => 1", "nested too deeply")
        self.refuse(main_of(f"match [] {{ {'[' * MANY}{']' * MANY} => 1 }}"), "nested too deeply")

    def test_nested_expressions(self):
        for text in ("if true { " * MANY + "}" * MANY,
                     "handle { " * MANY + "1" + "} with { return x => x }" * MANY):
            self.refuse(main_of("let x = " + text), "nested too deeply")
        for text in ("fn(x) => " * MANY + "1", "-" * MANY + "1", "!" * MANY + "true", "if false { } else " * MANY + "{ }"):
            self.survive(main_of("let x = " + text))

    def test_nested_text(self):
        self.refuse(main_of("println(" + '"${' * MANY + "1" + '}"' * MANY + ")"))
        self.refuse("/*" * MANY)
        self.refuse(main_of('println("' + '${"' * MANY))
        self.accept("/*" * MANY + "*/" * MANY + main_of("println(1)"), "1\n")

    def test_long_chains(self):
        for text in ("1 + " * MANY + "1", "true && " * MANY + "true", "1" + " |> id" * MANY, "1" + ".id()" * MANY):
            self.survive(main_of("println(" + text + ")"))

    def test_long_lines(self):
        self.accept(main_of('println("' + "x" * LONG + '".length())'), f"{LONG}\n")
        self.accept(main_of(" " * LONG))
        self.accept("//" + "x" * LONG + "\nfn main() { }")
        self.refuse(main_of("x" * LONG), "unknown name", CHECKERS)
        for text in ("(", "@", "`", "\x01", "é", "'", '"', "}", "0x", "..", "$"):
            self.refuse(text * (LONG // len(text)), readers=[["check"], ["fmt", "--check"]])

    def test_long_lists(self):
        self.accept(main_of("println([" + "1, " * MANY + "].length())"), f"{MANY}\n")
        self.accept("fn f(xs: Int...) => xs.length()\n" + main_of("println(f(" + "1, " * MANY + "))"), f"{MANY}\n")

    def test_many_declarations(self):
        n = 20_000
        self.accept("\n".join(f"fn f{i}(x) => f{i + 1}(x)" for i in range(n)) + f"\nfn f{n}(x) => x\n" +
                    main_of("println(f0(1))"), "1\n")
        names = [f"C{i}" for i in range(n)]
        self.accept("type T { " + " ".join(names) + " }\nfn f(t: T): Int => match t {\n" +
                    "\n".join(f"{c} => {i}" for i, c in enumerate(names)) + "\n}\n" + main_of(f"println(f(C{n - 1}))"),
                    f"{n - 1}\n")
        self.accept("fn f(n: Int): String => match n {\n" + "\n".join(f'{i} => "{i}"' for i in range(n)) +
                    '\n_ => ""\n}\n' + main_of("println(f(777))"), "777\n")
        self.accept("fn f(s: String): Int => match s {\n" + "\n".join(f'"{i}" => {i}' for i in range(n)) +
                    "\n_ => 0\n}\n" + main_of('println(f("777"))'), "777\n")

    def test_bytes_that_are_no_text(self):
        for junk in (b"\xff\xfe", b"\xe2\x82", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\x80"):
            self.refuse(b'fn main() { println("' + junk + b'") }', "UTF-8")
        self.refuse(b"fn main() { \0 }", "a.eddy:1:13")
        self.refuse(b'fn main() { println("a\0b") }', "a.eddy:1:23")
        self.accept(b"\xef\xbb\xbffn main() { println(1) }\r\n", "1\n")

    def test_types_of_exponential_size(self):
        pairs = "fn p(x) => (x, x)\n"
        chain = "".join(f"let f{i + 1} = fn(x) => f{i}(f{i}(f{i}(x)))\n" for i in range(5))
        self.refuse(pairs + main_of("let f0 = p\n" + chain), "too large", CHECKERS)
        lets = "".join(f"let x{i + 1} = (x{i}, x{i})\n" for i in range(60))
        self.accept(main_of("let x0 = 1\n" + lets + "println(1)"), "1\n")
        aliases = "type A0<a> = (a, a)\n" + "".join(f"type A{i + 1}<a> = A{i}<(a, a)>\n" for i in range(40))
        self.refuse(aliases + "fn f(x: A40<Int>) => x\nfn main() { f }", "", CHECKERS)
        self.refuse("type A = B\ntype B = A\nfn main() { }", "A", CHECKERS)

    def test_import_cycles(self):
        self.write("b.eddy", "import a\n")
        self.refuse("import b\nfn main() { }", "circle", CHECKERS)

    def test_folder_as_file(self):
        os.mkdir(os.path.join(self.folder, "a.eddy"))
        for reader in READERS:
            self.expect(self.run(*reader, "a.eddy"), USAGE, None, "directory")
        self.write("b.eddy", "import a\nfn main() { }")
        self.expect(self.run("b.eddy"), USAGE, None, "directory")
