"""Any history of requests, clocks and keys ends as the rules of docs/lifecycle.md say, in every mode."""

import os

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.state_machine.bound_machine import BOUND_MACHINES
from tests.state_machine.machine import MACHINES

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

# The same histories in every run. FASTSESSION_LONG=1: new ones, for minutes.
LONG = os.environ.get("FASTSESSION_LONG") == "1"
HISTORIES = settings(
    max_examples=5_000 if LONG else 120,
    stateful_step_count=60 if LONG else 40,
    derandomize=not LONG,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
)


@pytest.mark.parametrize("mode", MACHINES)
def test_every_history_ends_as_the_rules_say(mode):
    run_state_machine_as_test(MACHINES[mode], settings=HISTORIES)


@pytest.mark.parametrize("mode", BOUND_MACHINES)
def test_every_history_of_a_bound_session_ends_as_the_rules_say(mode):
    run_state_machine_as_test(BOUND_MACHINES[mode], settings=HISTORIES)
