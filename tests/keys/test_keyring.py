"""Which secrets are accepted, what is derived from them, and which key opens what."""

import re

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import Secret as PydanticSecret
from pydantic import SecretBytes, SecretStr
from starlette.config import Config
from starlette.datastructures import Secret

from fastsession import ConfigurationError, generate_key
from fastsession.formats.foreign_secrets import secret_bytes
from fastsession.keyring import Key, KeyRing, accepted_secrets

GOOD = "eleven blue lanterns hang over the 7th pier"
OTHER = "nobody counted the 93 gulls on that morning"
GENERATED = generate_key()
RANDOM_HEX = "d1a9c36f04b7e8825a3f6c0e97b4d2187f5be3a06c49d81f"


@pytest.mark.parametrize(
    "secret",
    [GOOD, GOOD.encode(), RANDOM_HEX, bytes.fromhex(RANDOM_HEX + RANDOM_HEX[::-1]), "Zähne, Öl, 37 Bücher und ein Fuß"],
)
def test_a_long_secret_that_nobody_published_is_accepted(secret):
    expected = secret if isinstance(secret, bytes) else secret.encode()
    assert accepted_secrets(secret, ()) == [expected]


@pytest.mark.parametrize("kind", [str, str.encode, Secret, SecretStr, lambda text: SecretBytes(text.encode())])
def test_every_kind_of_secret_gives_the_same_bytes(kind):
    assert accepted_secrets(kind(GOOD), [kind(OTHER)]) == [GOOD.encode(), OTHER.encode()]


def test_starlettes_configuration_gives_a_secret(tmp_path):
    (tmp_path / ".env").write_text(f'SESSION_SECRET="{GOOD}"\n')
    secret = Config(tmp_path / ".env")("SESSION_SECRET", cast=Secret)
    assert accepted_secrets(secret, ()) == [GOOD.encode()]


def test_generated_keys_are_accepted_and_never_alike():
    keys = [generate_key() for _ in range(1000)]
    assert len(set(keys)) == 1000
    assert all(re.fullmatch(r"fs1\.[A-Za-z0-9_-]{43}", key) for key in keys)
    assert accepted_secrets(keys[0], keys[1:]) == [key.encode() for key in keys]


WEAK = {
    "empty": "",
    "short": GOOD[:31],
    "short in bytes": b"x7" * 15,
    "one character": "a" * 64,
    "few characters": "abcabd" * 10,
    "repetition": "b7Kq2" * 10,
    "repetition that ends early": ("kittens4" * 6)[:45],
    "zero bytes": bytes(64),
    "sequence": "abcdefghijklmnopqrstuvwxyz0123456789",
    "sequence downwards": "zyxwvutsrqponmlkjihgfedcba9876543210",
    "sequence of bytes": bytes(range(32)),
    "doubled sequence": "00112233445566778899aabbccddeeff",
    "keyboard": "qwertyuiopasdfghjklzxcvbnm1234567890",
    "placeholder": "change-me-change-me-please-change-it-1",
    "placeholder in capitals": "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
    "placeholder with length": "complex_password_at_least_32_characters_long",
    "instruction": "your-secret-key-goes-here-do-not-commit-it",
    "framework prefix": "django-insecure-3k8#v!x0q9z^w2_m7n5b4c1l6",
    "fastapi tutorial": "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "flask documentation": "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "superset": "\2\1thisismyscretkey\1\2\\e\\y\\y\\h",
    "fastify example": "averylogphrasebiggerthanthirtytwochars",
    "jwt.io": "a-string-secret-at-least-256-bits-long",
    "better-auth default": "better-auth-secret-12345678901234567890",
    "generated, of zeros": "fs1." + "A" * 43,
    "generated, repeated": "fs1." + ("abcdefg" * 7)[:43],
    "generated, cut short": generate_key()[:-1],
    "generated, with a line break": generate_key() + "\n",
    "generated, in quotes": f"fs1.'{generate_key()[4:]}'",
    "generated, twice": generate_key() * 2,
    "generated, prefix alone": "fs1.",
    "generated, other alphabet": "fs1." + "+" * 21 + "/" * 22,
    "undecodable bytes of the environment": "\udcff\udcfe" + GOOD,
}


