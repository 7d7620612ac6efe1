-- The line before the door. One call decides for one caller, by Valkey's clock, for all replicas alike.
-- KEYS: state (hash), waiting (number of each who waits), due (until when each is expected back),
--       let_in (when each was let in), replicas (last report), full (last report of a queue that stands)
-- ARGV: replica, 1 when its queue stands, ticket ('' none), its number, 1 when a number is wanted
local state, waiting, due, let_in, replicas, full = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local replica, is_full, ticket, number, wants = ARGV[1], ARGV[2] == '1', ARGV[3], ARGV[4], ARGV[5] == '1'
local FIRST_RATE, LEAST_RATE, MOST_RATE = 10, 1, 2000  -- people a second
local OPEN_AFTER, REPORT, REMEMBERED, KEPT = 5, 3, 7200, 7200
local FULL_SHARE = 0.25  -- of the replicas: a single sick one shuts its own door, not everybody's
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local held = redis.call('HMGET', state, 'rate', 'room', 'at', 'cut_at', 'shut_until', 'last', 'shut_at')
local rate, room, at = tonumber(held[1]) or FIRST_RATE, tonumber(held[2]) or 0, tonumber(held[3]) or now
local cut_at, shut_until, last = tonumber(held[4]) or 0, tonumber(held[5]) or 0, held[6] or '0'
local shut_at = tonumber(held[7]) or 0  -- 0: open

redis.call('ZADD', replicas, now, replica)
if is_full then redis.call('ZADD', full, now, replica) end
redis.call('ZREMRANGEBYSCORE', replicas, '-inf', now - REPORT)
redis.call('ZREMRANGEBYSCORE', full, '-inf', now - REPORT)
local crowded = redis.call('ZCARD', full) >= FULL_SHARE * redis.call('ZCARD', replicas) and redis.call('ZCARD', full) > 0

-- Who did not come back makes room. The number on the ticket stays: whoever comes later still is as far ahead.
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, 500)) do
  redis.call('ZREM', waiting, gone)
  redis.call('ZREM', due, gone)
end

if crowded then shut_until = now + OPEN_AFTER end
local count = redis.call('ZCARD', waiting)
local shut = now < shut_until or count > 0
if shut then
  if shut_at == 0 then shut_at, at, room, cut_at = now, now, 0, 0 end
  local passed = math.min(math.max(now - at, 0), 5)
  -- A cut shows its effect once those who were let in before it are served; so does shutting the door.
  local settled = now - math.max(cut_at, shut_at) >= 2
  if settled and crowded and is_full then
    rate, room, cut_at = math.max(LEAST_RATE, rate * 0.7), LEAST_RATE * passed, now
    passed = 0
  elseif not crowded and room < rate * 5 + 3 then  -- more are waiting than may come in: quickly more, until the first cut
    rate = math.min(MOST_RATE, rate * (cut_at == 0 and 1.5 or 1.06) ^ passed)
  end
  room = math.min(rate * 5 + 3, room + rate * passed)
else
  shut_at, rate = 0, FIRST_RATE
end

local admitted, ahead = 0, count
if ticket ~= '' then
  local before = redis.call('ZSCORE', let_in, ticket)
  if before and now - tonumber(before) > 60 then  -- used up: it is not a way past the line
    ticket, wants = '', true
  elseif before or not shut then
    admitted = 1
  else
    redis.call('ZADD', waiting, number, ticket)
    ahead = redis.call('ZRANK', waiting, ticket)
    if ahead < room then
      admitted, room = 1, room - 1
    else
      -- Asked again after `page.after`; a lost answer or a slow line more than that is not waited for.
      redis.call('ZADD', due, now + math.min(20, math.max(3, ahead / rate / 3)) * 1.2 + 6, ticket)
    end
  end
  if admitted == 1 then
    redis.call('ZREM', waiting, ticket)
    redis.call('ZREM', due, ticket)
    if not before and shut then redis.call('ZADD', let_in, now, ticket) end
  end
end
redis.call('ZREMRANGEBYSCORE', let_in, '-inf', now - REMEMBERED)

local drawn = ''
if wants and shut then
  -- Microseconds, and never one twice nor a smaller one, also when Valkey began anew. As text: doubles end here.
  local wanted = string.format('%.0f', now * 1e6)
  if #last > #wanted or (#last == #wanted and last >= wanted) then
    wanted = string.format('%.0f', tonumber(last) + 1)
  end
  last, drawn = wanted, wanted
end
redis.call('HSET', state, 'rate', rate, 'room', room, 'at', now, 'cut_at', cut_at, 'shut_until', shut_until,
  'last', last, 'shut_at', shut_at)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, KEPT) end
return {shut and 1 or 0, admitted, ahead, redis.call('ZCARD', waiting), tostring(rate), drawn}
