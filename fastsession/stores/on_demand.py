"""A store that is asked only when someone awaits the session."""

from __future__ import annotations

from fastsession.stores.contract import SessionStore
from fastsession.stores.kinds import check_store


class OnDemand:
    """`store=OnDemand(RedisStore(...))`: a request that does not look at its session does not ask the store.

    The record is read when a dependency or `await get_session(request)` asks for the session, and when it is to be
    renewed. Before that `request.session`, which cannot wait for an answer, raises `ConfigurationError`.
    """

    def __init__(self, store: SessionStore) -> None:
        check_store(store)
        self.start, self.stop = store.start, store.stop
        self.read, self.create, self.replace = store.read, store.create, store.replace
        self.touch, self.delete, self.supersede = store.touch, store.delete, store.supersede
        self.owned, self.end_owned = store.owned, store.end_owned