@pytest.mark.parametrize("secret", WEAK.values(), ids=WEAK)
@pytest.mark.parametrize("place", ["secret_key", "secret_key_fallbacks[1]"])
def test_a_secret_that_protects_nothing_is_refused_with_the_way_out_and_never_shown(secret, place):
    arguments = (secret, ()) if place == "secret_key" else (GOOD, [OTHER, secret])
    with pytest.raises(ConfigurationError) as error:
        accepted_secrets(*arguments)
    message = str(error.value)
    assert message.startswith(f"{place} ")
    assert "python -m fastsession keygen" in message
    assert not any(piece in message for piece in pieces_of(secret))
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None


def pieces_of(secret):
    """Every ten characters of a secret."""
    text = secret if isinstance(secret, str) else secret.decode("latin-1")
    return {text[start : start + 10] for start in range(len(text) - 9)}


@pytest.mark.parametrize("secret", [None, 12, 3.5, ["a" * 32], bytearray(32), object(), True, PydanticSecret(12)])
def test_anything_but_text_and_bytes_is_refused(secret):
    with pytest.raises(ConfigurationError, match=rf"secret_key must be .* not {type(secret).__name__}\. .*keygen"):
        accepted_secrets(secret, ())


@pytest.mark.parametrize(
    "fallbacks",
    [GOOD, GOOD.encode(), Secret(GOOD), SecretStr(GOOD), None, 5, {GOOD}, {GOOD: 1}, iter([GOOD])],
)
def test_fallbacks_are_a_list(fallbacks):
    with pytest.raises(ConfigurationError, match=r"\[old_secret\]") as error:
        accepted_secrets(GOOD, fallbacks)
    assert "lanterns" not in str(error.value)


def test_the_first_secret_seals_and_all_open():
    ring = KeyRing([GOOD.encode(), OTHER.encode()])
    assert ring.primary.id == Key(GOOD.encode()).id
    assert set(ring.by_id) == {Key(GOOD.encode()).id, Key(OTHER.encode()).id}
    assert ring.by_id[ring.primary.id] is ring.primary


def test_a_secret_given_twice_counts_once():
    assert len(KeyRing([GOOD.encode(), OTHER.encode(), GOOD.encode()]).by_id) == 2


def test_rotation_changes_which_key_seals_and_not_which_open():
    before, after = KeyRing([OTHER.encode(), GOOD.encode()]), KeyRing([GOOD.encode(), OTHER.encode()])
    assert before.by_id.keys() == after.by_id.keys()
    assert before.primary.id != after.primary.id


def test_secrets_whose_key_ids_collide_are_refused():
    first, second = colliding_secrets()
    with pytest.raises(ConfigurationError, match="same key id") as error:
        KeyRing([first, second])
    assert first.decode() not in str(error.value)


def colliding_secrets():
    """Two secrets with one key id of 24 bits; found among some thousands, by the birthday paradox."""
    seen = {}
    for number in range(100_000):
        secret = b"%d %b" % (number, GOOD.encode())
        key_id = derived(secret, b"key id", 3)
        if key_id in seen:
            return seen[key_id], secret
        seen[key_id] = secret
    raise AssertionError("no collision")


def derived(secret, info, size):
    return HKDF(SHA256(), size, salt=b"fastsession/v1", info=info).derive(secret)


@pytest.mark.parametrize("purpose", ["seal", "key id", "log handle", "store", "challenge"])
def test_keys_are_derived_by_hkdf_with_one_label_a_purpose(purpose):
    assert Key(GOOD.encode()).derive(purpose, 32) == derived(GOOD.encode(), purpose.encode(), 32)


