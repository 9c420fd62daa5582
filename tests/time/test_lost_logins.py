"""A page that polls while its user logs in, behind a real server and a network: the login stays."""

import pytest

from tests.lost_logins import MODES, TELLING, lost_logins


@pytest.mark.parametrize("mode", MODES)
def test_no_login_is_lost_while_a_page_polls(mode):
    assert lost_logins(mode, times=3) == 0


@pytest.mark.parametrize("mode", TELLING)
def test_no_login_after_the_end_of_a_session_is_lost_to_a_poll_that_writes(mode):
    assert lost_logins(mode, times=3, writing=True) == 0
