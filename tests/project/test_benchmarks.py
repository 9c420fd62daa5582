"""What `make bench` measures in process still does what its name says. Nothing is timed here."""

import asyncio

import pytest

from fastsession.sealing.own_cookies import OwnCookies
from tests.benchmarks import budgets, codecs, in_process, tables
from tests.benchmarks.cases import Key
from tests.benchmarks.end_to_end import LOADS, Load
from tests.benchmarks.forgetful import without_memory
from tests.cookies.test_token_cookies import NOW, cookies, header, text, token

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover


def test_every_measured_request_is_answered_as_its_scenario_says(caplog):
    """Each case checks its answer, its Set-Cookie and the session afterwards before it may be timed."""
    caplog.set_level("ERROR", logger="fastsession")
    found = {case.key for case in asyncio.run(in_process.measured_cases(redis=None))}
    assert {key for key in budgeted() if "Redis" not in key.contender} <= found
    for name in ("no cookie", "untouched", "read", "nested write", "expired", "forged", "garbage"):
        assert (in_process.PRODUCT, name, "120 B") in found
        assert (in_process.STARLETTE, "untouched" if name == "expired" else name, "120 B") in found


def budgeted():
    """The keys that the budgets in process compare."""
    for ratio in budgets.RATIOS:
        hostile = ratio.scenario.startswith("hostile")
        yield Key(ratio.contender, ratio.scenario, ratio.size)
        yield Key(ratio.reference, ratio.reference_scenario, budgets.SMALL if hostile else ratio.size)
    for extra in budgets.EXTRAS:
        yield Key(extra.contender, extra.scenario, budgets.SMALL)
        yield Key(extra.than_contender, extra.than_scenario, budgets.SMALL)


def test_every_route_with_a_budget_is_asked_for():
    for budget in (*budgets.BESIDE, *budgets.GAINS, *budgets.SHARES):
        assert Load("fastsession", budget.path, budget.visitors) in LOADS
    assert all(Load("starlette", budget.path, budget.visitors) in LOADS for budget in budgets.BESIDE)
    assert all(Load("forgetful", budget.path, budget.visitors) in LOADS for budget in budgets.GAINS)


def test_without_its_memory_of_cookies_the_product_opens_the_same_and_notes_nothing(monkeypatch):
    sent, forgetful = header(text()), cookies()
    monkeypatch.setattr(OwnCookies, "open", without_memory())
    for _ in range(3):
        assert forgetful.open(sent, b"", NOW).token == token()
    assert not forgetful._noted
    assert not forgetful._known.young


def test_every_measured_codec_opens_what_it_sealed():
    assert len(codecs.tasks()) == 18


def test_a_run_changes_the_rows_that_tell_of_it_and_leaves_what_it_did_not_measure():
    page = "| | a | b |\n|---|---|---|\n| Size | 1 | 2 |\n| Cost, [measured](x.md) | 0.5 | \N{EN DASH} |\n\nText.\n"
    told = tables.with_cells(page, {"Cost": ["0.4", ""]})
    assert told == page.replace("0.5", "0.4")
    with pytest.raises(ValueError, match="no row begins with 'Speed'"):
        tables.with_cells(page, {"Speed": ["1", "2"]})
