local n = tonumber(arg[1])
local a, b = {}, {}
for i = 0, n * n - 1 do a[i] = 0; b[i] = 0 end
for i = 0, n - 1 do
  for j = 0, n - 1 do
    a[i * n + j] = i + 2 * j
    b[i * n + j] = i - j + 7
  end
end
local sum = 0
for i = 0, n - 1 do
  for j = 0, n - 1 do
    local cell = 0
    for k = 0, n - 1 do cell = cell + a[i * n + k] * b[k * n + j] end
    sum = sum + cell
  end
end
print(string.format("%d", sum))
