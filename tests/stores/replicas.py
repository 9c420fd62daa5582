"""A real Redis with a replica, which can be promoted before it has everything."""

import time
from contextlib import contextmanager

import redis

from tests.stores.redis_server import running

# Nothing is kept over a restart, and a replica is served when it asks: Redis would wait five seconds for others.
MASTER = ("--save", "", "--repl-diskless-sync-delay", "0")


@contextmanager
def replica_of(server, directory, *options):
    """A second server that has a copy of the first one's data."""
    with running(directory, "--save", "", "--replicaof", "127.0.0.1", str(server.port), *options) as replica:
        until_copied(replica)
        yield replica


def until_copied(replica, *, within=20):
    """Wait until a replica has all that its master has written."""
    ends = time.monotonic() + within
    with redis.Redis(port=replica.port) as client:
        while client.info("replication").get("master_link_status") != "up":
            assert time.monotonic() < ends, "the replica does not follow its master"
            time.sleep(0.02)


def promote(replica):
    """Make a replica a master of its own: what the old master confirms from now on, it does not have."""
    with redis.Redis(port=replica.port) as client:
        client.execute_command("REPLICAOF", "NO", "ONE")
