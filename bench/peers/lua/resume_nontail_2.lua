-- Each resumption is resumed before its handler goes on.
local function rep(i, s)
  if i == 0 then return s end
  coroutine.yield(i)
  return rep(i - 1, s) + 1
end
local function handle(co, ...)
  local _, x = coroutine.resume(co, ...)
  if coroutine.status(co) == "dead" then return x end
  local y = handle(co)
  return math.abs(x - 503 * y + 37) % 1009
end
local s, n = 0, tonumber(arg[1])
for _ = 1, 1000 do s = handle(coroutine.create(rep), n, s) end
print(string.format("%d", s))
