"""XAES-256-GCM (C2SP, "XAES-256-GCM"), composed from `cryptography`'s AES and AES-GCM."""

from __future__ import annotations

import itertools
import os
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_SIZE = 32
NONCE_SIZE = 24
TAG_SIZE = 16
_HALF = 12
# One sub-key seals at most this often and this long. 2^16 random 96-bit nonces under one key collide
# with probability 2^-65 (NIST SP 800-38D, section 8.3, asks for 2^-32 over a key's life).
_EPOCH_SEALS = 2**16
_EPOCH_SECONDS = 600
# Sub-keys an opener remembers per generation: as many epochs as a fleet has in use at a time.
_REMEMBERED = 1024


class _Epoch(NamedTuple):
    """A first half of nonces with its sub-key. Immutable: a half can never meet another epoch's key."""

    half: bytes
    cipher: AESGCM
    seals: itertools.count[int]
    begins: float
    ends: float


class XAES256GCM:
    """AEAD with random 192-bit nonces, so one key serves a fleet for years. Safe across threads and forks."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            message = "XAES-256-GCM takes a key of 32 bytes."
            raise ValueError(message)
        self._key = algorithms.AES(key)
        # The CMAC sub-key K1 of C2SP's step 2: AES(key, 0^128) doubled in GF(2^128).
        block = int.from_bytes(self._encrypt_blocks(bytes(16)))
        self._k1 = ((block << 1) & (2**128 - 1)) ^ (0x87 if block >> 127 else 0)
        self._epoch: _Epoch | None = None
        self._recent: dict[bytes, AESGCM] = {}
        self._older: dict[bytes, AESGCM] = {}

    def seal(self, plaintext: bytes, associated_data: bytes, *, now: float) -> bytes:
        """Return nonce, ciphertext and tag. `now` (seconds) only ages the sub-key that is reused."""
        epoch = self._epoch
        if epoch is None or not epoch.begins <= now < epoch.ends or next(epoch.seals) >= _EPOCH_SEALS:
            half = os.urandom(_HALF)
            seals = itertools.count(1)
            epoch = self._epoch = _Epoch(half, self._derive(half), seals, now, now + _EPOCH_SECONDS)
        nonce = os.urandom(_HALF)
        return epoch.half + nonce + epoch.cipher.encrypt(nonce, plaintext, associated_data)

    def open(self, sealed: bytes, associated_data: bytes) -> bytes:
        """Return the plaintext; raises `cryptography.exceptions.InvalidTag`."""
        half = sealed[:_HALF]
        known = self._recent.get(half) or self._older.get(half)
        cipher = known or self._derive(half)
        plaintext = cipher.decrypt(sealed[_HALF:NONCE_SIZE], sealed[NONCE_SIZE:], associated_data)
        if half not in self._recent:
            self._remember(half, cipher)
        return plaintext

    def encrypt(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return ciphertext and tag under the given 24-byte nonce: the specification's function, for vectors."""
        return self._derive(nonce[:_HALF]).encrypt(nonce[_HALF:], plaintext, associated_data)

    def _remember(self, half: bytes, cipher: AESGCM) -> None:
        """Keep an authenticated token's sub-key, in two bounded generations."""
        if len(self._recent) >= _REMEMBERED:
            self._older = self._recent
            self._recent = {}
        self._recent[half] = cipher

    def _derive(self, half: bytes) -> AESGCM:
        """The sub-key of a nonce's first half: NIST SP 800-108 in counter mode with CMAC, as C2SP lays it out."""
        messages = (b"\x00" + bytes([counter]) + b"X\x00" + half for counter in (1, 2))
        blocks = b"".join((int.from_bytes(message) ^ self._k1).to_bytes(16) for message in messages)
        return AESGCM(self._encrypt_blocks(blocks))

    def _encrypt_blocks(self, blocks: bytes) -> bytes:
        # A fresh encryptor each time: a shared one fails under threads. ECB on single blocks is AES itself.
        encryptor = Cipher(self._key, modes.ECB()).encryptor()  # noqa: S305
        return encryptor.update(blocks)
