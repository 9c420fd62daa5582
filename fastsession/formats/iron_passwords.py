"""Passwords of Fe26.2 seals in the forms of @hapi/iron, and which of them may open a seal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from fastsession.errors import ConfigurationError, Rejected
from fastsession.keyring import SecretKey, revealed
from fastsession.status import SessionStatus

Secret = str | bytes
# A mapping is one password ({id, secret} or {id, encryption, integrity}) or several by id.
PasswordObject = Mapping[str, SecretKey]
IronPassword = SecretKey | Sequence[SecretKey] | Mapping[str, SecretKey | PasswordObject]
NumberedPasswords = SecretKey | Sequence[SecretKey] | Mapping[int, SecretKey] | Mapping[str, SecretKey]

# The id of the password for seals without an id.
_DEFAULT_ID = "default"


@dataclass(frozen=True, slots=True, repr=False)
class Password:
    """One password: text from which keys are derived with a salt, or bytes that are the keys."""

    id: str
    encryption: Secret
    integrity: Secret


class PasswordList:
    """The passwords of one format. `sealing` seals."""

    def __init__(self, passwords: Sequence[Password], *, by_id: bool) -> None:
        self.sealing = passwords[0]
        self.all = tuple(passwords)
        self._by_id = {password.id: password for password in passwords} if by_id else None

    def candidates(self, id: str) -> tuple[Password, ...]:
        """Return the passwords to try on a seal with that id; raises `Rejected` (unknown_key).

        Where passwords have ids, the id selects the key, so it is acted on before the MAC: there is no other way.
        """
        if self._by_id is None:
            return self.all
        password = self._by_id.get(id or _DEFAULT_ID)
        if password is None:
            raise Rejected(SessionStatus.UNKNOWN_KEY, "sealed under a password id that is not configured")
        return (password,)

    def secrets(self) -> tuple[bytes, ...]:
        """Return every secret once, as bytes."""
        secrets = [secret for password in self.all for secret in (password.encryption, password.integrity)]
        return tuple(dict.fromkeys(secret if isinstance(secret, bytes) else secret.encode() for secret in secrets))


def password_list(password: IronPassword) -> PasswordList:
    """Parse passwords as @hapi/iron does; the first seals. Raises `ConfigurationError`."""
    if isinstance(password, SecretKey):
        return PasswordList([_password("", password)], by_id=False)
    if isinstance(password, Sequence):
        return PasswordList(_nonempty([_password("", secret) for secret in password]), by_id=False)
    if not isinstance(password, Mapping):
        message = "password takes a string, bytes, a list of them, or a mapping of ids to them."
        raise ConfigurationError(message)
    entries = {str(name): entry for name, entry in password.items()}
    if _is_password_object(entries):
        return PasswordList([_password(str(entries.get("id", "")), entries)], by_id=False)
    return PasswordList(_nonempty([_password(name, entry) for name, entry in entries.items()]), by_id=True)


def numbered_password_list(password: NumberedPasswords) -> PasswordList:
    """Parse passwords as iron-session does: ids are whole numbers, and the highest seals."""
    entries: Mapping[str, object] = {}
    if isinstance(password, SecretKey):
        entries = {"1": password}
    elif isinstance(password, Mapping):
        entries = {str(name): entry for name, entry in password.items()}
    elif isinstance(password, Sequence):
        entries = {str(len(password) - index): entry for index, entry in enumerate(password)}
    if not entries or not all(name.isascii() and name.isdecimal() for name in entries):
        message = "password takes a string, or a mapping of whole numbers to strings, such as {2: new, 1: old}."
        raise ConfigurationError(message)
    passwords = [_password(name, entry) for name, entry in entries.items()]
    return PasswordList(sorted(passwords, key=lambda item: int(item.id), reverse=True), by_id=True)


def _password(id: str, secret: object) -> Password:
    value = revealed(secret)
    if isinstance(value, str | bytes):
        return Password(id, value, value)
    if _is_password_object(secret):
        fields = cast("PasswordObject", secret)
        encryption = revealed(fields.get("encryption", fields.get("secret")))
        integrity = revealed(fields.get("integrity"))
        integrity = encryption if integrity is None else integrity
        if isinstance(encryption, str | bytes) and isinstance(integrity, str | bytes):
            return Password(id, encryption, integrity)
    message = (
        "A password is a string or bytes, or a mapping with 'secret', or one with 'encryption' and 'integrity', "
        "each a string or bytes."
    )
    raise ConfigurationError(message)


def _is_password_object(password: object) -> bool:
    if not isinstance(password, Mapping):
        return False
    keys = set(cast("Mapping[object, object]", password))
    return "secret" in keys or {"encryption", "integrity"} <= keys


def _nonempty(passwords: list[Password]) -> list[Password]:
    if not passwords:
        message = "password is empty: give it at least the one that the other system seals with."
        raise ConfigurationError(message)
    return passwords
