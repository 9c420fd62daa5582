"""The bytes of a token: golden tokens, the one text a token has, and what it opens under."""

import hashlib
import json
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits

import pytest

from fastsession.device_binding.device_cookies import DeviceCookies
from fastsession.errors import Rejected
from fastsession.keyring import KeyRing
from fastsession.lifetime import CLOCK_SKEW, Lifetime, Timeouts
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.own_cookies import OwnCookies
from fastsession.sealing.token import (
    HEADER_CHARACTERS,
    Token,
    TokenSealer,
    decode,
    encode,
    is_token_size,
    new_id,
    token_size,
)
from fastsession.status import SessionStatus

GOLDEN = json.loads((Path(__file__).parents[1] / "vectors" / "tokens.json").read_text())
NOW = 1_800_000_000
KEYS = KeyRing([b"eleven blue lanterns hang over the 7th pier"])
OLD_KEYS = KeyRing([b"nobody counted the 93 gulls on that morning"])
SEALER = TokenSealer(KEYS, cookie_name="app_session")
TOKEN = Token(bytes(range(16)), NOW, NOW, NOW + 60, remembered=False, payload=b'{"user_id":42}')


def named(entries):
    return pytest.mark.parametrize("entry", entries, ids=[entry["name"] for entry in entries])


def open_golden(entry, *, bound):
    keys = KeyRing([secret.encode() for secret in GOLDEN["secrets"]])
    sealer = TokenSealer(keys, cookie_name=entry["cookie"], audience=entry["audience"])
    timeouts = Timeouts(Lifetime(**GOLDEN["lifetime"]), remembered=Lifetime(**GOLDEN["remembered"]))
    binding = hashlib.sha256(GOLDEN["bound_to"].encode()).digest()[:16] if bound else b""
    header = entry["header"].encode()
    cookies = OwnCookies(sealer, Chunks(entry["cookie"], 3), timeouts)
    arrival = cookies.open(header, binding, entry.get("now", GOLDEN["now"]))
    return arrival and arrival.token


@named(GOLDEN["valid"])
def test_a_golden_token_opens(entry):
    token = open_golden(entry, bound=bool(entry["expected"]["binding"]))
    model, _, extras = token.payload.decode().partition("\n")
    assert {"pair": "", **entry["expected"]} == {
        "id": token.id.hex(),
        "created_at": token.created_at,
        "authenticated_at": token.authenticated_at,
        "renewed_at": token.renewed_at,
        "remembered": token.remembered,
        "binding": token.binding.hex(),
        "pair": token.pair.hex(),
        "from_fallback": token.stale,
        "model": model,
        "extras": extras,
    }


@named(GOLDEN["invalid"])
def test_an_invalid_golden_token_is_rejected_for_its_reason(entry):
    assert rejection(open_golden, entry, bound=entry["status"] == "binding") == entry["status"]


def devices_of(entry):
    """What opens an entry's device cookies, and for which pair."""
    keys = KeyRing([secret.encode() for secret in GOLDEN["secrets"]])
    cookies = DeviceCookies(
        keys, cookie_name=entry["cookie"], audience=entry["audience"], proof_lifetime=GOLDEN["proof_lifetime"]
    )
    return cookies, bytes.fromhex(entry.get("pair") or entry["expected"]["pair"])


@named(GOLDEN["devices"])
def test_golden_device_cookies_open(entry):
    cookies, pair = devices_of(entry)
    device = cookies.find(entry["header"].encode(), pair)
    assert device.key.hex() == entry["expected"]["key"]
    is_live = device.proven_at - CLOCK_SKEW <= GOLDEN["now"] < device.proven_at + GOLDEN["proof_lifetime"]
    until = device.proven_at + GOLDEN["proof_lifetime"] if device.key and is_live else None
    assert until == entry["expected"]["proven_until"]


@named(GOLDEN["without_device"])
def test_without_the_device_cookie_of_a_golden_pair_there_is_none(entry):
    cookies, pair = devices_of(entry)
    assert rejection(cookies.find, entry["header"].encode(), pair) == entry["status"]


@pytest.mark.parametrize("entry", GOLDEN["challenges"], ids=lambda entry: entry["purpose"])
@pytest.mark.parametrize("purpose", ["register", "refresh"])
def test_a_golden_challenge_holds_for_its_purpose(entry, purpose):
    cookies, pair = devices_of(entry)
    holds = cookies.is_challenge(entry["text"], purpose, pair, GOLDEN["now"])
    assert holds is (purpose == entry["purpose"])


