-- A coroutine walks the tree and yields its values.
local function make(n)
  if n == 0 then return nil end
  local t = make(n - 1)
  return { left = t, value = n, right = t }
end
local function iterate(t)
  if t then
    iterate(t.left)
    coroutine.yield(t.value)
    iterate(t.right)
  end
end
local tree = make(tonumber(arg[1]))
local next = coroutine.wrap(function() iterate(tree) end)
local sum = 0
while true do
  local v = next()
  if not v then break end
  sum = sum + v
end
print(string.format("%d", sum))
