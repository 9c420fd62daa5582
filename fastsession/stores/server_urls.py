"""URLs of servers in the types that hold an application's settings."""

from __future__ import annotations

from typing import TypeVar

from pydantic import AnyUrl, MariaDBDsn, MySQLDsn, PostgresDsn, RedisDsn, SecretStr

SourceT = TypeVar("SourceT")

# The types of pydantic that pydantic-settings reads a URL of Redis or of a database into.
SettingsUrl = SecretStr | AnyUrl | RedisDsn | PostgresDsn | MySQLDsn | MariaDBDsn


def url_in(source: SourceT | SettingsUrl) -> SourceT | str:
    """The URL in one of pydantic's types as text; anything else as it is."""
    if isinstance(source, SecretStr):
        return source.get_secret_value()
    return str(source) if isinstance(source, SettingsUrl) else source
