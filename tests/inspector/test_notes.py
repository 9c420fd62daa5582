"""What the inspector remembers is bounded, and found by a session's own handle alone."""

import logging

from fastsession.events import logger
from fastsession.inspector import SessionInspector
from fastsession.inspector.notes import EventMemory, Look, Looks, heard
from tests.inspector.local import PAGE, inspected_shop, local_browser, panel


def look(number):
    return Look((("name", str(number)),), b"{}")


def test_of_each_session_the_last_four_looks_are_kept():
    looks = Looks()
    for number in range(6):
        looks.remember("a", look(number))
    looks.remember("b", look(0))
    assert looks.before("a") == tuple(map(look, range(2, 6)))
    assert looks.before("b") == (look(0),)
    assert looks.before("c") == ()


def test_the_same_look_is_kept_once():
    looks = Looks()
    looks.remember("a", look(1))
    looks.remember("a", look(1))
    assert looks.before("a") == (look(1),)


def test_no_more_than_64_sessions_are_remembered():
    looks = Looks()
    for number in range(100):
        looks.remember(str(number), look(number))
    assert sum(bool(looks.before(str(number))) for number in range(100)) <= 64


def test_the_last_twenty_events_of_a_session_are_kept(client):
    for _ in range(25):
        client.post("/cart/tea")
    assert panel(client.get(PAGE), "log").count("POST /cart/tea") == 20


def test_a_record_that_is_no_event_is_passed_over():
    memory = EventMemory()
    memory.handle(logging.makeLogRecord({"msg": "a warning for the operator"}))
    assert memory.of("") == ()


def test_several_inspectors_listen_once():
    for _ in range(3):
        SessionInspector(enabled=True)
    assert logger.handlers.count(heard) == 1


def test_saves_are_heard_unless_the_application_has_chosen_a_level(clock):
    logger.setLevel(logging.INFO)
    client = local_browser(inspected_shop(clock=clock))
    client.post("/cart/tea")
    client.post("/login")
    log = panel(client.get(PAGE), "log")
    assert logger.level == logging.INFO
    assert "regenerated" in log
    assert "created" not in log
