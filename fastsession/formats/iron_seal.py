"""Fe26.2 seals: the bytes that @hapi/iron and iron-webcrypto read and write."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from fastsession.errors import ConfigurationError, Rejected
from fastsession.formats.aes import IV_SIZE, apply_ctr, decrypt_cbc, encrypt_cbc
from fastsession.formats.encoding import decode_base64url, encode_base64url
from fastsession.formats.iron_passwords import Password, PasswordList, Secret
from fastsession.formats.validity import MAX_DIGITS, expired, milliseconds, reject_future
from fastsession.status import SessionStatus

_PREFIX: Final = "Fe26.2"
_FIELDS: Final = 8
_MAC_KEY_SIZE: Final = 32
# Size of the key, and what encrypts and decrypts.
_CIPHERS: Final = {"aes-256-cbc": (32, encrypt_cbc, decrypt_cbc), "aes-128-ctr": (16, apply_ctr, apply_ctr)}
_ID = re.compile(r"\w*", re.ASCII)
_EXPIRATION = re.compile(rf"(?:[0-9]{{1,{MAX_DIGITS}}})?")


# The key that a secret gives with a salt, iterations and a size in bytes.
Derivation = Callable[[Secret, str, int, int], bytes]


class IronOptions(TypedDict, total=False):
    """@hapi/iron's options for encryption or integrity; what is left out has its default."""

    algorithm: str
    iterations: int
    salt_bits: int
    min_password_length: int


@dataclass(frozen=True, slots=True)
class _Options:
    """`IronOptions` with nothing left out."""

    algorithm: str
    iterations: int = 1
    salt_bits: int = 256
    min_password_length: int = 32


class IronSealer:
    """Seals and opens under one list of passwords and one set of options, which no seal tells of itself.

    `derive` is for a memory of keys, where they cost many iterations. `keeps_salts` seals everything with
    the same salts, so that such keys are derived once: a salt is against tables of passwords, and it is the
    iv that makes each seal another.
    """

    def __init__(
        self,
        passwords: PasswordList,
        *,
        encryption: IronOptions | str,
        integrity: IronOptions | str,
        derive: Derivation | None = None,
        keeps_salts: bool = False,
    ) -> None:
        self.passwords = passwords
        self._derive = derive or derived_key
        self._encryption = _options("encryption", encryption, "aes-256-cbc", tuple(_CIPHERS))
        self._integrity = _options("integrity", integrity, "sha256", ("sha256",))
        self._key_size, self._encrypt, self._decrypt = _CIPHERS[self._encryption.algorithm]
        for password in passwords.all:
            self._check(password)
        self._salts = self._new_salts() if keeps_salts else None

    def seal(self, plaintext: bytes, *, expires_at: float | None) -> str:
        """The plaintext sealed under the first password, for ever when `expires_at` is None."""
        password = self.passwords.sealing
        encryption_salt, integrity_salt = self._salts or self._new_salts()
        iv = secrets.token_bytes(IV_SIZE)
        ciphertext = self._encrypt(self._encryption_key(password, encryption_salt), iv, plaintext)
        expiration = "" if expires_at is None else str(milliseconds(expires_at))
        fields = (password.id, encryption_salt, encode_base64url(iv), encode_base64url(ciphertext), expiration)
        base = "*".join((_PREFIX, *fields))
        return f"{base}*{integrity_salt}*{self._mac(password, integrity_salt, base)}"

    def open(self, text: str) -> tuple[bytes, float | None]:
        """Plaintext and expiration, which the caller applies.

        Raises `Rejected` (malformed, unknown_key, forged). Neither the expiration nor the salts mean
        anything before the MAC has spoken.
        """
        fields = text.split("*")
        if len(fields) != _FIELDS or fields[0] != _PREFIX:
            raise Rejected(SessionStatus.MALFORMED, "not a Fe26.2 seal")
        _, password_id, encryption_salt, iv_text, ciphertext_text, expiration, integrity_salt, mac = fields
        base = text[: -len(integrity_salt) - len(mac) - 2]
        password = self._authentic(password_id, base, integrity_salt, mac)
        if not _EXPIRATION.fullmatch(expiration):
            raise Rejected(SessionStatus.MALFORMED, "authentic, but its expiration is no time")
        iv, ciphertext = decode_base64url(iv_text), decode_base64url(ciphertext_text)
        if len(iv) != IV_SIZE:
            raise Rejected(SessionStatus.MALFORMED, "authentic, but its iv has another size")
        plaintext = self._decrypt(self._encryption_key(password, encryption_salt), iv, ciphertext)
        return plaintext, int(expiration) / 1000 if expiration else None

    def _authentic(self, id: str, base: str, salt: str, mac: str) -> Password:
        """The password under which the MAC is right; raises `Rejected` (unknown_key, forged)."""
        given = mac.encode()
        for password in self.passwords.candidates(id):
            # A string always has a salt and bytes never: the one that is not under the MAC may not vary.
            fits = bool(salt) == isinstance(password.integrity, str)
            if hmac.compare_digest(given, self._mac(password, salt, base).encode()) and fits:
                return password
        raise Rejected(SessionStatus.FORGED, "the MAC does not match")

    def _mac(self, password: Password, salt: str, base: str) -> str:
        key = self._derive(password.integrity, salt, self._integrity.iterations, _MAC_KEY_SIZE)
        return encode_base64url(hmac.digest(key, base.encode(), "sha256"))

    def _encryption_key(self, password: Password, salt: str) -> bytes:
        return self._derive(password.encryption, salt, self._encryption.iterations, self._key_size)

    def _new_salts(self) -> tuple[str, str]:
        password = self.passwords.sealing
        encryption_salt = _salt(password.encryption, self._encryption.salt_bits)
        return encryption_salt, _salt(password.integrity, self._integrity.salt_bits)

    def _check(self, password: Password) -> None:
        """Raise `ConfigurationError` for a password that @hapi/iron would refuse."""
        if not _ID.fullmatch(password.id):
            message = "A password's id holds letters, digits and underscores only."
            raise ConfigurationError(message)
        for secret, options in ((password.encryption, self._encryption), (password.integrity, self._integrity)):
            # JavaScript counts UTF-16 units.
            if isinstance(secret, str) and len(secret.encode("utf-16-le")) // 2 < options.min_password_length:
                message = f"password needs at least {options.min_password_length} characters, as at the other side."
                raise ConfigurationError(message)
        if isinstance(password.encryption, bytes) and len(password.encryption) != self._key_size:
            message = f"A password of bytes is the key itself: {self._key_size} bytes for this encryption."
            raise ConfigurationError(message)
        if isinstance(password.integrity, bytes) and len(password.integrity) < _MAC_KEY_SIZE:
            message = (
                f"A password of bytes needs {_MAC_KEY_SIZE} bytes for integrity; where encryption takes fewer, "
                "give both as {'encryption': ..., 'integrity': ...}."
            )
            raise ConfigurationError(message)