def rejection(open_, *arguments, **options):
    with pytest.raises(Rejected) as rejected:
        open_(*arguments, **options)
    return rejected.value.status


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("binding", [b"", bytes(range(16))])
@pytest.mark.parametrize("pair", [b"", bytes(range(16, 32))])
@pytest.mark.parametrize("payload", [b"", b"{}", b"x" * 33, b"x" * 34, b"{}\n{}", b"\xff" * 9000])
def test_a_token_opens_as_it_was_sealed(remembered, binding, pair, payload):
    token = TOKEN._replace(remembered=remembered, binding=binding, pair=pair, payload=payload)
    assert SEALER.open(SEALER.seal(token, now=0)) == token


@pytest.mark.parametrize("moment", [0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40 - 1])
def test_every_second_of_forty_bits_is_kept(moment):
    token = TOKEN._replace(created_at=moment, authenticated_at=moment, renewed_at=moment)
    assert SEALER.open(SEALER.seal(token, now=0)) == token


@pytest.mark.parametrize("bound", [True, False])
@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("payload", [0, 1, 17, 18, 33, 34, 97, 98, 2000])
def test_the_size_of_a_token_is_known_before_it_is_sealed(payload, bound, paired):
    token = TOKEN._replace(
        payload=bytes(payload), binding=bytes(16) if bound else b"", pair=bytes(16) if paired else b""
    )
    assert token_size(payload=payload, bound=bound, paired=paired) == len(SEALER.seal(token, now=0))


@pytest.mark.parametrize("payload", [33, 34, 97, 98])
def test_a_token_counts_as_neither_bound_nor_paired_nor_spared_unless_said(payload):
    assert token_size(payload=payload, bound=False) == len(SEALER.seal(TOKEN._replace(payload=bytes(payload)), now=0))


def test_the_sizes_of_tokens_are_told_from_others():
    sizes = {len(SEALER.seal(TOKEN._replace(payload=bytes(payload)), now=0)) for payload in range(0, 800, 10)}
    assert len(sizes) == 13
    # No bytes take one character more than a multiple of four.
    possible = [size for size in range(min(sizes), max(sizes) + 1) if size % 4 != 1]
    assert [size for size in possible if is_token_size(size)] == sorted(sizes)


def test_a_token_shows_nothing_that_it_carries():
    assert repr(TOKEN) == str(TOKEN) == "Token(...)"


def test_texts_of_similar_length_give_tokens_of_one_length():
    sizes = {
        len(SEALER.seal(TOKEN._replace(payload=b'{"name":"%s"}' % name), now=0)) for name in (b"al", b"administrator")
    }
    assert len(sizes) == 1


def test_no_two_seals_of_one_token_are_alike():
    assert len({SEALER.seal(TOKEN, now=0) for _ in range(1000)}) == 1000


def test_a_token_holds_cookie_octets_only():
    assert SEALER.seal(TOKEN, now=0).replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("version", range(256))
def test_no_version_but_1_opens(version):
    raw = bytes([version]) + decode(SEALER.seal(TOKEN, now=0))[1:]
    if version == 1:
        assert SEALER.open(encode(raw)) == TOKEN
    else:
        assert rejection(SEALER.open, encode(raw)) is SessionStatus.MALFORMED


@pytest.mark.parametrize(
    ("opener", "status"),
    [
        (TokenSealer(KEYS, cookie_name="app_sessio"), SessionStatus.FORGED),
        (TokenSealer(KEYS, cookie_name="__Host-app_session"), SessionStatus.FORGED),
        (TokenSealer(KEYS, cookie_name="app_session", audience="x"), SessionStatus.FORGED),
        # The parts of the associated data carry their lengths: nothing moves from one to the next.
        (TokenSealer(KEYS, cookie_name="app_sessio", audience="n"), SessionStatus.FORGED),
        (TokenSealer(OLD_KEYS, cookie_name="app_session"), SessionStatus.UNKNOWN_KEY),
    ],
)
def test_a_token_opens_under_its_own_name_audience_and_key_only(opener, status):
    assert rejection(opener.open, SEALER.seal(TOKEN, now=0)) is status


def test_a_token_under_the_key_id_of_another_secret_is_forged():
    raw = decode(TokenSealer(OLD_KEYS, cookie_name="app_session").seal(TOKEN, now=0))
    assert rejection(SEALER.open, encode(raw[:1] + KEYS.primary.id + raw[4:])) is SessionStatus.FORGED


