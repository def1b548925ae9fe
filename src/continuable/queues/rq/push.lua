-- Puts a job on a queue: behind those of its priority, before those of a lower one.
-- RQ has no priorities, so the jobs of others have 0.
-- KEYS: the queue. ARGV: the job, its priority, what the keys of jobs begin with, the field.
local queue, job, mine = KEYS[1], ARGV[1], tonumber(ARGV[2])

local function priority(other)
  return tonumber(redis.call('HGET', ARGV[3] .. other, ARGV[4]) or 0)
end

local length = redis.call('LLEN', queue)
if mine > 0 then
  -- Few have a higher one, and they are at the front.
  for at = 0, length - 1 do
    local other = redis.call('LINDEX', queue, at)
    if priority(other) < mine then
      if at == 0 then
        return redis.call('LPUSH', queue, job)
      end
      return redis.call('LINSERT', queue, 'BEFORE', other, job)
    end
  end
  return redis.call('RPUSH', queue, job)
end
-- Few have a lower one, and they are at the back.
for at = -1, -length, -1 do
  local other = redis.call('LINDEX', queue, at)
  if priority(other) >= mine then
    if at == -1 then
      return redis.call('RPUSH', queue, job)
    end
    return redis.call('LINSERT', queue, 'AFTER', other, job)
  end
end
return redis.call('LPUSH', queue, job)
