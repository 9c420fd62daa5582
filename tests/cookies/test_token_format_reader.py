"""docs/token-format.md is enough for a stranger: a reader written from it reads what the package seals."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from fastsession import DeviceBinding, Lifetime, Session, SessionMiddleware
from fastsession.testing import Clock, sealed_cookies
from tests.reference import token_reader
from tests.reference.token_reader import challenge, derive, device, identifier, joined, opened, read

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads((ROOT / "tests" / "vectors" / "tokens.json").read_text())
# Which of several cookies of one name counts is decided above a reader of tokens.
INVALID = [entry for entry in GOLDEN["invalid"] if entry["status"] != "ambiguous"]
NOW = 1_800_000_100


def test_the_reader_knows_nothing_of_the_package():
    assert "fastsession" not in re.findall(
        r"^(?:from|import) (\w+)", Path(token_reader.__file__).read_text(), re.MULTILINE
    )


@pytest.mark.parametrize("entry", GOLDEN["valid"], ids=lambda entry: entry["name"])
def test_the_reader_reads_every_golden_token(entry):
    assert read_golden(entry, bound=bool(entry["expected"]["binding"])) == {"pair": "", **entry["expected"]}


@pytest.mark.parametrize("entry", INVALID, ids=lambda entry: entry["name"])
def test_the_reader_rejects_every_invalid_token_for_the_documented_reason(entry):
    with pytest.raises(ValueError) as error:
        read_golden(entry, bound=entry["status"] == "binding")
    assert str(error.value) == entry["status"]


@pytest.mark.parametrize("entry", GOLDEN["devices"], ids=lambda entry: entry["name"])
def test_the_reader_reads_every_golden_device(entry):
    assert golden_device(entry) == entry["expected"]


@pytest.mark.parametrize("entry", GOLDEN["without_device"], ids=lambda entry: entry["name"])
def test_the_reader_rejects_a_golden_session_without_its_device(entry):
    with pytest.raises(ValueError) as error:
        golden_device(entry)
    assert str(error.value) == entry["status"]


@pytest.mark.parametrize("entry", GOLDEN["challenges"], ids=lambda entry: entry["purpose"])
def test_the_reader_reads_every_golden_challenge(entry):
    pair, issued = challenge(
        entry["text"], entry["cookie"], entry["purpose"], secrets=GOLDEN["secrets"], audience=entry["audience"]
    )
    assert {"pair": pair.hex(), "issued": issued} == entry["expected"]


def cookies_of(entry):
    return dict(pair.split("=", 1) for pair in entry["header"].split("; "))


def golden_device(entry):
    return device(
        cookies_of(entry),
        entry["cookie"],
        bytes.fromhex(entry["pair"]),
        secrets=GOLDEN["secrets"],
        audience=entry["audience"],
        now=GOLDEN["now"],
        proof_lifetime=GOLDEN["proof_lifetime"],
    )


def read_golden(entry, *, bound):
    return read(
        joined(cookies_of(entry), entry["cookie"]),
        secrets=GOLDEN["secrets"],
        name=entry["cookie"],
        audience=entry["audience"],
        binding=hashlib.sha256(GOLDEN["bound_to"].encode()).digest()[:16] if bound else b"",
        now=entry.get("now", GOLDEN["now"]),
        lifetime=tuple(GOLDEN["lifetime"].values()),
        remembered=tuple(GOLDEN["remembered"].values()),
    )


class NoteSession(Session):
    note: str = ""


@pytest.mark.parametrize("length", [0, 1, 100, 3000, 4000, 7000])
@pytest.mark.parametrize("remembered", [True, False])
def test_the_reader_reads_what_the_middleware_seals_today(length, remembered):
    secret = "a reader of its own: 41 nutmegs, 7 lanterns"
    app = SessionMiddleware(
        None,
        secret_key=secret,
        model=NoteSession,
        max_cookies=3,
        audience="schön",
        remember=Lifetime(3600, 7200),
        clock=Clock(NOW),
    )
    session = NoteSession(note="é" * (length // 2))
    session.remember(remembered)
    token = joined(sealed_cookies(app, session), "__Host-app_session")
    options = {
        "name": "__Host-app_session",
        "audience": "schön",
        "lifetime": (1800, 43_200),
        "remembered": (3600, 7200),
    }
    fields = read(token, secrets=[secret], now=NOW + 1799, **options)
    assert json.loads(fields["model"]) == {"note": session.note}
    assert (fields["created_at"], fields["remembered"], fields["extras"]) == (NOW, remembered, "")


@pytest.mark.parametrize("bound", [True, False])
def test_the_reader_reads_the_device_that_the_middleware_binds_to(bound):
    secret = "a reader of its own: 41 nutmegs, 7 lanterns"
    app = SessionMiddleware(
        None, secret_key=secret, model=NoteSession, device_binding=DeviceBinding(lifetime=300), clock=Clock(NOW)
    )
    cookies = sealed_cookies(app, NoteSession(), bound=bound)
    options = {"lifetime": (1800, 43_200), "remembered": (1800, 43_200)}
    fields = read(cookies["__Host-app_session"], secrets=[secret], name="__Host-app_session", now=NOW, **options)
    pair = bytes.fromhex(fields["pair"])
    if bound:
        found = device(cookies, "__Host-app_session", pair, secrets=[secret], now=NOW + 299, proof_lifetime=300)
        assert (len(found["key"]), found["proven_until"]) == (66, NOW + 300)
    else:
        assert (pair, list(cookies)) == (b"", ["__Host-app_session"])


def worked_example(heading):
    """The secret of the worked examples, and what the one below this heading shows."""
    page = (ROOT / "docs" / "token-format.md").read_text()
    secret = re.search(r"The secret is the text `(.*?)`", page)[1]
    block = re.search(r"```text\n(.*?)```", page.partition(f"{heading}\n")[2], re.DOTALL)[1]
    shown = re.findall(r"^(\w[\w ]*?)  +(.*(?:\n  .*)*)", block, re.MULTILINE)
    return secret, {name: re.sub(r"\n +", "", value) for name, value in shown}


def test_the_worked_example_of_the_document_is_exact():
    secret, shown = worked_example("## A worked example")
    fields = read(
        shown["token"],
        secrets=[secret],
        name="__Host-app_session",
        audience="shop",
        now=NOW,
        lifetime=(1, 1),
        remembered=(1800, 43_200),
    )
    assert [fields["model"], fields["extras"], fields["id"]] == [shown["model"], shown["extras"], shown["id"]]
    assert [fields["created_at"], fields["authenticated_at"], fields["renewed_at"]] == [
        int(shown[name], 16) for name in ("created", "authenticated", "renewed")
    ]
    raw = token_reader.decoded(shown["token"]).hex()
    assert raw == "".join(shown[name] for name in ("clear header", "nonce", "ciphertext", "tag"))
    assert [derive(secret, b"key id", 3).hex(), derive(secret, b"seal", 32).hex()] == [
        shown["key id"],
        shown["seal key"],
    ]
    plaintext = "".join(shown[name] for name in ("flags", "created", "authenticated", "id", "length"))
    plaintext += f"{shown['model']}\n{shown['extras']}".encode().hex()
    assert shown["plaintext"] == plaintext.ljust(len(shown["plaintext"]), "0")
    assert len(plaintext) == 2 * (31 + int(shown["length"], 16))
    parts = (b"fastsession/v1", bytes.fromhex(shown["clear header"]), b"__Host-app_session", b"shop")
    assert shown["associated"] == b"".join(len(part).to_bytes(4) + part for part in parts).hex()


def test_the_worked_example_of_a_bound_session_is_exact():
    secret, shown = worked_example("### Bound to a device")
    names = {
        "session": "__Host-app_session",
        "device": "__Host-device-app_session",
        "bound": "__Host-bound-app_session",
        "register": "__Host-app_session register",
    }
    tokens = {
        kind: opened(shown[f"{kind} token"], secrets=[secret], name=name, audience="shop")
        for kind, name in names.items()
    }
    session, kept, proof, challenged = tokens.values()
    pair = bytes.fromhex(shown["pair"])
    assert session["pair"] == kept["id"] == proof["id"] == challenged["id"] == pair
    assert {kept["pair"], proof["pair"], challenged["pair"], kept["binding"], session["binding"]} == {b""}
    assert [session["id"].hex(), session["payload"].decode()] == [shown["id"], shown["model"]]
    assert [kept["payload"].hex(), proof["payload"], challenged["payload"]] == [shown["key"], b"", b""]
    times = {"offered": challenged, "registered": kept, "proven": proof}
    assert {name: token["renewed_at"] for name, token in times.items()} == {
        name: int(shown[name], 16) for name in times
    }
    assert all(token["created_at"] == token["renewed_at"] for token in times.values())
    assert {token["authenticated_at"] for token in times.values()} == {0}
    cookies = {names[kind]: shown[f"{kind} token"] for kind in ("device", "bound")}
    assert device(
        cookies, "__Host-app_session", pair, secrets=[secret], audience="shop", now=NOW, proof_lifetime=600
    ) == {"key": shown["key"], "proven_until": int(shown["proven"], 16) + 600}
    assert identifier(bytes.fromhex(shown["key"])) == shown["identifier"]
    for kind in ("session", "device", "bound"):
        assert shown[f"{kind} plaintext"] == plaintext_of(kind, shown).ljust(128, "0")


def plaintext_of(kind, shown):
    """The plaintext without its padding, put together from the fields that the example shows."""
    if kind == "session":
        model = shown["model"].encode().hex()
        return f"04{shown['created'] * 2}{shown['id']}{len(model) // 2:08x}{model}{shown['pair']}"
    key, at = (shown["key"], shown["registered"]) if kind == "device" else ("", shown["proven"])
    return f"00{at}{'0' * 10}{shown['pair']}{len(key) // 2:08x}{key}"
