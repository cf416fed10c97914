const fibonacci = (n) => (n === 0 ? 0 : n === 1 ? 1 : fibonacci(n - 1) + fibonacci(n - 2));
console.log(String(fibonacci(Number(process.argv[2]))));
