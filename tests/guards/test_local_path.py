"""`local_path` by a table; that browsers agree is tried in tests/browser."""

import pytest
from starlette.responses import RedirectResponse

from fastsession import local_path
from tests.guards.targets import HOSTILE, LOCAL


@pytest.mark.parametrize("target", LOCAL)
def test_a_path_of_this_site_is_kept_as_it_is(target):
    assert local_path(target) == target
    assert RedirectResponse(local_path(target)).status_code == 307


@pytest.mark.parametrize("target", HOSTILE)
def test_what_may_lead_elsewhere_becomes_the_default(target):
    assert local_path(target) == "/"
    assert local_path(target, "/account") == "/account"
    assert local_path(target, default="/account?tab=1") == "/account?tab=1"


@pytest.mark.parametrize("target", [None, 1, b"/account", ["/account"], object(), True])
def test_what_is_no_text_becomes_the_default(target):
    assert local_path(target) == "/"
