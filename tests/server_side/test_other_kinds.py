"""What is no store and no revocations is refused when the application is built, with what to write instead."""

import re

import pytest

from fastsession import ConfigurationError, SessionMiddleware
from fastsession.stores import MemoryRevocations, MemoryStore, OnDemand
from tests.shop import SECRET


class HalfAStore(MemoryStore):
    supersede = None


def named(given):
    """Without the address of an object, which is another in each process."""
    return re.sub(" object at 0x[0-9a-f]+", "", str(given))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"store": "redis://localhost"}, r"A store is .*RedisStore\(url\).* and str is none: it has no start\(\)"),
        ({"store": MemoryStore}, r"not a class: write MemoryStore\(...\)"),
        ({"store": OnDemand}, r"not a class: write OnDemand\(...\)"),
        ({"store": MemoryRevocations()}, r"A store is .* and MemoryRevocations is none: it has no read\(\)"),
        ({"store": HalfAStore()}, r"HalfAStore is none: it has no supersede\(\)"),
        ({"store": False}, "bool is none"),
        ({"revocations": "revocations.db"}, r"Revocations are SQLiteRevocations\(path\).* and str is none"),
        ({"revocations": MemoryRevocations}, r"not a class: write MemoryRevocations\(...\)"),
        ({"revocations": MemoryStore()}, r"MemoryStore is none: it has no catch_up\(\)"),
        ({"store": MemoryStore(), "revocations": True}, "bool is none"),
    ],
    ids=named,
)
def test_what_is_of_another_kind_is_refused_when_the_middleware_is_built(options, told):
    with pytest.raises(ConfigurationError, match=told):
        SessionMiddleware(None, secret_key=SECRET, **options)


@pytest.mark.parametrize("given", ["redis://localhost", MemoryStore, MemoryRevocations()], ids=named)
def test_on_demand_takes_a_store(given):
    with pytest.raises(ConfigurationError, match="A store is"):
        OnDemand(given)
