-- An identity was used, or one of its triplets passed: the twin of grey_identity_allowed() and
-- grey_identity_count() in lib/rules/grey.c.
--
-- KEYS[1]  the identity
-- ARGV     what ('use' or 'count'), lifetime_s, allow_client_after, now_s (0: the server's clock)
-- answers  1 when the record was written, else 0
local IDENTITY = 3
local VERSION_UNIT, STATE_UNIT, AT_UNIT = 2 ^ 49, 2 ^ 46, 2 ^ 12
local COUNT_MAX, COUNT_APART = 4095, 3600

local what, lifetime, allow_after = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[4])
if now == 0 then
  now = tonumber(redis.call('TIME')[1])
end

local function write(count)
  local record = VERSION_UNIT + IDENTITY * STATE_UNIT + now * AT_UNIT + count
  redis.call('SET', KEYS[1], string.format('%.0f', record), 'EX', lifetime + 60)
  return 1
end

local count, age = 0, lifetime + 1
local value = redis.call('GET', KEYS[1])
if value then
  local record = tonumber(value)
  local version = record and math.floor(record / VERSION_UNIT)
  local state = record and math.floor(record / STATE_UNIT) % 8
  if version ~= 1 or state ~= IDENTITY then
    return redis.error_reply('BADRECORD identity of an unknown version')
  end
  count = record % AT_UNIT
  age = now - math.floor(record / AT_UNIT) % 2 ^ 34
end

if what == 'use' then
  local due = age < 0 or age >= math.floor(lifetime / 32)
  if count >= allow_after and age <= lifetime and due then
    return write(count)
  end
  return 0
end

if age > lifetime then
  return write(1)
end
if age >= 0 and age < COUNT_APART then
  return 0
end
return write(math.min(count + 1, COUNT_MAX))
