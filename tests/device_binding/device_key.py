"""A device's key and the proofs that it signs: JWTs as Chromium makes them, or changed."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LEFT_OUT = object()


class DeviceKey:
    """A P-256 key pair, of a secret number or a new one. What a proof says can be replaced, or left out with LEFT_OUT."""

    def __init__(self, secret: int | None = None) -> None:
        curve = ec.SECP256R1()
        self._private = ec.generate_private_key(curve) if secret is None else ec.derive_private_key(secret, curve)
        public = self._private.public_key()
        numbers = public.public_numbers()
        # 33 bytes: the sign of y, and x.
        self.compressed = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        self.identifier = base64url(sha256(self.compressed).digest()[:12])
        self.jwk = {
            "crv": "P-256",
            "kty": "EC",
            "x": base64url(numbers.x.to_bytes(32)),
            "y": base64url(numbers.y.to_bytes(32)),
        }

    def registration(self, challenge: str, **header: Any) -> str:
        """The proof that comes with the key."""
        return self.proof({"alg": "ES256", "jwk": self.jwk, "typ": "dbsc+jwt", **header}, {"jti": challenge})

    def refresh(self, challenge: str, **header: Any) -> str:
        """The proof without the key."""
        return self.proof({"alg": "ES256", "typ": "dbsc+jwt", **header}, {"jti": challenge})

    def proof(self, header: Any, payload: Any) -> str:
        """Sign any header and payload."""
        return self.signed(f"{_part(header)}.{_part(payload)}")

    def signed(self, text: str) -> str:
        """Put the signature of these first two parts behind them."""
        return f"{text}.{base64url(self.signature(text.encode()))}"

    def signature(self, data: bytes) -> bytes:
        """ES256: r and s, 32 bytes each (RFC 7518, section 3.4)."""
        r, s = decode_dss_signature(self._private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _part(content: Any) -> str:
    if isinstance(content, dict):
        content = {name: value for name, value in content.items() if value is not LEFT_OUT}
    text = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    return base64url(text)
