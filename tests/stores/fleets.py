"""A Redis Cluster of three masters with a replica each, and a master with a replica that three sentinels watch."""

import time
from contextlib import ExitStack, contextmanager

import redis

from tests.processes import free_port
from tests.stores.redis_server import RedisServer, running
from tests.stores.replicas import MASTER, replica_of

# Milliseconds after which a server that is silent counts as failed, and seconds that a fleet may take to form.
SILENT = 500
FORMED = 60


class Cluster:
    def __init__(self, servers):
        self.servers = servers

    @property
    def url(self):
        return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers[:3])

    def master_of(self, key):
        """The server that answers for a key now."""
        for server in self.servers:
            if server.process.poll() is None:
                with redis.Redis(port=server.port, socket_timeout=5) as client:
                    slot = client.execute_command("CLUSTER KEYSLOT", key)
                    ranges = client.execute_command("CLUSTER", "SLOTS")
                    break
        port = next(master[1] for first, last, master, *_ in ranges if first <= slot <= last)
        return next(server for server in self.servers if server.port == port)

    def moving(self, key):
        """The move of a key's slot to another master, to be begun and ended."""
        source = self.master_of(key)
        number = self.servers.index(source)
        return Move(self, key, source, (number + 1) % 3)


class Move:
    """A slot that is moved from one master to another, as `redis-cli --cluster reshard` does it."""

    def __init__(self, fleet, key, source, number):
        self.fleet, self.source = fleet, source
        self.target, self.targets_replica = fleet.servers[number], fleet.servers[number + 3]
        self.slot = self._ask(source, "CLUSTER KEYSLOT", key)

    def begin(self):
        self._ask(self.target, "CLUSTER SETSLOT", self.slot, "IMPORTING", self._name(self.source))
        self._ask(self.source, "CLUSTER SETSLOT", self.slot, "MIGRATING", self._name(self.target))

    def migrate(self, *keys):
        """Move some keys; all of the slot by default."""
        moved = keys or self._ask(self.source, "CLUSTER GETKEYSINSLOT", self.slot, 100)
        if moved:
            self._ask(self.source, "MIGRATE", "127.0.0.1", self.target.port, "", 0, 5000, "KEYS", *moved)

    def end(self):
        """From now on the old master answers that the slot has moved."""
        self.migrate()
        for server in (self.target, self.source):
            self._ask(server, "CLUSTER SETSLOT", self.slot, "NODE", self._name(self.target))

    def _name(self, server):
        return self._ask(server, "CLUSTER MYID").decode()

    def _ask(self, server, *words):
        with redis.Redis(port=server.port) as client:
            return client.execute_command(*words)


@contextmanager
def cluster(directory):
    """Three masters and three replicas."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                running(
                    directory / f"node{number}",
                    *MASTER,
                    "--cluster-enabled",
                    "yes",
                    "--cluster-port",
                    str(free_port()),
                    "--cluster-node-timeout",
                    str(SILENT),
                )
            )
            for number in range(6)
        ]
        clients = [stack.enter_context(redis.Redis(port=server.port)) for server in servers]
        _form(servers, clients)
        yield Cluster(servers)


def _form(servers, clients):
    for server in servers[1:]:
        bus = server.options[server.options.index("--cluster-port") + 1]
        clients[0].execute_command("CLUSTER MEET", "127.0.0.1", server.port, bus)
    until(lambda: all(len(client.execute_command("CLUSTER NODES")) == len(servers) for client in clients))
    for number, client in enumerate(clients[:3]):
        first, last = number * 16384 // 3, (number + 1) * 16384 // 3 - 1
        client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
    names = [client.execute_command("CLUSTER MYID").decode() for client in clients[:3]]
    for name, client in zip(names, clients[3:], strict=True):
        until(lambda client=client, name=name: _replicates(client, name))
    until(lambda: all(client.execute_command("CLUSTER INFO")["cluster_state"] == "ok" for client in clients))
    until(lambda: all(client.info("replication")["master_link_status"] == "up" for client in clients[3:]))


def _replicates(client, name):
    try:
        client.execute_command("CLUSTER REPLICATE", name)
    except redis.ResponseError:
        # It has not heard of that master yet.
        return False
    return True


class Watched:
    def __init__(self, master, replica, sentinels):
        self.master, self.replica, self.sentinels = master, replica, sentinels

    @property
    def url(self):
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels) + "/main"


@contextmanager
def watched(directory):
    """A master, its replica, and three sentinels."""
    with (
        running(directory / "master", *MASTER) as master,
        replica_of(master, directory / "replica") as replica,
        ExitStack() as stack,
    ):
        sentinels = [stack.enter_context(_sentinel(master, directory / f"sentinel{number}")) for number in range(3)]
        clients = [stack.enter_context(redis.Redis(port=sentinel.port)) for sentinel in sentinels]
        until(lambda: all(_sees_all(client) for client in clients))
        yield Watched(master, replica, sentinels)


def _sees_all(client):
    state = client.sentinel_master("main")
    return state["num-slaves"] == 1 and state["num-other-sentinels"] == 2


@contextmanager
def _sentinel(master, directory):
    directory.mkdir(parents=True)
    configuration = directory / "sentinel.conf"
    configuration.write_text(
        f"sentinel monitor main 127.0.0.1 {master.port} 2\n"
        f"sentinel down-after-milliseconds main {SILENT}\n"
        "sentinel failover-timeout main 5000\n"
    )
    sentinel = RedisServer(directory, str(configuration), "--sentinel")
    sentinel.start(ready="+monitor master main")
    try:
        yield sentinel
    finally:
        sentinel.kill()


def until(holds):
    ends = time.monotonic() + FORMED
    while not holds():
        assert time.monotonic() < ends, "the fleet does not form"
        time.sleep(0.05)
