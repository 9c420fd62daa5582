"""Changed cookies: 50,000 for every reader and some for its variants, ten times as many with FASTSESSION_LONG=1, the same in every run.

A changed cookie may only be read if it is the same text in another of the spellings that cases.py names,
and then it gives the same session.
"""

import os
import random
import string

import pytest

from fastsession import SessionStatus
from fastsession.errors import Rejected
from fastsession.formats.encoding import encode_base64url
from tests.formats.cases import CASES

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

MUTANTS = 500_000 if os.environ.get("FASTSESSION_LONG") == "1" else 50_000
CHARACTERS = string.ascii_letters + string.digits + "-_.*~%;:=+/\"' {}"
SEPARATORS = "*.~-;=%:"


def flip_character(value, source, _other):
    place = source.randrange(len(value))
    return value[:place] + source.choice(CHARACTERS) + value[place + 1 :]


def flip_bit(value, source, _other):
    place = source.randrange(len(value))
    return value[:place] + chr(ord(value[place]) ^ 1 << source.randrange(7)) + value[place + 1 :]


def change_end(value, source, _other):
    """Where base64 has spare bits, padding and nothing behind it."""
    return value[: len(value) - source.randrange(3)] + source.choice(["", "=", "==", source.choice(CHARACTERS)])


def insert(value, source, _other):
    place = source.randrange(len(value) + 1)
    return value[:place] + source.choice(CHARACTERS) * source.randrange(1, 4) + value[place:]


def delete(value, source, _other):
    start = source.randrange(len(value))
    return value[:start] + value[start + source.randrange(1, 20) :]


def swap(value, source, _other):
    first, second = sorted(source.sample(range(len(value)), 2))
    return value[:first] + value[second] + value[first + 1 : second] + value[first] + value[second + 1 :]


def repeat(value, source, _other):
    start = source.randrange(len(value))
    end = start + source.randrange(1, 40)
    return value[:end] + value[start:end] + value[end:]


def respell(value, source, _other):
    """The same character in another form: a percent escape, the other case, the other alphabet."""
    place = source.randrange(len(value))
    character = value[place]
    forms = [f"%{ord(character):02X}", f"%{ord(character):02x}", character.swapcase()]
    other = {"-": "+", "_": "/", "+": "-", "/": "_"}.get(character, "\u00e9")
    return value[:place] + source.choice([*forms, other]) + value[place + 1 :]


def enclose(value, source, _other):
    return source.choice(
        [f'"{value}"', f"'{value}'", f'"{value}', f"{value}~2", f"{value};x", f" {value}", value + "=="]
    )


def bump_number(value, source, _other):
    digits = [place for place, character in enumerate(value) if character in string.digits]
    if not digits:
        return "0" + value
    place = source.choice(digits)
    return value[:place] + str((int(value[place]) + source.randrange(1, 10)) % 10) + value[place + 1 :]


def move_separator(value, source, _other):
    places = [place for place, character in enumerate(value) if character in SEPARATORS] or [0]
    place = source.choice(places)
    rest = value[:place] + value[place + 1 :]
    target = source.randrange(len(rest) + 1)
    return rest[:target] + value[place] + rest[target:]


def splice(value, source, other):
    """The beginning of one session and the end of another."""
    place = source.randrange(1, min(len(value), len(other)))
    return value[:place] + other[place:]


def exchange_field(value, source, other):
    separator = source.choice(SEPARATORS)
    fields, others = value.split(separator), other.split(separator)
    place = source.randrange(min(len(fields), len(others)))
    fields[place] = others[place]
    return separator.join(fields)


def graft_bytes(value, source, _other):
    """Random bytes, well encoded, in a field's place."""
    separator = source.choice("*.")
    fields = value.split(separator)
    fields[source.randrange(len(fields))] = encode_base64url(source.randbytes(source.choice([0, 1, 16, 20, 32, 48])))
    return separator.join(fields)


CHANGES = [
    flip_character,
    flip_bit,
    change_end,
    insert,
    delete,
    swap,
    repeat,
    respell,
    enclose,
    bump_number,
    move_separator,
    splice,
    exchange_field,
    graft_bytes,
]


def mutants(case, originals):
    """Cookies of one of the originals, one of them changed once or twice."""
    source = random.Random(case.name)
    values = [value for cookies in originals for value in cookies.values()]
    for _ in range(MUTANTS // 5 if case.is_variant else MUTANTS):
        cookies = source.choice(originals)
        name = source.choice(list(cookies))
        value = cookies[name]
        for _ in range(source.choice([1, 1, 1, 2])):
            if len(value) > 1:
                value = source.choice(CHANGES)(value, source, source.choice(values))
        yield {**cookies, name: value}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_mutant_changes_the_session(case):
    originals = case.originals
    spellings = [_spelled(case, original) for original in originals]
    sessions = [case.reader.read(original, now=case.now) for original in originals]
    statuses = set()
    for mutant in mutants(case, originals):
        try:
            session = case.reader.read(mutant, now=case.now)
        except Rejected as rejected:
            statuses.add(rejected.status)
            continue
        spelled = _spelled(case, mutant)
        assert spelled in spellings, f"{case.name}: another spelling is read than those that are listed"
        assert session == sessions[spellings.index(spelled)]
    assert {SessionStatus.FORGED, SessionStatus.MALFORMED} <= statuses


def _spelled(case, cookies):
    return {name: case.spelling(value) for name, value in cookies.items()}
