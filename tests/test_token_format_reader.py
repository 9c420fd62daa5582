"""docs/token-format.md is enough for a stranger: a reader written from it reads what the package seals."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from fastsession import Lifetime, Session, SessionMiddleware
from fastsession.testing import Clock, sealed_cookies
from tests.reference import token_reader
from tests.reference.token_reader import derive, joined, read

ROOT = Path(__file__).parent.parent
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
    assert read_golden(entry, bound=bool(entry["expected"]["binding"])) == entry["expected"]


@pytest.mark.parametrize("entry", INVALID, ids=lambda entry: entry["name"])
def test_the_reader_rejects_every_invalid_token_for_the_documented_reason(entry):
    with pytest.raises(ValueError) as error:
        read_golden(entry, bound=entry["status"] == "binding")
    assert str(error.value) == entry["status"]


def read_golden(entry, *, bound):
    cookies = dict(pair.split("=", 1) for pair in entry["header"].split("; "))
    return read(
        joined(cookies, entry["cookie"]),
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


def test_the_worked_example_of_the_document_is_exact():
    page = (ROOT / "docs" / "token-format.md").read_text().partition("## A worked example")[2]
    secret = re.search(r"The secret is the text `(.*?)`", page)[1]
    block = re.search(r"```text\n(.*?)```", page, re.DOTALL)[1]
    shown = {
        name: re.sub(r"\n +", "", value)
        for name, value in re.findall(r"^(\w[\w ]*?)  +(.*(?:\n  .*)*)", block, re.MULTILINE)
    }
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
