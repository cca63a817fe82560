-- Counters of all instances. One script does all, so that nobody sees a half of it.
--
-- Of each organization, project and key there are three keys, all in one slot of a cluster:
--   :h  a hash: of the last 61 seconds `r<second>` and `t<second>`, requests and tokens, with `r` and `t`, their sums, and
--       `f`, the first second; `n`, open streams; `m`, what calls under way may cost
--   :o  a sorted set: calls under way, `<id> <is a stream> <most cost>`, by when their lease ends
--   :b  a hash: of each period `<P>s`, when it began, `<P>b`, the highest sum that the database had, and
--       `<P>:<instance>`, what an instance has settled besides: `<version> <amount> <until>`
--
-- What an instance says of itself, it says whole and with a version. So whatever gets lost or comes twice does no harm, and
-- after a loss of all data the next word of each instance puts it there again.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local second = math.floor(now / 1000)
local WINDOW, KEPT, OWN = 61, 120000, 60000
local at = 0

local function next()
  at = at + 1
  return ARGV[at]
end

local function number()
  return tonumber(next())
end

local function text(value)
  return string.format('%.0f', value)
end

local function get(key, field)
  return tonumber(redis.call('HGET', key, field) or 0)
end

local function add(key, field, amount)
  if amount ~= 0 then
    redis.call('HINCRBY', key, field, text(amount))
  end
end

-- Takes a call away that is no longer under way.
local function leave(h, o, member)
  if redis.call('ZREM', o, member) == 0 then
    return false
  end
  local stream, most = string.match(member, ' (%d) (%d+)$')
  add(h, 'n', -tonumber(stream))
  add(h, 'm', -tonumber(most))
  return true
end

local function enter(h, o, member, lease)
  if redis.call('ZADD', o, text(now + lease), member) == 1 then
    local stream, most = string.match(member, ' (%d) (%d+)$')
    add(h, 'n', tonumber(stream))
    add(h, 'm', tonumber(most))
  end
end

