"""What a worker knows of a Redis stream, whichever comes first: the answer to its denial, or the change itself."""

from fastsession.stores.redis_history import SeenHistory

FIRST, SECOND, OTHER = "1-7", "2-8", "2-9"


def test_a_change_that_is_read_after_it_was_confirmed_is_awaited_until_then():
    history = SeenHistory()
    history.read_everything(FIRST, set())
    history.made(SECOND)
    assert history.unread() == {SECOND}
    assert history.read([SECOND])
    assert history.unread() == set()


def test_a_change_that_is_read_before_it_was_confirmed_is_not_awaited():
    """Another connection may bring it first, most of all while replicas are waited for."""
    history = SeenHistory()
    history.read_everything(FIRST, set())
    assert history.read([SECOND])
    history.made(SECOND)
    assert history.unread() == set()


def test_a_change_of_this_worker_that_is_missing_before_one_that_was_read_is_lost():
    history = SeenHistory()
    history.read_everything(FIRST, set())
    history.made(SECOND)
    assert not history.read([OTHER])
    assert history.unread() == {SECOND}
