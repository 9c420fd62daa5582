"""`read_proof`: exactly the JWT that a browser makes, and no changed one."""

import json
from base64 import urlsafe_b64decode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastsession.device_binding.proof import Proof, ProofRefused, is_signed_by, read_proof
from tests.device_binding.device_key import LEFT_OUT, DeviceKey, base64url

KEY, OTHER = DeviceKey(), DeviceKey()
CHALLENGE = "A" * 151
REGISTRATION, REFRESH = KEY.registration(CHALLENGE), KEY.refresh(CHALLENGE)
P = 2**256 - 2**224 + 2**192 + 2**96 - 1


def reads(text):
    try:
        read_proof(text)
    except ProofRefused:
        return False
    return True


def is_accepted(text, key=KEY):
    """Whether a proof is read, and signed by the key that it brings or that is known."""
    try:
        proof = read_proof(text)
    except ProofRefused:
        return False
    return proof.challenge == CHALLENGE and is_signed_by(proof, proof.key or key.compressed)


def test_a_registration_is_read():
    proof = read_proof(REGISTRATION)
    head, _, signature = REGISTRATION.rpartition(".")
    assert isinstance(proof, Proof)
    assert (proof.challenge, proof.key, proof.signed) == (CHALLENGE, KEY.compressed, head.encode())
    assert proof.signature == urlsafe_b64decode(signature + "==")
    assert len(proof.key) == 33
    assert is_signed_by(proof, KEY.compressed)


def test_a_refresh_is_read():
    proof = read_proof(REFRESH)
    assert (proof.challenge, proof.key) == (CHALLENGE, None)
    assert is_signed_by(proof, KEY.compressed)


def test_another_keys_signature_is_none():
    assert not is_signed_by(read_proof(REFRESH), OTHER.compressed)
    assert not is_signed_by(read_proof(OTHER.registration(CHALLENGE, jwk=KEY.jwk)), KEY.compressed)


@pytest.mark.parametrize(
    "key", [b"", b"\2", b"\2" + bytes(32), b"\2" + b"\xff" * 32, b"\4" + bytes(64), b"\0", bytes(33)]
)
def test_what_is_no_key_signs_nothing(key):
    assert is_signed_by(read_proof(REFRESH), key) is False


def test_both_signs_of_y_are_told_apart():
    signs = set()
    while len(signs) < 2:
        key = DeviceKey()
        proof = read_proof(key.registration("c"))
        assert proof.key == key.compressed
        assert is_signed_by(proof, key.compressed)
        signs.add(key.compressed[0])
    flipped = bytes([KEY.compressed[0] ^ 1]) + KEY.compressed[1:]
    assert not is_signed_by(read_proof(REFRESH), flipped)


def test_what_chromium_156_sends_is_read():
    proof = read_proof(
        "eyJhbGciOiJFUzI1NiIsImp3ayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6Ikcyem5UQmo4YnlqOGNGRG9Tam9zaW10SHdOcnd"
        "ndGcyZnVpR2RpbE11ZnMiLCJ5IjoibXUtWG91MDNzQVhfbVUzdVl3TGc0ZG9neUxNb0xvNi1Da0dEN1hmQ1MtayJ9LCJ0eXAiOiJkYnNjK2p"
        "3dCJ9.eyJqdGkiOiJhYmMifQ.TTlBQCtzAjIcF_lT7xn3bgx5OSW1dLiEL5Z5P78YkR9aB3NU29tBGQYyCoKb7_lRdl5z3axHmeELG1c5cB2A"
        "qQ"
    )
    assert proof.challenge == "abc"
    assert is_signed_by(proof, proof.key)
    key = proof.key
    proof = read_proof(
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImRic2Mrand0In0.eyJqdGkiOiJjMiJ9.vdSobqSfakUTssT7gYYCmmJl-cgVLtzT5C1hZWhZw0F6Gb3"
        "_z1HvLPgNoLab0EMAB1XA7gcntaFwCpSka-G8CA"
    )
    assert proof.challenge == "c2"
    assert is_signed_by(proof, key)


def jwk(**changed):
    return {name: value for name, value in {**KEY.jwk, **changed}.items() if value is not LEFT_OUT}


def coordinate(number, size=32):
    return base64url(number.to_bytes(size))


