"""The scripts of `RedisStore`. KEYS[1] is the record, unless it says otherwise.

Where all keys are on one server, a script does everything at once: it is given the owner's index as a further key,
or the beginning of all indexes' and records' names. On a cluster it is given none of them ('' for a beginning) and
does its own part only.
"""

from __future__ import annotations

from fastsession.stores.redis_scripts import RedisScript

# An index lives as long as the longest of its sessions may. GT: an expiry that was written for a `replace` which
# then did not happen may be too late, not too early.
_INDEXED = """
local function index(name, key, expires)
    redis.call('ZADD', name, 'GT', expires, key)
    redis.call('EXPIREAT', name, redis.call('ZREVRANGE', name, 0, 0, 'WITHSCORES')[2])
end
"""
# KEYS: the index. ARGV: key, expiry.
INDEX = RedisScript(f"{_INDEXED} index(KEYS[1], ARGV[1], ARGV[2])")
# KEYS: also the index. ARGV: data, expiry, owner, key.
CREATE = RedisScript(f"""{_INDEXED}
if KEYS[2] then
    index(KEYS[2], ARGV[4], ARGV[2])
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'data', ARGV[1], 'version', 1, 'owner', ARGV[3])
redis.call('EXPIREAT', KEYS[1], ARGV[2])
""")
# KEYS: also the index. ARGV: data, expiry, owner, key, version, next version, beginning of indexes. Returns 0, or 1,
# or 2 where the owner is another one now.
REPLACE = RedisScript(f"""{_INDEXED}
local found = redis.call('HMGET', KEYS[1], 'version', 'owner')
if found[1] ~= ARGV[5] then
    return 0
end
if KEYS[2] then
    index(KEYS[2], ARGV[4], ARGV[2])
end
if found[2] ~= ARGV[3] and found[2] ~= '' and ARGV[7] ~= '' then
    redis.call('ZREM', ARGV[7] .. found[2], ARGV[4])
end
redis.call('HSET', KEYS[1], 'data', ARGV[1], 'version', ARGV[6], 'owner', ARGV[3])
redis.call('EXPIREAT', KEYS[1], ARGV[2])
return found[2] == ARGV[3] and 1 or 2
""")
# ARGV: version, owner, expiry. Writes, so that there is something for a replica to confirm.
HOLD = RedisScript("""
local found = redis.call('HMGET', KEYS[1], 'version', 'owner')
if found[1] ~= ARGV[1] or found[2] ~= ARGV[2] then
    return 0
end
redis.call('EXPIREAT', KEYS[1], ARGV[3])
return 1
""")
# ARGV: expiry, key, beginning of indexes.
TOUCH = RedisScript(f"""{_INDEXED}
local owner = redis.call('HGET', KEYS[1], 'owner')
if not owner then
    return 0
end
if owner ~= '' and ARGV[3] ~= '' then
    index(ARGV[3] .. owner, ARGV[2], ARGV[1])
end
redis.call('EXPIREAT', KEYS[1], ARGV[1])
return 1
""")
# ARGV: key, beginning of indexes, and 1 to write even if there is no record: an end that is asked for again, because
# no replica had confirmed it, has to be confirmed, too.
DELETE = RedisScript("""
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= '' and ARGV[2] ~= '' then
    redis.call('ZREM', ARGV[2] .. owner, ARGV[1])
end
local found = redis.call('DEL', KEYS[1])
if found == 0 and ARGV[3] == '1' then
    redis.call('HSET', KEYS[1], 'ended', 1)
    redis.call('DEL', KEYS[1])
end
return {found, owner}
""")
# KEYS: the old record, the new one, the new one's index. ARGV: data, expiry, owner, key, version of the old one, next
# version, note and its expiry, key of the old one, beginning of indexes.
SUPERSEDE = RedisScript(f"""{_INDEXED}
local found = redis.call('HMGET', KEYS[1], 'version', 'owner')
if found[1] ~= ARGV[5] then
    return 0
end
if KEYS[3] then
    index(KEYS[3], ARGV[4], ARGV[2])
end
redis.call('HSET', KEYS[2], 'data', ARGV[1], 'version', 1, 'owner', ARGV[3])
redis.call('EXPIREAT', KEYS[2], ARGV[2])
if found[2] ~= '' then
    redis.call('ZREM', ARGV[10] .. found[2], ARGV[9])
end
redis.call('HSET', KEYS[1], 'data', ARGV[7], 'version', ARGV[6], 'owner', '')
redis.call('EXPIREAT', KEYS[1], ARGV[8])
return 1
""")
# KEYS: the index. ARGV: where to go on, about how many. Returns the time, where to go on, keys and expiries in turn.
PAGE = RedisScript("""
local page = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
return {redis.call('TIME')[1], page[1], page[2]}
""")
# ARGV: owner, and 1 to write even if there is no record. Ends the record if it is that owner's: 1. 0 where there is
# none, -1 where it is another's.
END = RedisScript("""
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then
    return -1
end
local found = redis.call('DEL', KEYS[1])
if found == 0 and ARGV[2] == '1' then
    redis.call('HSET', KEYS[1], 'ended', 1)
    redis.call('DEL', KEYS[1])
end
return found
""")
# KEYS: the index. ARGV: where to go on, about how many, beginning of records, owner, and the keys to keep. Ends a
# page of the owner's records, and returns where to go on. A key without a record that has not expired may be of one
# that another version of this library is about to write. Always writes: there has to be something to confirm.
END_PAGE = RedisScript("""
local now = tonumber(redis.call('TIME')[1])
local page = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local keep = {}
for i = 5, #ARGV do
    keep[ARGV[i]] = true
end
for i = 1, #page[2], 2 do
    local key = page[2][i]
    if not keep[key] then
        local owner = redis.call('HGET', ARGV[3] .. key, 'owner')
        if owner == ARGV[4] then
            redis.call('DEL', ARGV[3] .. key)
        end
        if owner or tonumber(page[2][i + 1]) <= now then
            redis.call('ZREM', KEYS[1], key)
        end
    end
end
redis.call('ZADD', KEYS[1], 0, '')
redis.call('ZREM', KEYS[1], '')
return page[1]
""")
