// A generator with its own stack of nodes would be cheating: the walk is recursive, as in the other languages.
const make = (n) => {
  if (n === 0) return null;
  const t = make(n - 1);
  return { left: t, value: n, right: t };
};
function* iterate(t) {
  if (t) {
    yield* iterate(t.left);
    yield t.value;
    yield* iterate(t.right);
  }
}
let sum = 0;
for (const v of iterate(make(Number(process.argv[2])))) sum += v;
console.log(String(sum));