def check_expiration(expires_at: float | None, now: float, *, skew: float) -> None:
    """Raise `Rejected` when a seal's expiration lies `skew` seconds or more behind us."""
    if expires_at is not None and milliseconds(expires_at) <= milliseconds(now - skew):
        raise expired()


def creation(expires_at: float | None, ttl: float, now: float) -> float | None:
    """When a seal was made, None where it tells no time; raises `Rejected` (future)."""
    if expires_at is None or not ttl:
        return None
    created_at = expires_at - ttl
    reject_future(created_at, now)
    return created_at


def _options(name: str, given: IronOptions | str, default: str, algorithms: tuple[str, ...]) -> _Options:
    """The options as given; raises `ConfigurationError` for those that @hapi/iron does not have."""
    fields: dict[str, Any] = {"algorithm": given} if isinstance(given, str) else {"algorithm": default, **given}
    try:
        options = _Options(**fields)
    except TypeError:
        options = None
    if options is None or options.algorithm not in algorithms:
        message = (
            f"{name} takes an algorithm ({', '.join(algorithms)}), or a mapping with algorithm, iterations, "
            "salt_bits and min_password_length, as the other side has them."
        )
        raise ConfigurationError(message)
    if not 1 <= options.iterations <= _MOST_ITERATIONS or options.salt_bits < 1 or options.salt_bits % 8:
        message = f"{name}: iterations go from 1 to {_MOST_ITERATIONS}, salt_bits are a positive multiple of 8."
        raise ConfigurationError(message)
    return options


# Spent on every cookie that comes, forged ones too.
_MOST_ITERATIONS = 100_000


def derived_key(secret: Secret, salt: str, iterations: int, size: int) -> bytes:
    """The key that bytes are, or that a string gives with the salt, which counts as text."""
    if isinstance(secret, bytes):
        return secret
    return hashlib.pbkdf2_hmac("sha1", secret.encode(), salt.encode(), iterations, size)


def _salt(secret: Secret, bits: int) -> str:
    return "" if isinstance(secret, bytes) else secrets.token_hex(bits // 8)
