-- Who takes part in the store's life: the twin of lib/rules/term.c.
--
-- KEYS[1]  the term: a hash of "=id", "=number", "=open", "=hosts", and a row for each daemon
-- KEYS[2]  index of the leases
-- ARGV     step ('begin', 'in', 'look' or 'out'), daemon, id, number, hosts, fresh, doubts, waited, others it knows
-- answers  "row number now_ms hosts_missing", then "+" who has signed in, "-" who has not
--
-- The keys of leases that it changes are those that the index names; they cannot be known before.
local TERM, INDEX = KEYS[1], KEYS[2]
local MEMBERS_MAX, NAMES_MAX = 64, 511
local step, daemon, id, number, hosts = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local fresh, doubts, waited, known = ARGV[6] == '1', ARGV[7] == '1', ARGV[8] == '1', ARGV[9]

local rows, own, n = {}, {}, 0
local stored = redis.call('HGETALL', TERM)
for i = 1, #stored, 2 do
  local name, value = stored[i], stored[i + 1]
  if string.sub(name, 1, 1) == '=' then
    own[name] = value
  else
    rows[name] = value
    n = n + 1
  end
end

local function set(name, value)
  redis.call('HSET', TERM, name, value)
  own[name] = value
end

local function set_row(name, row)
  if not rows[name] then
    if n >= MEMBERS_MAX then
      return
    end
    n = n + 1
  end
  if rows[name] ~= row then
    redis.call('HSET', TERM, name, row)
    rows[name] = row
  end
end

local function remove(name)
  if rows[name] then
    redis.call('HDEL', TERM, name)
    rows[name] = nil
    n = n - 1
  end
end

local function has_signed(name)
  return rows[name] == 'in' or rows[name] == 'open'
end

local function hosts_missing()
  local seen, count = {}, 0
  for name in pairs(rows) do
    local host = string.sub(name, 2)
    if has_signed(name) and not seen[host] then
      seen[host] = true
      count = count + 1
    end
  end
  return math.max(0, tonumber(own['=hosts'] or 0) - count)
end

local function somebody_is_missing()
  for name in pairs(rows) do
    if not has_signed(name) then
      return true
    end
  end
  return hosts_missing() > 0
end

local function names()
  local all = {}
  for name in pairs(rows) do
    all[#all + 1] = name
  end
  table.sort(all)
  return all
end

-- Who is missing then does not take part any more.
local function open_when_due(may)
  if not own['=id'] or own['=open'] == '1' or not (may or not somebody_is_missing()) then
    return
  end
  set('=open', '1')
  set('=hosts', '0')
  for _, name in ipairs(names()) do
    if has_signed(name) then
      set_row(name, 'open')
    else
      remove(name)
    end
  end
end

local function drop_leases()
  for _, key in ipairs(redis.call('ZRANGE', INDEX, 0, -1)) do
    redis.call('DEL', key)
  end
  redis.call('DEL', INDEX)
end

local function drop_own_leases()
  for _, key in ipairs(redis.call('ZRANGE', INDEX, 0, -1)) do
    for _, holder in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      if string.sub(holder, 1, #daemon) == daemon then
        redis.call('ZREM', key, holder)
      end
    end
  end
end

local function begin_term()
  local absent = not own['=id']
  drop_leases()
  set('=id', id)
  set('=number', number)
  set('=open', '0')
  if absent then
    set('=hosts', hosts)
  end
  for _, name in ipairs(names()) do
    set_row(name, 'out')
  end
  if absent then
    for name in string.gmatch(known, '%S+') do
      set_row(name, 'out')
    end
  end
end

local function begin()
  local signed = has_signed(daemon)
  if fresh and signed then
    set_row(daemon, 'out')
  end
  if own['=id'] ~= id or (doubts and signed) then
    begin_term()
  end
  if not has_signed(daemon) then
    drop_own_leases()
  end
end

if step == 'begin' then
  begin()
else
  local was_in = rows[daemon] == 'in'
  if step == 'in' and own['=id'] and own['=number'] == number then
    set_row(daemon, own['=open'] == '1' and 'open' or 'in')
  elseif step == 'out' then
    remove(daemon)
  end
  open_when_due(step == 'look' and waited and was_in)
end

local time = redis.call('TIME')
local words = {rows[daemon] or 'none', own['=number'] or '0',
  string.format('%d', math.floor((time[1] * 1000000 + time[2]) / 1000)), hosts_missing()}
local length = 0
for _, name in ipairs(names()) do
  length = length + #name + 2
  if length <= NAMES_MAX then
    words[#words + 1] = (has_signed(name) and '+' or '-') .. name
  end
end
return table.concat(words, ' ')
