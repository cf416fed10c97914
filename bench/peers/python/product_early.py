import sys

sys.setrecursionlimit(5000)


class Done(Exception):
    pass


def product(xs, i):
    if i == len(xs):
        return 0
    if xs[i] == 0:
        raise Done(0)
    return xs[i] * product(xs, i + 1)


xs = list(range(1000, -1, -1))
a = 0
for _ in range(int(sys.argv[1])):
    try:
        a += product(xs, 0)
    except Done as done:
        a += done.args[0]
print(a)
