-- A protected call, left by an error from a thousand calls further down.
local function product(xs, i)
  local y = xs[i]
  if y == nil then return 0 end
  if y == 0 then error({ value = 0 }) end
  return y * product(xs, i + 1)
end
local xs = {}
for i = 1000, 0, -1 do xs[#xs + 1] = i end
local a = 0
for _ = 1, tonumber(arg[1]) do
  local ok, v = pcall(product, xs, 1)
  a = a + (ok and v or v.value)
end
print(a)
