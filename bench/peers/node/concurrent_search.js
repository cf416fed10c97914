// Two generators take turns on one tree.
const make = (n) => {
  if (n === 0) return null;
  const t = make(n - 1);
  return { left: t, value: n, right: t };
};
const operator = (x, y) => Math.abs(x - 503 * y + 37) % 1009;
const tree = make(Number(process.argv[2]));
let state = 0;
let peer = null;
function* explore(t, leftFirst) {
  yield;
  if (t === null) return state;
  state = operator(state, t.value);
  const a = yield* explore(leftFirst ? t.left : t.right, leftFirst);
  const b = yield* explore(leftFirst ? t.right : t.left, leftFirst);
  return t.value + a + b;
}
const walk = (leftFirst) => {
  let g = explore(tree, leftFirst);
  for (;;) {
    const r = g.next();
    if (r.done) return r.value;
    [g, peer] = [peer, g];
    if (g === null) return 0;
  }
};
for (let i = 0; i < 1000; i++) {
  walk(true);
  state = walk(false);
}
console.log(String(state));
