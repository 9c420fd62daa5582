"""`python -m tests.state_machine MODE`: the same histories as the test's, and the first that goes wrong as it is."""

import logging
import sys
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import fastsession
from tests.state_machine.bound_machine import BOUND_MACHINES
from tests.state_machine.machine import MACHINES
from tests.state_machine.test_state_machine import HISTORIES

if __name__ == "__main__":
    logging.disable()
    print(f"checking {Path(fastsession.__file__).parent}", flush=True)
    # To find one is enough here; shrinking it takes minutes.
    found_once = settings(HISTORIES, phases=[Phase.generate], report_multiple_bugs=False)
    run_state_machine_as_test({**MACHINES, **BOUND_MACHINES}[sys.argv[1]], settings=found_once)
