"""What Redis decides: one script for each decision, run as a whole, on keys of one hash slot.

Time is that of the Redis server (`TIME`), in whole microseconds: one clock for the fleet, so that processes whose
own clocks disagree still share one limit. Numbers go both ways as whole numbers.
"""

from dataclasses import dataclass, field
from hashlib import sha1

__all__ = ["BEAT", "ENTER", "GIVE_BACK", "HEAR", "REPORT", "TAKE", "Script"]


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and the name by which a server that has seen it runs it."""

    source: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = sha1(self.source.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)


_NOW = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
"""

# The arithmetic of `_core.gcra`: `spent` tokens since `since`. What is further in the future than it was (a clock
# that was set back) is moved along, so a step of the server's clock costs nobody an hour.
TAKE = Script(
    _NOW
    + """
local burst, interval = tonumber(ARGV[1]), tonumber(ARGV[2])
local weight, patience = tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HMGET', KEYS[1], 'since', 'spent', 'seen')
local since, spent = tonumber(kept[1] or now), tonumber(kept[2] or 0)
local back = tonumber(kept[3] or now) - now
if back > 0 then
  since = since - back
end
if since + spent * interval <= now then
  since, spent = now, 0
end
local wait = 0
if spent + weight > burst then
  wait = since + (spent + weight - burst) * interval - now
  if wait < 0.001 then wait = 0 end
end
local taken = patience < 0 or wait <= patience + 0.001
if taken then spent = spent + weight end
if taken or back > 0 then
  local full_in = since + spent * interval - now
  redis.call('HSET', KEYS[1], 'since', since, 'spent', spent, 'seen', now)
  redis.call('PEXPIRE', KEYS[1], math.ceil(full_in / 1000) + 1000)
end
local here = burst - spent + (now - since) / interval
return {taken and 1 or 0, math.ceil(wait), math.floor(here * 1000000), since, spent}
"""
)
"""Spend tokens, or reserve those to come: burst, interval, weight, patience (below 0: without limit)."""

# Only the last reservation can be taken back without moving those behind it, who have been told their time.
GIVE_BACK = Script(
    """
local kept = redis.call('HMGET', KEYS[1], 'since', 'spent')
if tonumber(kept[1] or -1) == tonumber(ARGV[1]) and tonumber(kept[2] or -1) == tonumber(ARGV[2]) then
  redis.call('HINCRBY', KEYS[1], 'spent', -tonumber(ARGV[3]))
  return {1}
end
return {0}
"""
)
"""Take a reservation back, unless somebody reserved behind it: since, spent, weight."""

# Keys: who holds a slot until when; who waits, in order; until when somebody is heard of who waits.
ENTER = Script(
    _NOW
    + """
local held, queue, heard = KEYS[1], KEYS[2], KEYS[3]
local token, size, places = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local lease, silence = tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', held, '-inf', now)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', heard, '-inf', now)) do
  redis.call('ZREM', queue, gone)
  redis.call('ZREM', heard, gone)
end
local running, waiting = redis.call('ZCARD', held), redis.call('ZCARD', queue)
local rank = redis.call('ZRANK', queue, token)
local ahead = rank or waiting
if ahead < size - running then
  redis.call('ZREM', queue, token)
  redis.call('ZREM', heard, token)
  redis.call('ZADD', held, now + lease, token)
  redis.call('PEXPIRE', held, math.ceil(lease / 1000) + 1000)
  return {1, running + 1, waiting - (rank and 1 or 0)}
end
if not rank then
  if ahead >= places then return {0, running, waiting} end
  local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')
  redis.call('ZADD', queue, (last[2] or 0) + 1, token)
  waiting = waiting + 1
end
redis.call('ZADD', heard, now + silence, token)
redis.call('PEXPIRE', queue, math.ceil(silence / 1000) + 1000)
redis.call('PEXPIRE', heard, math.ceil(silence / 1000) + 1000)
return {2, running, waiting}
"""
)
"""Ask for a slot: token, size, places in the queue, lease, silence. Answers 1 (in), 2 (waits) or 0 (full)."""

BEAT = Script(
    _NOW
    + """
local held, queue, heard = KEYS[1], KEYS[2], KEYS[3]
local size, lease, kept = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 4 + kept, #ARGV do
  redis.call('ZREM', held, ARGV[i])
  redis.call('ZREM', queue, ARGV[i])
  redis.call('ZREM', heard, ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', held, '-inf', now)
local lost = {}
for i = 4, 3 + kept do
  if redis.call('ZSCORE', held, ARGV[i]) or redis.call('ZCARD', held) < size then
    redis.call('ZADD', held, now + lease, ARGV[i])
  else
    lost[#lost + 1] = i - 4
  end
end
redis.call('PEXPIRE', held, math.ceil(lease / 1000) + 1000)
return {redis.call('ZCARD', held), redis.call('ZCARD', queue), unpack(lost)}
"""
)
"""Renew leases and end others: size, lease, how many to renew, those, those to end. Answers which were lost."""

# Keys: what the fleet knows of the breaker; who probes for all.
HEAR = Script(
    _NOW
    + """
local known = redis.call('HMGET', KEYS[1], 'episode', 'until')
local episode, left = tonumber(known[1] or 0), tonumber(known[2] or 0) - now
local token, lease = ARGV[1], tonumber(ARGV[2])
if left > 0 then return {2, episode, left} end
if token == '' then return {0, episode, 0} end
if known[1] and tonumber(known[2]) == 0 and episode > tonumber(ARGV[3]) then return {0, episode, 0} end
local prober = redis.call('GET', KEYS[2])
for i = 4, #ARGV do
  if prober == ARGV[i] then redis.call('DEL', KEYS[2]) end
end
if redis.call('SET', KEYS[2], token, 'NX', 'PX', math.ceil(lease / 1000)) then return {1, episode, 0} end
return {3, episode, math.max(1, redis.call('PTTL', KEYS[2]) * 1000)}
"""
)
"""Ask how the breaker stands in the fleet, and for the probe: token ('' for none), lease, episode known, and
tokens of this process that no longer stand for a call.

Answers 0 (closed, or nothing known), 1 (probe), 2 (open for so long) or 3 (somebody probes, for so long).
"""

REPORT = Script(
    _NOW
    + """
local token, moved, seconds = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if token ~= '' and redis.call('GET', KEYS[2]) == token then redis.call('DEL', KEYS[2]) end
if moved == 0 then return {tonumber(redis.call('HGET', KEYS[1], 'episode') or 0)} end
local episode = redis.call('HINCRBY', KEYS[1], 'episode', 1)
redis.call('HSET', KEYS[1], 'until', moved == 1 and now + seconds or 0)
redis.call('PEXPIRE', KEYS[1], math.ceil(seconds / 1000) + tonumber(ARGV[4]))
return {episode}
"""
)
"""Tell what became of the breaker: token of the probe; 1 (opened), 2 (closed) or 0; how long; memory in ms."""
