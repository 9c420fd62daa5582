"""What `make bench` measures in process still does what its name says. Nothing is timed here."""

import asyncio

from tests.benchmarks import codecs, in_process


def test_every_measured_request_is_answered_as_its_scenario_says(caplog):
    """Each case checks its answer, its Set-Cookie and the session afterwards before it may be timed."""
    caplog.set_level("ERROR", logger="fastsession")
    found = {case.key for case in asyncio.run(in_process.measured_cases(redis=None))}
    for name in ("no cookie", "untouched", "read", "nested write", "expired", "forged", "garbage"):
        assert (in_process.PRODUCT, name, "120 B") in found
        assert (in_process.STARLETTE, "untouched" if name == "expired" else name, "120 B") in found


def test_every_measured_codec_opens_what_it_sealed():
    assert len(codecs.tasks()) == 18
