"""A store that passes everything on to another, remembers what it was asked, and fails when it is told to."""

from fastsession import StoreUnavailableError


class Counting:
    def __init__(self, store):
        self.store = store
        self.calls = []
        self.expiries = []
        self.fail_on = None

    @property
    def names(self):
        return [name for name, *_ in self.calls]

    async def start(self):
        await self.store.start()

    async def stop(self):
        await self.store.stop()

    async def read(self, key):
        return await self._asked("read", key)

    async def create(self, key, data, *, expires_at, owner):
        return await self._asked("create", key, data, expires_at=expires_at, owner=owner)

    async def replace(self, key, data, *, version, expires_at, owner):
        return await self._asked("replace", key, data, version=version, expires_at=expires_at, owner=owner)

    async def touch(self, key, *, expires_at):
        return await self._asked("touch", key, expires_at=expires_at)

    async def delete(self, key):
        return await self._asked("delete", key)

    async def supersede(self, old, key, data, **options):
        return await self._asked("supersede", old, key, data, **options)

    async def owned(self, owner, *, after=None):
        return await self._asked("owned", owner, after=after)

    async def end_owned(self, owner, *, keep=()):
        return await self._asked("end_owned", owner, keep=keep)

    async def _asked(self, name, *values, **options):
        self.calls.append((name, values, options))
        if name == self.fail_on:
            raise StoreUnavailableError("told to fail")
        if "expires_at" in options:
            self.expiries.append(options["expires_at"])
        return await getattr(self.store, name)(*values, **options)
