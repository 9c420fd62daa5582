"""Fe26.2 seals whose keys take thousands of iterations: each key derived once, and not many for forged seals."""

from __future__ import annotations

from typing import Final

from fastsession.errors import Rejected
from fastsession.formats.iron_passwords import PasswordList, Secret
from fastsession.formats.iron_seal import IronOptions, IronSealer, derived_key
from fastsession.sealing.recent import Recent
from fastsession.status import SessionStatus

# Keys of seals that proved authentic, and of the others: a flood of forged seals must not push out the former.
_REMEMBERED, _REMEMBERED_UNPROVEN = 1024, 256
# Seals that prove forged in one second, each at some 3 ms on a fast core, before new ones are turned away unopened.
_MOST_FORGED: Final = 64
_FIELDS: Final = 8


class SlowSeals:
    """An `IronSealer` with a memory of keys.

    While more than 64 forged seals a second arrive, a seal that this process has not opened before is
    turned away: its key would cost more than a hundred ordinary requests. Known ones are opened as always.
    """

    def __init__(self, passwords: PasswordList, *, encryption: IronOptions, integrity: IronOptions) -> None:
        self._proven: Recent[tuple[Secret, str, int], bytes] = Recent(_REMEMBERED)
        self._unproven: Recent[tuple[Secret, str, int], bytes] = Recent(_REMEMBERED_UNPROVEN)
        self._secrets = [secret for each in passwords.all for secret in (each.encryption, each.integrity)]
        self._second, self._forged = 0, 0
        self._sealer = IronSealer(
            passwords, encryption=encryption, integrity=integrity, derive=self._derive, keeps_salts=True
        )

    def seal(self, plaintext: bytes, *, expires_at: float | None) -> str:
        """As `IronSealer.seal`."""
        text = self._sealer.seal(plaintext, expires_at=expires_at)
        self._prove(text.split("*"))
        return text

    def open(self, text: str, now: float) -> tuple[bytes, float | None]:
        """As `IronSealer.open`; `unknown_key` for a seal that is not opened now because of a flood."""
        fields = text.split("*")
        if len(fields) == _FIELDS and not self._is_known(fields):
            self._count_unknown(now)
        opened = self._sealer.open(text)
        self._prove(fields)
        return opened

    def _count_unknown(self, now: float) -> None:
        """Count a seal as forged until it has proved authentic; raises `Rejected` in a flood."""
        if self._second != int(now):
            self._second, self._forged = int(now), 0
        if self._forged >= _MOST_FORGED:
            raise Rejected(SessionStatus.UNKNOWN_KEY, "not opened: too many forged seals in this second")
        self._forged += 1

    def _is_known(self, fields: list[str]) -> bool:
        keys = [(secret, fields[6], 32) for secret in self._secrets]
        return any(self._proven.get(key) or self._unproven.get(key) for key in keys)

    def _prove(self, fields: list[str]) -> None:
        """Remember the keys of an authentic seal for longer."""
        for secret in self._secrets:
            for salt, size in ((fields[2], 16), (fields[2], 32), (fields[6], 32)):
                key = self._unproven.get((secret, salt, size))
                if key is not None and self._proven.get((secret, salt, size)) is None:
                    self._proven.put((secret, salt, size), key)
                    self._forged = max(0, self._forged - (salt == fields[6]))

    def _derive(self, secret: Secret, salt: str, iterations: int, size: int) -> bytes:
        known = secret, salt, size
        key = self._proven.get(known) or self._unproven.get(known)
        if key is None:
            key = derived_key(secret, salt, iterations, size)
            self._unproven.put(known, key)
        return key
