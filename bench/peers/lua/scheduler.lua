-- Coroutines in a queue, 1000 rounds of n forked jobs.
local function run(n)
  local queue, head, tail, count = {}, 1, 0, 0
  local function push(k) tail = tail + 1; queue[tail] = k end
  local function spawn(f) push(coroutine.create(f)) end
  local function job() coroutine.yield() end
  spawn(function()
    for _ = 1, n do
      spawn(job)
      coroutine.yield()
      count = count + 1
    end
  end)
  while head <= tail do
    local k = queue[head]
    queue[head] = nil
    head = head + 1
    coroutine.resume(k)
    if coroutine.status(k) ~= "dead" then push(k) end
  end
  return count
end
local acc, n = 0, tonumber(arg[1])
for _ = 1, 1000 do acc = acc + run(n) end
print(acc)
