import sys


def parse():
    a = 0
    while True:
        c = yield "read"
        if c == 36:
            a += 1
        elif c == 10:
            yield a
            a = 0
        else:
            yield "stop"


def run(n):
    i = j = s = 0
    g = parse()
    v = next(g)
    while True:
        if v == "read":
            if i > n:
                return s
            if j == 0:
                i += 1
                j = i
                v = g.send(10)
            else:
                j -= 1
                v = g.send(36)
        elif v == "stop":
            return s
        else:
            s += v
            v = next(g)


print(run(int(sys.argv[1])))
