"""Generators in a queue, 1000 rounds of n forked jobs."""
import collections
import sys


def job():
    yield


def run(n):
    queue = collections.deque()
    count = 0

    def main():
        nonlocal count
        for _ in range(n):
            queue.append(job())
            yield
            count += 1

    queue.append(main())
    while queue:
        k = queue.popleft()
        for _ in k:
            queue.append(k)
            break
    return count


print(sum(run(int(sys.argv[1])) for _ in range(1000)))
