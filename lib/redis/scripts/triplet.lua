-- One try of a triplet: the twin of grey_triplet_observe() in lib/rules/grey.c.
--
-- KEYS[1]  the triplet
-- ARGV     delay_s, retry_window_s, lifetime_s, may_store (1 or 0), now_s (0: the server's clock); of a session
--          that is marked also mark, is_second (1 or 0)
-- answers  16 * seconds + answer; answers are those of enum grey_answer, seconds are until a retry
--          passes (new, early, aged) or since the first try (passed now, released)
local NEW, UNSTORED, EARLY, AGED, PASSED_NOW, KNOWN, TOLD, IS_RELEASED = 0, 1, 2, 3, 4, 5, 6, 7
local WAITING, PASSED = 1, 2
local RELEASED, RELEASED_AHEAD = 1, 2
local VERSION_UNIT, STATE_UNIT, AT_UNIT = 2 ^ 49, 2 ^ 46, 2 ^ 12

local delay, window, lifetime = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local may_store, now = ARGV[4] == '1', tonumber(ARGV[5])
local mark, is_second = tonumber(ARGV[6] or 0), ARGV[7] == '1'
if now == 0 then
  now = tonumber(redis.call('TIME')[1])
end

-- The key outlives the record a little, so that this script decides, not the expiry.  Returns
-- the error reply of a server that does not take it.
local function write(state, at, count, kept)
  local record = VERSION_UNIT + state * STATE_UNIT + at * AT_UNIT + count
  local reply = redis.pcall('SET', KEYS[1], string.format('%.0f', record), 'EX', kept + 60)
  return reply.err and reply
end

-- When Redis is full, only a first try must be kept: what has passed, or is marked, can go unwritten.
local function write_if_room(...)
  local failure = write(...)
  if failure and not string.find(failure.err, '^%-?OOM') and
      not string.find(failure.err, '^%-?MISCONF') then
    return failure
  end
end

local function begin_waiting(answer)
  return write(WAITING, now, is_second and 0 or mark, window) or 16 * delay + answer
end

local value = redis.call('GET', KEYS[1])
if not value then
  if not may_store then
    return 16 * delay + UNSTORED
  end
  return begin_waiting(NEW)
end

local record = tonumber(value)
local version = record and math.floor(record / VERSION_UNIT)
local state = record and math.floor(record / STATE_UNIT) % 8
if version ~= 1 or (state ~= WAITING and state ~= PASSED) then
  return redis.error_reply('BADRECORD triplet of an unknown version')
end
local at, count = math.floor(record / AT_UNIT) % 2 ^ 34, record % AT_UNIT
local age = now - at

if state == WAITING then
  if mark > 0 and is_second and count == mark then
    return TOLD
  elseif age < 0 then
    return begin_waiting(EARLY)
  elseif age < delay then
    local failure = mark > 0 and not is_second and count ~= mark and
      write_if_room(WAITING, at, mark, window - age)
    return failure or 16 * (delay - age) + EARLY
  elseif age > window then
    return begin_waiting(AGED)
  end
  return write_if_room(PASSED, now, 0, lifetime) or 16 * age + PASSED_NOW
end

if age > lifetime then
  return begin_waiting(AGED)
end
if count == RELEASED or count == RELEASED_AHEAD then
  local delayed = count == RELEASED and math.max(age, 1) or 0
  return write_if_room(PASSED, now, 0, lifetime) or 16 * delayed + IS_RELEASED
end
if age < 0 or age >= math.floor(lifetime / 32) then
  return write_if_room(PASSED, now, 0, lifetime) or KNOWN
end
return KNOWN
