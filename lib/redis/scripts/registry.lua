-- A text is put up on a registry, or those that ended long ago are taken down.
--
-- KEYS[1]  the registry, a hash: name -> "until text"
-- ARGV     'put', name, "until text", seconds that the registry lives at least;
--          or 'clear', when they have ended, and names
-- answers  how many were put up or taken down
local BOARD = KEYS[1]

if ARGV[1] == 'put' then
  redis.call('HSET', BOARD, ARGV[2], ARGV[3])
  if redis.call('TTL', BOARD) < tonumber(ARGV[4]) then
    redis.call('EXPIRE', BOARD, ARGV[4])
  end
  return 1
end

-- One that was put up anew meanwhile stays.
local cleared, ended = 0, tonumber(ARGV[2])
for i = 3, #ARGV do
  local ends = tonumber(string.match(redis.call('HGET', BOARD, ARGV[i]) or '', '^(%d+) ') or 0)
  if ends <= ended then
    cleared = cleared + redis.call('HDEL', BOARD, ARGV[i])
  end
end
return cleared
