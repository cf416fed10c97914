-- Two coroutines take turns on one tree.
local function make(n)
  if n == 0 then return nil end
  local t = make(n - 1)
  return { left = t, value = n, right = t }
end
local function operator(x, y) return math.abs(x - 503 * y + 37) % 1009 end
local tree, state, peer = make(tonumber(arg[1])), 0, nil
local function explore(t, left_first)
  coroutine.yield()
  if not t then return state end
  state = operator(state, t.value)
  local first, second = t.left, t.right
  if not left_first then first, second = second, first end
  local a = explore(first, left_first)
  return t.value + a + explore(second, left_first)
end
local function walk(left_first)
  local co = coroutine.create(function() return explore(tree, left_first) end)
  while true do
    local _, v = coroutine.resume(co)
    if coroutine.status(co) == "dead" then return v end
    co, peer = peer, co
    if not co then return 0 end
  end
end
for _ = 1, 1000 do
  walk(true)
  state = walk(false)
end
print(string.format("%d", state))
