// A generator asks its driver for the state and gives it a new one.
function* countdown() {
  for (;;) {
    const i = yield "get";
    if (i === 0) return i;
    yield i - 1;
  }
}
let s = Number(process.argv[2]);
const g = countdown();
let r = g.next();
while (!r.done) {
  if (r.value === "get") {
    r = g.next(s);
  } else {
    s = r.value;
    r = g.next();
  }
}
console.log(String(r.value));
