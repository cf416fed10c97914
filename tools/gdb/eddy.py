"""gdb commands for Eddy programs: `gdb -x tools/gdb/eddy.py --args eddy --gdb FILE`.

    eddy bt      the whole stack, through handlers and resumptions, of interpreted and compiled frames alike
    eddy fibers  the chain of fibers below the running one

With --gdb, gdb's own `bt` shows compiled frames too, with `<signal handler called>` where another stack goes on.
"""
import gdb

IN_PLACE, UNWINDING = 0xFFFF, 0xFFFE


class Memory:
    """The process's memory, and the offsets it tells of its own structures."""

    def __init__(self):
        self.inferior = gdb.selected_inferior()
        self.at = {}
        table = self.address_of("eddy_debug_layout")
        while name := self.word(table):
            self.at[self.text_at(name)] = self.word(table + 8)
            table += 16

    @staticmethod
    def address_of(symbol):
        try:
            return int(gdb.parse_and_eval(f"(unsigned long)&{symbol}"))
        except gdb.error as problem:
            raise gdb.GdbError(f"this is no eddy: {problem}") from problem

    def read(self, address, size):
        return int.from_bytes(bytes(self.inferior.read_memory(address, size)), "little")

    def word(self, address):
        return self.read(address, 8)

    def field(self, object_, name, size=8):
        return self.read(object_ + self.at[name], size)

    def text_at(self, address):
        text = b""
        while (byte := bytes(self.inferior.read_memory(address + len(text), 1))) != b"\0":
            text += byte
        return text.decode()

    def string(self, address):
        return bytes(self.inferior.read_memory(self.word(address), self.word(address + 8))).decode()


class Stack:
    def __init__(self):
        self.memory = m = Memory()
        self.context = m.word(m.address_of("eddy_debug_context"))
        if not self.context:
            raise gdb.GdbError("no Eddy program runs")
        self.stubs = {name: m.field(self.context, "Context." + name)
                      for name in ("interp_return", "fiber_exit", "vm_exit", "watermark")}

    def fibers(self):
        fiber = self.memory.field(self.context, "Context.fiber")
        while fiber:
            yield fiber
            fiber = self.memory.field(fiber, "Fiber.parent")

    def start(self, fiber):
        """The return word below the youngest frame that waits, and lines for the code that runs now."""
        m = self.memory
        frame = gdb.newest_frame()
        sp = int(frame.read_register("rsp")) & (1 << 64) - 1
        low, high = m.field(fiber, "Fiber.limit") - 64, m.field(fiber, "Fiber.base")
        if not low <= sp < high:
            name = frame.name() or ""
            if name.startswith("eddy::vm::op_"):
                yield None, f"(in the middle of {name[len('eddy::vm::'):]}: the youngest frames may be missing)"
            yield m.field(fiber, "Fiber.sp"), None
            return
        # Machine code: gdb knows its frame, and those inlined into it.
        while frame and (frame.type() == gdb.INLINE_FRAME or int(frame.read_register("rsp")) == sp):
            line = frame.find_sal()
            place = f" ({line.symtab.filename}:{line.line})" if line.symtab else ""
            yield None, f"{frame.name() or '?'}{place}"
            last, frame = frame, frame.older()
            if last.type() != gdb.INLINE_FRAME:
                break
        yield (int(frame.read_register("rsp")) & (1 << 64) - 1) - 8 if frame else high - 8, None

    def place(self, function, pc, destination):
        m = self.memory
        name = m.string(function + m.at["LoadedFunction.name"])
        data, module = m.field(function, "LoadedFunction.data"), m.field(function, "LoadedFunction.module")
        if not data or not module:
            return name
        index = (pc - m.field(function, "LoadedFunction.linked")) // 8
        if destination not in (IN_PLACE, UNWINDING) and index:
            index -= 1
        first, end = (m.word(data + m.at["FunctionData.positions"] + i) for i in (0, 8))
        found = None
        for at in range(first, end, m.at["sizeof.PositionData"]):
            if m.read(at, 4) > index:
                break
            found = tuple(m.read(at + i, 4) for i in (4, 8, 12))
        if not found:
            return name
        files = m.word(module + m.at["LoadedModule.files"])
        return f"{name} ({m.string(files + found[0] * m.at['sizeof.string'])}:{found[1]}:{found[2]})"

    def callers(self, tier, index):
        m, found = self.memory, []
        while True:
            at = m.word(tier + m.at["Tier.callers"]) + index * m.at["sizeof.InlinedCaller"]
            function = m.field(at, "InlinedCaller.function")
            if not function:
                return found
            found.append((m.field(at, "InlinedCaller.words", 4), function, m.field(at, "InlinedCaller.pc"),
                          m.field(at, "InlinedCaller.destination", 4)))
            index += 1

    def frames(self):
        """(fiber's id, text) of each frame that a program has, youngest first."""
        m = self.memory
        for number, fiber in enumerate(self.fibers()):
            id_ = m.field(fiber, "Fiber.id", 4)
            word = m.field(fiber, "Fiber.sp")
            if number == 0:
                for word, text in self.start(fiber):
                    if text:
                        yield id_, text
            while True:
                address = m.word(word)
                if address in (self.stubs["fiber_exit"], self.stubs["vm_exit"]):
                    break
                if address == self.stubs["watermark"]:
                    yield id_, "… (older frames were set aside by the collector)"
                    break
                frame = word + 8
                callers = []
                if address == self.stubs["interp_return"]:
                    function, resume = m.word(frame), m.word(frame + 8)
                    pc, destination = resume & (1 << 48) - 1, resume >> 48
                else:
                    tier = m.field(self.context, "Context.tier")
                    point = m.word(tier + m.at["Tier.safepoints"]) + m.read(address + 3, 4) * m.at["sizeof.Safepoint"]
                    function, pc = m.field(point, "Safepoint.function"), m.field(point, "Safepoint.pc")
                    destination = m.field(point, "Safepoint.destination", 4)
                    callers = self.callers(tier, m.field(point, "Safepoint.callers", 4))
                if not m.field(function, "LoadedFunction.hidden", 1):
                    yield id_, self.place(function, pc, destination)
                # Those it was inlined into: nobody may have written their headers.
                for words, function, pc, destination in callers:
                    if not m.field(function, "LoadedFunction.hidden", 1):
                        yield id_, self.place(function, pc, destination)
                if callers:
                    frame += 8 * callers[-1][0]
                word = frame + 8 * m.field(function, "LoadedFunction.frame_size", 4) - 8


class Eddy(gdb.Command):
    """Commands for Eddy programs."""

    def __init__(self):
        super().__init__("eddy", gdb.COMMAND_STACK, prefix=True)


class Backtrace(gdb.Command):
    """eddy bt [N]: the stack of the running Eddy program, youngest frame first, through handlers."""

    def __init__(self):
        super().__init__("eddy bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        limit = int(argument) if argument else None
        for i, (fiber, text) in enumerate(Stack().frames()):
            if limit is not None and i >= limit:
                print("(more frames follow)")
                return
            print(f"#{i:<3} {text}, fiber {fiber}")


class Fibers(gdb.Command):
    """eddy fibers: the running fiber and those that wait below it."""

    def __init__(self):
        super().__init__("eddy fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        stack = Stack()
        for fiber in stack.fibers():
            used = stack.memory.field(fiber, "Fiber.base") - stack.memory.field(fiber, "Fiber.sp")
            print(f"fiber {stack.memory.field(fiber, 'Fiber.id', 4)}: {used} bytes of stack")


Eddy()
Backtrace()
Fibers()
