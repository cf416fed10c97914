-- A coroutine asks its driver for the state and gives it a new one.
local function countdown()
  while true do
    local i = coroutine.yield("get")
    if i == 0 then return i end
    coroutine.yield(i - 1)
  end
end
local function run(n)
  local s, co = n, coroutine.create(countdown)
  local _, v = coroutine.resume(co)
  while coroutine.status(co) ~= "dead" do
    if v == "get" then
      _, v = coroutine.resume(co, s)
    else
      s = v
      _, v = coroutine.resume(co)
    end
  end
  return v
end
print(run(tonumber(arg[1])))
