local function make(depth)
  if depth == 0 then return {} end
  return { make(depth - 1), make(depth - 1) }
end
local function count(t)
  if not t[1] then return 1 end
  return 1 + count(t[1]) + count(t[2])
end
local n = tonumber(arg[1])
local long_lived = make(n)
local total = 0
for depth = 4, n, 4 do
  for _ = 1, 2 ^ (n - depth) do total = total + count(make(depth)) end
end
print(string.format("%d", total + count(long_lived)))
