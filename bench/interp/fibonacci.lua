local function fibonacci(n)
  if n == 0 then return 0 elseif n == 1 then return 1 end
  return fibonacci(n - 1) + fibonacci(n - 2)
end
print(fibonacci(tonumber(arg[1])))
