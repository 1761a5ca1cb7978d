-- Room in limits: the twin of lib/store/sqlite_limits.c, with the rates of lib/rules/gcra.c.
--
-- A script sees all limits of a recipient at once, so that they are granted together or not at all.
--
-- KEYS[1]  index of the leases: key -> when its last lease runs out, ms
-- KEYS[2]  the note that policyd has taken this recipient's rates
-- KEYS[n]  for each use from 3 on: leases (holder -> when it runs out, ms) or a rate (its tat, us)
-- ARGV     what ('ask', 'renew', 'back' or 'refused'), holder, other, takes_over, ttl_ms, ttl_max_ms,
--          now_ms (0: the server's clock), message; then for each use: kind (0: leases), count,
--          interval_us, observed
-- answers  "granted refused taken held wait_ms late lost"; refused is one too high, so that 0 is none
local INDEX, NOTE = KEYS[1], KEYS[2]
local NOTE_MS, KEPT_MS = 20000, 60000

local what, holder, other, takes_over = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local ttl, ttl_max, now, message = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local now_us = now * 1000
if now == 0 then
  local time = redis.call('TIME')
  now_us = time[1] * 1000000 + time[2]
  now = math.floor(now_us / 1000)
end

local uses, have_rates = {}, false
for i = 3, #KEYS do
  local at = 9 + 4 * (i - 3)
  local use = {key = KEYS[i], leases = ARGV[at] == '0', count = tonumber(ARGV[at + 1]),
    interval = tonumber(ARGV[at + 2]), observed = ARGV[at + 3] == '1'}
  have_rates = have_rates or not use.leases
  uses[#uses + 1] = use
end

local function answer(granted, refused, taken, held, wait_ms, late, lost)
  return string.format('%d %d %d %d %d %d %d', granted, refused, taken, held, wait_ms, late, lost)
end

-- Whether the name holds a slot that is in force.
local function holds(key, name)
  local ends = redis.call('ZSCORE', key, name)
  ends = ends and tonumber(ends)
  return ends and ends > now and ends <= now + ttl_max
end

-- Slots in force; those that have run out are dropped when it matters.
local function count_slots(use)
  local n = redis.call('ZCARD', use.key)
  if n >= use.count then
    n = n - redis.call('ZREMRANGEBYSCORE', use.key, '-inf', now)
          - redis.call('ZREMRANGEBYSCORE', use.key, '(' .. (now + ttl_max), '+inf')
  end
  return n
end

local function take_slot(use, others)
  if others and not takes_over then
    return
  end
  if others then
    redis.call('ZREM', use.key, other)
  end
  redis.call('ZADD', use.key, now + ttl, holder)
  redis.call('PEXPIRE', use.key, ttl_max + KEPT_MS)
  if redis.call('ZADD', INDEX, now + ttl_max, use.key) == 1 then
    redis.call('ZREMRANGEBYSCORE', INDEX, '-inf', now)
  end
  redis.call('PEXPIRE', INDEX, ttl_max + KEPT_MS)
end

local function set_rate(use, tat)
  local kept = math.floor((tat - now_us) / 1000) + 1000
  if kept > 0 then
    redis.call('SET', use.key, string.format('%.0f', tat), 'PX', kept)
  else
    redis.call('DEL', use.key)
  end
end

local function tat_of(use)
  local tat = tonumber(redis.call('GET', use.key) or 0) or 0
  if tat - now_us > (use.count + 1) * use.interval then
    return 0 -- of another time; see gcra.c
  end
  return tat
end

local function give_back_rate(use)
  local tat = tat_of(use)
  if tat > 0 then
    set_rate(use, tat - use.interval)
  end
end

local function is_noted()
  if not have_rates then
    return false
  end
  local noted = redis.call('GET', NOTE)
  return noted and (takes_over or noted == message)
end

local function give_back_others(noted)
  for _, use in ipairs(uses) do
    if use.leases then
      redis.call('ZREM', use.key, other)
    elseif noted then
      give_back_rate(use)
    end
  end
  if noted then
    redis.call('DEL', NOTE)
  end
end

if what == 'back' then
  for _, use in ipairs(uses) do
    if use.leases then
      redis.call('ZREM', use.key, holder)
    else
      give_back_rate(use)
    end
  end
  return answer(0, 0, 0, 0, 0, 0, 0)
end

if what == 'refused' then
  give_back_others(is_noted())
  return answer(0, 0, 0, 0, 0, 0, 0)
end

if what == 'renew' then
  local late, lost = 0, 0
  for _, use in ipairs(uses) do
    local others = holds(use.key, other)
    local ran_out = not others and not holds(use.key, holder)
    if ran_out and count_slots(use) >= use.count then
      redis.call('ZREM', use.key, holder)
      lost = 1
    else
      late = ran_out and 1 or late
      take_slot(use, others)
    end
  end
  return answer(1, 0, 0, 0, 0, late, lost)
end

-- Every use is judged before anything is taken.
local noted = is_noted()
local refused, taken, held, wait_us = 0, 0, 0, 0
for i, use in ipairs(uses) do
  local room
  if use.leases then
    use.others = holds(use.key, other)
    local has = use.others or holds(use.key, holder)
    local n = count_slots(use)
    room = has or n < use.count
    held = held > 0 and held or n + ((not has and room) and 1 or 0)
  else
    use.tat = tat_of(use)
    wait_us = use.tat - now_us - (use.count - 1) * use.interval
    room = noted or wait_us <= 0
  end
  use.taken = room
  if room then
    taken = taken + 2 ^ (i - 1)
  elseif not use.observed or refused == 0 then
    refused = i
  end
  if not room and not use.observed then
    if takes_over then
      give_back_others(noted)
    end
    return answer(0, refused, 0, held, use.leases and 0 or math.ceil(wait_us / 1000), 0, 0)
  end
end

for _, use in ipairs(uses) do
  if use.taken and use.leases then
    take_slot(use, use.others)
  elseif use.taken and not noted then
    set_rate(use, math.max(use.tat, now_us) + use.interval)
  end
end
if have_rates and not takes_over then
  redis.call('SET', NOTE, message, 'PX', NOTE_MS)
elseif noted then
  redis.call('DEL', NOTE)
end
return answer(1, refused, taken, held, 0, 0, 0)
