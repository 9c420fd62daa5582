"""The floor: what has to run for a session, in a straight line, and nothing else.

No middleware, no wrapped `send`, no handle, no memory of cookies; no rejection, no second cookie of
the same name, no event. The tokens are the product's own: the run has each open the other's. What
stands here is what `docs/performance.md` calls the floor. "With the checks" it also does what the
product promises of a session's contents, by the same calls: what is sealed has been shown to load
again as it is, and the session is dumped once more at the end, so that a late change would be told.
"""

import os
import time
from collections.abc import Callable
from struct import Struct
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from pydantic import ConfigDict, TypeAdapter
from starlette.requests import Request

from fastsession.cookies import MAX_COOKIE_SIZE
from fastsession.keyring import KeyRing, accepted_secrets
from tests.benchmarks.asgi import App, Header, Message
from tests.benchmarks.payloads import ShopSession, next_role, next_theme

FIXED = Struct(">BBIBI16sI")
VARY, NO_STORE = (b"vary", b"Cookie"), (b"cache-control", b"no-store")
TEXT = (b"content-type", b"text/plain")
CHUNK_OVERHEAD = len("2.xxxxxxxx.")
Response = tuple[bytes, list[Header]]


class Floor:
    """Straight-line functions from request headers to body and response headers."""

    def __init__(
        self, secret: str, *, name: str, idle: int, absolute: int, due: int, with_checks: bool = False
    ) -> None:
        key = KeyRing(accepted_secrets(secret, [])).primary
        self.sealing_key = key.derive("seal", 32)
        self.sub_keys: dict[bytes, AESGCM] = {}
        self.seal_half = os.urandom(12)
        self.seal_cipher = self.derive(self.seal_half)
        self.keys = {key.id: key}
        self.head = b"\x01" + key.id
        base64 = TypeAdapter(bytes, config=ConfigDict(val_json_bytes="base64", ser_json_bytes="base64"))
        self.decode, self.encode = base64.validator.validate_strings, base64.serializer.to_python
        self.find = f"{name}=".encode()
        self.find_second = f"{name}.1=".encode()
        label, cookie = b"fastsession/v1", name.encode()
        self.before = len(label).to_bytes(4) + label + (9).to_bytes(4)
        self.after = len(cookie).to_bytes(4) + cookie + bytes(4)
        self.cookie_head, self.chunk_head = f"{name}=", f"{name}.1="
        self.cookie_tail = "; path=/; HttpOnly; SameSite=Lax; Secure"
        self.capacity = MAX_COOKIE_SIZE - len(name)
        self.chunk_capacity = self.capacity - CHUNK_OVERHEAD
        self.idle, self.absolute, self.due = idle, absolute, due
        self.with_checks = with_checks
        self.load = ShopSession.__pydantic_validator__.validate_json
        self.dump = ShopSession.__pydantic_serializer__.to_json

    def derive(self, half: bytes) -> AESGCM:
        """The sub-key of a nonce's first half (C2SP, XAES-256-GCM); each is derived once."""
        parts = []
        for number in (1, 2):
            mac = CMAC(AES(self.sealing_key))
            mac.update(bytes([0, number]) + b"X\x00" + half)
            parts.append(mac.finalize())
        return AESGCM(b"".join(parts))

    def ignore(self, headers: list[Header]) -> Response:
        """Look at the age in the clear characters, as renewal asks."""
        for name, line in headers:
            if name == b"cookie":
                start = line.find(self.find) + len(self.find)
                if line[start + 1 : start + 2] == b".":
                    start += CHUNK_OVERHEAD
                renewed_at = int.from_bytes(self.decode(line[start : start + 12].decode("latin-1"))[4:])
                if time.time() - renewed_at >= self.due:
                    raise AssertionError
        return b"42", [TEXT]

    def read(self, headers: list[Header]) -> Response:
        session, payload, _ = self.open(headers)
        body = str(session.user_id).encode()
        if self.dump(session) != payload or (self.with_checks and self.dump(session) != payload):
            raise AssertionError
        return body, [TEXT, NO_STORE, VARY]

    def write_nested(self, headers: list[Header]) -> Response:
        session, payload, fixed = self.open(headers)
        session.roles[1:] = [next_role()]
        return b"42", [TEXT, NO_STORE, VARY, *self.save(session, payload, fixed)]

    def write_top_level(self, headers: list[Header]) -> Response:
        session, payload, fixed = self.open(headers)
        session.theme = next_theme()
        return b"42", [TEXT, NO_STORE, VARY, *self.save(session, payload, fixed)]

    def open(self, headers: list[Header]) -> tuple[ShopSession, bytes, bytes]:
        """The session, its payload, and the fixed part of its plaintext."""
        for name, line in headers:
            if name == b"cookie":
                start = line.find(self.find) + len(self.find)
                end = line.find(b";", start)
                value = line[start : end if end > 0 else None].decode("latin-1")
                break
        if value[1] == ".":
            start = line.find(self.find_second) + len(self.find_second)
            end = line.find(b";", start)
            second = line[start : end if end > 0 else None].decode("latin-1")
            value = value[CHUNK_OVERHEAD:] + second[CHUNK_OVERHEAD:]
        sealed = self.decode(value)
        if self.keys[sealed[1:4]] is None:
            raise AssertionError
        cipher = self.sub_keys.get(sealed[9:21])
        if cipher is None:
            cipher = self.sub_keys[sealed[9:21]] = self.derive(sealed[9:21])
        plaintext = cipher.decrypt(sealed[21:33], sealed[33:], self.before + sealed[:9] + self.after)
        _, created_high, created, _, _, _, length = FIXED.unpack_from(plaintext)
        now, renewed_at = time.time(), int.from_bytes(sealed[4:9])
        if now >= renewed_at + self.idle or now >= (created_high << 32 | created) + self.absolute:
            raise AssertionError
        payload = plaintext[FIXED.size : FIXED.size + length]
        return self.load(payload), payload, plaintext[: FIXED.size - 4]

    def save(self, session: ShopSession, before: bytes, fixed: bytes) -> list[Header]:
        """Set-Cookie headers for the changed session."""
        payload = self.dump(session)
        if payload == before:
            raise AssertionError
        if self.with_checks and (self.load(payload) != session or self.dump(session) != payload):
            raise AssertionError
        plaintext = fixed + len(payload).to_bytes(4) + payload
        header = self.head + int(time.time()).to_bytes(5)
        nonce = os.urandom(12)
        padded = plaintext + bytes(-len(plaintext) % 64)
        sealed = self.seal_cipher.encrypt(nonce, padded, self.before + header + self.after)
        token = self.encode(header + self.seal_half + nonce + sealed, mode="json").rstrip("=")
        if len(token) <= self.capacity:
            return [(b"set-cookie", f"{self.cookie_head}{token}{self.cookie_tail}".encode())]
        mark, cut = f"2.{token[-8:]}.", self.chunk_capacity
        return [
            (b"set-cookie", f"{self.cookie_head}{mark}{token[:cut]}{self.cookie_tail}".encode()),
            (b"set-cookie", f"{self.chunk_head}{mark}{token[cut:]}{self.cookie_tail}".encode()),
        ]


def application(line: Callable[[list[Header]], Response]) -> App:
    """One of the straight lines in the place of an application and its middleware."""

    async def app(scope: Message, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body, headers = line(request.scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
