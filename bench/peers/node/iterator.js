function* range(l, u) {
  for (; l <= u; l++) yield l;
}
let s = 0;
for (const e of range(0, Number(process.argv[2]))) s += e;
console.log(String(s));