X = int.from_bytes(urlsafe_b64decode(KEY.jwk["x"] + "="))
BAD_KEYS = {
    "null": None,
    "a list": [],
    "a text": "key",
    "empty": {},
    "without kty": jwk(kty=LEFT_OUT),
    "another kty": jwk(kty="RSA"),
    "a lower-case kty": jwk(kty="ec"),
    "without crv": jwk(crv=LEFT_OUT),
    "another curve": jwk(crv="P-384"),
    "secp256k1": jwk(crv="secp256k1"),
    "Ed25519": jwk(kty="OKP", crv="Ed25519", y=LEFT_OUT),
    "without x": jwk(x=LEFT_OUT),
    "without y": jwk(y=LEFT_OUT),
    "x is a number": jwk(x=7),
    "x is null": jwk(x=None),
    "x is a list": jwk(x=[KEY.jwk["x"]]),
    "x is empty": jwk(x=""),
    "x is short": jwk(x=coordinate(5, 31)),
    "x is long": jwk(x=coordinate(X, 33)),
    "x has padding": jwk(x=KEY.jwk["x"] + "="),
    "x is not canonical": jwk(x=KEY.jwk["x"][:-1] + chr(ord(KEY.jwk["x"][-1]) + 1)),
    "x has other characters": jwk(x="é" * 43),
    "x is not base64url": jwk(x="+" * 43),
    "off the curve": jwk(y=KEY.jwk["x"]),
    "y of another key": jwk(y=OTHER.jwk["y"]),
    "the origin": jwk(x=coordinate(0), y=coordinate(0)),
    "x is the prime": jwk(x=coordinate(P), y=KEY.jwk["y"]),
    "x is the largest": jwk(x=coordinate(2**256 - 1)),
    "with its private part": jwk(d=coordinate(1)),
    "with an empty private part": jwk(d=""),
    "a symmetric key": {"kty": "oct", "k": coordinate(1)},
}


@pytest.mark.parametrize("bad", BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_key_that_is_no_public_p_256_key_is_refused(bad):
    assert not reads(KEY.registration(CHALLENGE, jwk=bad))


BAD_HEADERS = {
    "no type": {"typ": LEFT_OUT},
    "another type": {"typ": "JWT"},
    "an upper-case type": {"typ": "DBSC+JWT"},
    "a long type": {"typ": "application/dbsc+jwt"},
    "a type that is no text": {"typ": ["dbsc+jwt"]},
    "no algorithm": {"alg": LEFT_OUT},
    "none": {"alg": "none"},
    "None": {"alg": None},
    "HS256": {"alg": "HS256"},
    "RS256": {"alg": "RS256"},
    "ES384": {"alg": "ES384"},
    "es256": {"alg": "es256"},
    "ES256K": {"alg": "ES256K"},
    "a list of algorithms": {"alg": ["ES256"]},
    "crit": {"crit": ["b64"], "b64": False},
    "an empty crit": {"crit": []},
}


@pytest.mark.parametrize("changed", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_another_header_is_refused(changed):
    assert not reads(KEY.registration(CHALLENGE, **changed))
    assert not reads(KEY.refresh(CHALLENGE, **changed))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'""',
        b"\xff\xfe",
        b"{}" * 2,
        b'{"alg":"ES256"',
        b"[" * 3_000,
        b"{}\0",
        b"\xef\xbb\xbf{}",
    ],
)
def test_a_part_that_is_no_object_is_refused(content):
    assert not reads(KEY.proof(content, {"jti": CHALLENGE}))
    assert not reads(KEY.proof({"alg": "ES256", "typ": "dbsc+jwt"}, content))


@pytest.mark.parametrize("challenge", [LEFT_OUT, None, 7, 1.5, True, [CHALLENGE], {"a": CHALLENGE}])
def test_a_challenge_that_is_no_text_is_refused(challenge):
    assert not reads(KEY.proof({"alg": "ES256", "typ": "dbsc+jwt"}, {"jti": challenge}))


def test_what_else_the_payload_says_does_not_matter():
    """Chromium adds `authorization`; later versions may add more."""
    payload = {"jti": CHALLENGE, "authorization": "x", "iat": 1}
    assert is_accepted(KEY.proof({"alg": "ES256", "typ": "dbsc+jwt"}, payload))


@pytest.mark.parametrize("size", [0, 1, 63, 65, 70, 72, 96, 128])
def test_a_signature_of_another_size_is_refused(size):
    head = REFRESH.rpartition(".")[0]
    assert not reads(f"{head}.{base64url(b'x' * size)}")


