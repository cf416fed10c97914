-- A push iterator: the consumer is a function.
local function range(l, u, put)
  if l <= u then
    put(l)
    return range(l + 1, u, put)
  end
end
local s = 0
range(0, tonumber(arg[1]), function(e) s = s + e end)
print(string.format("%d", s))
