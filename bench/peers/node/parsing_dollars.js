// A generator reads, emits and stops; one driver answers.
function* parse() {
  let a = 0;
  for (;;) {
    const c = yield "read";
    if (c === 36) {
      a++;
    } else if (c === 10) {
      yield a;
      a = 0;
    } else {
      yield "stop";
    }
  }
}
const run = (n) => {
  let i = 0;
  let j = 0;
  let s = 0;
  const g = parse();
  let v = g.next().value;
  for (;;) {
    if (v === "stop") return s;
    if (v === "read") {
      if (i > n) return s;
      if (j === 0) {
        j = ++i;
        v = g.next(10).value;
      } else {
        j--;
        v = g.next(36).value;
      }
    } else {
      s += v;
      v = g.next().value;
    }
  }
};
console.log(String(run(Number(process.argv[2]))));
