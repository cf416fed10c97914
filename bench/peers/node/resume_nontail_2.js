// Each resumption is resumed before its handler goes on.
function* repeat(i, s) {
  if (i === 0) return s;
  yield i;
  return (yield* repeat(i - 1, s)) + 1;
}
const handle = (g) => {
  const r = g.next();
  if (r.done) return r.value;
  const y = handle(g);
  return Math.abs(r.value - 503 * y + 37) % 1009;
};
let s = 0;
for (let i = 0; i < 1000; i++) s = handle(repeat(Number(process.argv[2]), s));
console.log(String(s));
