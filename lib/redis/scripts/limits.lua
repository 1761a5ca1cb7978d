-- Room in limits: the twin of limits_judge() in lib/rules/limit.c, with the rates of lib/rules/gcra.c.
--
-- A script sees all limits of a recipient at once, so that they are granted together or not at all.
--
-- KEYS[1]  index of the leases: key -> when its last lease runs out, ms
-- KEYS[2]  the note of what policyd has taken of rates for this recipient: "message bounds ends", ms
-- KEYS[3]  the term (term.lua)
-- KEYS[n]  for each use from 4 on: leases (holder -> when it runs out, ms) or a rate (its tat, us)
-- ARGV     what ('ask', 'renew', 'keep', 'put', 'back', 'return' or 'refused'), holder, other, takes_over, ttl_ms, ttl_max_ms,
--          now_ms (0: the server's clock), message, daemon, what the server's clock has to show, and how nearly (0: no
--          matter); then for each use: its bit in a note (of leases '-'), how many there may be at once, interval_us,
--          observed
-- answers  "granted refused taken held wait_ms late lost not_yet row now_ms"; refused is one too high, so that 0 is none
local INDEX, NOTE, TERM = KEYS[1], KEYS[2], KEYS[3]
local NOTE_MS, KEPT_MS = 20000, 60000 -- a note is kept for as long as policyd's lease, but so long at least

local what, holder, other, takes_over = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local renews = what == 'renew' or what == 'keep'
local ttl, ttl_max, now, message = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local daemon, expected, tolerance = ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])
local now_us, server_ms = now * 1000, 0
if now == 0 then
  local time = redis.call('TIME')
  now_us = time[1] * 1000000 + time[2]
  now = math.floor(now_us / 1000)
  server_ms = now
end

