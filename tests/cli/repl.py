"""`eddy repl`."""
from support import LIMIT, OK, Tests


class Repl(Tests):
    def session(self, text, *flags):
        return self.run("repl", *flags, stdin=text)

    def test_values_and_types(self):
        result = self.session("1 + 2\nlet x = 5\nx * 2\nit1\n\"a\"\nprintln(\"out\")\n")
        self.expect(result, OK, '3 : Int\nx = 5 : Int\n10 : Int\n3 : Int\n"a" : String\nout\n', no_err=True)

    def test_constants_are_evaluated_once(self):
        self.expect(self.session("let r = { println(\"once\"); ref(0) }\nr.value = 7\nr.value\n"), OK,
                    "once\nr = ref(0) : Ref<Int>\n7 : Int\n")

    def test_declarations(self):
        self.expect(self.session("fn f(n) => n + 1\nf(1)\nfn f(s) => s ++ \"!\"\nf(\"a\")\ntype P(x: Int)\nP(3).x\n"), OK,
                    'f : fn(Int): Int\n2 : Int\nf : fn(String): String\n"a!" : String\n3 : Int\n')

    def test_several_lines(self):
        self.expect(self.session("fn f(n) {\n  n * 2\n}\nf(\n4)\n\"\"\"\n  a\n  \"\"\"\n"), OK, None)
        out = self.session("fn f(n) {\n  n * 2\n}\nf(\n4)\n").out
        assert out == "f : fn(Int): Int\n8 : Int\n", out

    def test_errors_leave_the_session(self):
        result = self.expect(self.session("let x = 1\nnope\n1 / 0\n1 +\n\nx\n"), OK, "x = 1 : Int\n1 : Int\n",
                             ["unknown name `nope`", "repl:1:1", "panic: division by zero"])

    def test_effects(self):
        result = self.session("effect Ask { ask(): Int }\nfn f() => ask() + 1\n:type f\n:effects f\n:effects ask()\n"
                              "handle { f() } with { ask() => resume(41) }\nask()\n")
        lines = result.out.splitlines()
        assert lines[-1] == "42 : Int" and "Ask" in lines[-2] and "Ask" in lines[-3] and "fn(): Int" in lines[-4], result
        assert "nobody handles" in result.err, result

    def test_asm_and_time(self):
        result = self.expect(self.session("fn f(n) => n + 1\n:asm f\n:asm 1 + f(2)\n:time f(1)\n"), OK, None, no_err=True)
        assert "function f" in result.out and "CALL" in result.out and " ms" in result.out, result

    def test_load(self):
        self.write("lib/a.eddy", "import b\nlet k = 3\nfn f() => k + b.g()\n")
        self.write("lib/b.eddy", "fn g() => 1\n")
        result = self.expect(self.session(":load lib/a.eddy\nf()\n:load nope.eddy\n"), OK, None, "nope.eddy")
        assert result.out.endswith("4 : Int\n"), result

    def test_commands(self):
        result = self.expect(self.session(":help\n:nope\n:type\n:quit\n1\n"), OK, None, [":nope", "needs an expression"])
        assert ":effects" in result.out and "1 : Int" not in result.out, result

    def test_exit_and_limits(self):
        self.expect(self.session("exit(4)\n1\n"), 4, "")
        self.expect(self.session("loop { }\n1\n", "--fuel=1000"), LIMIT, "")
