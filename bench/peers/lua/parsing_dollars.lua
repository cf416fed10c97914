-- A coroutine reads, emits and stops; one driver answers.
local function parse()
  local a = 0
  while true do
    local c = coroutine.yield("read")
    if c == 36 then
      a = a + 1
    elseif c == 10 then
      coroutine.yield(a)
      a = 0
    else
      return coroutine.yield("stop")
    end
  end
end
local function run(n)
  local i, j, s = 0, 0, 0
  local co = coroutine.create(parse)
  local _, v = coroutine.resume(co)
  while true do
    if v == "stop" then return s end
    if v == "read" then
      if i > n then return s end
      if j == 0 then
        i = i + 1
        j = i
        _, v = coroutine.resume(co, 10)
      else
        j = j - 1
        _, v = coroutine.resume(co, 36)
      end
    else
      s = s + v
      _, v = coroutine.resume(co)
    end
  end
end
print(string.format("%d", run(tonumber(arg[1]))))
