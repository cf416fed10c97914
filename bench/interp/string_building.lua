local n = tonumber(arg[1])
local parts = {}
for i = 0, n - 1 do parts[i + 1] = "item " .. i .. ", " end
local text = table.concat(parts)
print(#text)
