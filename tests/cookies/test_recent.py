"""A bounded memory: what is in use stays, what is not goes, and threads never mix entries up."""

from concurrent.futures import ThreadPoolExecutor

from fastsession.sealing.recent import Recent


def remembered(recent, keys):
    return [key for key in keys if recent.get(key) is not None]


def test_the_last_things_put_in_are_remembered():
    recent = Recent(10)
    for number in range(1000):
        recent.put(number, -number)
        assert all(recent.get(key) == -key for key in range(max(0, number - 4), number + 1))


def test_no_more_than_twice_the_size_is_remembered():
    recent = Recent(10)
    for number in range(1000):
        recent.put(number, number)
    assert 10 <= len(remembered(recent, range(1000))) <= 20


def test_what_is_still_used_outlives_what_is_not():
    recent = Recent(10)
    recent.put("used", "value")
    recent.put("unused", "value")
    for number in range(1000):
        recent.put(number, number)
        assert recent.get("used") == "value"
    assert recent.get("unused") is None


def test_a_thing_put_in_again_is_replaced():
    recent = Recent(2)
    recent.put("key", 1)
    recent.put("other", 0)
    recent.put("another", 0)
    recent.put("key", 2)
    assert recent.get("key") == 2


def test_threads_never_get_the_value_of_another_key():
    recent = Recent(4)

    def work(thread):
        for number in range(20_000):
            key = (thread + number) % 16
            recent.put(key, str(key))
            assert recent.get((key + 7) % 16) in (None, str((key + 7) % 16))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
