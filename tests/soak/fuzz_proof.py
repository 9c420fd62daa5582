"""The fuzzer's target for proofs of a device key: any text, and any header and claims that are signed rightly."""

import base64
import json
from collections.abc import Sequence

from fastsession.device_binding.proof import Proof, ProofRefused, is_signed_by, read_proof
from tests.device_binding.device_key import DeviceKey, base64url
from tests.soak.fuzz_target import Change, Target

# A secret that is kept nowhere else, so that the kept inputs stay signed.
KEY = DeviceKey(secret=2**200 + 7)
CHALLENGE = "A" * 151
_LONGEST = 4_200


def _read(data: bytes) -> Proof | None:
    try:
        return read_proof(data.decode("latin-1"))
    except ProofRefused:
        return None


def _check(data: bytes, result: object) -> None:
    """What is read says exactly what the text says, by another reader, and only its own key's signature fits."""
    if result is None:
        return
    first, second, last = data.decode().split(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (first, second))
    assert ".".join(map(_canonical, (first, second, last))) == data.decode()
    assert (header["typ"], header["alg"], "crit" in header) == ("dbsc+jwt", "ES256", False)
    assert result.challenge == claims["jti"]
    assert result.signed == f"{first}.{second}".encode()
    assert result.signature == base64.urlsafe_b64decode(last + "==")
    assert (result.key is not None) == ("jwk" in header)
    if result.key is not None:
        assert len(result.key) == 33
        assert header["jwk"]["x"] == base64url(result.key[1:])
        assert "d" not in header["jwk"]
    is_signed_by(result, result.key or KEY.compressed)


def _canonical(part: str) -> str:
    return base64url(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def _mutate(data: bytes, longest: int, number: int, change: Change) -> bytes:
    """One in three times other characters, else another header or other claims, signed again."""
    parts = data.decode("latin-1").split(".")
    if number % 3 == 0 or len(parts) != 3:
        return change(data, longest)
    try:
        contents = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts[:2]]
    except ValueError:
        return change(data, longest)
    contents[number % 2] = change(contents[number % 2], longest // 3)
    return KEY.signed(".".join(map(base64url, contents))).encode()


def proof_targets() -> Sequence[Target]:
    seeds = [
        KEY.registration(CHALLENGE),
        KEY.refresh(CHALLENGE),
        KEY.registration("", kid="x", authorization=None),
        KEY.registration(CHALLENGE, jwk={**KEY.jwk, "d": "AQ"}),
        KEY.proof({"alg": "none", "typ": "dbsc+jwt", "crit": []}, {"jti": 7}),
        KEY.proof(b"[" * 500, b"{}"),
        "a.b.c",
    ]
    return (Target("proof", _read, [seed.encode() for seed in seeds], _LONGEST, _check, _mutate),)
