import sys


def make(n):
    if n == 0:
        return None
    t = make(n - 1)
    return (t, n, t)


def operator(x, y):
    return abs(x - 503 * y + 37) % 1009


tree, state, peer = make(int(sys.argv[1])), 0, None


def explore(t, left_first):
    global state
    yield
    if t is None:
        return state
    state = operator(state, t[1])
    a = yield from explore(t[0 if left_first else 2], left_first)
    b = yield from explore(t[2 if left_first else 0], left_first)
    return t[1] + a + b


def walk(left_first):
    global peer
    g = explore(tree, left_first)
    while True:
        try:
            next(g)
        except StopIteration as done:
            return done.value
        g, peer = peer, g
        if g is None:
            return 0


for _ in range(1000):
    walk(True)
    state = walk(False)
print(state)