def test_a_token_is_forged_whose_tag_does_not_match_under_the_key_that_it_names():
    raw = decode(SEALER.seal(TOKEN, now=0))
    assert SEALER.is_forged(raw) is False
    assert SEALER.is_forged(raw[:-1] + bytes([raw[-1] ^ 1])) is True
    assert SEALER.is_forged(decode(TokenSealer(OLD_KEYS, cookie_name="app_session").seal(TOKEN, now=0))) is False


@pytest.mark.parametrize("renewed_at", [0, NOW, 2**40 - 1])
def test_a_token_begins_as_its_key_and_version_do(renewed_at):
    [beginning] = SEALER.beginnings()
    assert SEALER.seal(TOKEN._replace(renewed_at=renewed_at), now=0).startswith(beginning)
    assert not TokenSealer(OLD_KEYS, cookie_name="app_session").seal(TOKEN, now=0).startswith(beginning)


def test_a_fallback_key_opens_and_says_so():
    both = TokenSealer(
        KeyRing([b"eleven blue lanterns hang over the 7th pier", b"nobody counted the 93 gulls on that morning"]),
        cookie_name="app_session",
    )
    old = TokenSealer(OLD_KEYS, cookie_name="app_session").seal(TOKEN, now=0)
    assert both.open(old) == TOKEN._replace(stale=True)
    assert both.open(SEALER.seal(TOKEN, now=0)) == TOKEN
    assert both.peek(old) == (TOKEN.renewed_at, True)


def test_the_first_twelve_characters_tell_the_age():
    text = SEALER.seal(TOKEN, now=0)
    assert SEALER.peek(text[:HEADER_CHARACTERS]) == (TOKEN.renewed_at, False)


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", bytes(range(256)), b"\xfb\xff\xfe" * 9])
def test_base64url_goes_there_and_back(data):
    assert decode(encode(data)) == data
    assert "=" not in encode(data)


def test_of_a_text_nothing_but_the_padding_is_left_out():
    assert {encode(bytes([0, 0, last])) for last in range(64)} == {
        "AAA" + character for character in f"{ascii_uppercase}{ascii_lowercase}{digits}-_"
    }


STANDARD_ALPHABET = encode(b"\xfb\xff\xfe").replace("-", "+").replace("_", "/")
NOT_CANONICAL = ("A", "AAAAA", "AB", "AAB", "AA==", "AAA=", "AAAA=", "AA=A", STANDARD_ALPHABET, "+AAA", "/AAA")
NOT_BASE64 = ("AA AA", " AAAA", "AAAA\n", "AAA\0", "AAA.", "AAAé", "AAA\xff", "\ud800AAA")


@pytest.mark.parametrize("text", NOT_CANONICAL + NOT_BASE64)
def test_anything_but_canonical_base64url_is_malformed(text):
    assert rejection(decode, text) is SessionStatus.MALFORMED


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", SessionStatus.MALFORMED),
        ("A" * 150, SessionStatus.MALFORMED),
        ("A" * 12_288, SessionStatus.MALFORMED),
        ("A" * 12_289, SessionStatus.OVERSIZE),
        ("A" * 10_000_000, SessionStatus.OVERSIZE),
    ],
)
def test_a_token_is_measured_before_it_is_decoded(text, status):
    assert rejection(SEALER.open, text) is status


def test_an_id_has_128_bits_and_no_other_has_the_same():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(session_id) for session_id in ids} == {16}


@pytest.mark.parametrize("moment", [0, 255, 2**32 - 1, 2**32, 2**40 - 1])
def test_the_clear_characters_tell_every_second_of_forty_bits(moment):
    assert SEALER.peek(SEALER.seal(TOKEN._replace(renewed_at=moment), now=0)) == (moment, False)


@pytest.mark.parametrize("binding", [b"", bytes(range(16))])
@pytest.mark.parametrize("payload", [b"", b"x" * 27, b"x" * 28, b"x" * 29, b"\xff" * 900])
@pytest.mark.parametrize("pair", [b"", bytes(range(16, 32))])
@pytest.mark.parametrize("spared_at", [NOW + 1, 2**40 - 1])
def test_a_token_keeps_the_cut_off_that_it_was_spared_from(binding, payload, pair, spared_at):
    token = TOKEN._replace(binding=binding, payload=payload, pair=pair, spared_at=spared_at)
    sealed = SEALER.seal(token, now=0)
    assert SEALER.open(sealed) == token
    assert token_size(payload=len(payload), bound=bool(binding), paired=bool(pair), spared=True) == len(sealed)


@pytest.mark.parametrize("spared_at", [0, 1, NOW])
def test_a_cut_off_from_before_the_session_is_none(spared_at):
    assert SEALER.open(SEALER.seal(TOKEN._replace(spared_at=spared_at), now=0)) == TOKEN