@pytest.mark.parametrize(
    "signature",
    [bytes(64), b"\xff" * 64, bytes(32) + b"\1" * 32, b"\1" * 32 + bytes(32), b"\0" * 31 + b"\1" + b"\0" * 32],
)
def test_a_signature_of_impossible_numbers_is_wrong(signature):
    text = f"{REFRESH.rpartition('.')[0]}.{base64url(signature)}"
    assert not is_accepted(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        REFRESH + ".",
        "." + REFRESH,
        REFRESH + "=",
        REFRESH + "\n",
        " " + REFRESH,
        REFRESH.replace(".", "=."),
        REFRESH.replace(".", "..", 1),
        REFRESH.upper(),
        "A" * 4_097,
        "." * 4_096,
        "é" * 100,
        "\0",
        "\ud800.\ud800.\ud800",
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_what_is_no_jwt_is_refused(text):
    assert not reads(text)


def test_more_than_4096_characters_are_refused():
    longer = KEY.proof({"alg": "ES256", "typ": "dbsc+jwt"}, {"jti": CHALLENGE, "x": "y" * 2_600})
    assert len(longer) < 4_096
    assert is_accepted(longer)
    assert not reads(KEY.proof({"alg": "ES256", "typ": "dbsc+jwt"}, {"jti": CHALLENGE, "x": "y" * 3_000}))


def test_a_name_that_stands_twice_does_not_smuggle_a_second_meaning():
    """JSON readers differ about it; both meanings have to be harmless."""
    twice = b'{"alg":"none","alg":"ES256","typ":"dbsc+jwt"}'
    other = b'{"alg":"ES256","alg":"none","typ":"dbsc+jwt"}'
    assert not (is_accepted(KEY.proof(twice, {"jti": CHALLENGE})) and is_accepted(KEY.proof(other, {"jti": CHALLENGE})))


def test_numbers_that_json_does_not_have_are_no_matter():
    assert not reads(KEY.proof({"alg": "ES256", "typ": "dbsc+jwt"}, b'{"jti":NaN}'))
    assert not reads(KEY.proof(b'{"alg":"ES256","typ":"dbsc+jwt","x":' + b"9" * 2_500 + b"}", {"jti": 7}))


def test_a_refusal_does_not_repeat_the_input():
    for text in (
        "secret-proof",
        KEY.registration(CHALLENGE, alg="secret-alg"),
        KEY.registration(CHALLENGE, jwk=jwk(kty="secret-kty")),
    ):
        with pytest.raises(ProofRefused) as refused:
            read_proof(text)
        chain = [refused.value, refused.value.__cause__]
        assert "secret" not in " ".join(map(str, chain))
        assert refused.value.__cause__ is None or refused.value.__suppress_context__


# Changed proofs. Every change must be refused or leave the signature wrong, and nothing but a refusal may be raised.

CHARACTERS = 'AZaz09-_.=+/ \n\0é\ud800"'


def mutants(text):
    for at in range(len(text)):
        yield text[:at] + text[at + 1 :]
        yield text[:at]
        yield text[at + 1 :]
        yield text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        yield text[:at] + chr(ord(text[at]) ^ 2) + text[at + 1 :]
        yield text[:at] + text[at] + text[at:]
        for character in CHARACTERS:
            yield text[:at] + character + text[at + 1 :]
            yield text[:at] + character + text[at:]
    for character in CHARACTERS:
        yield text + character


@pytest.mark.parametrize("text", [REGISTRATION, REFRESH], ids=["registration", "refresh"])
def test_no_changed_proof_is_accepted(text):
    tried = 0
    for mutant in mutants(text):
        if mutant != text:
            tried += 1
            assert not is_accepted(mutant), mutant
    assert tried > 4_500


def test_no_splice_of_two_proofs_is_accepted():
    whole = {REGISTRATION, REFRESH}
    other = OTHER.registration(CHALLENGE)
    parts = [
        text.split(".") for text in (REGISTRATION, REFRESH, other, KEY.registration("B"), OTHER.refresh(CHALLENGE))
    ]
    spliced = {f"{a}.{b}.{c}" for a, *_ in parts for _, b, _ in parts for *_, c in parts} - whole - {other}
    assert len(spliced) > 20
    assert [text for text in spliced if is_accepted(text)] == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "typ": st.just("dbsc+jwt") | json_values,
        "alg": st.just("ES256") | json_values,
        "jwk": st.just(KEY.jwk)
        | json_values
        | st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "d"]), json_values),
        "crit": json_values,
    },
)


@given(headers, json_values | st.fixed_dictionaries({}, optional={"jti": json_values | st.just(CHALLENGE)}))
@settings(max_examples=500)
def test_whatever_is_signed_is_read_or_refused(header, payload):
    text = KEY.proof(header, payload)
    try:
        proof = read_proof(text)
    except ProofRefused:
        return
    assert header["typ"] == "dbsc+jwt"
    assert header["alg"] == "ES256"
    assert "crit" not in header
    assert (proof.key is not None) == ("jwk" in header)
    assert proof.key in (None, KEY.compressed)
    assert proof.challenge == payload["jti"]
    assert is_signed_by(proof, KEY.compressed)


@given(
    st.text(alphabet=st.characters(), max_size=400) | st.binary(max_size=400).map(lambda data: data.decode("latin-1"))
)
@example(REFRESH)
def test_no_text_raises_anything_but_a_refusal(text):
    assert reads(text) in (True, False)


@given(st.data())
@settings(max_examples=500)
def test_no_random_change_of_a_proof_is_accepted(data):
    text = data.draw(st.sampled_from([REGISTRATION, REFRESH]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    between = data.draw(st.text(alphabet=alphabet, max_size=40))
    changed = text[:start] + between + text[end:]
    assert changed == text or not is_accepted(changed)


def test_the_model_of_the_browser_signs_as_json_says():
    head = json.loads(urlsafe_b64decode(REGISTRATION.split(".")[0] + "=="))
    assert head == {"alg": "ES256", "jwk": KEY.jwk, "typ": "dbsc+jwt"}
