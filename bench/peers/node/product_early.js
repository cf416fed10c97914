// An exception from a thousand calls further down.
class Done {
  constructor(value) {
    this.value = value;
  }
}
const product = (xs, i) => {
  if (i === xs.length) return 0;
  if (xs[i] === 0) throw new Done(0);
  return xs[i] * product(xs, i + 1);
};
const xs = Array.from({ length: 1001 }, (_, i) => 1000 - i);
let a = 0;
for (let i = Number(process.argv[2]); i > 0; i--) {
  try {
    a += product(xs, 0);
  } catch (done) {
    a += done.value;
  }
}
console.log(String(a));