local uses, has_note = {}, false
for i = 4, #KEYS do
  local at = 12 + 4 * (i - 4)
  local leases = ARGV[at] == '-'
  local use = {key = KEYS[i], bit = not leases and 2 ^ tonumber(ARGV[at]), leases = leases,
    count = tonumber(ARGV[at + 1]), interval = tonumber(ARGV[at + 2]), observed = ARGV[at + 3] == '1'}
  has_note = has_note or not use.leases or use.observed
  uses[#uses + 1] = use
end

local function answer(granted, refused, taken, held, wait_ms, late, lost)
  return string.format('%d %d %.0f %d %d %d %d 0 open %d', granted, refused, taken, held, wait_ms, late, lost, server_ms)
end

-- The daemon's row, when nothing may be granted to it: others have not signed in, or the clock was stepped.
local function not_yet()
  local row = redis.call('HGET', TERM, daemon) or 'none'
  if row == 'open' or (row == 'in' and renews) then
    return expected > 0 and math.abs(server_ms - expected) > tolerance and 'open'
  end
  return row
end

-- Whether the name holds a slot that is in force.
local function holds(key, name)
  local ends = redis.call('ZSCORE', key, name)
  ends = ends and tonumber(ends)
  return ends and ends > now and ends <= now + ttl_max
end

-- Slots in force.
local function count_slots(use)
  return redis.call('ZCOUNT', use.key, '(' .. now, now + ttl_max)
end

local function drop_dead(use)
  redis.call('ZREMRANGEBYSCORE', use.key, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', use.key, '(' .. (now + ttl_max), '+inf')
end

-- Takes a slot that was found free, or goes on with the one the session has.
local function take_slot(use, others)
  if others and not takes_over then
    return
  end
  -- The index first: when that fails, nothing is held that nobody knows of.
  local last = tonumber(redis.call('ZSCORE', INDEX, use.key) or 0)
  if last < now + ttl then
    redis.call('ZADD', INDEX, now + ttl, use.key)
  end
  if last == 0 then
    redis.call('ZREMRANGEBYSCORE', INDEX, '-inf', now)
  end
  redis.call('PEXPIRE', INDEX, ttl_max + KEPT_MS)
  if use.held and redis.call('ZCARD', use.key) > use.held then
    drop_dead(use)
  end
  if others then
    redis.call('ZREM', use.key, other)
  end
  redis.call('ZADD', use.key, now + ttl, holder)
  redis.call('PEXPIRE', use.key, ttl_max + KEPT_MS)
end

local function set_rate(use, tat, call)
  if tat > now_us then
    local kept = math.floor((tat - now_us) / 1000) + 1000
    call('SET', use.key, string.format('%.0f', tat), 'PX', kept)
  else
    redis.call('DEL', use.key)
  end
end

-- Of a set in a double, since the library of bits ends at 32.
local function has_bit(set, bit)
  return math.floor(set / bit) % 2 == 1
end

local function tat_of(use)
  local tat = tonumber(string.match(redis.call('GET', use.key) or '', '^%d+$')) or 0
  if tat - now_us > (use.count + 1) * use.interval then
    return 0 -- of another time; see gcra.c
  end
  return tat
end

local function give_back_rate(use)
  set_rate(use, tat_of(use) - use.interval, redis.pcall)
end

local is_noted, noted_bounds = false, 0

-- Marks the rates that policyd has taken already.
local function read_note()
  if not has_note then
    return
  end
  local by, bounds, ends = string.match(redis.call('GET', NOTE) or '', '^(%d+) (%d+) (%d+)$')
  ends = tonumber(ends)
  if not ends or ends <= now or ends > now + ttl_max or not (takes_over or by == message) then
    return
  end
  is_noted, noted_bounds = true, tonumber(bounds)
  for _, use in ipairs(uses) do
    use.noted = not use.leases and has_bit(noted_bounds, use.bit)
  end
end

local function write_note()
  local bounds = noted_bounds
  for _, use in ipairs(uses) do
    if use.taken and not use.leases and not has_bit(bounds, use.bit) then
      bounds = bounds + use.bit
    end
  end
  local kept = math.max(NOTE_MS, ttl)
  redis.call('SET', NOTE, string.format('%s %.0f %d', message, bounds, now + kept), 'PX', kept)
end

-- Slots first: that works with a full memory, too.
local function give_back(name, is_taken)
  for _, use in ipairs(uses) do
    if use.leases then
      redis.call('ZREM', use.key, name)
    end
  end
  for _, use in ipairs(uses) do
    if not use.leases and is_taken(use) then
      give_back_rate(use)
    end
  end
  if is_noted or (has_note and what == 'back') then
    redis.call('DEL', NOTE)
  end
end

local function give_back_noted(name)
  give_back(name, function(use) return use.noted end)
end

if daemon ~= '' and (what == 'ask' or renews) then
  local row = not_yet()
  if row then
    return string.format('0 0 0 0 0 0 0 1 %s %d', row, server_ms)
  end
end

if what == 'back' then
  give_back(holder, function() return true end)
  return answer(0, 0, 0, 0, 0, 0, 0)
end

if what == 'refused' or what == 'return' then
  read_note()
  give_back_noted(what == 'refused' and other or holder)
  return answer(0, 0, 0, 0, 0, 0, 0)
end

if what == 'put' then
  for _, use in ipairs(uses) do
    take_slot(use, holds(use.key, other))
  end
  return answer(1, 0, 0, 0, 0, 0, 0)
end

if renews then
  local late, lost = 0, 0
  for _, use in ipairs(uses) do
    local others = holds(use.key, other)
    local ran_out = not others and not holds(use.key, holder)
    redis.call('ZREM', use.key, '') -- behind a write that needs no memory, others are let through
    use.held = ran_out and count_slots(use)
    if ran_out and what == 'keep' then
      -- who heard the end of the message has given it back
    elseif ran_out and use.held >= use.count then
      lost = 1
    else
      late = ran_out and 1 or late
      take_slot(use, others)
    end
  end
  return answer(1, 0, 0, 0, 0, late, lost)
end

-- Every use is judged before anything is taken.
read_note()
local refused, taken, held, wait_us = 0, 0, 0, 0
for i, use in ipairs(uses) do
  local room
  if use.leases then
    use.others = holds(use.key, other)
    local has = use.others or holds(use.key, holder)
    use.held = count_slots(use)
    room = has or use.held < use.count
    held = held > 0 and held or use.held + ((not has and room) and 1 or 0)
  else
    use.tat = tat_of(use)
    wait_us = use.tat - now_us - (use.count - 1) * use.interval
    room = use.noted or wait_us <= 0
  end
  use.taken = room and not (use.noted and not takes_over) -- unless it was before, by ourselves
  if use.taken then
    taken = taken + 2 ^ (i - 1)
  elseif not room and not (use.observed and (refused > 0 or (is_noted and takes_over))) then
    refused = i -- policyd has told already what it has observed
  end
  if not room and not use.observed then
    if takes_over then
      give_back_noted(other)
    end
    return answer(0, refused, 0, held, use.leases and 0 or math.ceil(wait_us / 1000), 0, 0)
  end
end

for _, use in ipairs(uses) do
  if use.taken and use.leases then
    take_slot(use, use.others)
  elseif use.taken and not use.noted then
    set_rate(use, math.max(use.tat, now_us) + use.interval, redis.call)
  end
end
if has_note and not takes_over then
  write_note()
elseif is_noted then
  redis.call('DEL', NOTE)
end
return answer(1, refused, taken, held, 0, 0, 0)
