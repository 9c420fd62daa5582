"""The state machine finds faults: each one below is put into a copy of the package, and has to be found there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import fastsession

ROOT = Path(__file__).parents[2]


class Fault(NamedTuple):
    """One wrong line: in which module it is put, in whose place, and the mode in which it shows."""

    module: str
    right: str
    wrong: str
    mode: str = "cookies"


FAULTS = {
    "renewal moves created_at": Fault(
        "lifecycle",
        "_replace(renewed_at=int(self.clock()))",
        "_replace(renewed_at=int(self.clock()), created_at=int(self.clock()))",
    ),
    "a fallback key seals": Fault(
        "sealing/token", "key = self.keys.primary", "key = list(self.keys.by_id.values())[-1]"
    ),
    "a stale chunk is kept": Fault("lifecycle", "writer.delete(stale)", "writer.delete([])"),
    "a destroyed session is saved": Fault("decision", "if destroyed:", "if destroyed and not changed:"),
    "a nested edit is missed": Fault(
        "visit",
        "return payload != self.payload and self.setup.codec.changed(payload, self.payload, edit)",
        "return any(not isinstance(value, list | dict) and getattr(self.setup.codec.load(payload)[0], name) != value"
        " for name, value in self.setup.codec.load(self.payload)[0])",
    ),
    "clearing has other attributes than setting": Fault(
        "cookies", 'self._header(name, "", "; Max-Age=0")', '(b"set-cookie", f"{name}=; path=/; Max-Age=0".encode())'
    ),
    "a login keeps the id": Fault("visit", "return Token(new_id(), now,", "return Token(self.id, now,"),
    "a save leaves the idle deadline": Fault(
        "visit",
        "times = came.created_at, came.authenticated_at, now",
        "times = came.created_at, came.authenticated_at, came.renewed_at",
    ),
    "a failed request saves": Fault("decision", "SERVER_ERROR = 500", "SERVER_ERROR = 600"),
    "a rejected cookie is cleared": Fault(
        "decision",
        "return RENEW if due and status is VALID else KEEP",
        "return (RENEW if due else KEEP) if status in (VALID, ABSENT) else CLEAR",
    ),
    "the absolute timeout is forgotten": Fault(
        "lifetime", "ends = ends_idle if ends_idle < ends_absolute else ends_absolute", "ends = ends_idle"
    ),
    "every read renews": Fault("lifetime", "else renewed_at + self._renew_after[remembered]", "else renewed_at"),
    "a remembered cookie has no age": Fault("lifecycle", "max_age=max_age", "max_age=None"),
    "a slow request brings a revoked session back": Fault(
        "server_side/lifecycle",
        "self.revoking.refuse_ended(visit, came)\n        if visit.origin:\n            await",
        "if visit.origin:\n            await",
        mode="revocations",
    ),
    "a denial is forgotten before the session is over": Fault(
        "server_side/revoking",
        "self._timeouts.longest_absolute + CLOCK_SKEW",
        "self._timeouts.standard.absolute",
        "revocations",
    ),
    "a login leaves the session from before it": Fault(
        "server_side/lifecycle", "if visit.has_new_id and visit.token is not None:", "if False:", mode="revocations"
    ),
    "a parallel write is lost": Fault(
        "server_side/record_writer",
        "token._replace(payload=payload), theirs.version",
        "token, theirs.version",
        mode="store",
    ),
    "emptying as a dict keeps the id": Fault(
        "visit", "came = None if self.emptied else self.token", "came = self.token"
    ),
    "an emptied session's record stays": Fault(
        "server_side/record_writer", "if visit.has_new_id:", "if visit.has_new_id and not visit.emptied:", mode="store"
    ),
    "a renewal brings an ended session back": Fault(
        "server_side/record_writer",
        "        if written:",
        "        if True:",
        mode="store",
    ),
    "a logout leaves the record": Fault(
        "server_side/revoking",
        "if self._records is not None:\n            await self._records.retire(",
        "if False:\n            await self._records.retire(",
        mode="store",
    ),
    "a change from before a login replaces its cookie": Fault("decision", " and not outdated", "", mode="revocations"),
    "a change from before a logout is not told from a new one": Fault(
        "server_side/revoking", '"denied", outdated=outdated', '"denied", outdated=False', mode="revocations"
    ),
    # Of sessions that are bound to devices.
    "a pair is not carried over": Fault(
        "visit", "spared_at=spared_at, pair=came.pair)", "spared_at=spared_at)", mode="bound cookies reject"
    ),
    "a pair is carried to another subject": Fault(
        "device_binding/devices",
        "return before is not None and before == after",
        "return before is not None",
        mode="bound cookies reject",
    ),
    "nobody's pair is carried over": Fault(
        "device_binding/devices",
        "before is not None and before == after",
        "before == after",
        mode="bound cookies reject",
    ),
    "a login without a proof keeps the pair": Fault(
        "device_binding/devices",
        "if came is not None and self.proven_until(device, visit.now) and",
        "if came is not None and came.pair and",
        mode="bound cookies allow",
    ),
    "an unproven request renews": Fault(
        "device_binding/devices",
        "return not self.lacks_proof(visit.device, visit.now)",
        "return True",
        mode="bound cookies allow",
    ),
    "a proof counts for ever": Fault(
        "device_binding/device_cookies",
        "if self.key and self.proven_at - CLOCK_SKEW <= now < until else 0",
        "if self.key else 0",
        mode="bound cookies reject",
    ),
    "any device cookie will do": Fault(
        "device_binding/device_cookies", "if token.id == pair and (newest", "if (newest", mode="bound cookies reject"
    ),
    "a session is believed without its device cookie": Fault(
        "device_binding/device_cookies",
        'raise Rejected(SessionStatus.UNBOUND, "without its device cookie", outdated=True)',
        'return Device(pair, b"", 2**40, 0, stale=False)',
        mode="bound cookies reject",
    ),
    "an unproven change is saved": Fault(
        "device_binding/devices",
        'raise Rejected(SessionStatus.UNBOUND, "without a live proof", outdated=True)',
        'raise Rejected(SessionStatus.UNBOUND, "without a live proof")',
        mode="bound cookies reject",
    ),
    "an offer is never given up": Fault(
        "device_binding/coming_back",
        "GIVEN_UP_AFTER: Final = CHALLENGE_LIFETIME",
        "GIVEN_UP_AFTER: Final = 10**9",
        mode="bound cookies reject",
    ),
    "a bound session is given up": Fault(
        "device_binding/devices",
        "device is not None and not device.key and visit.now >",
        "device is not None and visit.now >",
        mode="bound cookies reject",
    ),
    "another key replaces the first": Fault(
        "device_binding/endpoints", 'or device.key not in (b"", key)', "", mode="bound cookies reject"
    ),
    "a challenge of another pair will do": Fault(
        "device_binding/device_cookies",
        "return token.id == pair and -CLOCK_SKEW",
        "return -CLOCK_SKEW",
        mode="bound cookies reject",
    ),
    "a refresh seals under the old secret for ever": Fault(
        "device_binding/endpoints", "if device.stale:", "if False:", mode="bound cookies reject"
    ),
    "copies from before the registration live on": Fault(
        "device_binding/endpoints",
        "await self._lifecycle.revoking.deny_unclaimed(",
        "_ = (",
        mode="bound revocations reject",
    ),
    "a refresh renews the session": Fault(
        "device_binding/endpoints",
        "visit.renew_as(wanted=False)",
        "visit.renew_as(wanted=True)",
        mode="bound cookies reject",
    ),
}


@pytest.fixture
def copy(tmp_path):
    """A copy of the package, which a process of its own takes for the package."""
    package = tmp_path / "fastsession"
    shutil.copytree(fastsession.__path__[0], package, ignore=shutil.ignore_patterns("__pycache__"))
    return package


def run_state_machine(copy, mode):
    return subprocess.run(
        [sys.executable, "-P", "-m", "tests.state_machine", mode],
        env={**os.environ, "PYTHONPATH": f"{copy.parent}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=copy.parent,
    )


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(copy, fault):
    module = copy / f"{fault.module}.py"
    text = module.read_text()
    assert text.count(fault.right) == 1, f"{module.name} has changed: plant this fault where it belongs now"
    module.write_text(text.replace(fault.right, fault.wrong))
    done = run_state_machine(copy, fault.mode)
    assert f"checking {copy}" in done.stdout
    assert done.returncode == 1, "the fault was not found"
    # The history that shows it, and one of our own checks rather than an error in the wrong line.
    assert "state = SessionsBy" in done.stderr
    assert "\nAssertionError: " in done.stderr, done.stderr[-2000:]


def test_nothing_is_found_in_a_copy_without_a_fault(copy):
    done = run_state_machine(copy, "cookies")
    assert f"checking {copy}" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")
