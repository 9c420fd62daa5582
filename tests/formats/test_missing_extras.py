"""What somebody is told whose environment lacks the package that a format needs."""

import sys

import pytest

from fastsession import ConfigurationError, formats
from fastsession.formats import FastifySecureSession, RedisSessionReader


def test_secure_session_names_the_extra_that_brings_pynacl(monkeypatch):
    monkeypatch.setitem(sys.modules, "nacl.secret", None)
    with pytest.raises(ConfigurationError, match=r"PyNaCl: pip install 'fastsession-sealed\[fastify\]'"):
        FastifySecureSession(key=bytes(range(32)))


def test_express_sessions_in_redis_name_the_extra_that_brings_redis(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigurationError, match=r"redis: pip install 'fastsession-sealed\[redis\]'"):
        RedisSessionReader("redis://127.0.0.1:1")


def test_a_format_that_there_is_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'fastsession.formats' has no attribute 'DjangoSession'"):
        _ = formats.DjangoSession
