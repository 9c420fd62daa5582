"""The scripts of `RedisRevocations`. KEYS are the set of denials, the stream of changes, and the mark."""

from __future__ import annotations

from fastsession.stores.redis_scripts import RedisScript

_NOW = "local now = tonumber(redis.call('TIME')[1])\n"
# Whether the denials are there as the mark says.
_WHOLE = """
local marked = redis.call('HGET', KEYS[3], 'until')
local whole = marked and (redis.call('EXISTS', KEYS[1]) == 1 or tonumber(marked) <= now)
"""
_LAST = """
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local id = last and last[1] or '0-0'
"""
# ARGV: how many entries the stream keeps, the random half of the ids, whether to add entries for what is known
# already, then denials and their expiries in turn. Some of what has expired goes with every call. Returns the
# id of the last entry, and how many denials were not there.
_ADD = f"""{_LAST}
local added = 0
local number = last and tonumber(string.match(id, '^%d+')) or now * 1000000
for i = 4, #ARGV, 2 do
    local changed = redis.call('ZADD', KEYS[1], 'GT', 'CH', ARGV[i + 1], ARGV[i])
    added = added + changed
    if changed == 1 or ARGV[3] == '1' then
        number = number + 1
        id = string.format('%.0f-', number) .. ARGV[2]
        redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], id, 'denial', ARGV[i], 'until', ARGV[i + 1])
    end
end
local expired = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, 100)
if #expired > 0 then
    redis.call('ZREM', KEYS[1], unpack(expired))
end
local longest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if longest then
    redis.call('EXPIREAT', KEYS[1], longest)
    redis.call('EXPIREAT', KEYS[2], longest)
    if redis.call('EXISTS', KEYS[3]) == 1 then
        redis.call('HSET', KEYS[3], 'until', longest)
    end
end
return {{id, added}}
"""
# A set that is made anew would hide that the one before is lost: without the mark and the stream every worker reads
# everything, and gives back what it knows. An expiry in the past removes them, by a permission that is needed anyway.
DENY = RedisScript(f"""{_NOW}{_WHOLE}
if marked and not whole then
    redis.call('EXPIREAT', KEYS[2], 1)
    redis.call('EXPIREAT', KEYS[3], 1)
end
{_ADD}""")
# Sets the mark where the denials are not there as it says, with denials that go with that: the first worker does. As it
# may know nothing, those that know more are to read everything.
BEGIN = RedisScript(f"""{_NOW}{_WHOLE}
if whole then
    return false
end
redis.call('EXPIREAT', KEYS[2], 1)
redis.call('HSET', KEYS[3], 'until', 0)
{_ADD}""")
# Whether the denials are there, and the entries from ARGV[1] on.
CHANGES = RedisScript(f"""{_NOW}{_WHOLE}
return {{whole and 1 or 0, redis.call('XRANGE', KEYS[2], ARGV[1], '+', 'COUNT', ARGV[2])}}
""")
# Whether they are there, and the id of the last entry.
STATE = RedisScript(f"{_NOW}{_WHOLE}{_LAST} return {{whole and 1 or 0, id}}")
# As one text: taking a thousand answers apart would cost the client more than all the rest.
READ = RedisScript("""
local page = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
return {page[1], table.concat(page[2], ' ')}
""")
