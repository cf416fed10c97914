import sys

sys.setrecursionlimit(20000)


def repeat(i, s):
    while i:
        yield i
        i -= 1
    return s


def handle(g):
    try:
        x = next(g)
    except StopIteration as done:
        return done.value
    y = handle(g)
    return abs(x - 503 * y + 37) % 1009


s, n = 0, int(sys.argv[1])
for _ in range(1000):
    s = handle(repeat(n, s))
print(s)
