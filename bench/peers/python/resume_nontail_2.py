import sys

sys.setrecursionlimit(20000)


def repeat(i, s):
    if i == 0:
        return s
    yield i
    return (yield from repeat(i - 1, s)) + 1


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