def test_a_handle_names_a_session_without_telling_its_id():
    key = Key(GOOD.encode())
    handles = {key.handle(bytes([number]) * 16) for number in range(256)}
    assert len(handles) == 256
    assert all(re.fullmatch(r"[0-9a-f]{16}", handle) for handle in handles)
    assert key.handle(bytes(16)) == key.handle(bytes(16)) != Key(OTHER.encode()).handle(bytes(16))


def test_no_representation_shows_a_secret():
    ring = KeyRing([GOOD.encode()])
    assert "lanterns" not in f"{ring!r} {ring.primary!r} {ring.primary.cipher!r}"


AROUND = [
    *(f"{blank}{{}}" for blank in (" ", "\n", "\t", "\r\n", "\u00a0", "\u2003", "\ufeff")),
    *(f"{{}}{blank}" for blank in (" ", "\n", "\t", "\r\n", "\u00a0", "\u2003", "\x0b", "\x1f")),
    " {} ",
]


@pytest.mark.parametrize("around", AROUND, ids=ascii)
@pytest.mark.parametrize("kind", [str, Secret, SecretStr])
@pytest.mark.parametrize("secret", [GOOD, GENERATED], ids=["passphrase", "generated"])
@pytest.mark.parametrize("place", ["secret_key", "secret_key_fallbacks[0]"])
def test_white_space_around_a_secret_of_text_is_refused_and_named(around, kind, secret, place):
    padded = kind(around.format(secret))
    arguments = (padded, ()) if place == "secret_key" else (OTHER, [padded])
    with pytest.raises(ConfigurationError, match="white space around it") as error:
        accepted_secrets(*arguments)
    assert str(error.value).startswith(f"{place} has white space")
    assert secret not in str(error.value)


@pytest.mark.parametrize("around", ['"{}"', "'{}'"])
@pytest.mark.parametrize("kind", [str, Secret, SecretStr])
@pytest.mark.parametrize("secret", [GOOD, GENERATED], ids=["passphrase", "generated"])
def test_quotation_marks_around_a_secret_are_refused(around, kind, secret):
    # As Docker passes on SESSION_SECRET="..." of an env file; a shell would take them away.
    with pytest.raises(ConfigurationError, match="secret_key has quotation marks around it") as error:
        accepted_secrets(kind(around.format(secret)), ())
    assert secret not in str(error.value)


@pytest.mark.parametrize("secret", [f'"{GOOD}', f"{GOOD}'", f"'{GOOD}\"", GOOD.replace(" ", "'")])
def test_a_quotation_mark_that_does_not_enclose_it_is_part_of_a_secret(secret):
    assert accepted_secrets(secret, ()) == [secret.encode()]


def test_white_space_within_a_secret_is_part_of_it():
    assert accepted_secrets("eleven blue\tlanterns hang over the 7th pier", ()) == [
        b"eleven blue\tlanterns hang over the 7th pier"
    ]


@pytest.mark.parametrize("around", [*AROUND, '"{}"'], ids=ascii)
@pytest.mark.parametrize("kind", [bytes, SecretBytes])
def test_a_secret_of_bytes_is_taken_as_it_is(around, kind):
    secret = around.format(GOOD).encode()
    assert accepted_secrets(kind(secret), [OTHER]) == [secret, OTHER.encode()]


def test_bytes_of_a_generated_secret_are_text():
    with pytest.raises(ConfigurationError, match="white space around it"):
        accepted_secrets(f"{GENERATED}\n".encode(), ())
    with pytest.raises(ConfigurationError, match="quotation marks around it"):
        accepted_secrets(f'"{GENERATED}"'.encode(), ())


def test_a_foreign_secret_is_the_other_systems_to_the_byte():
    assert secret_bytes("secret_key", f"{GOOD}\n") == f"{GOOD}\n".encode()
