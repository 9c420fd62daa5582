"""Who may sign in. In memory: a real shop has a database here, and the same questions to ask it."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

DEMO_EMAIL = "ada@example.org"
DEMO_PASSWORD = "engine-of-brass"
# OWASP Password Storage Cheat Sheet, "scrypt": 16 MiB of memory, five times over.
_COST, _BLOCK_SIZE, _PARALLELISM = 2**14, 8, 5
_SALT_SIZE, _DIGEST_SIZE = 16, 64
# No password has it. Compared with when there is no such account, so that the answer takes as long.
_NOBODYS_HASH = bytes(_SALT_SIZE + _DIGEST_SIZE)
# NIST SP 800-63B-4, section 3.1.1.2, for a password that is the only factor.
SHORTEST_PASSWORD = 15
# RFC 5321, section 4.5.3.1.3, leaves room for no longer one.
_LONGEST_EMAIL = 254


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    id: int
    name: str
    email: str
    password_hash: bytes = field(repr=False)


class DemoAccount(NamedTuple):
    """What the sign-in page shows, so that everybody may sign in."""

    email: str
    password: str


class Accounts:
    """Every account, found by id or by e-mail address."""

    def __init__(self, accounts: list[Account]) -> None:
        self._by_id = {account.id: account for account in accounts}

    @classmethod
    def demo(cls) -> Accounts:
        """Two accounts with the password that the shop prints at its start."""
        password_hash = _demo_password_hash()
        return cls(
            [
                Account(1, "Ada", DEMO_EMAIL, password_hash),
                Account(2, "Grace", "grace@example.org", password_hash),
            ]
        )

    def open_demo(self) -> DemoAccount | None:
        """The account for everybody, until somebody changes its address or password."""
        account = self._with_email(DEMO_EMAIL)
        if account is None or account.password_hash != _demo_password_hash():
            return None
        return DemoAccount(DEMO_EMAIL, DEMO_PASSWORD)

    def get(self, account_id: int | None) -> Account | None:
        """The account with this id."""
        return None if account_id is None else self._by_id.get(account_id)

    def authenticate(self, email: str, password: str) -> Account | None:
        """The account that has this e-mail address and password."""
        account = self._with_email(email)
        matches = is_password(password, account.password_hash if account else _NOBODYS_HASH)
        return account if matches else None

    def change_email(self, account: Account, email: str) -> str | None:
        """Give the account another e-mail address; return what is wrong with it, if anything."""
        if len(email) > _LONGEST_EMAIL or not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            return "Please enter an e-mail address, such as name@example.org."
        if self._with_email(email) not in (None, account):
            return "Another account has this e-mail address."
        self._by_id[account.id] = replace(account, email=email)
        return None

    def change_password(self, account: Account, password: str) -> str | None:
        """Give the account another password; return what is wrong with it, if anything."""
        if len(password) < SHORTEST_PASSWORD:
            return f"Please choose a password of at least {SHORTEST_PASSWORD} characters."
        password_hash = hash_password(password)
        # As it is now: the address may have changed meanwhile.
        self._by_id[account.id] = replace(self._by_id[account.id], password_hash=password_hash)
        return None

    def _with_email(self, email: str) -> Account | None:
        wanted = email.casefold()
        return next((account for account in self._by_id.values() if account.email.casefold() == wanted), None)


def hash_password(password: str) -> bytes:
    """What is kept of a password: a random salt and scrypt's digest (RFC 7914)."""
    salt = os.urandom(_SALT_SIZE)
    return salt + _scrypt(password, salt)


def is_password(password: str, password_hash: bytes) -> bool:
    """Whether the hash was made from this password."""
    salt, expected = password_hash[:_SALT_SIZE], password_hash[_SALT_SIZE:]
    return hmac.compare_digest(_scrypt(password, salt), expected)


@cache
def _demo_password_hash() -> bytes:
    return hash_password(DEMO_PASSWORD)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=_BLOCK_SIZE, p=_PARALLELISM, dklen=_DIGEST_SIZE)
