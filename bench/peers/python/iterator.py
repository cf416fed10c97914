import sys


def numbers(low, high):
    while low <= high:
        yield low
        low += 1


s = 0
for e in numbers(0, int(sys.argv[1])):
    s += e
print(s)
