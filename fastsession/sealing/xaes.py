"""XAES-256-GCM (C2SP, "XAES-256-GCM"), composed from `cryptography`'s AES and AES-GCM."""

from __future__ import annotations

import itertools
import os
import threading
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fastsession.sealing.recent import Recent

KEY_SIZE = 32
NONCE_SIZE = 24
TAG_SIZE = 16
_HALF = 12
# One sub-key seals at most this often and this long. 2^16 random 96-bit nonces under one key collide
# with probability 2^-65 (NIST SP 800-38D, section 8.3, asks for 2^-32 over a key's life).
_EPOCH_SEALS = 2**16
_EPOCH_SECONDS = 600
# Sub-keys an opener remembers: as many epochs as a fleet has in use at a time.
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
        self._own = threading.local()
        self._block_cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  (single blocks: AES itself)
        # The CMAC sub-key K1 of C2SP's step 2: AES(key, 0^128) doubled in GF(2^128).
        block = int.from_bytes(self._encrypt_blocks(bytes(16)))
        k1 = ((block << 1) & (2**128 - 1)) ^ (0x87 if block >> 127 else 0)
        # Both messages of step 3 under K1: four bytes of their own, then the nonce's first half.
        self._heads = [
            (int.from_bytes(message) ^ (k1 >> 96)).to_bytes(4) for message in (b"\x00\x01X\x00", b"\x00\x02X\x00")
        ]
        self._k1_tail = k1 & (2**96 - 1)
        self._epoch: _Epoch | None = None
        self._sub_keys: Recent[bytes, AESGCM] = Recent(_REMEMBERED)

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
        known = self._sub_keys.young.get(half) or self._sub_keys.get(half)
        cipher = known or self._derive(half)
        plaintext = cipher.decrypt(sealed[_HALF:NONCE_SIZE], sealed[NONCE_SIZE:], associated_data)
        if known is None:
            # Only now: a stranger's made-up halves must not push out those in use.
            self._sub_keys.put(half, cipher)
        return plaintext

    def encrypt(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return ciphertext and tag under the given 24-byte nonce: the specification's function, for vectors."""
        return self._derive(nonce[:_HALF]).encrypt(nonce[_HALF:], plaintext, associated_data)

    def _derive(self, half: bytes) -> AESGCM:
        """The sub-key of a nonce's first half: NIST SP 800-108 in counter mode with CMAC, as C2SP lays it out."""
        tail = (int.from_bytes(half) ^ self._k1_tail).to_bytes(_HALF)
        first, second = self._heads
        return AESGCM(self._encrypt_blocks(first + tail + second + tail))

    def _encrypt_blocks(self, blocks: bytes) -> bytes:
        # One encryptor a thread: threads cannot share one, and making one takes most of a derivation's time.
        try:
            encryptor: CipherContext = self._own.encryptor
        except AttributeError:
            encryptor = self._own.encryptor = self._block_cipher.encryptor()
        return encryptor.update(blocks)
