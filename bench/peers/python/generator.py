import sys


def make(n):
    if n == 0:
        return None
    t = make(n - 1)
    return (t, n, t)


def iterate(t):
    if t:
        yield from iterate(t[0])
        yield t[1]
        yield from iterate(t[2])


print(sum(iterate(make(int(sys.argv[1])))))
