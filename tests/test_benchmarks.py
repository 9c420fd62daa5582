"""What `make bench` measures in process still does what its name says. Nothing is timed here."""

import asyncio

import pytest

from tests.benchmarks import codecs, in_process, tables


def test_every_measured_request_is_answered_as_its_scenario_says(caplog):
    """Each case checks its answer, its Set-Cookie and the session afterwards before it may be timed."""
    caplog.set_level("ERROR", logger="fastsession")
    found = {case.key for case in asyncio.run(in_process.measured_cases(redis=None))}
    for name in ("no cookie", "untouched", "read", "nested write", "expired", "forged", "garbage"):
        assert (in_process.PRODUCT, name, "120 B") in found
        assert (in_process.STARLETTE, "untouched" if name == "expired" else name, "120 B") in found


def test_every_measured_codec_opens_what_it_sealed():
    assert len(codecs.tasks()) == 18


def test_a_run_changes_the_rows_that_tell_of_it_and_leaves_what_it_did_not_measure():
    page = "| | a | b |\n|---|---|---|\n| Size | 1 | 2 |\n| Cost, [measured](x.md) | 0.5 | \N{EN DASH} |\n\nText.\n"
    told = tables.with_cells(page, {"Cost": ["0.4", ""]})
    assert told == page.replace("0.5", "0.4")
    with pytest.raises(ValueError, match="no row begins with 'Speed'"):
        tables.with_cells(page, {"Speed": ["1", "2"]})
