-- A daemon starts: leases of its earlier life are forgotten.
--
-- KEYS[1]  index of the leases
-- ARGV     the beginning of the names of those holders
-- answers  how many there were
--
-- The keys it changes are those that the index names; they cannot be known before.
local forgotten = 0
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  for _, holder in ipairs(redis.call('ZRANGE', key, 0, -1)) do
    if string.sub(holder, 1, #ARGV[1]) == ARGV[1] then
      forgotten = forgotten + redis.call('ZREM', key, holder)
    end
  end
end
return forgotten
