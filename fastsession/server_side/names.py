"""What one middleware calls its sessions and subjects outside of its cookies: in a store and among denials."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from fastsession.sealing.xaes import KEY_SIZE

if TYPE_CHECKING:
    from fastsession.keyring import KeyRing


class Names:
    """HMACs of 32 hex digits, by keys that belong to one cookie name and audience.

    Middlewares that share a secret, a store or revocations therefore never name each other's users or
    sessions. Each name is listed once for every configured secret, the primary one's first: it is the one
    to write, and all of them are looked up.
    """

    def __init__(self, keys: KeyRing, *, cookie_name: str, audience: str) -> None:
        # The length keeps two pairs of name and audience from running into one text.
        purpose = f"names {len(cookie_name)} {cookie_name} {audience}"
        self._keys = [(key, key.derive(purpose, KEY_SIZE)) for key in keys.by_id.values()]

    def owners(self, subject: str) -> list[str]:
        """The names of a subject."""
        # A lone surrogate is no reason to fail: such a text names nobody else.
        text = subject.encode("utf-8", "surrogatepass")
        return [_name(name_key, b"subject:", text) for _, name_key in self._keys]

    def sessions(self, session_id: bytes) -> list[str]:
        """The names under which a session is denied."""
        return [_name(name_key, b"session:", key.handle(session_id).encode()) for key, name_key in self._keys]

    def session_with(self, handle: str) -> str:
        """The name under which the session with this public handle is denied."""
        return _name(self._keys[0][1], b"session:", handle.encode())

    def foreign(self, mark: bytes) -> list[str]:
        """The names under which a cookie of another system is denied, by the mark of what it holds."""
        return [_name(name_key, b"foreign:", mark) for _, name_key in self._keys]

    def cut_offs(self, subject: str) -> list[str]:
        """The names under which a store keeps when a subject's sessions were last ended."""
        text = subject.encode("utf-8", "surrogatepass")
        return [_name(name_key, b"cut-off:", text) for _, name_key in self._keys]


def _name(key: bytes, kind: bytes, text: bytes) -> str:
    return hmac.digest(key, kind + text, "sha256")[:16].hex()