-- Forgets what is too old.
local function advance(h, o)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', o, '-inf', '(' .. text(now))) do
    leave(h, o, member)
  end
  local first = tonumber(redis.call('HGET', h, 'f') or second)
  if second - first > 4 * WINDOW then
    local kept = redis.call('HMGET', h, 'n', 'm')
    redis.call('DEL', h)
    redis.call('HSET', h, 'n', kept[1] or 0, 'm', kept[2] or 0)
    first = second
  end
  while second - first >= WINDOW do
    add(h, 'r', -get(h, 'r' .. first))
    add(h, 't', -get(h, 't' .. first))
    redis.call('HDEL', h, 'r' .. first, 't' .. first)
    first = first + 1
  end
  redis.call('HSET', h, 'f', first)
  return first
end

-- Milliseconds until at most `most` of a kind counts.
local function wait(h, first, kind, total, most)
  for slot = first, second do
    total = total - get(h, kind .. slot)
    if total <= most then
      return (slot + WINDOW) * 1000 - now
    end
  end
  return 1000
end

-- Takes over what an instance says of a period, and gives what is spent of it.
local function say(b, instance)
  local period, start, base, pending, version = next(), number(), number(), number(), number()
  local mine = period .. ':' .. instance
  local known = tonumber(redis.call('HGET', b, period .. 's') or -1)
  if start > known then
    for _, field in ipairs(redis.call('HKEYS', b)) do
      if string.sub(field, 1, 1) == period then
        redis.call('HDEL', b, field)
      end
    end
    redis.call('HSET', b, period .. 's', text(start))
  end
  if start >= known then
    if base > get(b, period .. 'b') then
      redis.call('HSET', b, period .. 'b', text(base))
    end
    local before = string.match(redis.call('HGET', b, mine) or '', '^(%d+)')
    if not before or tonumber(before) <= version then
      if pending > 0 then
        redis.call('HSET', b, mine, text(version) .. ' ' .. text(pending) .. ' ' .. text(now + OWN))
      elseif before then
        redis.call('HDEL', b, mine)
      end
    end
  end
  local spent = 0
  local all = redis.call('HGETALL', b)
  for index = 1, #all, 2 do
    local field = all[index]
    if field == period .. 'b' then
      spent = spent + tonumber(all[index + 1])
    elseif string.sub(field, 1, 2) == period .. ':' then
      local amount, ends = string.match(all[index + 1], '^%d+ (%d+) (%d+)$')
      if tonumber(ends) < now then
        redis.call('HDEL', b, field)
      else
        spent = spent + tonumber(amount)
      end
    end
  end
  return spent
end

local function keep(h, o, b)
  redis.call('PEXPIRE', h, KEPT)
  redis.call('PEXPIRE', o, KEPT)
  redis.call('PEXPIRE', b, KEPT)
end

local op, instance, lease = next(), next(), number()
local scopes = #KEYS / 3

-- One call: the limits of each scope, then what the instance knows of its budgets. Gives 0 and the second, or 1, the scope,
-- which limit, and numbers that belong to it; then of each scope requests and tokens of the last minute.
if op == 'admit' then
  local member, stream, most = next(), number(), number()
  local refusal, worst = nil, -1
  local gates, rates = {}, {}
  local function refuse(scope, kind, milliseconds, ...)
    if milliseconds > worst then
      refusal, worst = { 1, scope, kind, milliseconds, ... }, milliseconds
    end
  end
  for scope = 1, scopes do
    local h, o, b = KEYS[3 * scope - 2], KEYS[3 * scope - 1], KEYS[3 * scope]
    local first = advance(h, o)
    local rpm, tpm, requests, streams, tokens = number(), number(), number(), number(), number()
    local r, t = get(h, 'r'), get(h, 't')
    if rpm >= 0 and r >= rpm then
      refuse(scope, 1, wait(h, first, 'r', r, rpm - 1))
    end
    if tpm >= 0 and tokens > 0 and t + tokens > tpm then
      refuse(scope, 2, wait(h, first, 't', t, tpm - tokens))
    end
    if requests >= 0 and redis.call('ZCARD', o) >= requests then
      refuse(scope, 3, 1000)
    end
    if streams >= 0 and stream == 1 and get(h, 'n') >= streams then
      refuse(scope, 4, 1000)
    end
    local reserved = get(h, 'm')
    for budget = 1, number() do
      local limit, ends = number(), number()
      local spent = say(b, instance)
      if most > 0 and limit >= 0 then
        if spent >= limit then
          refuse(scope, 5, math.max(1000, ends * 1000 - now), budget, spent, reserved)
        elseif reserved > 0 and spent + reserved + most > limit then
          refuse(scope, 5, 1000, budget, spent, reserved)
        end
      end
    end
    gates[scope] = { h, o, b, rpm >= 0 or tpm >= 0, tokens }
    rates[2 * scope - 1], rates[2 * scope] = r, t
  end
  for scope, gate in ipairs(gates) do
    local h, o, b, is_counted, tokens = unpack(gate)
    if not refusal then
      enter(h, o, member, lease)
      if is_counted then
        add(h, 'r', 1)
        add(h, 'r' .. second, 1)
        add(h, 't', tokens)
        add(h, 't' .. second, tokens)
        rates[2 * scope - 1], rates[2 * scope] = rates[2 * scope - 1] + 1, rates[2 * scope] + tokens
      end
    end
    keep(h, o, b)
  end
  local answer = refusal or { 0, second }
  answer[#answer + 1] = -1
  for _, rate in ipairs(rates) do
    answer[#answer + 1] = rate
  end
  return answer
end

-- One call that is over: what differs from what was counted, in each scope.
if op == 'settle' then
  local member, counted = next(), number()
  for scope = 1, scopes do
    local h, o, b = KEYS[3 * scope - 2], KEYS[3 * scope - 1], KEYS[3 * scope]
    advance(h, o)
    local tokens, requests = number(), number()
    if leave(h, o, member) and counted > 0 then
      if tokens > 0 then
        add(h, 't', tokens)
        add(h, 't' .. second, tokens)
      elseif second - counted < WINDOW then
        add(h, 't', tokens)
        add(h, 't' .. counted, tokens)
        add(h, 'r', requests)
        add(h, 'r' .. counted, requests)
      end
    end
    for _ = 1, number() do
      say(b, instance)
    end
    keep(h, o, b)
  end
  return 0
end

-- All that an instance has under way, and knows of budgets.
for scope = 1, scopes do
  local h, o, b = KEYS[3 * scope - 2], KEYS[3 * scope - 1], KEYS[3 * scope]
  advance(h, o)
  for _ = 1, number() do
    enter(h, o, next(), lease)
  end
  for _ = 1, number() do
    say(b, instance)
  end
  keep(h, o, b)
end
return 0
