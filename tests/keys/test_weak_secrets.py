"""Where a secret stops being weak, and what the one who chose it is told."""

import pytest

from fastsession import ConfigurationError
from fastsession.keyring import accepted_secrets

ADVICE = "Make one with `python -m fastsession keygen` and keep it outside the code, in SESSION_SECRET for example."
# No sequence, no repetition, 16 different characters.
MIXED = "k3vX8qLw0Zr5TnBc"
REFUSED = {
    "31 bytes": (MIXED + MIXED[::-1][:15], "has 31 bytes and needs at least 32"),
    "7 different bytes": ("aeilrtxaealtxirreitlaxxlteairxle", "is a repetition"),
    "twice the same": (MIXED * 2, "is a repetition"),
    "three times the same": (MIXED[:11] * 3, "is a repetition"),
    "the same until its end": ((MIXED[:9] * 5)[:40], "is a repetition"),
    "repeated behind the prefix": ("fs1." + (MIXED[:9] * 5)[:43], "is a repetition"),
    "25 steps of 32": ("abcdefghijklmnopqrstuvwxyz" + "3Q8w1Kz", "is a sequence"),
    "a whole key less one": (
        "fs1." + MIXED * 2 + "k3vX8qLw0Z",
        "is not a whole fs1. key: a part of it is missing or changed",
    ),
    "an example of a framework": (
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
        "is a published example",
    ),
    "a placeholder": (f"Change-Me-{MIXED}{MIXED[::-1]}", "is a placeholder"),
    "damaged text": (f"\udcff{MIXED * 2}", "is no text: its environment variable holds damaged bytes"),
}
ACCEPTED = {
    "32 bytes": MIXED + MIXED[::-1],
    "8 different bytes": "aeilrtxzaealtxirreitlaxxlteairxl",
    "the same beginning and end": "k3vX8qLw0Zr5TnB" + "c7" + "k3vX8qLw0Zr5TnB",
    "24 steps of 32": "abcdefghijklmnopqrstuvwxy" + "3Q8w1KzL",
}


@pytest.mark.parametrize(("secret", "fault"), REFUSED.values(), ids=REFUSED)
def test_a_weak_secret_is_refused_with_its_fault_and_the_way_out(secret, fault):
    with pytest.raises(ConfigurationError) as error:
        accepted_secrets(secret, ())
    assert str(error.value) == f"secret_key {fault}. {ADVICE}"


@pytest.mark.parametrize("secret", ACCEPTED.values(), ids=ACCEPTED)
def test_a_secret_just_past_the_limits_is_accepted(secret):
    assert accepted_secrets(secret, ()) == [secret.encode()]


def test_a_single_fallback_is_told_how_to_be_written():
    with pytest.raises(ConfigurationError) as error:
        accepted_secrets(ACCEPTED["32 bytes"], ACCEPTED["32 bytes"])
    assert str(error.value) == (
        "secret_key_fallbacks takes a list of secrets, oldest last; write [old_secret] for a single one."
    )
