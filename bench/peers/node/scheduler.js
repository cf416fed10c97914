// Generators in a queue, 1000 rounds of n forked jobs.
const run = (n) => {
  const queue = [];
  let head = 0;
  let count = 0;
  function* job() {
    yield;
  }
  function* main() {
    for (let i = 0; i < n; i++) {
      queue.push(job());
      yield;
      count++;
    }
  }
  queue.push(main());
  while (head < queue.length) {
    const k = queue[head];
    queue[head++] = undefined;
    if (!k.next().done) queue.push(k);
  }
  return count;
};
let acc = 0;
for (let i = 0; i < 1000; i++) acc += run(Number(process.argv[2]));
console.log(String(acc));
