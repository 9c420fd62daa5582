"""A reader of tokens written from docs/token-format.md alone: nothing of the package helps it."""

import base64
import hashlib
import hmac
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK = re.compile(r"([23])\.([^.]{8})\.([^.]+)")


def joined(cookies, name):
    """The token in a dict of cookies; raises ValueError with the reason to reject them."""
    if name not in cookies:
        raise ValueError("incomplete")
    if "." not in cookies[name]:
        return cookies[name]
    first = CHUNK.fullmatch(cookies[name])
    if not first:
        raise ValueError("malformed")
    chunks = [CHUNK.fullmatch(cookies.get(name + suffix, "")) for suffix in ("", ".1", ".2")[: int(first[1])]]
    if any(chunk is None or chunk.groups()[:2] != first.groups()[:2] for chunk in chunks):
        raise ValueError("incomplete")
    return "".join(chunk[3] for chunk in chunks)


def read(token, *, secrets, name, audience="", binding=b"", now, lifetime, remembered):
    """The fields of a session's token; raises ValueError with the reason to reject it. Lifetimes are (idle, absolute)."""
    fields = opened(token, secrets=secrets, name=name, audience=audience)
    if not hmac.compare_digest(fields["binding"], binding):
        raise ValueError("binding")
    idle, absolute = remembered if fields["remembered"] else lifetime
    renewed_at, created_at = fields["renewed_at"], fields["created_at"]
    deadline, reason = min((created_at + absolute, "expired_absolute"), (renewed_at + idle, "expired_idle"))
    if now >= deadline:
        raise ValueError(reason)
    if max(renewed_at, created_at) > now + 30:
        raise ValueError("future")
    model, _, extras = fields.pop("payload").decode().partition("\n")
    hexadecimal = {field: fields[field].hex() for field in ("id", "binding", "pair")}
    return {**fields, **hexadecimal, "model": model, "extras": extras}


def device(cookies, session_name, pair, *, secrets, audience="", now, proof_lifetime):
    """The device of a session with this pair: its key, and until when it is proven.

    The key is empty while it is only offered, and the time None without a live proof; raises ValueError with the
    reason to reject the session.
    """
    prefix, rest = re.fullmatch(r"(__Host-Http-|__Host-|__Secure-|__Http-)?(.*)", session_name, re.IGNORECASE).groups()

    def token_of(kind):
        name = f"{prefix or ''}{kind}-{rest}"
        token = opened(cookies.get(name, ""), secrets=secrets, name=name, audience=audience)
        if token["id"] != pair:
            raise ValueError("unbound")
        return token

    try:
        kept = token_of("device")
    except ValueError as error:
        reason = "unknown_key" if str(error) == "unknown_key" else "unbound"
        raise ValueError(reason) from None
    try:
        proven_at = token_of("bound")["renewed_at"]
    except ValueError:
        proven_at = None
    is_live = proven_at is not None and proven_at - 30 <= now < proven_at + proof_lifetime
    key = kept["payload"]
    return {"key": key.hex(), "proven_until": proven_at + proof_lifetime if key and is_live else None}


def identifier(key):
    """What the browser calls a session with this key."""
    return base64.urlsafe_b64encode(hashlib.sha256(key).digest()[:12]).decode()


def challenge(text, session_name, purpose, *, secrets, audience=""):
    """The pair for which the challenge was made, and when; raises ValueError for what is none."""
    token = opened(text, secrets=secrets, name=f"{session_name} {purpose}", audience=audience)
    return token["id"], token["renewed_at"]


def opened(token, *, secrets, name, audience=""):
    """What a token holds, whatever it is for; raises ValueError with the reason to reject it."""
    if len(token) > 12_288:
        raise ValueError("oversize")
    raw = decoded(token) if re.fullmatch(r"[A-Za-z0-9_-]{151,}", token) else None
    if raw is None or raw[0] != 1:
        raise ValueError("malformed")
    secret = {derive(secret, b"key id", 3): secret for secret in secrets}.get(raw[1:4])
    if secret is None:
        raise ValueError("unknown_key")
    parts = [b"fastsession/v1", raw[:9], name.encode(), audience.encode()]
    associated_data = b"".join(len(part).to_bytes(4) + part for part in parts)
    cipher = AESGCM(sub_key(derive(secret, b"seal", 32), raw[9:21]))
    try:
        plain = cipher.decrypt(raw[21:33], raw[33:], associated_data)
    except InvalidTag:
        raise ValueError("forged") from None
    flags, end = plain[0], 31 + int.from_bytes(plain[27:31])
    bound_until = end + (16 if flags & 2 else 0)
    paired_until = bound_until + (16 if flags & 4 else 0)
    needed = paired_until + (5 if flags & 8 else 0)
    if flags & ~15 or needed > len(plain) or (flags & 8 and plain[paired_until:needed] <= plain[1:6]):
        raise ValueError("malformed")
    return {
        "id": plain[11:27],
        "created_at": int.from_bytes(plain[1:6]),
        "authenticated_at": int.from_bytes(plain[6:11]),
        "renewed_at": int.from_bytes(raw[4:9]),
        "remembered": flags & 1 == 1,
        "binding": plain[end:bound_until],
        "pair": plain[bound_until:paired_until],
        "from_fallback": secret != secrets[0],
        "payload": plain[31:end],
    }


def decoded(token):
    """The bytes of a token, None where it is not in its canonical form."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    return raw if base64.urlsafe_b64encode(raw).decode().rstrip("=") == token else None


def derive(secret, purpose, size):
    return HKDF(SHA256(), size, salt=b"fastsession/v1", info=purpose).derive(secret.encode())


def sub_key(key, half):
    def aes(block):
        return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)

    doubled = int.from_bytes(aes(bytes(16))) << 1
    k1 = doubled ^ (1 << 128 | 0x87) if doubled >> 128 else doubled
    masks = (b"\0\1X\0" + half, b"\0\2X\0" + half)
    return b"".join(aes((k1 ^ int.from_bytes(mask)).to_bytes(16)) for mask in masks)
