-- Decisions are added: a hash with where they are, and segments of 64 lines or some more.
--
-- A segment is added to until it has 64 lines, for an eighth of the lifetime at most, and then left as
-- it is, so that it can end with its oldest line. It counts as 64 lines then, whatever it has.
--
-- KEYS[1]  the hash: count, oldest (segment that may be there), begun (the last one, when), lifetime
-- ARGV     the beginning of the segments' names, keep, lifetime_s, number of lines, and these in pieces of
--          16: to cut them here would take most of the time, since Lua hashes each string it makes
-- answers  the count
--
-- The segments are named by their number; they cannot be known before.
local STATE, PREFIX = KEYS[1], ARGV[1]
local SEGMENT, PIECE, DROPPED_MAX, SPARE = 64, 16, 256, 9 * 64

local keep, lifetime, n = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = tonumber(redis.call('TIME')[1])
local state = redis.call('HMGET', STATE, 'count', 'oldest', 'begun', 'lifetime')
local count, oldest, begun = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 0)
local known_lifetime = tonumber(state[4] or lifetime)

local function name_of(segment)
  return PREFIX .. string.format('%.0f', segment)
end

local function begin_segment()
  count = math.ceil(count / SEGMENT) * SEGMENT
end

-- The same for all hosts: an eighth of its own time.
local function is_open(segment)
  local age = now - begun
  return age >= 0 and redis.call('TTL', name_of(segment)) >= 7 * age
end

-- A shorter lifetime holds for what is there, too: from the newest back to the first that ends sooner.
if lifetime < known_lifetime then
  for segment = math.ceil(count / SEGMENT) - 1, oldest, -1 do
    if redis.call('TTL', name_of(segment)) <= lifetime then
      break
    end
    redis.call('EXPIRE', name_of(segment), lifetime)
  end
end

if keep == 0 then
  n = 0
  begin_segment()
elseif n > 0 and count % SEGMENT ~= 0 and not is_open(math.floor(count / SEGMENT)) then
  begin_segment()
end

for i = 1, math.ceil(n / PIECE) do
  local segment = math.floor(count / SEGMENT)
  if count % SEGMENT == 0 then
    redis.call('SET', name_of(segment), ARGV[4 + i], 'EX', lifetime)
    begun = now
  else
    redis.call('APPEND', name_of(segment), ARGV[4 + i])
  end
  count = math.min(count + math.min(n - PIECE * (i - 1), PIECE), (segment + 1) * SEGMENT)
end

local kept_from = keep == 0 and count or count - keep - SPARE
local dropped = 0
while oldest < math.floor(kept_from / SEGMENT) and dropped < DROPPED_MAX do
  redis.call('DEL', name_of(oldest))
  oldest, dropped = oldest + 1, dropped + 1
end

redis.call('HSET', STATE, 'count', string.format('%.0f', count), 'oldest', string.format('%.0f', oldest),
  'begun', begun, 'lifetime', lifetime)
redis.call('EXPIRE', STATE, lifetime + 3600)
return count
