import sys


def countdown():
    while True:
        i = yield "get"
        if i == 0:
            return i
        yield i - 1


def run(n):
    s, g = n, countdown()
    v = next(g)
    try:
        while True:
            if v == "get":
                v = g.send(s)
            else:
                s = v
                v = next(g)
    except StopIteration as done:
        return done.value


print(run(int(sys.argv[1])))
